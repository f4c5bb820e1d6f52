/* conn - a connection that answers on an event loop
 *
 * SQLite has no asynchronous calls. A conn is a thread, its worker, that owns
 * one db and runs the requests of one loop: urgent ones first, the others in
 * the order of submission.
 *
 * Threads: call every function on the loop thread. on_open, on_done, on_slow,
 * on_idle and on_closed run there; observe and the function that asq_conn_call
 * submits run on the worker.
 *
 * Requests: asq_conn_run, _script, _call and _checkpoint submit one. If they
 * return 0, on_done runs exactly once, and never inside the call that submitted
 * the request. If they return anything else, it never runs. From submit until
 * on_done begins you may only cancel the request. Then it is yours again, and
 * the conn does not touch it: on_done may submit it again or free it.
 *
 * Depends on hold, worker, request, runner and statistics, and on the modules
 * of lesson 01. It does not build on offload of lesson 02, which hands over
 * each job, and waits for it, separately: a conn takes whatever is queued, runs
 * it and answers it as one batch.
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

/* status is 0, or the SQLITE_* code with which asq_db_open failed;
 * conn->message then says why. */
typedef void (*asq_opened_cb)(struct asq_conn *conn, int status);

/* Type of on_closed, from which on the conn's memory may be freed, and of
 * on_idle. */
typedef void (*asq_conn_cb)(struct asq_conn *conn);

/* A request took slow_ms or longer until it was answered, whether it ran or
 * not. Runs just before its callback: its sql, times and status are still
 * there, and it is still pending. */
typedef void (*asq_slow_cb)(struct asq_conn *conn,
                            const struct asq_request *request);

/* What requests left open and the conn had to undo: holds, transactions and
 * statements. A blob handle or a backup of SQLite's own cannot be undone and
 * keeps the file open until its owner closes it; it counts once, however long
 * it stays open. */
struct asq_left_open {
    unsigned holds, transactions, statements, handles;
};

struct asq_conn {
    /* public: set between init and open */
    void *data;
    void *keeper;     /* for a module that the connection is lent to, such as
                         shutdown; data remains its owner's */
    const char *name; /* of the thread, in debuggers; NULL: that of the file */
    asq_conn_cb on_idle;    /* called when pending has become 0; or NULL */
    asq_observe_cb observe; /* called around every request that runs; or NULL */
    asq_slow_cb on_slow;    /* or NULL */
    unsigned slow_ms;       /* from submit until answered: 1,000 */
    size_t capacity;        /* how many requests may be pending: 1,024. Does not
                               limit requests that name a hold: the hold could
                               not end without them */
    bool batch_reads; /* neighbouring reads share a read transaction: true */
    bool shared_tx;   /* a transaction or statement that a request outside a
                         hold leaves open stays open, and everybody shares it:
                         false */
    unsigned poll_us; /* when answers come closer together than this, the loop
                         looks for the next one before it sleeps: 50; 0: never.
                         This saves wake-ups and uses spare processor time:
                         bench/conn_reads measures both */
    /* read-only: loop thread */
    size_t pending;                 /* requests whose callback has not begun */
    char message[ASQ_MESSAGE_SIZE]; /* why opening failed */
    char journal_mode[12];          /* the mode in force, once open */
    struct asq_left_open left_open; /* valid in on_closed */
    /* internal to store: set between init and open; NULL: the conn's own way */
    const struct asq_runner_ops *ops;
    /* private: loop thread only */
    bool must_close; /* open returned 0, and on_closed has not been called */
    bool opening, usable, refusing, cancel_called, close_called;
    bool left_open_now; /* after the last answer something was still open */
    bool tidying, tidy_again; /* a tidy is queued; and another is needed */
    unsigned forks;           /* when it was opened */
    size_t checkpoints;       /* pending ones */
    asq_opened_cb on_open;
    asq_conn_cb on_closed;
    struct asq_line line;
    struct asq_conn_stats stats;
    uv_timer_t look; /* for requests that wait for a hold, and checkpoints:
                        is one of them cancelled or late? */
    /* private: set before the thread starts */
    struct asq_worker worker;
    struct asq_profile profile;
    /* private: worker thread only, until it has posted opened */
    struct asq_work opened;
    int open_status;
    /* private: worker thread only */
    struct asq_runner runner;
};

/* Sets the public fields to their defaults. */
void asq_conn_init(struct asq_conn *conn);

/* Starts the worker, which opens the database, and returns at once; on_open
 * reports the result, and requests may be submitted before that. profile is
 * copied; what it points to is borrowed until on_open. Returns 0, or a UV_E*
 * code (UV_EINVAL if the conn was opened and is not closed yet), after which
 * there is nothing new to close. After 0 you must close the conn, even if
 * on_open gets an error. A close or cancel meanwhile ends the wait for a lock.
 */
