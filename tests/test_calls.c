/* test_calls - the calls by which code waits, counted
 */
#include "grader/calls.h"
#include "grader/test.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/select.h>
#include <time.h>

/* Hidden by the POSIX that the course is built with; students call it. */
int usleep(unsigned microseconds);

static void need_wrap(void)
{
#ifndef TEST_HAVE_WRAP
    test_skip("calls are counted only where the linker knows --wrap");
#endif
}

static void sleeps_count(void *fixture)
{
    const struct timespec ns = {.tv_nsec = 1};
    struct timeval none = {0};

    (void)fixture;
    need_wrap();
    (void)test_calls_watch(1);
    CHECK_INT(usleep(1), 0);
    CHECK_INT(nanosleep(&ns, NULL), 0);
    CHECK_INT(clock_nanosleep(CLOCK_MONOTONIC, 0, &ns, NULL), 0);
    CHECK_INT(poll(NULL, 0, 0), 0);
    CHECK_INT(select(0, NULL, NULL, NULL, &none), 0);
    CHECK_INT(pselect(0, NULL, NULL, NULL, &ns, NULL), 0);
    uv_sleep(1);
    CHECK_INT(test_calls(TEST_CALL_SLEEP), 7);
}

static void timed_waits_count(void *fixture)
{
    const struct timespec past = {.tv_sec = 1};
    uv_mutex_t mutex;
    uv_cond_t cond;
    sem_t sem;

    (void)fixture;
    need_wrap();
    CHECK_INT(uv_mutex_init(&mutex), 0);
    CHECK_INT(uv_cond_init(&cond), 0);
    CHECK_INT(sem_init(&sem, 0, 0), 0);
    (void)test_calls_watch(1);
    uv_mutex_lock(&mutex);
    CHECK_INT(uv_cond_timedwait(&cond, &mutex, 1), UV_ETIMEDOUT);
    CHECK(pthread_cond_timedwait(&cond, &mutex, &past) != 0);
    uv_mutex_unlock(&mutex);
    CHECK_INT(sem_timedwait(&sem, &past), -1);
    CHECK_INT(test_calls(TEST_CALL_TIMED), 3);
    CHECK_INT(test_calls(TEST_CALL_LOCK), 1);
    CHECK_INT(test_calls(TEST_CALL_SLEEP), 0);
    (void)test_calls_watch(0);
    CHECK_INT(sem_destroy(&sem), 0);
    uv_cond_destroy(&cond);
    uv_mutex_destroy(&mutex);
}

static void looking_again_and_again_counts(void *fixture)
{
    uv_mutex_t mutex;
    uv_sem_t sem;

    (void)fixture;
    need_wrap();
    CHECK_INT(uv_mutex_init(&mutex), 0);
    CHECK_INT(uv_sem_init(&sem, 0), 0);
    (void)test_calls_watch(1);
    for (int i = 0; i < 100; i++) {
        uv_mutex_lock(&mutex);
        uv_mutex_unlock(&mutex);
        CHECK_INT(uv_sem_trywait(&sem), UV_EAGAIN);
        CHECK_INT(sched_yield(), 0);
    }
    CHECK_INT(uv_mutex_trylock(&mutex), 0);
    uv_mutex_unlock(&mutex);
    CHECK_INT(test_calls(TEST_CALL_LOCK), 101);
    CHECK_INT(test_calls(TEST_CALL_YIELD), 200);
    (void)test_calls_watch(0);
    uv_sem_destroy(&sem);
    uv_mutex_destroy(&mutex);
}

/* Two threads hand a turn to and fro. */
struct turns {
    uv_mutex_t mutex;
    uv_cond_t changed;
    int turn;
};

static void take_turns(struct turns *turns, int mine)
{
    uv_mutex_lock(&turns->mutex);
    for (int i = 0; i < 5; i++) {
        while (turns->turn != mine)
            uv_cond_wait(&turns->changed, &turns->mutex);
        turns->turn = !mine;
        uv_cond_broadcast(&turns->changed);
    }
    uv_mutex_unlock(&turns->mutex);
}

static void be_the_other(void *data)
{
    take_turns(data, 0);
}

static void only_threads_that_are_watched_count(void *fixture)
{
    struct turns turns = {.turn = 1};
    uv_thread_t other;

    (void)fixture;
    need_wrap();
    CHECK_INT(uv_mutex_init(&turns.mutex), 0);
    CHECK_INT(uv_cond_init(&turns.changed), 0);
    CHECK_INT(uv_thread_create(&other, be_the_other, &turns), 0);
    CHECK_INT(test_calls_watch(1), 0);
    take_turns(&turns, 1);
    CHECK_INT(test_calls_watch(0), 1);
    CHECK_INT(uv_thread_join(&other), 0);
    CHECK_INT(test_calls(TEST_CALL_WAKE), 5);
    CHECK_RANGE(test_calls(TEST_CALL_WAIT), 4, 100); /* it may wake early */
    CHECK_INT(test_calls(TEST_CALL_LOCK), 1);
    uv_cond_destroy(&turns.changed);
    uv_mutex_destroy(&turns.mutex);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(sleeps_count),
    CASE(timed_waits_count),
    CASE(looking_again_and_again_counts),
    CASE(only_threads_that_are_watched_count),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "calls", .cases = cases};
