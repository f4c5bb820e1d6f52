/* test_loop - running and closing a loop in a test never hangs
 *
 * Most tests run themselves again with a runner inside, where the loop is left
 * in a bad state.
 */
#include "grader/again.h"
#include "grader/runner.h"

#include <stdlib.h>

static void loop_that_runs_dry_fails(void *again)
{
    uv_loop_t loop;
    int done = 0;

    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        test_run_until(&loop, &done);
    }
    test__again_expect_fail(again, __func__,
                            ": the loop has nothing left to wait for");
}

static void loop_that_waits_names_its_place(void *again)
{
    uv_loop_t loop;
    uv_async_t async;
    int done = 0;

    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        CHECK_INT(uv_async_init(&loop, &async, NULL), 0);
        test_run_until(&loop, &done);
    }
    CHECK_INT(setenv("TEST_SECONDS", "1", 1), 0);
    test__again_expect_fail(again, __func__, ": still waits here after 1 s");
}

static void do_nothing(uv_timer_t *timer)
{
    (void)timer;
}

static void loop_that_is_never_done_fails(void *again)
{
    uv_loop_t loop;
    uv_timer_t timer;
    int done = 0;

    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        CHECK_INT(uv_timer_init(&loop, &timer), 0);
        CHECK_INT(uv_timer_start(&timer, do_nothing, 1, 1), 0);
        test_run_until(&loop, &done);
    }
    CHECK_INT(setenv("TEST_SECONDS", "1", 1), 0);
    test__again_expect_fail(again, __func__,
                            ": the loop is busy, but never done");
}

static void set_done(uv_timer_t *timer)
{
    *(int *)timer->data = 1;
    uv_close((uv_handle_t *)timer, NULL);
}

static void loop_runs_until_done_and_closes(void *again)
{
    uv_loop_t loop;
    uv_timer_t timer;
    int done = 0;

    (void)again;
    CHECK_INT(uv_loop_init(&loop), 0);
    CHECK_INT(uv_timer_init(&loop, &timer), 0);
    timer.data = &done;
    CHECK_INT(uv_timer_start(&timer, set_done, 1, 0), 0);
    test_run_until(&loop, &done);
    test_close_loop(&loop);
}

static void handle_that_keeps_the_loop_is_named(void *again)
{
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timer;

    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        CHECK_INT(uv_async_init(&loop, &async, NULL), 0);
        CHECK_INT(uv_timer_init(&loop, &timer), 0);
        test_close_loop(&loop);
    }
    CHECK_INT(setenv("TEST_SECONDS", "1", 1), 0);
    test__again_expect_fail(again, __func__,
                            ", open: uv_async (active), uv_timer (not active)");
}

static void handle_that_is_not_closed_is_named(void *again)
{
    uv_loop_t loop;
    uv_idle_t idle;

    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        CHECK_INT(uv_idle_init(&loop, &idle), 0);
        test_close_loop(&loop);
    }
    test__again_expect_fail(again, __func__, ", open: uv_idle (not active)\n");
}

static void sleep_until_told(uv_work_t *work)
{
    uv_sem_wait(work->data);
}

static void request_in_flight_is_told(void *again)
{
    uv_loop_t loop;
    uv_work_t work;
    uv_sem_t told;

    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        CHECK_INT(uv_sem_init(&told, 0), 0);
        work.data = &told;
        CHECK_INT(uv_queue_work(&loop, &work, sleep_until_told, NULL), 0);
        test_close_loop(&loop);
    }
    CHECK_INT(setenv("TEST_SECONDS", "1", 1), 0);
    test__again_expect_fail(again, __func__, ", open: a request in flight\n");
}

static void open_handles_are_a_record(void *again)
{
    static struct test__run run;
    uv_loop_t loop;
    uv_idle_t idle;

    (void)again;
    if (test__again_is_inner()) {
        CHECK_INT(uv_loop_init(&loop), 0);
        CHECK_INT(uv_idle_init(&loop, &idle), 0);
        test_close_loop(&loop);
    }
    test__again_run(&(struct test__start){.name = __func__, .seconds = 20},
                    &run);
    CHECK_TEXT(test__again_record(&run, TEST__OPEN, 0), "uv_idle (not active)");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(loop_that_runs_dry_fails),
    CASE(loop_that_waits_names_its_place),
    CASE(loop_that_is_never_done_fails),
    CASE(loop_runs_until_done_and_closes),
    CASE(handle_that_keeps_the_loop_is_named),
    CASE(handle_that_is_not_closed_is_named),
    CASE(request_in_flight_is_told),
    CASE(open_handles_are_a_record),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "loop",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
