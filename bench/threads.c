/* threads - a fixed set of threads with a connection each */
#include "threads.h"

#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
#include "common/clock.h"
#include "common/heartbeat.h"

#include <stdlib.h>
#include <uv.h>

/* One request; belongs to a thread from submit until it was counted down. */
struct task {
    struct asq_job job;
    struct crew *crew;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_result result;
    uint64_t end_ns;
    int status;
};

struct crew {
    /* set before start */
    const struct work *work;
    struct outcome *outcome; /* a thread touches its own lane only */
    struct asq_offload offload;
    struct asq_db *dbs; /* one a thread */
    struct task *tasks;
    /* guarded by lock */
    uv_mutex_t lock;
    uv_cond_t answered;
    long left; /* of this round */
};

static void answer_on_thread(struct asq_job *job, unsigned thread)
{
    struct task *task = job->data;
    struct crew *crew = task->crew;
    struct asq_params params = {.values = task->ids, .count = ASQ_BASKET_SIZE};
    uint64_t begin = crew->outcome->traced ? asq_clock_now_ns() : 0;

    task->status =
        asq_db_run(&crew->dbs[thread], ASQ_BASKET_SQL, &params, &task->result);
    task->end_ns = asq_clock_now_ns();
    outcome_span(crew->outcome, (int)thread, begin, task->end_ns);
    /* The next job of this thread takes it again, and in the end main does.
     * No statement is open, so it cannot fail. */
    (void)asq_db_hand_over(&crew->dbs[thread]);
    uv_mutex_lock(&crew->lock);
    if (--crew->left == 0)
        uv_cond_signal(&crew->answered);
    uv_mutex_unlock(&crew->lock);
}

/* Beats once a millisecond until the round is answered. */
static void beat_until_answered(struct crew *crew, struct asq_heartbeat *hb)
{
    uv_mutex_lock(&crew->lock);
    while (crew->left > 0) {
        /* Whether it was woken or timed out, the loop looks for itself. */
        (void)uv_cond_timedwait(&crew->answered, &crew->lock, ASQ_NS_PER_MS);
        asq_heartbeat_beat(hb);
    }
    uv_mutex_unlock(&crew->lock);
}

static int answer_round(struct crew *crew, struct asq_heartbeat *heartbeat)
{
    struct outcome *outcome = crew->outcome;
    long requests = crew->work->requests;

    crew->left = requests; /* no job is under way */
    for (long n = 0; n < requests; n++) {
        /* Cannot be full: it holds a whole round. */
        (void)asq_offload_submit(&crew->offload, &crew->tasks[n].job,
                                 ASQ_FULL_WAITS);
    }
    beat_until_answered(crew, heartbeat);
    for (long n = 0; n < requests; n++) {
        struct task *task = &crew->tasks[n];

        /* The job's function has ended, its thread may still be leaving. */
        (void)asq_offload_wait(&crew->offload, &task->job);
        if (task->status != 0)
            return outcome_fail(outcome, "%s: a query failed with %d",
                                crew->work->path, task->status);
        if (outcome_add(outcome, &task->result, task->end_ns) != 0)
            return -1;
    }
    return 0;
}

static int open_dbs(struct crew *crew)
{
    struct asq_profile profile =
        asq_basket_profile(crew->work->path, crew->work->vfs);

    for (int i = 0; i < crew->outcome->connections; i++) {
        struct asq_db *db = &crew->dbs[i];

        if (asq_db_open(db, &profile) != 0)
            return outcome_fail(crew->outcome, "%s", asq_db_message(db));
        (void)count_disk_reads(db); /* what opening read does not count */
        (void)asq_db_hand_over(db); /* open, its own, without statements */
    }
    return 0;
}

/* After the threads have ended. */
static void close_dbs(struct crew *crew)
{
    for (int i = 0; i < crew->outcome->connections; i++) {
        if (asq_db_handle(&crew->dbs[i]) != NULL)
            crew->outcome->disk_reads += count_disk_reads(&crew->dbs[i]);
        (void)asq_db_close(&crew->dbs[i]); /* every statement was released */
    }
}

static int make_tasks(struct crew *crew)
{
    const struct work *work = crew->work;

    crew->dbs = calloc((size_t)crew->outcome->connections, sizeof *crew->dbs);
    crew->tasks = calloc((size_t)work->requests, sizeof *crew->tasks);
    if (crew->dbs == NULL || crew->tasks == NULL)
        return outcome_fail(crew->outcome, "out of memory");
    for (long n = 0; n < work->requests; n++) {
        struct task *task = &crew->tasks[n];

        task->crew = crew;
        task->job.run_on_thread = answer_on_thread;
        task->job.data = task;
        asq_basket_fill(task->ids, n, work->items);
    }
    return open_dbs(crew);
}

static void free_tasks(struct crew *crew)
{
    if (crew->dbs != NULL)
        close_dbs(crew);
    for (long n = 0; crew->tasks != NULL && n < crew->work->requests; n++)
        asq_result_destroy(&crew->tasks[n].result);
    free(crew->tasks);
    free(crew->dbs);
}

static int measure(struct crew *crew)
{
    struct outcome *outcome = crew->outcome;
    struct asq_heartbeat heartbeat;
    int rc = 0;

    if (asq_offload_start(&crew->offload, (unsigned)outcome->connections,
                          (size_t)crew->work->requests) != 0)
        return outcome_fail(outcome, "no threads could be started");
    asq_heartbeat_start(&heartbeat);
    while (rc == 0 && outcome_begin_round(outcome, crew->work))
        rc = answer_round(crew, &heartbeat);
    outcome->end_ns = asq_clock_now_ns();
    outcome->stall_ns = asq_heartbeat_stop(&heartbeat);
    asq_offload_stop(&crew->offload, ASQ_REST_RUNS);
    asq_offload_destroy(&crew->offload);
    return rc;
}

int run_threads(const struct work *work, struct outcome *outcome)
{
    struct crew crew = {.work = work, .outcome = outcome};
    int rc;

    if (uv_mutex_init(&crew.lock) != 0)
        return outcome_fail(outcome, "no lock could be made");
    if (uv_cond_init(&crew.answered) != 0) {
        uv_mutex_destroy(&crew.lock);
        return outcome_fail(outcome, "no condition could be made");
    }
    rc = make_tasks(&crew);
    if (rc == 0)
        rc = measure(&crew);
    free_tasks(&crew);
    uv_cond_destroy(&crew.answered);
    uv_mutex_destroy(&crew.lock);
    return rc;
}
