/* tx - a transaction on an event loop: steps that nobody gets in between
 *
 * A transaction is a block of steps on one conn. It begins with its first step
 * and ends by itself, when the last step has been answered and no other has
 * been submitted: then it is committed, so COMMIT cannot be forgotten. Whatever
 * goes wrong, it is rolled back: an error, a cancel, a deadline, a callback
 * that returns non-zero.
 *
 * BEGIN runs together with the first step; COMMIT is one more hop. From the
 * first step to the end the block holds the connection; requests that others
 * submit meanwhile run afterwards.
 *
 *     closed -- first step --> open -- all answered ---> committing --> closed
 *                               |                            | refused
 *                               '-- a reason to give up --> rolling back --^
 *
 * A transaction inside another is a savepoint: the same struct and functions,
 * with `outer` set.
 *
 * Call every function on the loop thread. The caller owns tx and steps.
 * Depends on conn of lesson 03 and stmt of lesson 01; the worker's half is
 * tx_runner.
 */
#ifndef ASQ_TX_H
#define ASQ_TX_H

#include "01-blocking/atomics.h"
#include "01-blocking/params.h"
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "03-event-loop/request.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_tx;
struct asq_tx_step;

/* A step is answered; status is as in request.h, the rows are in step->request.
 * Return 0 to go on, or anything else to give up: that becomes the status of
 * the transaction. If you have nothing to add, return status. The callback may
 * submit more steps, this one again too. What it returns does not matter if the
 * transaction is being rolled back already, or if SQLite has rolled it back
 * together with the step. */
typedef int (*asq_tx_cb)(struct asq_tx *tx,
                         struct asq_tx_step *step,
                         int status);

/* The transaction is over; the callback may use tx again or free it. status is
 * 0 if it is committed, or says why it was rolled back, with tx->message:
 *   UV_ECANCELED   asq_tx_fail said so, or the connection was closed or
 *                  cancelled
 *   UV_ETIMEDOUT   timeout_ms has passed; timed_out_in is that of the step that
 *                  was answered first (waiting ones come before a running one)
 *   UV_ESHUTDOWN   the database is not open
 *   SQLITE_MISUSE  a step was itself a COMMIT or ROLLBACK: what it committed
 *                  stays committed, and the steps after it have not run
 *   any other      of the step that failed, of a callback, of BEGIN or COMMIT
 * With outcome_unknown the COMMIT failed with an I/O error; see request.h. If
 * the connection was closed meanwhile, closing it rolls back. If there is not
 * even memory to roll back, the database is closed instead, and later requests
 * on the connection get UV_ESHUTDOWN. */
typedef void (*asq_tx_end_cb)(struct asq_tx *tx, int status);

enum asq_tx_mode {
    ASQ_TX_IMMEDIATE, /* may write: waits for the write lock at the beginning */
    ASQ_TX_DEFERRED,  /* only reads, from one snapshot; a write may fail at once
                         instead of waiting */
    ASQ_TX_EXCLUSIVE  /* without WAL it keeps readers out too */
};

enum asq_tx_state {
    ASQ_TX_CLOSED,
    ASQ_TX_OPEN,
    ASQ_TX_COMMITTING,
    ASQ_TX_ROLLING_BACK
};

struct asq_tx {
    /* public: set between init and the first step */
    void *data;
    enum asq_tx_mode mode; /* not for a savepoint */
    unsigned timeout_ms;   /* from the first step to the end; 0: no deadline.
                              If that of a savepoint stops a write, the whole
                              transaction is undone */
    asq_tx_end_cb on_end;  /* or NULL */
    /* read-only: loop thread */
    enum asq_tx_state state;
    enum asq_place timed_out_in;
    int outcome_unknown;
    char message[ASQ_MESSAGE_SIZE]; /* when the status is not 0 */
    /* private: loop thread only */
    struct asq_conn *conn;
    struct asq_tx *outer, *inner; /* inner: the savepoint that is open in it */
    struct asq_tx_step *first, *last; /* of the steps that are not answered */
    int status;                       /* 0, or why it is given up */
    uint64_t deadline_ns;
    struct asq_hold hold;   /* of the outermost one */
    struct asq_request end; /* COMMIT, ROLLBACK */
    /* private: the worker owns it while a step or the end is in flight */
    bool begun;
    bool gone; /* of the outermost one: begun, but not open any more */
    /* private: set by the loop, read by the worker */
    atomic_bool given_up;
};

struct asq_tx_step {
    /* public. Its data is yours, its result and message are the answer; the
     * transaction sets its hold and timeout_ms. */
    struct asq_request request;
    /* private: set by submit, then owned by the worker until answered */
    struct asq_tx *tx;
    const char *sql;
    struct asq_params params;
    asq_call_cb call;
    bool gone; /* no transaction was open afterwards */
    /* private: loop thread only */
    asq_tx_cb on_step;
    struct asq_tx_step *next;
};

/* Prepare a transaction on conn, or a savepoint in outer. Nothing begins before
 * the first step. conn and outer are borrowed until destroy. */
void asq_tx_init(struct asq_tx *tx, struct asq_conn *conn);
void asq_tx_init_inside(struct asq_tx *tx, struct asq_tx *outer);

/* Do not call it between the first step and on_end. Accepts NULL. */
void asq_tx_destroy(struct asq_tx *tx);

void asq_tx_step_init(struct asq_tx_step *step);
void asq_tx_step_destroy(struct asq_tx_step *step); /* accepts NULL */

/* Submits one statement as the next step; the first step opens the transaction.
 * You need not wait for one step before you submit the next; if a step fails,
 * those behind it still run, unless the transaction is gone. sql and what
 * params points to are borrowed until the callback begins; params may be NULL.
 * Without an on_step (NULL) the status of the step decides. Returns 0;
 * UV_EINVAL (no sql, or the step is in flight); UV_EBUSY (a savepoint is open
 * in this transaction, and only its steps may run; or the COMMIT is in flight);
 * UV_ECANCELED (it is being rolled back); or UV_ESHUTDOWN as asq_conn_run.
 * Unless it returns 0, the callback does not run, and an open transaction goes
 * on without this step: return the code from the callback you are in, or call
 * asq_tx_fail. */
int asq_tx_run(struct asq_tx *tx,
               struct asq_tx_step *step,
               const char *sql,
               const struct asq_params *params,
               asq_tx_cb on_step);

/* Submits a function as the next step. It must release its statements and must
 * not end the transaction. If it fails or is stopped, only the statement that
 * it was running is undone: a callback that returns 0 all the same commits what
 * the function did before that. If you do not want this, make it a step of a
 * savepoint. Errors as asq_tx_run. */
int asq_tx_call(struct asq_tx *tx,
                struct asq_tx_step *step,
                asq_call_cb call,
                asq_tx_cb on_step);

/* Gives the transaction up: a running step is interrupted, waiting ones do not
 * run, then on_end gets this status (not 0; UV_ECANCELED if you have no other).
 * A savepoint inside is given up as well, the transaction around it is not. So
 * a running step of a savepoint is allowed to finish, because SQLite answers an
 * interrupt by rolling back everything. Once COMMIT runs it is too late: on_end
 * says that it is committed. Harmless when nothing is open. */
void asq_tx_fail(struct asq_tx *tx, int status);

#ifdef __cplusplus
}
#endif

#endif
