/* request - what is asked of a connection, and its answer
 *
 * Embedded by the caller, who owns the memory. Two threads hold a request in
 * turn: the loop until it is submitted, the worker until it is posted, then
 * the loop again; the lock of the worker orders the turns. Only `cancelled`
 * is touched by both at once.
 */
#ifndef ASQ_REQUEST_H
#define ASQ_REQUEST_H

#include "01-blocking/atomics.h"
#include "01-blocking/db.h"
#include "01-blocking/params.h"
#include "01-blocking/result.h"
#include "03-event-loop/work.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h> /* the codes of a status */

#ifdef __cplusplus
extern "C" {
#endif

struct asq_hold;
struct asq_request;

/* status is 0; UV_ECANCELED: it never ran (cancelled, or the connection
 * closes); SQLITE_INTERRUPT: cancelled while it ran; UV_ETIMEDOUT: the deadline
 * passed, timed_out_in says where; UV_ESHUTDOWN: it never ran, the database is
 * not open (see message); SQLITE_MISUSE, among others: it left a transaction
 * or a statement open, see asq_call_cb; or any other SQLITE_* extended code.
 *
 * A statement whose status is not 0 has changed nothing (but see
 * outcome_unknown), and so has a script. Of a function only the statement
 * that was stopped or failed is undone: what it had committed before stays.
 * In a transaction more may be undone: a write that is stopped while it runs,
 * a full disk and OR ROLLBACK end the whole of it, and what is submitted after
 * it under the same hold then runs, and is committed, by itself. Lesson 07
 * takes care of that. A write that a function leaves half stepped under a hold
 * is such a transaction: what others write meanwhile is committed with it. */
typedef void (*asq_done_cb)(struct asq_request *request, int status);

/* Runs on the worker; may use db and the request's result and message as it
 * likes. Returns the status: 0, an SQLITE_* code of db, or a code of its own,
 * for which it writes the message. Cancel and deadline are looked at before
 * each statement and while it runs: it is not begun, or stopped, and
 * SQLITE_INTERRUPT is what the function gets. It should then return.
 *
 * It ends the transactions that it begins and releases the statements that it
 * prepares. What it leaves open is undone as soon as it has returned: the
 * transaction is rolled back, a write that is half stepped as well, statements
 * are released. If it returned 0, it is answered with SQLITE_MISUSE. A blob
 * handle or a backup of SQLite's own cannot be undone, and is only told so.
 * Under a hold all this happens when the hold ends; with the connection's
 * shared_tx it does not happen. */
typedef int (*asq_call_cb)(struct asq_db *db, struct asq_request *request);

/* What is to be run. */
enum asq_task {
    ASQ_TASK_SQL,        /* one statement */
    ASQ_TASK_SCRIPT,     /* several, all or nothing */
    ASQ_TASK_CALL,       /* a function */
    ASQ_TASK_CHECKPOINT, /* of the WAL */
};

/* Where a request was when its deadline passed. */
enum asq_place {
    ASQ_PLACE_NONE,
    ASQ_PLACE_QUEUE,
    ASQ_PLACE_LOCK,
    ASQ_PLACE_RUNNING
};

enum asq_priority {
    ASQ_PRIORITY_NORMAL,
    ASQ_PRIORITY_URGENT /* before what is normal and still waits; not into a
                           hold, and not before what the worker has taken */
};

struct asq_request {
    /* public: set by the caller before submit */
    void *data;
    unsigned timeout_ms; /* from submit until answered; 0: no deadline */
    enum asq_priority priority;
    struct asq_hold *hold; /* NULL: none */
    /* read-only: valid when the callback begins */
    enum asq_place timed_out_in;
    int outcome_unknown; /* 1: a commit failed with an I/O error; whether it
                            happened shows when the database is reopened */
    struct asq_result result;
    uint64_t submitted_ns;         /* uv_hrtime */
    uint64_t started_ns, ended_ns; /* the same; 0 if it never ran */
    unsigned failed_statement; /* of a script: its number, from 1; 0: none, or
                                  not this statement's fault */
    /* private: set by submit, then the worker's until finished */
    struct asq_work work;
    enum asq_task task;
    int checkpoint_mode;
    const char *sql;
    struct asq_params params;
    asq_call_cb call;
    asq_done_cb on_done;
    uint64_t deadline_ns;
    size_t hold_number; /* of its hold; 0: none */
    int status;
    bool left_open;   /* under a hold: a transaction or a statement is open */
    bool opens_batch; /* the first of several in one read transaction */
    /* private: loop thread only */
    bool pending; /* submitted, its callback has not begun */
    /* private: set by the loop, read by the worker */
    atomic_bool cancelled;
    /* read-only: valid when the callback begins; last, so that the fields that
     * go from thread to thread lie close together */
    char message[ASQ_MESSAGE_SIZE]; /* one line when status is not 0 */
};

/* Makes a request ready for its first submit. */
void asq_request_init(struct asq_request *request);

/* Frees the result. Not while the request is pending. Accepts NULL. */
void asq_request_destroy(struct asq_request *request);

/* Asks that a pending request be stopped; its callback says what came of it.
 * One that waits is not run; one that runs is interrupted, unless it is done
 * before it notices. Harmless when nothing is pending. Loop thread. */
void asq_request_cancel(struct asq_request *request);

/* Returns what is left until a deadline (uv_hrtime; 0: none) as the timeout_ms
 * of a request that is submitted now: rounded up, 1 if it has passed, 0 if
 * there is none, UINT_MAX (49 days) if it is more. Any thread. */
unsigned asq_time_left_ms(uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
