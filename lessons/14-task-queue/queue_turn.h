/* queue_turn - what is to be done next, and when
 *
 * Loop thread. Depends on queue_claim and queue_lease. Only queue uses it, and
 * its tests.
 */
#ifndef ASQ_QUEUE_TURN_H
#define ASQ_QUEUE_TURN_H

#include "14-task-queue/queue_state.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* After every change: extends leases, claims, ends the draining, sets the
 * timer. Callbacks may run in it. */
void asq__queue_turn(struct asq_queue *queue);

/* What the timer calls: looks at the clocks and into the table, and tries again
 * what has failed. */
void asq__queue_look(struct asq_queue *queue);

/* Lets the timer come at once. */
void asq__queue_look_soon(struct asq_queue *queue);

/* A delayed job is due then. */
void asq__queue_know_due(struct asq_queue *queue, int64_t due_ms);

/* Returns the time after a delay, without overflow. */
int64_t asq__queue_due(int64_t wall_ms, uint64_t delay_ms);

#ifdef __cplusplus
}
#endif

#endif
