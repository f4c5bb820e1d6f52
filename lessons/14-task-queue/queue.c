/* queue - jobs that must not be lost, in a table
 *
 * The life of a queue; its parts do the rest.
 */
#include "14-task-queue/queue.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_claim.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void asq_queue_init(struct asq_queue *queue)
{
    *queue = (struct asq_queue){
        .lease_ms = 30000, .poll_ms = 1000, .max_attempts = 5, .durable = true};
}

static void take_opened(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;

    memcpy(queue->message, request->message, sizeof queue->message);
    asq__queue_answered(queue);
    queue->on_open(queue, status);
}

static void forget_last_time(struct asq_queue *queue)
{
    struct asq__queue_ask *asks[] = {
        &queue->open, &queue->promote, &queue->rescue, &queue->claim,
        &queue->next, &queue->beat,    &queue->back};

    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        asq__queue_ask_init(asks[i], queue);
    queue->beat.request.priority = ASQ_PRIORITY_URGENT;
    queue->message[0] = '\0';
    queue->stats = (struct asq_queue_stats){0};
    queue->jobs = NULL;
    queue->lanes = queue->free_lanes = 0;
    queue->pending = 0;
    queue->wanted = queue->trouble = false;
    queue->round = 0;
    queue->refused = 0;
    queue->claim_most = ASQ__QUEUE_CLAIM_MOST;
    queue->next_due_ms = queue->next_lease_ms = INT64_MAX; /* not known */
    queue->beat_again_ms = 0;
    queue->beat_refused = false;
    queue->draining = queue->over = queue->drained = false;
    queue->closing = queue->timer_closing = false;
}

/* A name that no worker had before. */
static int name_worker(struct asq_queue *queue)
{
    uint64_t number;
    int rc = uv_random(NULL, NULL, &number, sizeof number, 0, NULL);

    /* It fits. */
    (void)snprintf(queue->worker, sizeof queue->worker, "%ld-%016" PRIx64,
                   (long)uv_os_getpid(), rc == 0 ? number : 0);
    return rc;
}

int asq_queue_open(struct asq_queue *queue,
                   uv_loop_t *loop,
                   struct asq_conn *conn,
                   const char *name,
                   asq_queue_open_cb on_open)
{
    int rc;

    if (queue->must_close || on_open == NULL || name == NULL ||
        queue->lease_ms < 6 || queue->poll_ms == 0 ||
        queue->max_attempts == 0 || queue->bound > INT64_MAX)
        return UV_EINVAL;
    rc = name_worker(queue);
    if (rc != 0)
        return rc; /* UNTESTED: the system has no random numbers */
    forget_last_time(queue);
    queue->conn = conn;
    queue->name = name;
    queue->on_open = on_open;
    rc = asq_conn_script(conn, &queue->open.request,
                         queue->bound > 0 ? asq__queue_tables_bound
                                          : asq__queue_tables,
                         take_opened);
    if (rc != 0)
        return rc;
    queue->pending++;
    (void)uv_timer_init(loop, &queue->timer); /* it always succeeds */
    queue->timer.data = queue;
    uv_unref((uv_handle_t *)&queue->timer);
    queue->look_at_ms = uv_now(loop) + queue->poll_ms;
    queue->must_close = true;
    return 0;
}

int asq_queue_work(struct asq_queue *queue,
                   struct asq_queue_job *jobs,
                   size_t lanes,
                   asq_job_cb on_job)
{
    int rc = asq__queue_check(queue);

    if (rc == 0 && queue->draining)
        rc = UV_ESHUTDOWN;
    if (rc == 0 && (jobs == NULL || lanes == 0 || on_job == NULL))
        rc = UV_EINVAL;
    if (rc == 0 && queue->jobs != NULL)
        rc = UV_EALREADY;
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < lanes; i++) {
        jobs[i] = (struct asq_queue_job){.data = jobs[i].data, .queue = queue};
        asq__queue_ask_init(&jobs[i].ask, &jobs[i]);
        jobs[i].ask.request.durable = queue->durable;
    }
    queue->jobs = jobs;
    queue->lanes = queue->free_lanes = lanes;
    queue->on_job = on_job;
    queue->wanted = true;
    asq__queue_turn(queue); /* nothing is held yet: it calls nobody */
    return 0;
}

int asq_queue_drain(struct asq_queue *queue,
                    unsigned ms,
                    asq_queue_cb on_drained)
{
    int rc = on_drained == NULL ? UV_EINVAL : asq__queue_check(queue);

    if (rc == 0 && queue->drained)
        rc = UV_ESHUTDOWN;
    if (rc != 0)
        return rc;
    queue->draining = true;
    queue->on_drained = on_drained;
    queue->drain_end_ms = asq__queue_now(queue) + ms;
    asq_request_cancel(&queue->claim.request);
    asq_request_cancel(&queue->next.request);
    asq__queue_look_soon(queue);
    return 0;
}

void asq_queue_close(struct asq_queue *queue, asq_queue_cb on_closed)
{
    if (!queue->must_close || queue->closing)
        return;
    queue->closing = true;
    queue->on_closed = on_closed;
    asq_request_cancel(&queue->claim.request);
    asq_request_cancel(&queue->promote.request);
    asq_request_cancel(&queue->rescue.request);
    asq_request_cancel(&queue->next.request);
    asq_request_cancel(&queue->beat.request);
    asq__queue_maybe_closed(queue);
}
