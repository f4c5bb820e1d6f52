/* measure_threads - asks the query of measure on threads */
#include "04-measure-first/measure_threads.h"

#include "02-threads/offload.h"
#include "04-measure-first/measure_ask.h"

#include <stdlib.h>
#include <uv.h>

static const uint64_t BEAT_NS = 1000000;

struct crew;

/* A user's query; belongs to a thread from submit until it is in finished. */
struct task {
    struct asq_job job;
    struct crew *crew;
    const struct asq_params *params; /* of its next query; may be NULL */
    struct task *next;               /* in finished */
    uint64_t end_ns;
};

struct crew {
    /* set before start */
    struct asq_measure *measure;
    struct asq_offload offload;
    struct asq_db *dbs; /* one for each thread */
    struct task *tasks;
    uv_mutex_t lock;
    uv_cond_t answered;
    struct task *finished; /* guarded by lock */
    int rc; /* guarded by lock; of the first query that failed; its message is
               kept */
};

static void run_on_thread(struct asq_job *job, unsigned thread)
{
    struct task *task = job->data;
    struct crew *crew = task->crew;
    struct asq_measure *measure = crew->measure;
    struct asq_db *db = &crew->dbs[thread];
    char message[ASQ_MESSAGE_SIZE];
    uint64_t begin_ns = uv_hrtime();
    int rc = asq__measure_ask(measure, db, task->params, NULL, message);

    task->end_ns = uv_hrtime();
    if (measure->on_query != NULL)
        measure->on_query(measure->data, 1 + thread, begin_ns, task->end_ns);
    /* The thread takes it again, and main closes it. No statement is out. */
    (void)asq_db_hand_over(db);
    uv_mutex_lock(&crew->lock);
    if (rc != 0 && crew->rc == 0)
        crew->rc = asq__measure_fail(measure, rc, message);
    task->next = crew->finished;
    crew->finished = task;
    uv_cond_signal(&crew->answered);
    uv_mutex_unlock(&crew->lock);
}

static void submit(struct task *task)
{
    task->params = asq__measure_next(task->crew->measure);
    /* Cannot fail: there is room for all, and nobody stops the threads. */
    (void)asq_offload_submit(&task->crew->offload, &task->job, ASQ_FULL_WAITS);
}

/* Waits for a millisecond at most. Returns the queries that are answered. */
static struct task *take_finished(struct crew *crew, int *ret_rc)
{
    struct task *finished;

    uv_mutex_lock(&crew->lock);
    if (crew->finished == NULL) /* woken or not, the caller will look again */
        (void)uv_cond_timedwait(&crew->answered, &crew->lock, BEAT_NS);
    finished = crew->finished;
    crew->finished = NULL;
    *ret_rc = crew->rc;
    uv_mutex_unlock(&crew->lock);
    return finished;
}

/* Asks for these users, who ask again if it counts; main beats. */
static int run_users(struct crew *crew,
                     unsigned users,
                     bool counts,
                     struct asq_measured *measured)
{
    unsigned on_their_way = users;
    int rc = 0;

    for (unsigned i = 0; i < users; i++)
        submit(&crew->tasks[i]);
    while (on_their_way > 0) {
        struct task *task = take_finished(crew, &rc);

        while (task != NULL) {
            struct task *next = task->next;

            /* The job's function has ended; its thread may still be returning.
             */
            (void)asq_offload_wait(&crew->offload, &task->job);
            if (counts)
                asq__measure_answered(measured, (unsigned)(task - crew->tasks),
                                      task->end_ns);
            if (counts && rc == 0 &&
                asq__measure_again(crew->measure, measured, 1))
                submit(task);
            else
                on_their_way--;
            task = next;
        }
        asq__measure_beat(measured);
    }
    return rc;
}

static int run_all(struct crew *crew, struct asq_measured *measured)
{
    struct asq_measure *measure = crew->measure;
    int rc = 0;

    /* Each connection should answer once before it counts; which one takes
     * which job is left to chance, so they get two each. */
    if (!measure->slow)
        rc = run_users(crew, 2 * measured->connections, false, measured);
    if (rc != 0)
        return rc;
    asq__measure_start(measure, measured);
    return run_users(crew, measure->in_flight, true, measured);
}

static int prepare(struct crew *crew, unsigned threads, unsigned tasks)
{
    struct asq_measure *measure = crew->measure;
    int rc;

    crew->dbs = calloc(threads, sizeof *crew->dbs);
    crew->tasks = calloc(tasks, sizeof *crew->tasks);
    if (crew->dbs == NULL || crew->tasks == NULL)
        return asq__measure_fail(measure, UV_ENOMEM, "out of memory");
    for (unsigned i = 0; i < tasks; i++) {
        crew->tasks[i].crew = crew;
        crew->tasks[i].job.run_on_thread = run_on_thread;
        crew->tasks[i].job.data = &crew->tasks[i];
    }
    for (unsigned i = 0; i < threads; i++) {
        struct asq_db *db = &crew->dbs[i];

        rc = asq_db_open(db, &measure->profile);
        if (rc != 0)
            return asq__measure_fail(measure, rc, asq_db_message(db));
        asq__measure_watch(measure, db);
        (void)asq_db_hand_over(db); /* open, no statement is out */
    }
    rc = asq_offload_start(&crew->offload, threads, tasks);
    return rc == 0 ? 0 : asq__measure_fail(measure, rc, uv_strerror(rc));
}

/* Call it after the threads have ended. */
static void clean_up(struct crew *crew, unsigned threads)
{
    asq_offload_stop(&crew->offload, ASQ_REST_RUNS);
    asq_offload_destroy(&crew->offload);
    for (unsigned i = 0; crew->dbs != NULL && i < threads; i++)
        (void)asq_db_close(&crew->dbs[i]); /* no statement is out */
    free(crew->dbs);
    free(crew->tasks);
}

int asq_measure_threads(struct asq_measure *measure,
                        unsigned threads,
                        struct asq_measured *ret_measured)
{
    struct crew crew = {.measure = measure};
    unsigned tasks =
        measure->in_flight > 2 * threads ? measure->in_flight : 2 * threads;
    int rc = asq__measure_begin(measure, threads, ret_measured);

    if (rc != 0 || uv_mutex_init(&crew.lock) != 0)
        return asq__measure_fail(measure, UV_ENOMEM, "out of memory");
    if (uv_cond_init(&crew.answered) != 0) {
        uv_mutex_destroy(&crew.lock);
        return asq__measure_fail(measure, UV_ENOMEM, "out of memory");
    }
    rc = prepare(&crew, threads, tasks);
    if (rc == 0)
        rc = run_all(&crew, ret_measured);
    clean_up(&crew, threads);
    uv_cond_destroy(&crew.answered);
    uv_mutex_destroy(&crew.lock);
    return rc;
}
