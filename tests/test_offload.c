/* test_offload - jobs run once, are refused, cancelled and waited for
 *
 * Where a test needs a thread to be busy, a job stands at `gate`. Where it
 * needs stop to have begun, it is a call that only stop can release which
 * opens the gate: a stop that releases nobody hangs and fails.
 */
#include "02-threads/offload.h"
#include "grader/test.h"

#include <sys/resource.h>
#include <time.h>
#include <uv.h>

enum {
    JOBS = 10,
    THREADS = 4
};

struct noted {
    struct asq_job job;
    struct fixture *fixture;
    unsigned runs;

    unsigned order; /* how many jobs ran before */
    unsigned thread;
};

struct fixture {
    struct asq_offload offload;

    uv_sem_t reached; /* posted by a job that stands at the gate */
    uv_sem_t gate;
    uv_barrier_t meeting;
    struct asq_job held;
    struct noted noted[JOBS];
    unsigned ran; /* written by one thread at a time */
    int answer;   /* what the other thread's call returned */
};

static void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(uv_barrier_init(&f->meeting, THREADS), 0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    asq_offload_destroy(&f->offload);
    uv_barrier_destroy(&f->meeting);
    uv_sem_destroy(&f->gate);
    uv_sem_destroy(&f->reached);
}

static void stand_at_gate(struct asq_job *job, unsigned thread)
{
    struct fixture *f = job->data;

    (void)thread; /* there is only one */
    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
}

static void note(struct asq_job *job, unsigned thread)
{
    struct noted *noted = job->data;

    noted->runs++;
    noted->order = noted->fixture->ran++;
    noted->thread = thread;
}

static void meet(struct asq_job *job, unsigned thread)
{
    struct noted *noted = job->data;

    /* The return value only tells which of the threads came last. */
    (void)uv_barrier_wait(&noted->fixture->meeting);
    noted->runs++;
    noted->thread = thread;
}

static struct asq_job *job_at(struct fixture *f, int i, asq_run_cb run)
{
    struct noted *noted = &f->noted[i];

    noted->fixture = f;
    noted->job.run_on_thread = run;
    noted->job.data = noted;
    return &noted->job;
}

static int submit(struct fixture *f, int i, enum asq_offload_full full)
{
    return asq_offload_submit(&f->offload, job_at(f, i, note), full);
}

/* One thread, and that one stands at the gate; nothing is queued. */
static void start_held(struct fixture *f, size_t capacity)
{
    CHECK_INT(asq_offload_start(&f->offload, 1, capacity), 0);
    f->held.run_on_thread = stand_at_gate;
    f->held.data = f;
    CHECK_INT(asq_offload_submit(&f->offload, &f->held, ASQ_FULL_FAILS), 0);
    uv_sem_wait(&f->reached);
}

static void thread_start(uv_thread_t *thread, uv_thread_cb run, void *data)
{
    CHECK_INT(uv_thread_create(thread, run, data), 0);
}

static void one_thread_runs_jobs_in_order(void *data)
{
    struct fixture *f = data;

    start_held(f, JOBS);
    for (int i = 0; i < JOBS; i++)
        CHECK_INT(submit(f, i, ASQ_FULL_FAILS), 0);
    uv_sem_post(&f->gate);
    for (unsigned i = 0; i < JOBS; i++) {
        CHECK_INT(asq_offload_wait(&f->offload, &f->noted[i].job), 0);
        CHECK_INT(f->noted[i].runs, 1);
        CHECK_INT(f->noted[i].order, i);
        CHECK_INT(f->noted[i].thread, 0);
    }
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
}

static void one_thread_with_room_for_one(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_offload_start(&f->offload, 1, 1), 0);
    for (int i = 0; i < JOBS; i++)
        CHECK_INT(submit(f, i, ASQ_FULL_WAITS), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    CHECK_INT(f->ran, JOBS);
}

