/* queue_claim - claims jobs and gives them to their holders */
#include "14-task-queue/queue_claim.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_job.h"
#include "14-task-queue/queue_lease.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool asq__queue_is_claiming(const struct asq_queue *queue)
{
    return queue->promote.request.pending || queue->rescue.request.pending ||
           queue->claim.request.pending;
}

bool asq__queue_may_claim(const struct asq_queue *queue)
{
    return queue->jobs != NULL && !queue->draining && !queue->closing &&
           queue->free_lanes > 0 && !asq__queue_is_claiming(queue);
}

/* What comes next */

static bool is_due(const struct asq_queue *queue)
{
    return queue->next_due_ms <= asq__queue_wall(queue);
}

static bool is_over(const struct asq_queue *queue)
{
    return queue->next_lease_ms <= (int64_t)asq__queue_now(queue);
}

uint64_t asq__queue_until_tick_ms(const struct asq_queue *queue)
{
    int64_t due_ms = queue->next_due_ms - asq__queue_wall(queue);
    int64_t lease_ms = queue->next_lease_ms - (int64_t)asq__queue_now(queue);
    int64_t ms = due_ms < lease_ms ? due_ms : lease_ms;

    /* If it is over and nothing was done, something has failed. */
    return ms > 0 ? (uint64_t)ms : UINT64_MAX;
}

static int64_t number_or_never(struct asq_value value)
{
    return value.type == ASQ_INT64 ? value.as.int64 : INT64_MAX;
}

