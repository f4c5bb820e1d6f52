/* shutdown - the end of a program that has connections at work
 *
 *     up -> draining -> checkpointing -> closing -> down
 *              |              |             ^
 *              '- time over --'-- hurry ----'
 *
 * draining       new requests are refused; requests that were submitted and
 *                holds that have begun go on to their end
 * checkpointing  the connections that only read are closed; then each of the
 *                others copies the WAL into the file and closes
 * closing        statements are finalized, the connections are closed, their
 *                threads are joined
 *
 * When the time for draining is over, waiting requests are cancelled, running
 * ones interrupted, and closing begins at once.
 *
 * Call every function on the loop thread. Depends on conn of lesson 03;
 * shutdown_report says how each connection ended.
 */
#ifndef ASQ_SHUTDOWN_H
#define ASQ_SHUTDOWN_H

#include "03-event-loop/conn.h"
#include "09-lifetimes/shutdown_report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_shutdown;

/* The threads have ended and the connections are closed: their memory and that
 * of the shutdown may be freed from here on. */
typedef void (*asq_shutdown_cb)(struct asq_shutdown *shutdown);

enum asq_shutdown_state {
    ASQ_UP,
    ASQ_DRAINING,
    ASQ_CHECKPOINTING,
    ASQ_CLOSING,
    ASQ_DOWN
};

/* How far a part has come. */
enum asq_part_stage {
    ASQ_PART_DRAINING,      /* some of its requests are not answered */
    ASQ_PART_DRAINED,       /* nothing is pending, nothing can be submitted */
    ASQ_PART_CHECKPOINTING, /* the checkpoint is running */
    ASQ_PART_CLOSING,
    ASQ_PART_CLOSED
};

struct asq_shutdown_part;

/* What a part that is not a single connection does, such as a pool (lesson
 * 10). */
struct asq_part_ops {
    /* Refuses what is new. Returns true if nothing is left to answer; else
     * asq__part_drained follows. */
    bool (*drain)(struct asq_shutdown_part *part);
    /* The time is over: cancels what is left, and returns how much that is.
     * close follows. */
    size_t (*cancel)(struct asq_shutdown_part *part);
    /* Closes it; asq__part_closed follows, not inside. */
    void (*close)(struct asq_shutdown_part *part);
};

/* One connection, and how it ended. */
struct asq_shutdown_part {
    /* public: set before add */
    const char *name;      /* for the report; borrowed */
    struct asq_conn *conn; /* its open has returned 0; refuse, cancel and close
                              have not been called. NULL: what ops says */
    const struct asq_part_ops *ops; /* NULL: conn */
    void *object;                   /* for ops */
    bool checkpoint; /* it writes; one connection of each file does. A part
                        with ops is closed after those that only read; SQLite
                        then copies the WAL, if a connection of it was open and
                        no other has the file open */
    /* read-only: valid in on_down */
    size_t cancelled;      /* requests that were pending when time was over */
    int checkpoint_status; /* 0: the WAL is empty, or there is none, or the part
                              has ops and was closed in time;
                              SQLITE_BUSY: not emptied, because another
                              connection or process was reading or writing until
                              the time was over; SQLITE_LOCKED: not emptied,
                              because this connection has left a transaction or
                              a statement open; SQLITE_READONLY: this one only
                              reads; UV_ECANCELED: it was not tried;
                              UV_ETIMEDOUT, SQLITE_INTERRUPT: it was cut short,
                              by its deadline or by hurry, and the frames not
                              yet copied are in the WAL; UV_ESHUTDOWN: the
                              database was not open; or another code */
    int64_t wal_left;      /* after SQLITE_BUSY: frames that are in the WAL and
                              not yet in the file; 0: all are copied; -1: only
                              another checkpoint, which is running, knows */
    /* private */
    struct asq_shutdown *shutdown;
    struct asq_shutdown_part *next;
    enum asq_part_stage stage;
    struct asq_hold hold;       /* behind all others */
    struct asq_request request; /* under it, when all else is answered; then
                                   the checkpoints: one copies the frames, one
                                   empties the WAL */
    bool emptying;
    uint64_t checkpoint_ns; /* the deadline of both */
};

struct asq_shutdown {
    /* public: set between init and start */
    void *data;
    unsigned drain_ms; /* 5,000; 0: cancel at once. The checkpoints have what is
                          left of it, but at least 500 */
    /* read-only */
    enum asq_shutdown_state state;
    bool in_time; /* valid in on_down: nothing was cut short */
    /* private: loop thread only */
    struct asq_shutdown_part *first;
    uv_timer_t timer;
    bool timer_closed;
    uint64_t deadline_ns;
    asq_shutdown_cb on_down;
};

/* Sets the defaults. A shutdown that was not started needs no end. */
void asq_shutdown_init(struct asq_shutdown *shutdown);

/* Adds a connection, before start. part and its conn are borrowed until
 * on_down.
 */
void asq_shutdown_add(struct asq_shutdown *shutdown,
                      struct asq_shutdown_part *part);

/* Begins. From now on only the shutdown may cancel and close the connections;
 * conn->data stays as it is. loop is that of the connections. on_down is called
 * once, last of all, and never inside start. Returns 0, or UV_EALREADY. */
int asq_shutdown_start(struct asq_shutdown *shutdown,
                       uv_loop_t *loop,
                       asq_shutdown_cb on_down);

/* Ends draining and checkpoints now, as if the time were over: for the second
 * Ctrl-C. Harmless before start, and once closing has begun. */
void asq_shutdown_hurry(struct asq_shutdown *shutdown);

/* Internal: called by a part with ops. Nothing is left to answer; it is closed.
 */
void asq__part_drained(struct asq_shutdown_part *part);
void asq__part_closed(struct asq_shutdown_part *part);

#ifdef __cplusplus
}
#endif

#endif
