/* queue_care - what else is done to a queue: prune, pause, count */
#include "14-task-queue/queue_care.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

#include <stdio.h>

void asq_care_init(struct asq_care *care)
{
    *care = (struct asq_care){0};
    asq__queue_ask_init(&care->ask, care);
}

void asq_care_destroy(struct asq_care *care)
{
    if (care != NULL)
        asq_request_destroy(&care->ask.request);
}

static int submit(struct asq_queue *queue,
                  struct asq_care *care,
                  const char *sql,
                  size_t count,
                  asq_done_cb on_answer)
{
    care->queue = queue;
    care->ask.values[0] = asq_text(queue->name);
    return asq__queue_ask(queue, &care->ask, sql, count, on_answer);
}

static int check(const struct asq_queue *queue,
                 const struct asq_care *care,
                 asq_care_cb on_done)
{
    if (on_done == NULL || care->ask.request.pending)
        return UV_EINVAL;
    return asq__queue_check(queue);
}

static int
go_on(struct asq_queue *queue, struct asq_care *care, asq_done_cb on_answer)
{
    int rc = queue->closing
                 ? UV_ECANCELED
                 : submit(queue, care, asq__queue_prune, 2, on_answer);

    if (rc != 0) /* it fits */
        (void)snprintf(care->ask.request.message,
                       sizeof care->ask.request.message, "%s", uv_strerror(rc));
    return rc;
}

static void take_piece(struct asq_request *request, int status)
{
    struct asq_care *care = request->data;
    struct asq_queue *queue = care->queue;
    int64_t changes = status == 0 ? request->result.changes : 0;

    care->deleted += (uint64_t)changes;
    if (changes == ASQ__QUEUE_PIECE) /* there may be more */
        status = go_on(queue, care, take_piece);
    asq__queue_answered(queue);
    if (!request->pending)
        care->on_done(care, status);
}

int asq_queue_prune(struct asq_queue *queue,
                    struct asq_care *care,
                    uint64_t age_ms,
                    asq_care_cb on_done)
{
    int64_t now_ms;
    int rc = check(queue, care, on_done);

    if (rc != 0)
        return rc;
    now_ms = asq__queue_wall(queue);
    care->deleted = 0;
    care->on_done = on_done;
    care->ask.values[1] =
        asq_int64(age_ms > (uint64_t)now_ms ? 0 : now_ms - (int64_t)age_ms);
    return submit(queue, care, asq__queue_prune, 2, take_piece);
}

static void take_paused(struct asq_request *request, int status)
{
    struct asq_care *care = request->data;
    struct asq_queue *queue = care->queue;

    queue->wanted = true;
    asq__queue_answered(queue);
    asq__queue_turn(queue);
    care->on_done(care, status);
}

int asq_queue_pause(struct asq_queue *queue,
                    struct asq_care *care,
                    bool paused,
                    asq_care_cb on_done)
{
    int rc = check(queue, care, on_done);

    if (rc != 0)
        return rc;
    care->on_done = on_done;
    return submit(queue, care, paused ? asq__queue_pause : asq__queue_resume, 1,
                  take_paused);
}

static void take_count(struct asq_request *request, int status)
{
    struct asq_care *care = request->data;
    const struct asq_result *result = &request->result;

    care->ready = asq_result_int64(result, 0, "ready");
    care->delayed = asq_result_int64(result, 0, "delayed");
    care->running = asq_result_int64(result, 0, "running");
    care->done = asq_result_int64(result, 0, "done");
    care->dead = asq_result_int64(result, 0, "dead");
    asq__queue_answered(care->queue);
    care->on_done(care, status);
}

int asq_queue_count(struct asq_queue *queue,
                    struct asq_care *care,
                    asq_care_cb on_done)
{
    int rc = check(queue, care, on_done);

    if (rc != 0)
        return rc;
    care->on_done = on_done;
    return submit(queue, care, asq__queue_count, 1, take_count);
}
