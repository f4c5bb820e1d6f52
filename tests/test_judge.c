/* test_judge - only a test that returned, in order, has passed
 *
 * Each test runs itself again with a runner inside, where it ends in a way
 * that must not count.
 */
#include "grader/again.h"
#include "grader/runner.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void exit_fails(void *again)
{
    if (test__again_is_inner()) {
        exit(0);
    }
    test__again_expect_fail(again, __func__, "exit with status 0 before");
}

static void exit_at_once_fails(void *again)
{
    if (test__again_is_inner()) {
        _exit(0);
    }
    test__again_expect_fail(again, __func__, "exit with status 0 before");
}

static void exec_fails(void *again)
{
    if (test__again_is_inner()) {
        (void)execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
    }
    test__again_expect_fail(again, __func__, "exit with status 0 before");
}

static void end_with_3(void)
{
    _exit(3);
}

static void bad_status_after_the_test_fails(void *again)
{
    if (test__again_is_inner()) {
        CHECK_INT(atexit(end_with_3), 0);
        return;
    }
    test__again_expect_fail(again, __func__, "exit with status 3 after");
}

static void forged_report_fails(void *again)
{
    if (test__again_is_inner()) {
        for (int fd = 3; fd < 20; fd++) {
            (void)!write(fd, "P", 2); /* most of them are not open */
        }
        exit(0);
    }
    test__again_expect_fail(again, __func__, "exit with status 0 before");
}

static void crash_is_named(void *again)
{
    if (test__again_is_inner()) {
        (void)signal(SIGSEGV, SIG_DFL); /* no sanitizer in between */
        (void)raise(SIGSEGV);
    }
    test__again_expect_fail(again, __func__, "ended by SIGSEGV");
}

static void stay_behind(void)
{
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        for (;;) {
            (void)pause();
        }
    }
}

static void process_left_behind_fails(void *again)
{
    if (test__again_is_inner()) {
        stay_behind();
        return;
    }
    test__again_expect_fail(again, __func__, "left a process running");
}

_Noreturn static void hang(void)
{
    (void)signal(SIGALRM, SIG_IGN); /* or it would end itself */
    stay_behind();
    test__again_tell("here");
    for (;;) {
        (void)pause();
    }
}

static uv_sem_t never;

static void wait_for_never(void *data)
{
    (void)data;
    uv_sem_wait(&never);
}

static void threads_left_running_fail(void *again)
{
    uv_thread_t threads[2];

    if (test__again_is_inner()) {
        CHECK_INT(uv_sem_init(&never, 0), 0);
        for (int i = 0; i < 2; i++) {
            CHECK_INT(uv_thread_create(&threads[i], wait_for_never, NULL), 0);
        }
        return;
    }
#if !defined(TEST_HAVE_WRAP)
    test_skip("threads are counted only where the linker knows --wrap");
#endif
    test__again_expect_fail(again, __func__, "leaves 2 threads running");
}

static void *end_at_once(void *data)
{
    pthread_exit(data);
}

static void leave_work(uv_work_t *work)
{
    (void)work;
}

