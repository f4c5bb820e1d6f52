/* test_worker_life - how a worker opens, keeps its loop alive and closes */
#include "worker_fixture.h"

#include <sys/resource.h>

/* Opening */

static void a_queue_without_room_is_refused(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_worker_open(&f->worker, &f->loop, &ops, 0, 1), UV_EINVAL);
    CHECK_INT(asq_worker_open(&f->worker, &f->loop, &ops, 1, 0), UV_EINVAL);
}

/* libuv asks for stacks of this size, and no address space holds one. */
static void make_threads_impossible(struct rlimit *ret_before)
{
    struct rlimit limit;

    CHECK_INT(getrlimit(RLIMIT_STACK, ret_before), 0);
    limit = *ret_before;
    limit.rlim_cur = (rlim_t)1 << 47;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max)
        test_skip("the stack is limited, so a thread cannot be made to fail");
    CHECK_INT(setrlimit(RLIMIT_STACK, &limit), 0);
}

static void without_a_thread_nothing_is_left(void *data)
{
    struct fixture *f = data;
    struct rlimit limit;

    make_threads_impossible(&limit);
    CHECK_INT(asq_worker_open(&f->worker, &f->loop, &ops, 1, 1), UV_EAGAIN);
    CHECK_INT(setrlimit(RLIMIT_STACK, &limit), 0);
    CHECK(!uv_loop_alive(&f->loop));
    CHECK(!f->started);
    open_worker(f, 1, 1); /* the same memory may be used again */
    close_worker(f);
}

/* libuv needs a descriptor for the first handle of this kind in a loop. It
 * has made one already: it is hidden for a moment, by a private field. */
static void without_a_handle_nothing_is_left(void *data)
{
    struct fixture *f = data;
    int *descriptor = &f->loop.async_io_watcher.fd;
    int hidden = *descriptor;
    struct rlimit before, limit;

    CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 0;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    *descriptor = -1;
    CHECK_INT(asq_worker_open(&f->worker, &f->loop, &ops, 1, 1), UV_EMFILE);
    *descriptor = hidden;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(!f->started);
    open_worker(f, 1, 1); /* the same memory may be used again */
    close_worker(f);
}

/* The loop */

static void an_idle_worker_lets_the_loop_end(void *data)
{
    struct fixture *f = data;

    open_worker(f, 1, 1);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    queue_normal(f, 1);
    CHECK(uv_loop_alive(&f->loop));
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_TEXT(f->order, "1");
    close_worker(f);
}

static void keeping_is_counted(void *data)
{
    struct fixture *f = data;

    open_worker(f, 1, 1);
    asq_worker_keep(&f->worker);
    asq_worker_keep(&f->worker);
    asq_worker_let_go(&f->worker);
    CHECK(uv_loop_alive(&f->loop));
    queue_normal(f, 1);
    wait_for(f, 1);
    CHECK(uv_loop_alive(&f->loop));
    asq_worker_let_go(&f->worker);
    CHECK(!uv_loop_alive(&f->loop));
    close_worker(f);
}

static void what_is_expected_comes_from_start(void *data)
{
    struct fixture *f = data;

    f->by_start = new_item(f, NOTHING);
    open_worker(f, 2, 64);
    asq_worker_expect(&f->worker);
    CHECK(uv_loop_alive(&f->loop));
    queue_normal(f, 1);
    CHECK_INT(submit_item(f, new_item(f, NOTHING), ASQ_LANE_NORMAL),
              UV_ENOBUFS);
    f->used--;
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_TEXT(f->order, "1 2");
    CHECK_INT(f->items[0].ran, 0);
    close_worker(f);
}

/* Closing */

static void close_runs_what_waits_and_then_stops(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 2);
    (void)hold_thread(f); /* number 1 */
    queue_normal(f, 4);
    (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    f->by_stop = new_item(f, NOTHING); /* number 7 */
    asq_worker_expect(&f->worker);
    asq_worker_close(&f->worker, on_closed);
    CHECK_INT(submit_item(f, new_item(f, NOTHING), ASQ_LANE_NORMAL),
              UV_ESHUTDOWN);
    f->used--;
    CHECK(!f->closed);
    let_go(f);
    test_run_until(&f->loop, &f->closed);
    CHECK_TEXT(f->order, "1 6 2 3 4 5 7");
    CHECK(f->stopped);
}

static void close_in_callback(struct item *item)
{
    struct fixture *f = item->fixture;

    queue_normal(f, 2);
    asq_worker_close(&f->worker, on_closed);
    CHECK_INT(submit_item(f, item, ASQ_LANE_NORMAL), UV_ESHUTDOWN);
    CHECK(!f->closed);
}

static void close_inside_a_callback_runs_what_it_has_queued(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 64);
    queue(f, NOTHING, ASQ_LANE_NORMAL)->then = close_in_callback;
    test_run_until(&f->loop, &f->closed);
    CHECK_TEXT(f->order, "1 2 3");
    CHECK(f->stopped);
}

static void close_at_once_still_starts_and_stops(void *data)
{
    struct fixture *f = data;

    for (unsigned i = 0; i < test_scaled(300); i++) {
        f->started = false;
        f->stopped = false;
        f->closed = 0;
        f->worker.data = f;
        open_worker(f, 1, 1);
        close_worker(f);
        CHECK_INT(f->closed, 1);
    }
}

/* start and stop may be NULL. */
static void a_worker_needs_only_run_and_finish(void *data)
{
    static const struct asq_worker_ops few = {.run_on_worker = run_on_worker,
                                              .finish_on_loop = finish_on_loop};
    struct fixture *f = data;

    CHECK_INT(asq_worker_open(&f->worker, &f->loop, &few, 1, 1), 0);
    asq_worker_close(&f->worker, on_closed);
    test_run_until(&f->loop, &f->closed);
}

static const struct test_case cases[] = {
    {.name = "a_queue_without_room_is_refused",
     .run = a_queue_without_room_is_refused},
    {.name = "without_a_thread_nothing_is_left",
     .run = without_a_thread_nothing_is_left},
    {.name = "without_a_handle_nothing_is_left",
     .run = without_a_handle_nothing_is_left},
    {.name = "an_idle_worker_lets_the_loop_end",
     .run = an_idle_worker_lets_the_loop_end},
    {.name = "keeping_is_counted", .run = keeping_is_counted},
    {.name = "what_is_expected_comes_from_start",
     .run = what_is_expected_comes_from_start},
    {.name = "close_runs_what_waits_and_then_stops",
     .run = close_runs_what_waits_and_then_stops},
    {.name = "close_inside_a_callback_runs_what_it_has_queued",
     .run = close_inside_a_callback_runs_what_it_has_queued},
    {.name = "close_at_once_still_starts_and_stops",
     .run = close_at_once_still_starts_and_stops},
    {.name = "a_worker_needs_only_run_and_finish",
     .run = a_worker_needs_only_run_and_finish},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "worker_life",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = worker_set_up,
                                      .tear_down = worker_tear_down};
