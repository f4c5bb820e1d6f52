/* queue_claim - claims jobs and gives them to their holders
 *
 * A claim is one statement. When their time has come, two others run before it:
 * one makes delayed jobs ready, the other rescues jobs whose lease is over.
 * After a claim that found fewer jobs than there were free lanes, a query asks
 * what will happen next; it also runs with every poll.
 *
 * 32 of the largest payloads fit into a result, unless the profile of the conn
 * says less: then fewer jobs are claimed at a time.
 *
 * Loop thread. Depends on queue_ask and queue_lease. Only queue uses it.
 */
#ifndef ASQ_QUEUE_CLAIM_H
#define ASQ_QUEUE_CLAIM_H

#include "14-task-queue/queue_state.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ__QUEUE_CLAIM_MOST = 32,  /* jobs at a time */
    ASQ__QUEUE_CLAIM_OLDEST = 16 /* every so many claims takes the oldest job */
};

/* Returns whether a claim is in flight. */
bool asq__queue_is_claiming(const struct asq_queue *queue);

/* Returns whether one could be submitted. */
bool asq__queue_may_claim(const struct asq_queue *queue);

void asq__queue_claim_if_wanted(struct asq_queue *queue);

/* Asks what is there; a claim may follow. */
void asq__queue_look_for_work(struct asq_queue *queue);

/* Returns how long it is until a delayed job is due or a lease of somebody else
 * is over, as far as is known. */
uint64_t asq__queue_until_tick_ms(const struct asq_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
