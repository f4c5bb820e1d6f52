/* ways_threads - a fixed set of threads with a connection each */
#include "ways_threads.h"

#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
#include "common/clock.h"

#include <stdlib.h>
#include <uv.h>

struct crew;

/* A client; a thread's from submit until it stands in the list of those that
 * were answered. */
struct task {
    struct asq_job job;
    struct crew *crew;
    struct op op;
    struct asq_result result;
    int64_t answer;
    int status;
    struct task *next;
};

struct crew {
    /* set before start */
    struct box *box;
    struct asq_offload offload;
    struct asq_db *dbs; /* one a thread */
    struct task *tasks;
    /* main thread only */
    int pending;
    /* guarded by lock */
    uv_mutex_t lock;
    uv_cond_t answered;
    struct task *first; /* answered and not yet taken */
};

static void answer_on_thread(struct asq_job *job, unsigned thread)
{
    struct task *task = job->data;
    struct crew *crew = task->crew;
    const struct box *box = crew->box;

    task->status = op_run(box->workload, box->data, &crew->dbs[thread],
                          &task->op, &task->result, &task->answer);
    /* The next job of this thread takes it again, and in the end main does.
     * No statement is open, so it cannot fail. */
    (void)asq_db_hand_over(&crew->dbs[thread]);
    uv_mutex_lock(&crew->lock);
    task->next = crew->first;
    crew->first = task;
    if (task->next == NULL)
        uv_cond_signal(&crew->answered);
    uv_mutex_unlock(&crew->lock);
}

static void submit(struct crew *crew, struct task *task)
{
    if (!box_ask(crew->box, &task->op))
        return;
    /* Cannot be full: it holds all tasks. */
    (void)asq_offload_submit(&crew->offload, &task->job, ASQ_FULL_WAITS);
    crew->pending++;
}

/* Waits for answers, a millisecond at most, and beats. */
static struct task *take_answered(struct crew *crew)
{
    struct task *list;

    uv_mutex_lock(&crew->lock);
    if (crew->first == NULL)
        /* Whether it was woken or timed out, the caller looks for itself. */
        (void)uv_cond_timedwait(&crew->answered, &crew->lock, ASQ_NS_PER_MS);
    list = crew->first;
    crew->first = NULL;
    uv_mutex_unlock(&crew->lock);
    asq_heartbeat_beat(&crew->box->heartbeat);
    return list;
}

static void finish(struct crew *crew, struct task *task)
{
    /* The job's function has ended, its thread may still be leaving. */
    (void)asq_offload_wait(&crew->offload, &task->job);
    crew->pending--;
    if (task->status != 0)
        (void)box_fail(crew->box, "a thread got %s",
                       sqlite3_errstr(task->status));
    else
        box_answer(crew->box, &task->op, task->answer);
    submit(crew, task);
}

static void measure(struct crew *crew)
{
    struct box *box = crew->box;

    box_begin(box);
    for (int i = 0; i < box->in_flight; i++)
        submit(crew, &crew->tasks[i]);
    while (crew->pending > 0) {
        struct task *task = take_answered(crew);

        while (task != NULL) {
            struct task *next = task->next;

            finish(crew, task);
            task = next;
        }
    }
    box_end(box);
}

static int open_all(struct crew *crew)
{
    struct box *box = crew->box;
    struct asq_profile profile = workload_profile(box->workload, box->data);
    const char *warm = workload_warm_sql(box->workload);

    for (int i = 0; i < box->connections; i++) {
        struct asq_db *db = &crew->dbs[i];

        if (asq_db_open(db, &profile) != 0 ||
            (warm != NULL && asq_db_run(db, warm, NULL, NULL) != 0))
            return box_fail(box, "%s", asq_db_message(db));
        (void)asq_db_hand_over(db); /* its own, without open statements */
    }
    return 0;
}

/* The jobs, and the threads that take them. */
static int start(struct crew *crew)
{
    struct box *box = crew->box;

    crew->dbs = calloc((size_t)box->connections, sizeof *crew->dbs);
    crew->tasks = calloc((size_t)box->in_flight, sizeof *crew->tasks);
    if (crew->dbs == NULL || crew->tasks == NULL)
        return box_fail(box, "out of memory");
    for (int i = 0; i < box->in_flight; i++) {
        crew->tasks[i].crew = crew;
        crew->tasks[i].job.run_on_thread = answer_on_thread;
        crew->tasks[i].job.data = &crew->tasks[i];
    }
    if (open_all(crew) != 0)
        return -1;
    if (asq_offload_start(&crew->offload, (unsigned)box->connections,
                          (size_t)box->in_flight) != 0)
        return box_fail(box, "no threads could be started");
    return 0;
}

/* After the threads have ended. */
static void release(struct crew *crew)
{
    for (int i = 0; crew->dbs != NULL && i < crew->box->connections; i++)
        (void)asq_db_close(&crew->dbs[i]); /* every statement was released */
    for (int i = 0; crew->tasks != NULL && i < crew->box->in_flight; i++)
        asq_result_destroy(&crew->tasks[i].result);
    free(crew->dbs);
    free(crew->tasks);
}

int way_threads(struct box *box)
{
    struct crew crew = {.box = box};

    if (uv_mutex_init(&crew.lock) != 0)
        return box_fail(box, "no lock could be made");
    if (uv_cond_init(&crew.answered) != 0) {
        uv_mutex_destroy(&crew.lock);
        return box_fail(box, "no condition could be made");
    }
    if (start(&crew) == 0) {
        measure(&crew);
        asq_offload_stop(&crew.offload, ASQ_REST_RUNS);
        asq_offload_destroy(&crew.offload);
    }
    release(&crew);
    uv_cond_destroy(&crew.answered);
    uv_mutex_destroy(&crew.lock);
    return box->message[0] == '\0' ? 0 : -1;
}
