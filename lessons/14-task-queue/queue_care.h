/* queue_care - what else is done to a queue: prune, pause, count
 *
 * Loop thread. The structs are the caller's, who sets data between init and
 * submit. Depends on queue_state.
 */
#ifndef ASQ_QUEUE_CARE_H
#define ASQ_QUEUE_CARE_H

#include "14-task-queue/queue_state.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_care;

/* status is 0, or as in request.h, with the message of care->ask.request. */
typedef void (*asq_care_cb)(struct asq_care *care, int status);

struct asq_care {
    /* public */
    void *data;
    /* read-only: valid when the callback begins; of a prune also while it is
     * in flight */
    uint64_t deleted; /* jobs */
    /* of a count: jobs, now */
    int64_t ready, delayed, running, done, dead;
    struct asq__queue_ask ask; /* for asq_request_cancel, and its message */
    /* private: loop thread only */
    struct asq_queue *queue;
    asq_care_cb on_done;
};

void asq_care_init(struct asq_care *care);

/* Not while it is in flight. Accepts NULL. */
void asq_care_destroy(struct asq_care *care);

/* These return 0, and on_done runs once; UV_EINVAL (not open, in flight,
 * on_done is NULL); UV_ESHUTDOWN (the queue is closing); or as asq_conn_run. */

/* Deletes the jobs that were done or dead at least age_ms ago, in pieces of 500
 * so that others get in between. A cancel, and an error, ends it after the
 * pieces that are deleted. */
int asq_queue_prune(struct asq_queue *queue,
                    struct asq_care *care,
                    uint64_t age_ms,
                    asq_care_cb on_done);

/* Pauses or resumes the queue of that name for all processes: while it is
 * paused, puts are accepted and nothing is claimed. Jobs that are held go on.
 */
int asq_queue_pause(struct asq_queue *queue,
                    struct asq_care *care,
                    bool paused,
                    asq_care_cb on_done);

/* Counts the jobs by their state. It reads them all: for a tool, not for every
 * second. Who holds which job since when is in the view asq_running. */
int asq_queue_count(struct asq_queue *queue,
                    struct asq_care *care,
                    asq_care_cb on_done);

#ifdef __cplusplus
}
#endif

#endif
