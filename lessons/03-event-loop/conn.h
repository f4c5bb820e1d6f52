/* conn - a connection that answers on an event loop
 *
 * SQLite has no asynchronous calls. A conn is one thread that owns one db and
 * runs the requests of one loop in the order in which they were submitted.
 *
 * Every function belongs to the loop thread. A callback runs exactly once, on
 * the loop thread, and never inside the call that asked for it; when submit
 * returned non-zero it never runs. The request is not touched again once its
 * callback has begun: it may be submitted again from there, or freed.
 *
 * Depends on hold, worker, request and runner, and on the modules of lesson 01.
 * It is not built on offload of lesson 02: there every job is handed over and
 * waited for by itself, here whatever waits is taken, run and answered as a
 * batch.
 */
#ifndef ASQ_CONN_H
#define ASQ_CONN_H

#include "01-blocking/db.h"
#include "01-blocking/params.h"
#include "03-event-loop/hold.h"
#include "03-event-loop/request.h"
#include "03-event-loop/runner.h"
#include "03-event-loop/statistics.h"
#include "03-event-loop/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_conn;

/* status is 0 or the SQLITE_* code of asq_db_open, with conn->message. */
typedef void (*asq_opened_cb)(struct asq_conn *conn, int status);

/* For closed (the memory may go) and for idle. */
typedef void (*asq_conn_cb)(struct asq_conn *conn);

/* A request took slow_ms or longer until it was answered, whether it ran or
 * not. Loop thread, just before its callback: its sql, times and status are
 * still there, and it is still pending. */
typedef void (*asq_slow_cb)(struct asq_conn *conn,
                            const struct asq_request *request);

/* What others had to tidy up: a hold, transaction or statement that was not
 * ended, and a blob handle or backup of SQLite's own, which keeps the file
 * open until its owner closes it. Each counts once, though a handle may be in
 * the way for long. */
struct asq_left_open {
    unsigned holds, transactions, statements, handles;
};

struct asq_conn {
    /* public: set between init and open */
    void *data;
    void *keeper;        /* of a module that the connection is lent to, such as
                            shutdown; data stays its owner's */
    const char *name;    /* of the thread, in debuggers; NULL: of the file */
    asq_conn_cb on_idle; /* pending has become 0; or NULL */
    asq_observe_cb observe; /* or NULL */
    asq_slow_cb on_slow;    /* or NULL */
    unsigned slow_ms;       /* from submit until answered: 1,000 */
    size_t capacity;        /* of pending requests: 1,024; one under a hold
                               is never too many, or it could not end */
    bool batch_reads;       /* neighbours share a read transaction: true */
    bool shared_tx; /* a transaction or statement that a request outside a hold
                       leaves open stays open for everybody: false */
    unsigned poll_us; /* answers that come closer together than this are
                         looked for before the loop sleeps: 50; 0: none.
                         It uses a processor that is free, and saves
                         wake-ups: bench/conn_reads measures both */
    /* read-only: loop thread */
    size_t pending;                 /* submitted and not yet called back */
    char message[ASQ_MESSAGE_SIZE]; /* why opening failed */
    char journal_mode[12];          /* what is in force, once open */
    struct asq_left_open left_open; /* valid in on_closed */
    /* private: loop thread only */
    bool owed; /* open returned 0, and on_closed has not been called */
    bool opening, usable, refusing, cancel_called, close_called;
    bool tidying, tidy_again; /* a tidy is queued; and another is needed */
    unsigned forks;           /* when it was opened */
    size_t checkpoints;       /* pending */
    asq_opened_cb on_open;
    asq_conn_cb on_closed;
    struct asq_line line;
    struct asq_conn_stats stats;
    uv_timer_t look; /* at what waits for a hold, and at checkpoints */
    /* private: set before the thread starts */
    struct asq_worker worker;
    struct asq_profile profile;
    /* private: the worker's until it has posted opened */
    struct asq_work opened;
    int open_status;
    /* private: the worker's */
    struct asq_runner runner;
};