int asq_conn_open(struct asq_conn *conn,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  asq_opened_cb on_open);

/* Refuses new requests and new holds with UV_ESHUTDOWN. Requests submitted
 * before still run, and requests that name a hold begun before are accepted
 * until that hold ends. */
void asq_conn_refuse(struct asq_conn *conn);

/* Refuses every new request and hold, as close does, even requests that name a
 * hold, and cancels all pending requests; the one that is running is
 * interrupted. You must still close the conn, which then leaves the WAL as it
 * is instead of copying it into the database file. */
void asq_conn_cancel(struct asq_conn *conn);

/* Closes the connection and ends its worker. New requests are refused with
 * UV_ESHUTDOWN and waiting ones get UV_ECANCELED, but the request that is
 * running is allowed to finish: call asq_conn_cancel first if you do not want
 * to wait for it. Then an open transaction is rolled back, the database is
 * closed, and on_closed runs. From then on, not before, the conn's memory may
 * be freed, or the conn opened again, with the public fields as they are. Call
 * it at any time after open returned 0; a second call does nothing. In the
 * child of a fork, close and cancel do nothing: what the connection has there
 * goes when the child ends or runs another program. */
void asq_conn_close(struct asq_conn *conn, asq_conn_cb on_closed);

/* Submits one statement. Its rows are collected in request->result, whose
 * memory is reused when the request is submitted again. sql and what params
 * points to are borrowed until the callback begins; params may be NULL.
 * Returns 0, or
 *   UV_EINVAL     sql or on_done is NULL, the request is pending already, its
 *                 hold has not begun on this conn or has ended, or this is the
 *                 child of a fork
 *   UV_ENOBUFS    capacity requests are pending, and this one names no hold
 *   UV_ESHUTDOWN  the conn is refusing, cancelled or closing, or the database
 *                 could not be opened or is not open any more */
int asq_conn_run(struct asq_conn *conn,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done);

/* Submits several statements, all or nothing, as asq_db_script; rows are
 * dropped. request->failed_statement says which one failed. Errors as
 * asq_conn_run. */
int asq_conn_script(struct asq_conn *conn,
                    struct asq_request *request,
                    const char *sql,
                    asq_done_cb on_done);

/* Submits a function, which runs on the worker. Once it runs, a cancel or a
 * deadline is noticed only while it is inside SQLite. Errors as asq_conn_run,
 * with call in place of sql. */
int asq_conn_call(struct asq_conn *conn,
                  struct asq_request *request,
                  asq_call_cb call,
                  asq_done_cb on_done);

/* Submits a checkpoint: the WAL is copied into the database file. mode is one
 * of SQLITE_CHECKPOINT_*. The result is the row of PRAGMA wal_checkpoint: busy
 * (1: a reader or writer was in the way for longer than busy_ms), log,
 * checkpointed. Cancel and deadline end it while it waits and between two
 * pages; what has been copied stays. Errors as asq_conn_run. status may also be
 * SQLITE_LOCKED (this connection has a transaction or blob open, or a statement
 * in the middle of its run), SQLITE_READONLY, or SQLITE_MISUSE (there is no
 * such mode). */
int asq_conn_checkpoint(struct asq_conn *conn,
                        struct asq_request *request,
                        int mode,
                        asq_done_cb on_done);

/* Begins a hold (see hold.h), which joins the queue of holds. Requests that
 * name it run when everything submitted before asq_hold_begin has run and
 * earlier holds have ended; requests that are submitted later and do not name
 * it wait until it ends. You need not wait for its turn: submit at once.
 * Returns 0, UV_ESHUTDOWN, UV_EBUSY (it has begun already, or requests of its
 * last time are not answered yet), or UV_EINVAL (this is the child of a fork).
 * After 0 you must end the hold, unless the conn is closed. */
int asq_hold_begin(struct asq_conn *conn, struct asq_hold *hold);

/* Returns what was counted since open. */
struct asq_conn_stats asq_conn_statistics(const struct asq_conn *conn);

/* Internal to pool and store: submits a request that asq__request_begin has
 * filled in and that has waited elsewhere since. Returns 0; or UV_EINVAL,
 * UV_ESHUTDOWN, and the request is still the pool's. */
int asq__conn_pass_on(struct asq_conn *conn, struct asq_request *request);

/* Internal to pool: sets shared_tx while the connection is open and nothing is
 * pending. */
void asq__conn_share(struct asq_conn *conn, bool shared);

#ifdef __cplusplus
}
#endif

#endif