/* Each job needs the others to be running, so that each has its thread. */
static void meet_all(struct fixture *f)
{
    unsigned seen = 0;

    for (int i = 0; i < THREADS; i++) {
        struct asq_job *job = job_at(f, i, meet);

        CHECK_INT(asq_offload_submit(&f->offload, job, ASQ_FULL_FAILS), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(asq_offload_wait(&f->offload, &f->noted[i].job), 0);
        CHECK(f->noted[i].thread < THREADS);
        seen |= 1u << f->noted[i].thread;
    }
    CHECK_INT(seen, (1u << THREADS) - 1);
}

static void threads_are_numbered(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_offload_start(&f->offload, THREADS, THREADS), 0);
    meet_all(f);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
}

static void full_queue_refuses(void *data)
{
    struct fixture *f = data;

    start_held(f, 2);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
    CHECK_INT(submit(f, 1, ASQ_FULL_FAILS), 0);
    CHECK_INT(submit(f, 2, ASQ_FULL_FAILS), UV_ENOBUFS);
    CHECK_INT(asq_offload_wait(&f->offload, &f->noted[2].job), UV_ENOBUFS);
    uv_sem_post(&f->gate);
    CHECK_INT(asq_offload_wait(&f->offload, &f->noted[1].job), 0);
    CHECK_INT(submit(f, 3, ASQ_FULL_FAILS), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    CHECK_INT(f->noted[2].runs, 0);
    CHECK_INT(f->noted[3].runs, 1);
    CHECK_INT(f->ran, 3);
}

static void submit_waiting(void *data)
{
    struct fixture *f = data;

    f->answer = submit(f, 1, ASQ_FULL_WAITS);
    uv_sem_post(&f->gate);
}

static void full_queue_is_waited_for(void *data)
{
    struct fixture *f = data;
    uv_thread_t submitter;

    start_held(f, 1);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
    thread_start(&submitter, submit_waiting, f);
    uv_sem_post(&f->gate);
    CHECK_INT(uv_thread_join(&submitter), 0);
    CHECK_INT(f->answer, 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    CHECK_INT(f->noted[0].runs, 1);
    CHECK_INT(f->noted[1].runs, 1);
}

/* The thread and the queue are full, so that only stop ends the submit, and
 * only the submit's end opens the gate. */
static void stop_while_one_waits_for_room(struct fixture *f,
                                          enum asq_offload_rest rest)
{
    uv_thread_t submitter;

    start_held(f, 1);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
    thread_start(&submitter, submit_waiting, f);
    asq_offload_stop(&f->offload, rest);
    CHECK_INT(uv_thread_join(&submitter), 0);
    CHECK_INT(f->answer, UV_ESHUTDOWN);
    CHECK_INT(f->noted[1].runs, 0);
    CHECK_INT(asq_offload_wait(&f->offload, &f->held), 0);
}

static void stop_runs_what_is_queued(void *data)
{
    struct fixture *f = data;

    stop_while_one_waits_for_room(f, ASQ_REST_RUNS);
    CHECK_INT(asq_offload_wait(&f->offload, &f->noted[0].job), 0);
    CHECK_INT(f->noted[0].runs, 1);
}

static void stop_cancels_what_is_queued(void *data)
{
    struct fixture *f = data;

    stop_while_one_waits_for_room(f, ASQ_REST_CANCELS);
    CHECK_INT(asq_offload_wait(&f->offload, &f->noted[0].job), UV_ECANCELED);
    CHECK_INT(f->noted[0].runs, 0);
}

static void wait_for_cancelled(void *data)
{
    struct fixture *f = data;

    f->answer = asq_offload_wait(&f->offload, &f->noted[JOBS - 1].job);
    uv_sem_post(&f->gate);
}

static void stop_releases_who_waits_for_a_job(void *data)
{
    struct fixture *f = data;
    uv_thread_t waiter;

    start_held(f, JOBS);
    for (int i = 0; i < JOBS; i++)
        CHECK_INT(submit(f, i, ASQ_FULL_FAILS), 0);
    thread_start(&waiter, wait_for_cancelled, f);
    asq_offload_stop(&f->offload, ASQ_REST_CANCELS);
    CHECK_INT(uv_thread_join(&waiter), 0);
    CHECK_INT(f->answer, UV_ECANCELED);
    CHECK_INT(asq_offload_wait(&f->offload, &f->held), 0);
    CHECK_INT(f->ran, 0);
}

static void a_stopped_offload_refuses(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_offload_start(&f->offload, 2, 2), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), UV_ESHUTDOWN);
    CHECK_INT(submit(f, 0, ASQ_FULL_WAITS), UV_ESHUTDOWN);
    asq_offload_stop(&f->offload, ASQ_REST_CANCELS); /* harmless */
    asq_offload_destroy(&f->offload);
    asq_offload_destroy(&f->offload); /* harmless */
    CHECK_INT(asq_offload_start(&f->offload, 2, 2), 0);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    CHECK_INT(f->ran, 1);
}

