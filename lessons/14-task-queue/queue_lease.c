/* queue_lease - extends the leases of the jobs that are held, in time */
#include "14-task-queue/queue_lease.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

static bool has_lease(const struct asq_queue_job *job)
{
    return (job->place == ASQ_JOB_HELD || job->place == ASQ_JOB_ENDING) &&
           !job->gone;
}

static uint64_t sixth(const struct asq_queue *queue)
{
    return queue->lease_ms / 6;
}

/* Losing */

void asq__queue_lose(struct asq_queue_job *job)
{
    struct asq_queue *queue = job->queue;

    if (job->lost)
        return;
    job->lost = true;
    queue->stats.lost++;
    if (queue->on_lost != NULL)
        queue->on_lost(job);
}

bool asq__queue_is_late(const struct asq_queue *queue, uint64_t lease_ms)
{
    return asq__queue_now(queue) + sixth(queue) >= lease_ms;
}

static bool can_be_warned(const struct asq_queue_job *job)
{
    return job->place == ASQ_JOB_HELD && !job->lost;
}

void asq__queue_warn(struct asq_queue *queue)
{
    for (size_t i = 0; i < queue->lanes && !queue->closing; i++) {
        struct asq_queue_job *job = &queue->jobs[i];

        if (can_be_warned(job) && asq__queue_is_late(queue, job->lease_ms))
            asq__queue_lose(job);
    }
}

/* Extending */

/* Returns the row of a job, or the number of rows. */
static size_t find(const struct asq_result *result,
                   const struct asq_queue_job *job)
{
    size_t row = 0;

    while (row < result->rows &&
           (asq_result_at(result, row, 0).as.int64 != job->id ||
            asq_result_at(result, row, 1).as.int64 != job->attempt))
        row++;
    return row;
}

/* The holder of a job that is ending is not told: it may have ended before the
 * heartbeat, and if not, its end will be refused. */
static void take_row(struct asq_queue_job *job, const struct asq_result *result)
{
    if (!job->in_beat || !has_lease(job))
        return;
    if (find(result, job) < result->rows) {
        job->lease_ms = job->queue->beat_ms;
        return;
    }
    job->gone = true;
    if (job->place == ASQ_JOB_HELD)
        asq__queue_lose(job);
}

static void take_beat(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;

    if (status != 0) {
        asq__queue_report(queue, status, request->message);
        queue->beat_again_ms = asq__queue_now(queue) + sixth(queue);
    }
    for (size_t i = 0; status == 0 && i < queue->lanes; i++)
        take_row(&queue->jobs[i], &request->result);
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

/* Returns when the next heartbeat is due. */
static uint64_t beat_at(const struct asq_queue *queue)
{
    uint64_t first_ms = UINT64_MAX, part_ms = 4 * sixth(queue);

    if (queue->beat.request.pending)
        return UINT64_MAX;
    for (size_t i = 0; i < queue->lanes; i++)
        if (has_lease(&queue->jobs[i]) && queue->jobs[i].lease_ms < first_ms)
            first_ms = queue->jobs[i].lease_ms;
    if (first_ms == UINT64_MAX)
        return first_ms;
    first_ms = first_ms > part_ms ? first_ms - part_ms : 0;
    return first_ms > queue->beat_again_ms ? first_ms : queue->beat_again_ms;
}

void asq__queue_beat_if_due(struct asq_queue *queue)
{
    uint64_t now_ms = asq__queue_now(queue);
    struct asq_value *values = queue->beat.values;

    if (beat_at(queue) > now_ms)
        return;
    queue->beat_ms = now_ms + queue->lease_ms;
    values[0] = asq_text(queue->name);
    values[1] = asq_text(asq__queue_boot_of(queue));
    values[2] = asq_text(queue->worker);
    values[3] = asq_int64((int64_t)queue->beat_ms);
    queue->beat_refused =
        asq__queue_ask(queue, &queue->beat, asq__queue_beat, 4, take_beat) != 0;
    if (queue->beat_refused)
        return;
    queue->stats.beats++;
    for (size_t i = 0; i < queue->lanes; i++)
        queue->jobs[i].in_beat = has_lease(&queue->jobs[i]);
}

uint64_t asq__queue_next_event(const struct asq_queue *queue)
{
    uint64_t next_ms = queue->beat_refused ? UINT64_MAX : beat_at(queue);
    uint64_t warn_ms;

    for (size_t i = 0; i < queue->lanes; i++) {
        warn_ms = queue->jobs[i].lease_ms - sixth(queue);
        if (can_be_warned(&queue->jobs[i]) && warn_ms < next_ms)
            next_ms = warn_ms;
    }
    return next_ms;
}