static void take_next(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;
    const struct asq_result *result = &request->result;

    if (status != 0) {
        queue->trouble = true;
        asq__queue_report(queue, status, request->message);
    } else {
        queue->next_due_ms = number_or_never(asq_result_at(result, 0, 1));
        queue->next_lease_ms = number_or_never(asq_result_at(result, 0, 2));
        if (asq_result_at(result, 0, 0).as.int64 != 0 || is_due(queue) ||
            is_over(queue))
            queue->wanted = true;
    }
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

static void ask_next(struct asq_queue *queue)
{
    struct asq_value *values = queue->next.values;

    if (queue->next.request.pending)
        return;
    values[0] = asq_text(queue->name);
    values[1] = asq_text(asq__queue_boot_of(queue));
    values[2] = asq_text(queue->worker);
    if (asq__queue_ask(queue, &queue->next, asq__queue_next, 3, take_next) == 0)
        queue->stats.looks++;
}

void asq__queue_look_for_work(struct asq_queue *queue)
{
    if (queue->jobs == NULL || queue->draining)
        return;
    if (is_due(queue) || is_over(queue))
        queue->wanted = true;
    else
        ask_next(queue);
}

/* What a claim brings */

static struct asq_queue_job *free_lane(struct asq_queue *queue)
{
    struct asq_queue_job *job = queue->jobs;

    while (job->place != ASQ_JOB_FREE)
        job++;
    return job;
}

/* Where there is no memory, block is NULL. */
static struct asq_queue_job *load(struct asq_queue *queue, size_t row)
{
    const struct asq_result *result = &queue->claim.request.result;
    struct asq_queue_job *job = free_lane(queue);
    struct asq_value payload = asq_result_at(result, row, 4);

    job->id = asq_result_at(result, row, 0).as.int64;
    job->attempt = asq_result_at(result, row, 1).as.int64;
    job->max_attempts = asq_result_at(result, row, 2).as.int64;
    job->priority = (int)asq_result_at(result, row, 3).as.int64;
    job->lease_ms = (uint64_t)queue->claim.values[2].as.int64;
    job->lost = job->gone = job->in_beat = false;
    job->size = payload.size;
    job->block = malloc(payload.size + 1);
    job->payload = job->block;
    if (job->block != NULL) {
        if (payload.size > 0)
            memcpy(job->block, payload.as.blob, payload.size);
        job->block[payload.size] = '\0';
    }
    job->place = ASQ_JOB_LOADED;
    queue->free_lanes--;
    return job;
}

static bool comes_before(const struct asq_queue_job *a,
                         const struct asq_queue_job *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->id < b->id;
}

/* RETURNING gives them in the order of their ids. */
static void
insert(struct asq_queue_job **jobs, size_t count, struct asq_queue_job *job)
{
    while (count > 0 && comes_before(job, jobs[count - 1])) {
        jobs[count] = jobs[count - 1];
        count--;
    }
    jobs[count] = job;
}

/* After a claim that had to wait for long, behind a hold, too little is left of
 * the lease. */
static void deliver(struct asq_queue_job *job)
{
    struct asq_queue *queue = job->queue;
    bool late = asq__queue_is_late(queue, job->lease_ms);

    if (job->block == NULL)
        asq__queue_report(queue, UV_ENOMEM, "no memory for a payload");
    if (job->block == NULL || late)
        queue->trouble = true;
    if (job->block == NULL || late || queue->draining || queue->closing) {
        asq__job_give_back(job);
        return;
    }
    job->place = ASQ_JOB_HELD;
    queue->on_job(job);
}

static void take_jobs(struct asq_queue *queue)
{
    struct asq_queue_job *jobs[ASQ__QUEUE_CLAIM_MOST];
    size_t rows = queue->claim.request.result.rows;

    queue->stats.jobs += rows;
    for (size_t row = 0; row < rows; row++)
        insert(jobs, row, load(queue, row));
    for (size_t i = 0; i < rows; i++)
        deliver(jobs[i]);
}

/* The queue is not closed inside: the claim counts as pending until the end. */
static void take_claim(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;
    int64_t asked = queue->claim.values[1].as.int64;

    if (status == SQLITE_TOOBIG && asked > 1) {
        queue->claim_most = (size_t)asked / 2;
        queue->wanted = true;
    } else if (status != 0) {
        queue->trouble = queue->wanted = true;
        asq__queue_report(queue, status, request->message);
    } else {
        if (queue->claim_most < ASQ__QUEUE_CLAIM_MOST)
            queue->claim_most++;
        if ((int64_t)request->result.rows == asked)
            queue->wanted = true; /* there may be more */
        take_jobs(queue);
        if (!queue->wanted && !queue->closing && !queue->draining)
            ask_next(queue);
    }
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

/* A round: the two that run before, then the claim */

static void take_promoted(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;

    if (status != 0) {
        queue->trouble = true;
        asq__queue_know_due(queue, 0);
        asq__queue_report(queue, status, request->message);
    } else {
        queue->stats.promoted += (uint64_t)request->result.changes;
        if (request->result.changes == ASQ__QUEUE_PIECE)
            asq__queue_know_due(queue, 0); /* there may be more */
    }
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

static void take_rescued(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;

    if (status != 0) {
        queue->trouble = true;
        queue->next_lease_ms = 0;
        asq__queue_report(queue, status, request->message);
    } else {
        queue->stats.rescued += (uint64_t)request->result.changes;
        if (request->result.changes == ASQ__QUEUE_PIECE)
            queue->next_lease_ms = 0; /* there may be more */
    }
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

/* Afterwards nothing is known to be due; the query after the claim asks what
 * comes next. */
static void tick(struct asq_queue *queue)
{
    int64_t wall_ms = asq__queue_wall(queue);
    struct asq_value *values = queue->rescue.values;

    queue->promote.values[0] = values[0] = asq_text(queue->name);
    queue->promote.values[1] = values[3] = asq_int64(wall_ms);
    values[1] = asq_text(asq__queue_boot_of(queue));
    values[2] = asq_int64((int64_t)asq__queue_now(queue));
    if (is_due(queue) &&
        asq__queue_ask(queue, &queue->promote, asq__queue_promote, 2,
                       take_promoted) == 0)
        queue->next_due_ms = INT64_MAX;
    if (is_over(queue) &&
        asq__queue_ask(queue, &queue->rescue, asq__queue_rescue, 4,
                       take_rescued) == 0)
        queue->next_lease_ms = INT64_MAX;
}

static int claim(struct asq_queue *queue)
{
    bool oldest = ++queue->round % ASQ__QUEUE_CLAIM_OLDEST == 0;
    size_t most = oldest ? 1 : queue->claim_most;
    size_t count = queue->free_lanes < most ? queue->free_lanes : most;
    uint64_t lease_ms = asq__queue_now(queue) + queue->lease_ms;
    struct asq_value *values = queue->claim.values;

    values[0] = asq_text(queue->name);
    values[1] = asq_int64((int64_t)count);
    values[2] = asq_int64((int64_t)lease_ms);
    values[3] = asq_text(asq__queue_boot_of(queue));
    values[4] = asq_text(queue->worker);
    values[5] = asq_int64(asq__queue_wall(queue));
    return asq__queue_ask(queue, &queue->claim,
                          oldest ? asq__queue_claim_oldest : asq__queue_claim,
                          6, take_claim);
}

void asq__queue_claim_if_wanted(struct asq_queue *queue)
{
    if (!queue->wanted || queue->trouble || !asq__queue_may_claim(queue))
        return;
    tick(queue);
    queue->wanted = false;
    if (claim(queue) == 0) {
        queue->stats.claims++;
    } else {
        queue->wanted = queue->trouble = true;
    }
}