static void wait_for_held(void *data)
{
    struct fixture *f = data;

    if (asq_offload_wait(&f->offload, &f->held) != 0)
        FAIL("a job that ran is reported as cancelled");
}

static void several_wait_for_one_job(void *data)
{
    struct fixture *f = data;
    uv_thread_t waiters[THREADS];

    start_held(f, 1);
    for (int i = 0; i < THREADS; i++)
        thread_start(&waiters[i], wait_for_held, f);
    uv_sem_post(&f->gate);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(uv_thread_join(&waiters[i]), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
}

static void submit_the_next(struct asq_job *job, unsigned thread)
{
    struct noted *noted = job->data;
    struct fixture *f = noted->fixture;
    int next = (int)(noted - f->noted) + 1;

    note(job, thread);
    if (next < JOBS) {
        CHECK_INT(asq_offload_submit(&f->offload,
                                     job_at(f, next, submit_the_next),
                                     ASQ_FULL_FAILS),
                  0);
    } else {
        uv_sem_post(&f->reached);
    }
}

static void a_job_submits_another(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_offload_start(&f->offload, 1, 1), 0);
    CHECK_INT(asq_offload_submit(&f->offload, job_at(f, 0, submit_the_next),
                                 ASQ_FULL_FAILS),
              0);
    uv_sem_wait(&f->reached);
    asq_offload_stop(&f->offload, ASQ_REST_CANCELS);
    CHECK_INT(f->ran, JOBS);
}

static void a_job_is_used_again(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_offload_start(&f->offload, 2, 1), 0);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
        CHECK_INT(asq_offload_wait(&f->offload, &f->noted[0].job), 0);
        CHECK_INT(f->noted[0].runs, i + 1);
    }
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
}

static void bad_arguments_are_refused(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_offload_start(&f->offload, 0, 1), UV_EINVAL);
    CHECK_INT(asq_offload_start(&f->offload, 1, 0), UV_EINVAL);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS); /* nothing is owed */
    asq_offload_destroy(&f->offload);
    asq_offload_destroy(NULL);
    CHECK_INT(asq_offload_start(&f->offload, 1, 1), 0);
    CHECK_INT(
        asq_offload_submit(&f->offload, job_at(f, 0, NULL), ASQ_FULL_WAITS),
        UV_EINVAL);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
}

