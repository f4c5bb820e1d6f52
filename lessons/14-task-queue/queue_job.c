/* queue_job - how a job ends */
#include "14-task-queue/queue_job.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_sql.h"
#include "14-task-queue/queue_turn.h"

#include <stdlib.h>

void asq__job_free(struct asq_queue_job *job)
{
    free(job->block);
    job->block = NULL;
    if (job->place != ASQ_JOB_FREE)
        job->queue->free_lanes++;
    job->place = ASQ_JOB_FREE;
}

static void note_ready(struct asq_queue_job *job)
{
    struct asq_queue *queue = job->queue;

    if (job->sql == asq__queue_give_back)
        queue->stats.given_back++; /* not claimed again before the next look */
    else if (job->became == ASQ_QUEUE_READY)
        queue->wanted = true;
    else if (job->became == ASQ_QUEUE_DELAYED)
        asq__queue_know_due(queue, job->due_ms);
}

static void finish(struct asq_queue_job *job, int status)
{
    if (job->on_ended != NULL)
        job->on_ended(job, status);
    asq__job_free(job);
}

static void take_end(struct asq_request *request, int status)
{
    struct asq_queue_job *job = request->data;
    struct asq_queue *queue = job->queue;

    if (status != 0) {
        asq__queue_report(queue, status, request->message);
    } else if (request->result.changes == 0) {
        queue->stats.too_late++;
        finish(job, ASQ_LOST);
    } else {
        if (request->result.rows > 0)
            job->became = (enum asq_queue_state)asq_result_int64(
                &request->result, 0, "state");
        queue->stats.ended += job->sql != asq__queue_give_back;
        note_ready(job);
        finish(job, 0);
    }
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

static int submit(struct asq_queue_job *job)
{
    job->ask.values[0] = asq_int64(job->id);
    job->ask.values[1] = asq_int64(job->attempt);
    return asq__queue_ask(job->queue, &job->ask, job->sql, job->count,
                          take_end);
}

static int end(struct asq_queue_job *job,
               const char *sql,
               size_t count,
               asq_job_end_cb on_ended)
{
    job->sql = sql;
    job->count = count;
    job->on_ended = on_ended;
    job->place = ASQ_JOB_ENDING;
    (void)submit(job); /* if it is refused now, a look submits it again */
    return 0;
}

static int check(const struct asq_queue_job *job)
{
    int rc = job->queue == NULL ? UV_EINVAL : asq__queue_check(job->queue);

    return rc == 0 && job->place != ASQ_JOB_HELD ? UV_EINVAL : rc;
}

int asq_job_done(struct asq_queue_job *job, asq_job_end_cb on_ended)
{
    int rc = check(job);

    if (rc != 0)
        return rc;
    job->became = ASQ_QUEUE_DONE;
    job->ask.values[2] = asq_int64(asq__queue_wall(job->queue));
    return end(job, asq__queue_done, 3, on_ended);
}

int asq_job_retry(struct asq_queue_job *job,
                  uint64_t delay_ms,
                  const char *error,
                  asq_job_end_cb on_ended)
{
    int64_t wall_ms;
    int rc = check(job);

    if (rc != 0)
        return rc;
    wall_ms = asq__queue_wall(job->queue);
    job->due_ms = asq__queue_due(wall_ms, delay_ms);
    job->ask.values[2] = asq_int64(wall_ms);
    job->ask.values[3] = asq_text(error);
    job->ask.values[4] = delay_ms == 0 ? asq_null() : asq_int64(job->due_ms);
    return end(job, asq__queue_retry, 5, on_ended);
}

int asq_job_dead(struct asq_queue_job *job,
                 const char *error,
                 asq_job_end_cb on_ended)
{
    int rc = check(job);

    if (rc != 0)
        return rc;
    job->became = ASQ_QUEUE_DEAD;
    job->ask.values[2] = asq_int64(asq__queue_wall(job->queue));
    job->ask.values[3] = asq_text(error);
    return end(job, asq__queue_dead, 4, on_ended);
}

void asq__job_give_back(struct asq_queue_job *job)
{
    (void)end(job, asq__queue_give_back, 2, NULL); /* 0 */
}

void asq__job_end_again(struct asq_queue_job *job)
{
    if (job->place == ASQ_JOB_ENDING && !job->ask.request.pending)
        (void)submit(job); /* or with the next look */
}
