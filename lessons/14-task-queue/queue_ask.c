/* queue_ask - the requests of a queue: submit, count, report */
#include "14-task-queue/queue_ask.h"

#include "14-task-queue/queue_clock.h"
#include "14-task-queue/queue_job.h"

void asq__queue_ask_init(struct asq__queue_ask *ask, void *data)
{
    *ask = (struct asq__queue_ask){0};
    asq_request_init(&ask->request);
    ask->request.data = data;
}

int asq__queue_ask(struct asq_queue *queue,
                   struct asq__queue_ask *ask,
                   const char *sql,
                   size_t count,
                   asq_done_cb on_done)
{
    int rc;

    ask->params = (struct asq_params){.values = ask->values, .count = count};
    rc = asq_conn_run(queue->conn, &ask->request, sql, &ask->params, on_done);
    if (rc == 0)
        queue->pending++;
    else
        queue->refused = rc;
    return rc;
}

void asq__queue_answered(struct asq_queue *queue)
{
    queue->pending--;
    asq__queue_maybe_closed(queue);
}

void asq__queue_report(struct asq_queue *queue, int status, const char *message)
{
    bool ours = status == UV_ECANCELED || status == SQLITE_INTERRUPT;

    if (ours && (queue->draining || queue->closing))
        return;
    queue->stats.errors++;
    if (queue->on_error != NULL && !queue->closing)
        queue->on_error(queue, status, message);
}

void asq__queue_report_refused(struct asq_queue *queue)
{
    int rc = queue->refused;

    queue->refused = 0;
    if (rc != 0)
        asq__queue_report(queue, rc, uv_strerror(rc));
}

static void tell_closed(uv_handle_t *handle)
{
    struct asq_queue *queue = handle->data;
    struct asq__queue_ask *asks[] = {
        &queue->open, &queue->promote, &queue->rescue, &queue->claim,
        &queue->next, &queue->beat,    &queue->back};

    for (size_t i = 0; i < queue->lanes; i++) {
        struct asq_queue_job *job = &queue->jobs[i];

        if (job->place == ASQ_JOB_ENDING && job->on_ended != NULL)
            job->on_ended(job, UV_ECANCELED);
        asq__job_free(job);
        asq_request_destroy(&job->ask.request);
        job->queue = NULL;
    }
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        asq_request_destroy(&asks[i]->request);
    queue->must_close = false;
    queue->on_closed(queue);
}

void asq__queue_maybe_closed(struct asq_queue *queue)
{
    if (!queue->closing || queue->timer_closing)
        return;
    if (queue->pending > 0)
        return;
    queue->timer_closing = true;
    uv_close((uv_handle_t *)&queue->timer, tell_closed);
}

int asq__queue_check(const struct asq_queue *queue)
{
    if (!queue->must_close)
        return UV_EINVAL;
    return queue->closing ? UV_ESHUTDOWN : 0;
}

uint64_t asq__queue_now(const struct asq_queue *queue)
{
    return queue->now_ms != NULL ? queue->now_ms() : asq__queue_now_ms();
}

int64_t asq__queue_wall(const struct asq_queue *queue)
{
    return queue->wall_ms != NULL ? queue->wall_ms() : asq__queue_wall_ms();
}

const char *asq__queue_boot_of(const struct asq_queue *queue)
{
    return queue->boot != NULL ? queue->boot : asq__queue_boot();
}
