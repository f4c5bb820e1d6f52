/* runner - the worker's half of a connection
 *
 * Owns the db. It runs a batch of requests one after another, lets queries
 * that are next to each other share a read transaction, and undoes what a
 * request has left open.
 *
 * Every function belongs to the worker thread, except for asq__runner_init,
 * _destroy and _interrupt, which belong to the loop. Depends on checkpoint,
 * guard, worker and request, and on db, script and stmt of lesson 01. Only conn
 * uses it.
 */
#ifndef ASQ_RUNNER_H
#define ASQ_RUNNER_H

#include "01-blocking/atomics.h"
#include "01-blocking/db.h"
#include "01-blocking/db_tidy.h"
#include "03-event-loop/checkpoint.h"
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
    bool shared_tx;
    const atomic_size_t *holds_done; /* holds up to this number are over */
    /* worker thread only, once it has started; but guard says for itself */
    struct asq_guard guard;
    struct asq_db db;
    struct asq_stmt *prepared; /* of the request that runs next, or NULL */
    size_t hold;               /* the number of the hold that ran last, or 0 */
    bool sharing;              /* a read transaction of the runner is open */
    struct asq_leftovers left; /* what had to be undone, all together */
    unsigned handles;     /* blobs that were open when it was last looked */
    struct asq_work tidy; /* queued by the loop: an ended hold has left
                             something open */
    /* shared with the loop; it says how */
    struct asq_checkpoint checkpoint;
};

/* Zeroes the runner. Loop thread. Returns 0 or a UV_E* code. */
int asq__runner_init(struct asq_runner *runner);

/* Loop thread, when the worker has ended. */
void asq__runner_destroy(struct asq_runner *runner);

/* Opens the database; a cancel or a close ends that. Returns 0 or an SQLITE_*
 * code, with db.message. */
int asq__runner_open(struct asq_runner *runner,
                     const struct asq_profile *profile);

/* Runs or refuses each request of the batch and gives each to
 * asq_worker_done. */
void asq__runner_run(struct asq_runner *runner, struct asq_work_list *batch);

/* Closes the database, whatever is open; `left` says what was. */
void asq__runner_close(struct asq_runner *runner);

/* Ends a checkpoint that runs, if it is cancelled or too late. Loop thread. */
void asq__runner_interrupt(struct asq_runner *runner);

#ifdef __cplusplus
}
#endif

#endif
