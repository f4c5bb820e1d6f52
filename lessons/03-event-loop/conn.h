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
 * Depends on worker, request and runner, and on the modules of lesson 01. It is
 * not built on offload of lesson 02: there every job is handed over and waited
 * for by itself, here whatever waits is taken, run and answered as a batch.
 */
#ifndef ASQ_CONN_H
#define ASQ_CONN_H

#include "01-blocking/db.h"
#include "01-blocking/params.h"
#include "03-event-loop/request.h"
#include "03-event-loop/runner.h"
#include "03-event-loop/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_conn;

/* status is 0 or the SQLITE_* code of asq_db_open, with conn->message. */
typedef void (*asq_opened_cb)(struct asq_conn *conn, int status);

/* For closed (the memory may go) and for idle. */
typedef void (*asq_conn_cb)(struct asq_conn *conn);

/* Keeps the connection to oneself: between begin and end only requests that
 * name the hold run. All fields are private: loop thread only. */
struct asq_hold {
    struct asq_conn *conn;
    struct asq_hold *next;        /* who asked after this one */
    struct asq_work_list waiting; /* its own, until its turn comes */
    struct asq_work_list after;   /* the others', until it ends */
    bool ended;
};

/* What close found and tidied up. */
struct asq_left_open {
    unsigned holds;      /* that had not ended */
    unsigned statements; /* that were not released */
    bool transaction;    /* rolled back */
};

struct asq_conn {
    /* public: set between init and open */
    void *data;
    void *keeper;        /* of a module that the connection is lent to, such as
                            shutdown; data stays its owner's */
    asq_conn_cb on_idle; /* pending has become 0; or NULL */
    asq_observe_cb observe; /* or NULL */
    size_t capacity;        /* of pending requests: 1,024; one under a hold
                               is never too many, or it could not end */
    bool batch_reads;       /* neighbours share a read transaction: true */
    unsigned poll_us;       /* answers that come closer together than this are
                               looked for before the loop sleeps: 50; 0: none.
                               It uses a processor that is free, and saves
                               wake-ups: bench/conn_reads measures both */
    /* read-only: loop thread */
    size_t pending;                 /* submitted and not yet called back */
    char message[ASQ_MESSAGE_SIZE]; /* why opening failed */
    char journal_mode[12];          /* what is in force, once open */
    struct asq_left_open left_open; /* valid in on_closed */
    /* private: loop thread only */
    bool opening, usable, refusing, cancel_called, close_called;
    asq_opened_cb on_open;
    asq_conn_cb on_closed;
    struct asq_hold *hold; /* whose turn it is; the others follow */
    struct asq_hold *last_hold;
    uv_timer_t look; /* at what waits for a hold: cancelled, or too late? */
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

/* Opens the database on a new thread. profile is copied; its path and vfs are
 * borrowed until on_open. Requests may be submitted at once. Returns 0, or a
 * UV_E* code: then nothing is owed. When on_open gets a status other than 0,
 * close is still owed. Opening cannot be stopped: a close meanwhile waits for
 * it, for up to busy_ms when another process holds the file. */
int asq_conn_open(struct asq_conn *conn,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  asq_opened_cb on_open);

/* Refuses new requests and new holds with UV_ESHUTDOWN. What was submitted
 * runs on, and a hold that has begun may submit until it ends. */
void asq_conn_refuse(struct asq_conn *conn);

/* Refuses everything that is new, as after close, and cancels everything that
 * is pending; what runs is interrupted. Close is still owed. */
void asq_conn_cancel(struct asq_conn *conn);

/* Refuses new requests; those that wait get UV_ECANCELED, the one that runs is
 * left to finish (who will not wait calls asq_conn_cancel first); then the
 * database is closed, an open transaction rolled back, and on_closed called.
 * Only there may the memory go. Legal once after open returned 0, at any
 * time. */
void asq_conn_close(struct asq_conn *conn, asq_conn_cb on_closed);

/* Runs one statement and collects its rows in request->result, whose memory
 * is used again. sql and what params points to are borrowed until the
 * callback begins; params may be NULL. Returns 0, UV_EINVAL (no sql, no
 * callback, a hold that is not begun or has ended, a request that is pending),
 * UV_ENOBUFS (capacity
 * requests are pending, and this one is under no hold) or UV_ESHUTDOWN
 * (refusing, closing, or the database is not open any more). */
int asq_conn_run(struct asq_conn *conn,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done);

/* Runs a function on the worker. While it does something else than SQLite,
 * nobody notices cancels and deadlines. Errors as asq_conn_run. */
int asq_conn_call(struct asq_conn *conn,
                  struct asq_request *request,
                  asq_call_cb call,
                  asq_done_cb on_done);

/* Takes a place in the line of holds. Requests that name the hold run when
 * what was submitted before has run; what others submit afterwards waits for
 * the end. There is nothing to wait for: submit at once. Returns 0 or
 * UV_ESHUTDOWN. End is owed, but not after close. */
int asq_hold_begin(struct asq_conn *conn, struct asq_hold *hold);

/* Lets the others in, after what was submitted under the hold. The hold's
 * memory may go once the callbacks of all its requests have begun. */
void asq_hold_end(struct asq_hold *hold);

#ifdef __cplusplus
}
#endif

#endif
