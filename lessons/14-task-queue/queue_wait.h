/* queue_wait - opens and closes a queue, and waits for it on the loop
 *
 * For the beginning and the end of a program, when there is nothing else to do.
 * While it waits the loop turns, so everything else on the loop goes on. Never
 * call it from a callback: a loop cannot turn inside itself.
 *
 * Loop thread. Depends on queue.
 */
#ifndef ASQ_QUEUE_WAIT_H
#define ASQ_QUEUE_WAIT_H

#include "14-task-queue/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a queue that asq_queue_init has prepared, and waits until its tables
 * are made. Returns 0, or a UV_E* or SQLITE_* code with the reason in
 * queue->message; after an error there is nothing to close. */
int asq_queue_open_wait(struct asq_queue *queue,
                        uv_loop_t *loop,
                        struct asq_conn *conn,
                        const char *name);

/* Closes a queue as asq_queue_close does, and waits until its memory may be
 * freed. Does nothing if the queue is not open. */
void asq_queue_close_wait(struct asq_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
