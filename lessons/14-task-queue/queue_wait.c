/* queue_wait - opens and closes a queue, and waits for it on the loop
 *
 * Owns nothing. Loop thread. Depends on queue.
 */
#include "14-task-queue/queue_wait.h"

#include <stdio.h>

static void note_open(struct asq_queue *queue, int status)
{
    (void)queue;  /* its request is not pending from now on */
    (void)status; /* and holds it */
}

static void note_closed(struct asq_queue *queue)
{
    (void)queue; /* must_close is false from now on */
}

int asq_queue_open_wait(struct asq_queue *queue,
                        uv_loop_t *loop,
                        struct asq_conn *conn,
                        const char *name)
{
    int rc = asq_queue_open(queue, loop, conn, name, note_open);

    if (rc != 0) {
        (void)snprintf(queue->message, sizeof queue->message, "%s",
                       uv_strerror(rc)); /* cut if too long */
        return rc;
    }
    while (queue->open.request.pending)
        (void)uv_run(loop, UV_RUN_ONCE); /* it returns no error */
    rc = queue->open.request.status;
    if (rc != 0)
        asq_queue_close_wait(queue);
    return rc;
}

void asq_queue_close_wait(struct asq_queue *queue)
{
    uv_loop_t *loop = queue->timer.loop;

    if (!queue->must_close)
        return;
    asq_queue_close(queue, note_closed);
    while (queue->must_close)
        (void)uv_run(loop, UV_RUN_ONCE); /* it returns no error */
}
