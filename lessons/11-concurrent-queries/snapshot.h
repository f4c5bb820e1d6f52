/* snapshot - reads on several connections that see one state of the database
 *
 * A read transaction sees the database as it was at its first read. Two that
 * begin one after the other may see different states, because a commit can come
 * in between. A snapshot keeps commits out for that moment: it takes the write
 * lock, lets every reader begin and read once, and gives the lock back. Every
 * build of SQLite can do that.
 *
 *     begin -> readers are borrowed -> the write lock is taken -> each reader
 *     begins -> the lock is given back -> ready -> run, run ... -> end
 *
 * It takes as many readers as are free, and at least one, so two snapshots
 * cannot wait for each other's readers. With one reader it is a plain read
 * transaction and needs no lock. The same is done if the database is not in WAL
 * mode, because there a reader keeps writers out anyway.
 *
 * While a snapshot lasts, the WAL cannot start over and grows with every
 * commit: end it soon.
 *
 * Every function belongs to the loop thread. Depends on later, snapshot_begin,
 * and on pool of lesson 10.
 */
#ifndef ASQ_SNAPSHOT_H
#define ASQ_SNAPSHOT_H

#include "10-pooling/pool.h"
#include "11-concurrent-queries/later.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_snapshot;

/* For on_ready: status is 0, or says why the snapshot could not begin, with
 * snapshot->message; then everything has been given back, and it may be begun
 * again. For on_ended: status is 0. */
typedef void (*asq_snapshot_cb)(struct asq_snapshot *snapshot, int status);

enum {
    ASQ_SNAPSHOT_READERS = 8 /* at most */
};

enum asq_snapshot_state {
    ASQ_SNAPSHOT_NONE,
    ASQ_SNAPSHOT_BORROWING, /* readers, then the writer */
    ASQ_SNAPSHOT_LOCKING,
    ASQ_SNAPSHOT_BEGINNING, /* under the lock */
    ASQ_SNAPSHOT_UNLOCKING,
    ASQ_SNAPSHOT_READY,
    ASQ_SNAPSHOT_ENDING
};

struct asq_snapshot_reader {
    struct asq_snapshot *snapshot;
    struct asq_loan loan;
    struct asq_request request; /* begins the transaction, and ends it */
};

struct asq_snapshot {
    /* public: set between init and begin */
    void *data;
    const char *who;     /* its name in the reports of the pools */
    unsigned wanted;     /* how many readers: 2 */
    unsigned timeout_ms; /* for the first reader and for the lock: 5,000 */
    /* read-only */
    unsigned readers; /* how many it has; valid in on_ready */
    char message[ASQ_MESSAGE_SIZE];
    /* private: loop thread only */
    enum asq_snapshot_state state;
    struct asq_snapshot_reader reader[ASQ_SNAPSHOT_READERS];
    struct asq_loan writer;
    struct asq_request lock;
    struct asq_pool *readers_of, *writer_of;
    uv_loop_t *loop;
    struct asq_later later; /* when there is nothing to wait for */
    unsigned waiting;       /* for how many callbacks */
    bool end_called;
    int status; /* the first failure */
    asq_snapshot_cb on_ready, on_ended;
};

/* Sets the defaults of the public fields. */
void asq_snapshot_init(struct asq_snapshot *snapshot);

/* Frees the results of its requests. Not between begin and the callback of
 * end. */
void asq_snapshot_destroy(struct asq_snapshot *snapshot);

/* Begins. readers is a pool for reading, writer a pool of one connection that
 * can write to the same file; both are borrowed until on_ready. Without a
 * writer (NULL) it takes one reader. Returns 0; UV_EINVAL (it has begun
 * already, wanted is not from 1 to ASQ_SNAPSHOT_READERS, or no callback), or
 * the code with which the pool refused. */
int asq_snapshot_begin(struct asq_snapshot *snapshot,
                       struct asq_pool *readers,
                       struct asq_pool *writer,
                       asq_snapshot_cb on_ready);

/* Runs a query on the reader that has the fewest pending. Returns as
 * asq_conn_run, and UV_EINVAL if the snapshot is not ready. */
int asq_snapshot_run(struct asq_snapshot *snapshot,
                     struct asq_request *request,
                     const char *sql,
                     const struct asq_params *params,
                     asq_done_cb on_done);

/* Ends it: requests that are pending are answered first, then the readers are
 * given back, and then on_ended is called, never inside this call. If the
 * snapshot is not ready yet, on_ready is called before it, with UV_ECANCELED.
 * Returns 0, or UV_EINVAL (it has not begun, it is ending already, or no
 * callback). */
int asq_snapshot_end(struct asq_snapshot *snapshot, asq_snapshot_cb on_ended);

#ifdef __cplusplus
}
#endif

#endif
