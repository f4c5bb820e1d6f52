/* tx - a transaction on an event loop: steps that nobody gets in between
 *
 * A transaction is a block of steps on one conn. It begins with its first
 * step, and ends by itself when a step has been answered and nothing more was
 * asked: then it is committed, so it cannot be forgotten. Whatever goes wrong,
 * it is rolled back: an error, a cancel, a deadline, a callback that says so.
 *
 * BEGIN rides with the first step that runs, COMMIT is one hop more. From the
 * first step to the end the block holds the connection; what others submit
 * meanwhile runs afterwards.
 *
 *     closed -- first step --> open -- all answered ---> committing --> closed
 *                               |                            | refused
 *                               '-- a reason to give up --> rolling back --^
 *
 * A transaction inside another one is a savepoint: the same struct and the same
 * functions, with `outer` set.
 *
 * Every function belongs to the loop thread. The caller owns tx and steps.
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

/* A step is answered; status as in request.h, the rows in step->request.
 * Returns 0 to go on, or anything else to give up: this becomes the status of
 * the transaction. For no special treatment return status. The callback
 * may submit more steps, this one too. What it returns does not matter when
 * the transaction is being rolled back already, or when SQLite has rolled it
 * back together with the step. */
typedef int (*asq_tx_cb)(struct asq_tx *tx,
                         struct asq_tx_step *step,
                         int status);

/* The transaction is over; tx may be used again, or go. status is 0: it is
 * committed; or why it was rolled back, with tx->message:
 * UV_ECANCELED   asq_tx_fail said so, or the connection was closed or cancelled
 * UV_ETIMEDOUT   timeout_ms has passed, timed_out_in says where (of the step
 *                that was told first: those that wait are before what runs)
 * UV_ESHUTDOWN   the database is not open
 * SQLITE_MISUSE  a step was itself a COMMIT or ROLLBACK: what it committed is
 *                committed, the steps after it have not run
 * any other      of the step that failed, of a callback, of BEGIN or COMMIT
 * With outcome_unknown the COMMIT failed with an I/O error; see request.h. When
 * the connection was closed meanwhile, the rollback happens with its closing.
 * Where there is not even memory to roll back, the database is closed instead:
 * what is asked of the connection then gets UV_ESHUTDOWN. */
typedef void (*asq_tx_end_cb)(struct asq_tx *tx, int status);

enum asq_tx_mode {
    ASQ_TX_IMMEDIATE, /* may write: waits for the write lock at the beginning */
    ASQ_TX_DEFERRED,  /* only reads: one snapshot. A write may fail at once */
    ASQ_TX_EXCLUSIVE  /* keeps readers out too, where there is no WAL */
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
                              A savepoint's that stops a write undoes all */
    asq_tx_end_cb on_end;  /* or NULL */
    /* read-only: loop thread */
    enum asq_tx_state state;
    enum asq_place timed_out_in;
    int outcome_unknown;
    char message[ASQ_MESSAGE_SIZE]; /* of the status, when it is not 0 */
    /* private: loop thread only */
    struct asq_conn *conn;
    struct asq_tx *outer, *inner; /* inner: the savepoint that is open in it */
    struct asq_tx_step *first, *last; /* of the steps that are not answered */
    int status;                       /* why it is given up, or 0 */
    uint64_t deadline_ns;
    struct asq_hold hold;   /* of the outermost */
    struct asq_request end; /* COMMIT, ROLLBACK */
    /* private: the worker's while a step or the end is under way */
    bool begun;
    bool gone; /* of the outermost: begun, and not open any more */
    /* private: set by the loop, read by the worker */
    atomic_bool given_up;
};

struct asq_tx_step {
    /* public. Its data is the caller's, its result and message the answer;
     * its hold and timeout_ms belong to the transaction. */
    struct asq_request request;
    /* private: set by submit, then the worker's until answered */
    struct asq_tx *tx;
    const char *sql;
    struct asq_params params;
    asq_call_cb call;
    bool gone; /* no transaction was open afterwards */
    /* private: loop thread only */
    asq_tx_cb on_step;
    struct asq_tx_step *next;
};

/* Prepares a transaction on conn, or a savepoint in outer; nothing is begun,
 * and without a step nothing is owed. Conn and outer are borrowed until
 * destroy. */
void asq_tx_init(struct asq_tx *tx, struct asq_conn *conn);
void asq_tx_init_inside(struct asq_tx *tx, struct asq_tx *outer);

/* Accepts NULL. Not between the first step and on_end. */
void asq_tx_destroy(struct asq_tx *tx);

void asq_tx_step_init(struct asq_tx_step *step);
void asq_tx_step_destroy(struct asq_tx_step *step); /* accepts NULL */

/* Submits one statement as the next step; the first one opens the transaction.
 * Steps may be submitted without waiting for each other; when one of them
 * fails, those behind it run all the same unless the transaction is gone. sql
 * and what params points to are borrowed until the callback begins; params may
 * be NULL. on_step NULL stands for: return status.
 * Returns 0; UV_EINVAL (no sql; the step is under way); UV_EBUSY (a savepoint
 * is open in this transaction, and only its steps may run; or the COMMIT is
 * under way); UV_ECANCELED (it is being rolled back); or UV_ESHUTDOWN as
 * asq_conn_run. Then the callback does not run, and a transaction that is open
 * goes on without this step: return the code from the callback you are in, or
 * call asq_tx_fail. */
int asq_tx_run(struct asq_tx *tx,
               struct asq_tx_step *step,
               const char *sql,
               const struct asq_params *params,
               asq_tx_cb on_step);

/* Submits a function as the next step. It must release its statements, and
 * not end the transaction. When it fails or is stopped, only the statement
 * that it was at is undone: a callback that goes on all the same commits what
 * the function has done before. Put it into a savepoint if that is not what you
 * want. Errors as asq_tx_run. */
int asq_tx_call(struct asq_tx *tx,
                struct asq_tx_step *step,
                asq_call_cb call,
                asq_tx_cb on_step);

/* Gives up: what runs is interrupted, what waits does not run, then on_end
 * comes with this status (not 0; UV_ECANCELED for who just wants it to stop).
 * A savepoint inside is given up as well. The one around goes on: so a step of
 * a savepoint that runs is left to finish, because SQLite answers an interrupt
 * by rolling back everything. Once COMMIT runs it is too late: on_end says that
 * it is committed. Harmless when nothing is open. */
void asq_tx_fail(struct asq_tx *tx, int status);

#ifdef __cplusplus
}
#endif

#endif