static void start_survives_failing_allocations(void *data)
{
    struct fixture *f = data;
    uint64_t nth = 1;
    for (;; nth++) {
        test_alloc_fail_at(TEST_ALLOC_ALL, nth, 0);
        int err = asq_offload_start(&f->offload, THREADS, 1);
        int failed = test_alloc_has_failed();
        test_alloc_fail_at(TEST_ALLOC_ALL, 0, 0);
        if (err == 0) {
            CHECK_INT(failed, 0);
            break;
        }
        CHECK_INT(err, UV_ENOMEM);
        CHECK_INT(failed, 1);
    }
    CHECK_RANGE(nth, 2, 100); /* at least one allocation was made to fail */
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static void start_undoes_itself_when_threads_run_out(void *data)
{
#if defined(SANITIZED) || !defined(__linux__)
    (void)data; /* not used */
    test_skip("the address space cannot be limited here");
#else
    struct fixture *f = data;
    struct rlimit limit;
    CHECK_INT(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = (rlim_t)64 << 20; /* a few stacks, then EAGAIN */
    CHECK_INT(setrlimit(RLIMIT_AS, &limit), 0);
    CHECK_INT(asq_offload_start(&f->offload, 1000, 1), UV_EAGAIN);
    CHECK_INT(f->offload.capacity, 0);
    CHECK_INT(asq_offload_start(&f->offload, 1, 1), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
#endif
}

static uint64_t cpu_now_ns(void)
{
    struct timespec now;

    CHECK_INT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One thread waits for work, one submit for room, one caller for a job; a
 * single one of them that polled would use up most of the 100 ms. */
static void waiting_uses_no_processor(void *data)
{
    struct fixture *f = data;
    uv_mutex_t lock;
    uv_cond_t never;
    struct asq_offload idle;
    uv_thread_t submitter;
    uv_thread_t waiter;

    CHECK_INT(uv_mutex_init(&lock), 0);
    CHECK_INT(uv_cond_init(&never), 0);
    CHECK_INT(asq_offload_start(&idle, 1, 1), 0);
    start_held(f, 1);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
    thread_start(&submitter, submit_waiting, f);
    thread_start(&waiter, wait_for_held, f);

    uint64_t before = cpu_now_ns();
    uv_mutex_lock(&lock);
    /* Woken without a reason it would prove as much, only in less time. */
    (void)uv_cond_timedwait(&never, &lock, 100000000u);
    uv_mutex_unlock(&lock);
    CHECK_RANGE((double)(cpu_now_ns() - before) / 1e6, 0, 30);

    uv_sem_post(&f->gate);
    CHECK_INT(uv_thread_join(&submitter), 0);
    CHECK_INT(uv_thread_join(&waiter), 0);
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    asq_offload_stop(&idle, ASQ_REST_RUNS);
    asq_offload_destroy(&idle);
    uv_cond_destroy(&never);
    uv_mutex_destroy(&lock);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }

/* In the queue twice, it would be its own next one. */
static void a_job_is_queued_once(void *data)
{
    struct fixture *f = data;

    start_held(f, 4);
    CHECK_INT(asq_offload_submit(&f->offload, &f->held, ASQ_FULL_FAILS),
              UV_EALREADY); /* it runs */
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0);
    CHECK_INT(asq_offload_submit(&f->offload, &f->noted[0].job, ASQ_FULL_FAILS),
              UV_EALREADY);
    CHECK_INT(submit(f, 1, ASQ_FULL_FAILS), 0);
    uv_sem_post(&f->gate);
    for (int i = 0; i < 2; i++)
        CHECK_INT(asq_offload_wait(&f->offload, &f->noted[i].job), 0);
    CHECK_INT(submit(f, 0, ASQ_FULL_FAILS), 0); /* waited for: once more */
    asq_offload_stop(&f->offload, ASQ_REST_RUNS);
    CHECK_INT(f->noted[0].runs, 2);
}

static const struct test_case cases[] = {
    {.name = "a_job_is_queued_once", .run = a_job_is_queued_once},
    CASE(one_thread_runs_jobs_in_order),
    CASE(one_thread_with_room_for_one),
    CASE(threads_are_numbered),
    CASE(full_queue_refuses),
    CASE(full_queue_is_waited_for),
    CASE(stop_runs_what_is_queued),
    CASE(stop_cancels_what_is_queued),
    CASE(stop_releases_who_waits_for_a_job),
    CASE(a_stopped_offload_refuses),
    CASE(several_wait_for_one_job),
    CASE(a_job_submits_another),
    CASE(a_job_is_used_again),
    CASE(bad_arguments_are_refused),
    CASE(start_survives_failing_allocations),
    CASE(start_undoes_itself_when_threads_run_out),
    CASE(waiting_uses_no_processor),
    {0},
};

const struct test_suite test_suite = {
    .name = "offload",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
