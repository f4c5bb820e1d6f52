/* queue_put - puts a job into a queue
 *
 * Loop thread. The caller owns the put and what it points to. Depends on
 * queue_state.
 */
#ifndef ASQ_QUEUE_PUT_H
#define ASQ_QUEUE_PUT_H

#include "14-task-queue/queue_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroes the put. */
void asq_put_init(struct asq_put *put);

/* Not while the put is in flight. Accepts NULL. */
void asq_put_destroy(struct asq_put *put);

/* Puts a job; on_put runs when it is committed, and may submit the put again or
 * free it. Returns 0, or
 *   UV_EINVAL     the queue is not open, the put is in flight, on_put is NULL,
 *                 or there is a size without a payload
 *   UV_E2BIG      the payload has more than ASQ_PAYLOAD_MAX bytes
 *   UV_ESHUTDOWN  the queue is closing
 * or as asq_conn_run. */
int asq_queue_put(struct asq_queue *queue,
                  struct asq_put *put,
                  asq_put_cb on_put);

/* Puts a job as a step of a transaction on the queue's conn: it is there if the
 * transaction commits. A full queue is not a failed step: if on_step, which may
 * be NULL, returns 0 for UV_ENOBUFS, the transaction goes on. Errors as
 * asq_queue_put and asq_tx_run; UV_EINVAL also if the transaction is on another
 * conn. */
int asq_queue_put_step(struct asq_queue *queue,
                       struct asq_tx *tx,
                       struct asq_put *put,
                       asq_put_step_cb on_step);

#ifdef __cplusplus
}
#endif

#endif
