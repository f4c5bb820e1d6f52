/* request - one piece of work for a connection, and its answer
 *
 * It is embedded by the caller, who owns the memory. One thread at a time may
 * use it: the loop until it is submitted, then the worker until it is finished,
 * then the loop again. The worker's lock puts the three in order. Only
 * `cancelled` is used by both threads at once.
 *
 * Depends on the modules of lesson 01 and on work.
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

/* Runs on the loop when a request is answered. status is 0 or
 *   UV_ECANCELED      it never ran: cancelled, or the connection is closing
 *   SQLITE_INTERRUPT  cancelled while it ran
 *   UV_ETIMEDOUT      the deadline passed; timed_out_in says where it was
 *   UV_ESHUTDOWN      it never ran: the database is not open (see message)
 *   SQLITE_MISUSE     among others: it left something open, see asq_call_cb
 * or any other extended SQLITE_* code.
 *
 * A statement whose status is not 0 has changed nothing; the same is true of a
 * script. But see outcome_unknown; and OR FAIL, or a trigger's RAISE(FAIL) in a
 * single statement, keeps the rows before the bad one. Of a function only the
 * statement that was stopped or failed is undone: what it committed before
 * stays.
 *
 * In a transaction more may be undone: a write that is stopped while it runs, a
 * full disk, and OR ROLLBACK end the whole transaction. Requests that are
 * submitted after it under the same hold then run, and are committed, each by
 * itself. Lesson 07 takes care of that. If a function under a hold leaves a
 * write half stepped, the transaction of that write stays open, and later
 * writes become part of it. */
typedef void (*asq_done_cb)(struct asq_request *request, int status);

/* Runs on the worker; may use db, and the request's result and message, as it
 * likes. Returns the status: 0, an SQLITE_* code of db, or a code of its own,
 * for which it writes the message. Before each statement and while it runs, the
 * connection looks at cancel and deadline. If one is due, the statement is not
 * begun, or it is stopped, and the function gets SQLITE_INTERRUPT. It should
 * then return.
 *
 * It ends the transactions that it begins and releases the statements that it
 * prepares. What it leaves open is undone as soon as it has returned: a
 * transaction or a half-stepped write is rolled back, statements are released.
 * If it returned 0, its status becomes SQLITE_MISUSE. A blob handle or a backup
 * of SQLite's own cannot be undone, only reported. Under a hold all this is
 * done when the hold ends; with the connection's shared_tx it is not done. */
typedef int (*asq_call_cb)(struct asq_db *db, struct asq_request *request);

/* What a request is to do. */
enum asq_task {
    ASQ_TASK_SQL,        /* run one statement */
    ASQ_TASK_SCRIPT,     /* run several, all or nothing */
    ASQ_TASK_CALL,       /* run a function */
    ASQ_TASK_CHECKPOINT, /* copy the WAL into the database file */
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
    ASQ_PRIORITY_URGENT /* runs before normal requests that still wait in the
                           queue, but not before those that two batches of
                           urgent ones have passed over; it enters no hold, and
                           does not overtake what the worker has taken */
};

struct asq_request {
    /* public: set by the caller before submit */
    void *data;
    unsigned timeout_ms; /* from submit until answered; 0: no deadline */
    enum asq_priority priority;
    struct asq_hold *hold; /* NULL: none */
    bool durable; /* in a store (lesson 13): the commit that contains it is
                     synced, even with synchronous NORMAL. For a transaction it
                     is set in the first step */
    /* read-only: valid when the callback begins */
    enum asq_place timed_out_in;
    int outcome_unknown; /* 1: a COMMIT failed with an I/O error; only opening
                            the database again shows whether it happened */
    struct asq_result result;
    uint64_t submitted_ns;         /* uv_hrtime */
    uint64_t started_ns, ended_ns; /* the same; 0 if it never ran */
    unsigned failed_statement; /* of a script: its number, from 1; 0: none, or
                                  no statement was the cause */
    /* private: set by submit; the worker's until it is finished */
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
    bool opens_batch; /* it was the first of several in a read transaction */
    /* private: loop thread only */
    bool pending; /* submitted, its callback has not begun */
    /* private: set by the loop, read by the worker */
    atomic_bool cancelled;
    /* read-only: valid when the callback begins. It is last so that the fields
     * that go from thread to thread are close together in memory. */
    char message[ASQ_MESSAGE_SIZE]; /* one line when status is not 0 */
};

/* Makes a request ready for its first submit. */
void asq_request_init(struct asq_request *request);

/* Frees the result. Not while the request is pending. Accepts NULL. */
void asq_request_destroy(struct asq_request *request);

/* Asks that a pending request be given up; its callback says what happened. If
 * it still waits, it will not run. If it is running, it is interrupted, unless
 * it finishes first. Does nothing if the request is not pending. Loop thread.
 */
void asq_request_cancel(struct asq_request *request);

/* Returns the time until a deadline (uv_hrtime; 0: none) as the timeout_ms of a
 * request that is submitted now: rounded up; 1 if the deadline has passed, 0 if
 * there is none, at most UINT_MAX (49 days). Any thread. */
unsigned asq_time_left_ms(uint64_t deadline_ns);

/* The rest is internal: conn and pool use it. */

/* What submit is asked to do; the fields that the task does not use are 0. */
struct asq_order {
    enum asq_task task;
    const char *sql;
    const struct asq_params *params; /* NULL: none */
    asq_call_cb call;
    int checkpoint_mode;
};

/* Fills in a request that is not pending, and makes it pending. Loop thread. */
void asq__request_begin(struct asq_request *request,
                        const struct asq_order *order,
                        asq_done_cb on_done);

#ifdef __cplusplus
}
#endif

#endif
