/* wal_keeper - keeps the WAL of a store short
 *
 * SQLite copies the WAL into the database file at the end of a COMMIT, while
 * the caller waits. The keeper does it after the answers have gone out, and
 * only on this connection: below SQLite 3.51.3 there is a rare race when two
 * connections write or checkpoint at once.
 *
 * A checkpoint that has copied everything does not make the WAL shorter. Only
 * the next write does, which starts at its beginning again; and it may do so
 * only while no reader uses the WAL. If readers overlap all the time, that
 * never happens, and the WAL grows without bound although each checkpoint is
 * complete. Then the keeper asks for a *gap*: a moment without readers.
 *
 * Every function belongs to the worker thread, except for
 * asq__wal_keeper_news, which belongs to the loop. Depends on runner of lesson
 * 03. Only store and group use it.
 */
#ifndef ASQ_WAL_KEEPER_H
#define ASQ_WAL_KEEPER_H

#include "01-blocking/atomics.h"
#include "03-event-loop/runner.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq__wal_keeper {
    /* set before the thread starts */
    size_t every; /* a checkpoint each time the WAL has grown by so many pages;
                     0: never */
    size_t limit; /* pages, above which it tells */
    struct asq_runner *runner;
    /* worker thread only */
    size_t before;  /* pages in the WAL at the last look */
    size_t due;     /* pages, at which a checkpoint is due */
    size_t gap_due; /* pages, at which a gap is asked for */
    bool has_told;  /* that it is above the limit */
    int failure;    /* the code of the last checkpoint, or 0 */
    /* set by the worker, read by the loop */
    atomic_size_t pages; /* in the WAL after the last commit */
    atomic_size_t longest, checkpoints, checkpoint_ns;
    atomic_bool news; /* one of these is new: */
    atomic_bool is_long, wants_gap;
    atomic_size_t new_failure; /* a code, or 0 */
};

/* What the loop should know; each is told once. */
struct asq__wal_news {
    bool is_long; /* above the limit */
    int failure;  /* the code of a checkpoint, or 0 */
    bool wants_gap;
};

/* Prepares the connection, which was just opened. */
void asq__wal_keeper_open(struct asq__wal_keeper *keeper);

/* After a commit: hands the answers to the loop and copies the WAL if it is
 * time. If a checkpoint fails twice in a row, the database is closed: with
 * synchronous NORMAL, commits that were acknowledged depend on it. */
void asq__wal_keep(struct asq__wal_keeper *keeper);

/* Returns whether there is news, and takes it. */
bool asq__wal_keeper_news(struct asq__wal_keeper *keeper,
                          struct asq__wal_news *ret);

#ifdef __cplusplus
}
#endif

#endif
