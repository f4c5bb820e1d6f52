/* test_offload_load - many submitters at once, and a stop in between
 *
 * Nobody holds anybody back here: submitters, threads and stop meet wherever
 * they happen to be, and every job must be accounted for.
 */
#include "02-threads/offload.h"
#include "grader/test.h"

#include <string.h>
#include <uv.h>

enum {
    THREADS = 4,
    SUBMITTERS = 8,
    WINDOW = 16 /* jobs that a submitter has in flight */
};

struct fixture {
    struct asq_offload offload;
    uv_sem_t reached;
    uv_barrier_t meeting;
};

static void set_up(void *data)
{
    struct fixture *f = data;

    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_barrier_init(&f->meeting, THREADS), 0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    asq_offload_destroy(&f->offload);
    uv_barrier_destroy(&f->meeting);
    uv_sem_destroy(&f->reached);
}

static void meet(struct asq_job *job, unsigned thread)
{
    struct fixture *f = job->data;

    (void)thread; /* they all meet */
    /* The return value only tells which of the threads came last. */
    (void)uv_barrier_wait(&f->meeting);
}

/* Ends only when all threads run a job at once: none of them is gone. */
static void meet_all(struct fixture *f)
{
    struct asq_job jobs[THREADS];

    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < THREADS; i++) {
        jobs[i].run_on_thread = meet;
        jobs[i].data = f;
        CHECK_INT(asq_offload_submit(&f->offload, &jobs[i], ASQ_FULL_WAITS), 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(asq_offload_wait(&f->offload, &jobs[i]), 0);
}

/* Plain memory on both sides: only submit and wait order it. */
struct square {
    struct asq_job job;
    uint64_t number;
    uint64_t answer;
    struct asq_offload *offload;
};

struct submitter {
    struct fixture *fixture;
    uint64_t from;
    uint64_t count;
    uint64_t sum;
};

static void square_number(struct asq_job *job, unsigned thread)
{
    struct square *square = job->data;
    struct asq_offload *offload = square->offload;

    (void)thread;                             /* any of them */
    (void)pthread_mutex_lock(&offload->lock); /* checked by the sanitizer */
    CHECK(offload->queued <= offload->capacity);
    (void)pthread_mutex_unlock(&offload->lock);
    square->answer = square->number * square->number;
}

static void submit_many(void *data)
{
    struct submitter *s = data;
    struct asq_offload *offload = &s->fixture->offload;
    struct square squares[WINDOW];

    memset(squares, 0, sizeof squares);
    for (uint64_t i = 0; i < s->count + WINDOW; i++) {
        struct square *square = &squares[i % WINDOW];
        int err;

        if (i >= WINDOW) {
            CHECK_INT(asq_offload_wait(offload, &square->job), 0);
            s->sum += square->answer;
        }
        if (i >= s->count)
            continue;
        square->job.run_on_thread = square_number;
        square->job.data = square;
        square->offload = offload;
        square->number = s->from + i;
        err = asq_offload_submit(offload, &square->job, ASQ_FULL_FAILS);
        if (err == UV_ENOBUFS)
            err = asq_offload_submit(offload, &square->job, ASQ_FULL_WAITS);
        CHECK_INT(err, 0);
    }
}

static void many_submitters_lose_nothing(void *data)
{
    struct fixture *f = data;
    struct submitter submitters[SUBMITTERS];
    uv_thread_t threads[SUBMITTERS];
    uint64_t each = test_scaled(100000) / SUBMITTERS;
    uint64_t sum = 0;
    uint64_t expected = 0;

    memset(submitters, 0, sizeof submitters);
    CHECK_INT(asq_offload_start(&f->offload, THREADS, 8), 0);
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        submitters[i].fixture = f;
        submitters[i].from = i * each;
        submitters[i].count = each;
        CHECK_INT(uv_thread_create(&threads[i], submit_many, &submitters[i]),
                  0);
    }
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        CHECK_INT(uv_thread_join(&threads[i]), 0);
        sum += submitters[i].sum;
    }
    meet_all(f); /* whoever found nothing to do is still there */
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    for (uint64_t i = 0; i < each * SUBMITTERS; i++)
        expected += i * i;
    CHECK_INT(sum, expected);
}

struct ending {
    struct fixture *fixture;
    struct asq_job job;

    uint64_t runs;    /* of the job's function */
    uint64_t answers; /* status 0 */
};

static void post_reached(struct asq_job *job, unsigned thread)
{
    struct ending *ending = job->data;

    (void)thread; /* any of them */
    ending->runs++;
    uv_sem_post(&ending->fixture->reached);
}

static void submit_until_refused(void *data)
{
    struct ending *ending = data;
    struct asq_offload *offload = &ending->fixture->offload;
    int status = 0;

    ending->job.run_on_thread = post_reached;
    ending->job.data = ending;
    while (status == 0) {
        int err = asq_offload_submit(offload, &ending->job, ASQ_FULL_WAITS);
        if (err != 0) {
            CHECK_INT(err, UV_ESHUTDOWN);
            return;
        }
        status = asq_offload_wait(offload, &ending->job);
        ending->answers += status == 0;
    }
    CHECK_INT(status, UV_ECANCELED);
}

/* Stop meets its submitters wherever they happen to be. */
static void stop_under_load_accounts_for_each_job(void *data)
{
    struct fixture *f = data;

    for (unsigned round = 0; round < test_scaled(200); round++) {
        struct ending endings[SUBMITTERS];
        uv_thread_t threads[SUBMITTERS];

        memset(endings, 0, sizeof endings);
        CHECK_INT(asq_offload_start(&f->offload, 2, 2), 0);
        for (unsigned i = 0; i < SUBMITTERS; i++) {
            endings[i].fixture = f;
            CHECK_INT(uv_thread_create(&threads[i], submit_until_refused,
                                       &endings[i]),
                      0);
        }
        uv_sem_wait(&f->reached); /* they are at it */
        asq_offload_stop(&f->offload,
                         round % 2 == 0 ? ASQ_REST_RUNS : ASQ_REST_CANCELS);
        for (unsigned i = 0; i < SUBMITTERS; i++) {
            CHECK_INT(uv_thread_join(&threads[i]), 0);
            CHECK_INT(endings[i].runs, endings[i].answers);
        }
        while (uv_sem_trywait(&f->reached) == 0) {
            /* The posts of this round must not start the next one. */
        }
        asq_offload_destroy(&f->offload);
    }
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }

static const struct test_case cases[] = {
    CASE(many_submitters_lose_nothing),
    CASE(stop_under_load_accounts_for_each_job),
    {0},
};

const struct test_suite test_suite = {
    .name = "offload_load",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
