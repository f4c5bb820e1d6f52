/* queue_ask - the requests of a queue: submit, count, report
 *
 * Every request that a queue has in flight is counted. Each callback of one
 * calls asq__queue_answered; the queue is not closed before.
 *
 * Loop thread. Depends on queue_state. Only queue uses it.
 */
#ifndef ASQ_QUEUE_ASK_H
#define ASQ_QUEUE_ASK_H

#include "14-task-queue/queue_state.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void asq__queue_ask_init(struct asq__queue_ask *ask, void *data);

/* Submits a statement with the first `count` values. Returns as asq_conn_run.
 * If it is refused, the next look tells on_error. */
int asq__queue_ask(struct asq_queue *queue,
                   struct asq__queue_ask *ask,
                   const char *sql,
                   size_t count,
                   asq_done_cb on_done);

/* Tells on_error what was refused since the last call. */
void asq__queue_report_refused(struct asq_queue *queue);

/* Notes that one request is answered. */
void asq__queue_answered(struct asq_queue *queue);

/* Tells on_error, unless it was the queue itself that cancelled it. */
void asq__queue_report(struct asq_queue *queue,
                       int status,
                       const char *message);

/* Ends a close if there is no reason to wait. */
void asq__queue_maybe_closed(struct asq_queue *queue);

/* Returns whether this queue may be given something now: 0, UV_EINVAL or
 * UV_ESHUTDOWN. */
int asq__queue_check(const struct asq_queue *queue);

uint64_t asq__queue_now(const struct asq_queue *queue);
int64_t asq__queue_wall(const struct asq_queue *queue);
const char *asq__queue_boot_of(const struct asq_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
