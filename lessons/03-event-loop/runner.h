/* runner - the worker's half of a connection
 *
 * Owns the db. It runs the requests of a batch one after another. Queries that
 * are neighbours in the batch share a read transaction.
 *
 * Every function belongs to the worker thread, except for asq__runner_init,
 * _destroy and _interrupt, which belong to the loop. Depends on checkpoint,
 * cleaner, guard, worker and request, and on db, script and stmt of lesson 01.
 * Only conn, tx of lesson 07 and store of lesson 13 use it.
 */
#ifndef ASQ_RUNNER_H
#define ASQ_RUNNER_H

#include "01-blocking/db.h"
#include "03-event-loop/checkpoint.h"
#include "03-event-loop/cleaner.h"
#include "03-event-loop/guard.h"
#include "03-event-loop/request.h"
#include "03-event-loop/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_conn;

enum asq_event {
    ASQ_EVENT_START,
    ASQ_EVENT_END
};

/* Called on the worker before and after every request that runs. It must be
 * quick and must use neither the connection nor the loop. started_ns is set; at
 * the end ended_ns and status are set too. */
typedef void (*asq_observe_cb)(struct asq_conn *conn,
                               const struct asq_request *request,
                               enum asq_event event);

struct asq_runner;

/* What a module may do in its own way: store of lesson 13. */
struct asq_runner_ops {
    size_t batch_max; /* how many requests are taken at once */
    /* On the loop: the conn begins to open; conn->profile may be changed.
     * Returns 0, or the UV_E* code that open returns. NULL: nothing more. */
    int (*opening_on_loop)(struct asq_conn *conn);
    /* On the worker: the database was opened. Returns 0, or the code with which
     * opening fails, with db.message. NULL: nothing more. */
    int (*opened_on_worker)(struct asq_runner *runner);
    /* On the worker: as asq__runner_run. */
    void (*run_on_worker)(struct asq_runner *runner,
                          struct asq_work_list *batch);
    /* On the loop: a request was answered. NULL: nothing more. */
    void (*answered_on_loop)(struct asq_conn *conn);
};

struct asq_runner {
    /* set before the thread starts */
    struct asq_worker *worker;
    struct asq_conn *conn; /* for the observer */
    const struct asq_runner_ops *ops;
    asq_observe_cb observe;
    bool batch_reads;
    /* worker thread only, once it has started; guard has its own rules */
    struct asq_guard guard;
    struct asq_cleaner cleaner;
    struct asq_db db;
    struct asq_stmt *prepared; /* of the request that runs next, or NULL */
    struct asq_work tidy;      /* queued by the loop when a hold has ended and
                                  left something open */
    /* shared with the loop; checkpoint says how */
    struct asq_checkpoint checkpoint;
};

/* Zeroes the runner and connects its parts. Loop thread. Returns 0 or a UV_E*
 * code. */
int asq__runner_init(struct asq_runner *runner);

/* Frees what init has made. Loop thread, after the worker has ended. */
void asq__runner_destroy(struct asq_runner *runner);

/* Opens the database. A cancel or a close ends the wait for a lock. Returns 0,
 * or an SQLITE_* code with the reason in db.message. */
int asq__runner_open(struct asq_runner *runner,
                     const struct asq_profile *profile);

/* Runs or refuses each request of the batch and gives each to
 * asq_worker_done. */
void asq__runner_run(struct asq_runner *runner, struct asq_work_list *batch);

/* The parts of which asq__runner_run is made, for those who run a batch in
 * another way. */

/* Begins a batch. */
void asq__runner_take(struct asq_runner *runner, struct asq_work_list *batch);

/* Takes requests off the batch until one may run, and answers the others;
 * returns NULL after the last. _next also undoes what another hold has left
 * open; _peek does not, so hold_number must be looked at. */
struct asq_request *asq__runner_next(struct asq_runner *runner);
struct asq_request *asq__runner_peek(struct asq_runner *runner);

/* Makes this request the next one again. */
void asq__runner_put_back(struct asq_runner *runner,
                          struct asq_request *request);

/* Runs and answers one request. */
void asq__runner_run_one(struct asq_runner *runner,
                         struct asq_request *request);

/* The same in four parts. _start notes that it runs, _task does what it says
 * and returns a code, _stop turns the code into a status, and _answer hands it
 * to the loop with request->status. */
void asq__runner_start(struct asq_runner *runner, struct asq_request *request);
int asq__runner_task(struct asq_runner *runner, struct asq_request *request);
int asq__runner_stop(struct asq_runner *runner,
                     struct asq_request *request,
                     int rc);
void asq__runner_answer(struct asq_runner *runner, struct asq_request *request);

/* Closes the database, whatever is open; cleaner.left counts what was. */
void asq__runner_close(struct asq_runner *runner);

/* Stops a running checkpoint if it is cancelled or late. Loop thread. */
void asq__runner_interrupt(struct asq_runner *runner);

#ifdef __cplusplus
}
#endif

#endif