/* One that nobody joins, one that leaves by pthread_exit, those of libuv. */
static void ended_threads_pass(void *again)
{
    pthread_attr_t detached;
    pthread_t thread;
    uv_work_t work;

    (void)again;
    CHECK_INT(pthread_attr_init(&detached), 0);
    CHECK_INT(pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED),
              0);
    CHECK_INT(pthread_create(&thread, &detached, end_at_once, NULL), 0);
    CHECK_INT(pthread_attr_destroy(&detached), 0);
    CHECK_INT(pthread_create(&thread, NULL, end_at_once, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(uv_queue_work(uv_default_loop(), &work, leave_work, NULL), 0);
    test_close_loop(uv_default_loop());
}

static void hang_ends_itself(void *again)
{
    if (test__again_is_inner()) {
        for (;;) {
            (void)pause();
        }
    }
    CHECK_INT(setenv("TEST_SECONDS", "1", 1), 0);
    test__again_expect_fail(again, __func__, "  no end after 1 s\n");
}

static void hang_is_killed_with_its_children(void *again)
{
    if (test__again_is_inner()) {
        hang();
    }
    CHECK_INT(setenv("TEST_SECONDS", "1", 1), 0);
    test__again_expect_fail(again, __func__, "no end after 1 s, killed");
}

static void ended_runner_takes_its_test_along(void *fixture)
{
    struct test__again *again = fixture;
    char text[16];

    if (test__again_is_inner()) {
        hang();
    }
    test__again_start(again, __func__);
    test__again_listen(again, text, sizeof(text));
    CHECK_INT(kill(again->pid, SIGTERM), 0);
    test__again_finish(again);
    CHECK(WIFSIGNALED(again->status));
    CHECK_INT(WTERMSIG(again->status), SIGTERM);
}

static void large_file_fails(void *again)
{
    if (test__again_is_inner()) {
        FILE *file = tmpfile();

        CHECK(file != NULL);
        (void)!ftruncate(fileno(file), (off_t)2 << 30); /* needs no space */
        FAIL("there is a file of 2 GiB");
    }
    test__again_expect_fail(again, __func__, "SIGXFSZ");
}

static void core_files_are_off(void *again)
{
    struct rlimit limit;

    (void)again;
    CHECK_INT(getrlimit(RLIMIT_CORE, &limit), 0);
    CHECK_INT(limit.rlim_cur, 0);
}

/* What only a sanitizer finds passes without one. Each test says so too, so
 * that the lines "not checked" of a run are about the machine. */
static void
expect_fail_if(int looked_for, void *again, const char *test, const char *part)
{
    if (looked_for) {
        test__again_expect_fail(again, test, part);
    } else {
        test__again_expect(again, test, 0, "\n1 passed, 0 failed\n");
    }
}

static void leak_fails_if_looked_for(void *again)
{
    if (test__again_is_inner()) {
        void *volatile block = malloc(1000);

        CHECK(block != NULL);
        block = NULL;
        return;
    }
#if !defined(__linux__)
    test_skip("the address sanitizer finds leaks on Linux only");
#endif
    expect_fail_if(TEST__ADDRESS_SANITIZER, again, __func__,
                   "1000 byte(s) leaked");
}

static void use_after_free_fails_if_looked_for(void *again)
{
    if (test__again_is_inner()) {
        char *volatile block = calloc(10, 1);

        CHECK(block != NULL);
        free(block);
        printf("%d\n", block[0]);
        return;
    }
    expect_fail_if(TEST__ADDRESS_SANITIZER || TEST__THREAD_SANITIZER, again,
                   __func__, "Sanitizer: heap-use-after-free");
}

/* clang tells when it looks for undefined behaviour. gcc does not, but links
 * a library that has this function. */
void __ubsan_on_report(void) __attribute__((weak));

static int looks_for_undefined_behaviour(void)
{
#if !defined(__clang__)
    return __ubsan_on_report != NULL;
#elif __has_feature(undefined_behavior_sanitizer)
    return 1;
#else
    return 0;
#endif
}

static void undefined_behaviour_fails_if_looked_for(void *again)
{
    volatile int number = INT_MAX;

    if (test__again_is_inner()) {
        number = number + 1;
        return;
    }
    expect_fail_if(looks_for_undefined_behaviour(), again, __func__,
                   "runtime error: signed integer overflow");
}

static void count(void *data)
{
    (*(int *)data)++;
}

static void race_fails_if_looked_for(void *again)
{
    uv_thread_t threads[2];
    int number = 0;

    if (test__again_is_inner()) {
        for (int i = 0; i < 2; i++) {
            CHECK_INT(uv_thread_create(&threads[i], count, &number), 0);
        }
        for (int i = 0; i < 2; i++) {
            CHECK_INT(uv_thread_join(&threads[i]), 0);
        }
        return;
    }
    expect_fail_if(TEST__THREAD_SANITIZER, again, __func__,
                   "ThreadSanitizer: data race");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(exit_fails),
    CASE(exit_at_once_fails),
    CASE(exec_fails),
    CASE(bad_status_after_the_test_fails),
    CASE(forged_report_fails),
    CASE(crash_is_named),
    CASE(process_left_behind_fails),
    CASE(threads_left_running_fail),
    CASE(ended_threads_pass),
    CASE(hang_ends_itself),
    CASE(hang_is_killed_with_its_children),
    CASE(ended_runner_takes_its_test_along),
    CASE(large_file_fails),
    CASE(core_files_are_off),
    CASE(leak_fails_if_looked_for),
    CASE(use_after_free_fails_if_looked_for),
    CASE(undefined_behaviour_fails_if_looked_for),
    CASE(race_fails_if_looked_for),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "judge",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
