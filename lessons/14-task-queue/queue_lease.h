/* queue_lease - extends the leases of the jobs that are held, in time
 *
 * As soon as one lease has only two thirds left, one statement, the heartbeat,
 * extends those of all jobs that this worker holds. It overtakes requests that
 * wait. If it fails, it is tried again after a sixth of the lease; when only
 * the last sixth is left, the holder is told.
 *
 * Loop thread. Depends on queue_ask. Only queue uses it.
 */
#ifndef ASQ_QUEUE_LEASE_H
#define ASQ_QUEUE_LEASE_H

#include "14-task-queue/queue_state.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void asq__queue_beat_if_due(struct asq_queue *queue);

/* Tells the holders whose lease will soon be over. */
void asq__queue_warn(struct asq_queue *queue);

/* Tells a holder once. */
void asq__queue_lose(struct asq_queue_job *job);

/* Returns whether a lease that is over then leaves too little time. */
bool asq__queue_is_late(const struct asq_queue *queue, uint64_t lease_ms);

/* Returns when the next of all this is due, by the monotonic clock; UINT64_MAX:
 * never. */
uint64_t asq__queue_next_event(const struct asq_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
