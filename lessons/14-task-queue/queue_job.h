/* queue_job - how a job ends
 *
 *     free -- claim --> loaded -- on_job --> held -- done --> ending --> free
 *
 * A job that is held must be ended by one of three functions, also after
 * on_lost. The end is stored by one statement that changes the row only if the
 * job is still running under the same token. If that fails, for lack of space
 * or because the database is locked, the queue tells on_error and tries again
 * every poll_ms, with the lease extended, until it is closed.
 *
 * Loop thread. Depends on queue_state.
 */
#ifndef ASQ_QUEUE_JOB_H
#define ASQ_QUEUE_JOB_H

#include "14-task-queue/queue_state.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* End a job. Each returns 0, and on_ended, which may be NULL, runs once;
 * UV_EINVAL (the job is not held); or UV_ESHUTDOWN (the queue is closing).
 * error goes into the table, for people, and may be NULL. It is borrowed until
 * on_ended begins; without on_ended it must be constant.
 *
 * done: it has succeeded. retry: once more, after a delay by the wall clock,
 * unless this was the last attempt: then it is dead. dead: never again. */
int asq_job_done(struct asq_queue_job *job, asq_job_end_cb on_ended);
int asq_job_retry(struct asq_queue_job *job,
                  uint64_t delay_ms,
                  const char *error,
                  asq_job_end_cb on_ended);
int asq_job_dead(struct asq_queue_job *job,
                 const char *error,
                 asq_job_end_cb on_ended);

/* The rest is internal. */

/* Gives a loaded job back: ready at once, the attempt does not count. */
void asq__job_give_back(struct asq_queue_job *job);

/* Submits the end again if it is not in flight. */
void asq__job_end_again(struct asq_queue_job *job);

/* Makes the lane free. */
void asq__job_free(struct asq_queue_job *job);

#ifdef __cplusplus
}
#endif

#endif
