/* runner - the worker's half of a connection
 *
 * Owns the db. It runs a batch of requests one after another, lets queries
 * that stand side by side share a read transaction, watches cancel and
 * deadline, and sees to it that no answer waits for a slow neighbour.
 *
 * Every function belongs to the worker thread. Depends on worker and request,
 * and on db and stmt of lesson 01. Only conn uses it.
 */
#ifndef ASQ_RUNNER_H
#define ASQ_RUNNER_H

#include "01-blocking/atomics.h"
#include "01-blocking/db.h"
#include "03-event-loop/request.h"
#include "03-event-loop/worker.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_conn;

enum asq_event {
    ASQ_EVENT_START,
    ASQ_EVENT_END
};

/* On the worker, around every request that runs. It must be quick and must
 * use neither the connection nor the loop; started_ns and at the end ended_ns
 * and status are set. */
typedef void (*asq_observe_cb)(struct asq_conn *conn,
                               const struct asq_request *request,
                               enum asq_event event);

struct asq_runner {
    /* set before the thread starts */
    struct asq_worker *worker;
    struct asq_conn *conn; /* for the observer */
    asq_observe_cb observe;
    bool batch_reads;
    /* worker thread only, once it has started */
    struct asq_db db;
    bool db_is_open;
    struct asq_work_list rest;   /* of the batch */
    struct asq_request *running; /* whom the watch watches */
    struct asq_stmt *prepared;   /* of the request that runs next, or NULL */
    int stop;                    /* what the watch has decided for it */
    enum asq_place stopped_in;
    uint64_t now_ns, posted_ns;
    /* set by the loop, read by the worker */
    atomic_bool cancelled; /* whatever there is */
    atomic_bool closing;
};

/* Opens the database. Returns 0 or an SQLITE_* code, with db.message. */
int asq__runner_open(struct asq_runner *runner,
                     const struct asq_profile *profile);

/* Runs or refuses each request of the batch and gives each to
 * asq_worker_done. */
void asq__runner_run(struct asq_runner *runner, struct asq_work_list *batch);

/* Closes the database; an open transaction is rolled back. */
void asq__runner_close(struct asq_runner *runner);

#ifdef __cplusplus
}
#endif

#endif