/* Sets the defaults of the public fields. Loop thread, like all here. */
void asq_conn_init(struct asq_conn *conn);

/* Opens the database on a new thread. profile is copied; what it points to is
 * borrowed until on_open. Requests may be submitted at once. Returns 0, or a
 * UV_E* code, UV_EINVAL if close is owed: then nothing is owed anew. When
 * on_open gets a status other than 0, close is still owed. A close or cancel
 * meanwhile ends the wait for a lock. */
int asq_conn_open(struct asq_conn *conn,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  asq_opened_cb on_open);

/* Refuses new requests and new holds with UV_ESHUTDOWN. What was submitted
 * runs on, and a hold that has begun may submit until it ends. */
void asq_conn_refuse(struct asq_conn *conn);

/* Refuses everything that is new, as after close, and cancels everything that
 * is pending; what runs is interrupted. Close is still owed. It then leaves
 * the WAL as it is instead of bringing it back into the file. */
void asq_conn_cancel(struct asq_conn *conn);

/* Refuses new requests; those that wait get UV_ECANCELED, the one that runs is
 * left to finish (asq_conn_cancel first, if that may take too long); then the
 * database is closed, an open transaction rolled back, and on_closed called.
 * Only there may the memory go, or the connection be opened again, with the
 * public fields as they are. Legal at any time after open returned 0; a second
 * call does nothing, and nor does one in the child of a fork, or a cancel: what
 * the connection has there goes when the child ends or runs another program. */
void asq_conn_close(struct asq_conn *conn, asq_conn_cb on_closed);

/* Runs one statement and collects its rows in request->result, whose memory
 * is used again. sql and what params points to are borrowed until the
 * callback begins; params may be NULL.
 * Returns 0; UV_EINVAL (no sql, no callback, a hold that is not begun or has
 * ended, a request that is pending, the child of a fork); UV_ENOBUFS (capacity
 * requests are pending, and this one is under no hold); or UV_ESHUTDOWN
 * (refusing, closing, or the database is not open any more). */
int asq_conn_run(struct asq_conn *conn,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done);

/* Runs several statements, all or nothing, as asq_db_script; rows are dropped.
 * request->failed_statement says which one failed. Errors as asq_conn_run. */
int asq_conn_script(struct asq_conn *conn,
                    struct asq_request *request,
                    const char *sql,
                    asq_done_cb on_done);

/* Runs a function on the worker. While it does something else than SQLite,
 * nobody notices cancels and deadlines. Errors as asq_conn_run. */
int asq_conn_call(struct asq_conn *conn,
                  struct asq_request *request,
                  asq_call_cb call,
                  asq_done_cb on_done);

/* Brings the WAL back into the file; mode is one of SQLITE_CHECKPOINT_*. The
 * result is the row of PRAGMA wal_checkpoint: busy (1: a reader or writer was
 * in the way for longer than busy_ms), log, checkpointed. Cancel and deadline
 * end it, while it waits or between two pages; what it has brought back stays.
 * Returns as asq_conn_run; status is also SQLITE_LOCKED (a transaction or a
 * blob of this connection is open, or a statement is in the middle of its run),
 * SQLITE_READONLY, or SQLITE_MISUSE (there is no such mode). */
int asq_conn_checkpoint(struct asq_conn *conn,
                        struct asq_request *request,
                        int mode,
                        asq_done_cb on_done);

/* Takes a place in the line of holds; see hold. Requests that name the hold
 * run when what was submitted before has run; what others submit afterwards
 * waits for the end. There is nothing to wait for: submit at once. Returns 0,
 * UV_ESHUTDOWN, UV_EBUSY (it has begun already, or requests of its last time
 * are not answered), or UV_EINVAL (the child of a fork). End is owed, but not
 * after close. */
int asq_hold_begin(struct asq_conn *conn, struct asq_hold *hold);

/* Returns what was counted since open. */
struct asq_conn_stats asq_conn_statistics(const struct asq_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
