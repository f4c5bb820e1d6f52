/* test_worker_look - when the loop is woken, and when it looks by itself */
#include "worker_fixture.h"

enum {
    A_MINUTE_US = 60000000,
    A_WHILE_US = 5000,
    ROUNDS = 5000
};

static bool looks(const struct fixture *f)
{
    return uv_is_active((const uv_handle_t *)&f->worker.look) != 0;
}

/* Three turns of the loop; none of them sleeps. */
static void turn(struct fixture *f)
{
    for (int i = 0; i < 3; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* what is done is counted */
}

/* Opens a worker that stands at the gate, in one batch behind so many items
 * that are done; what came before them has been given back. */
static void stand_behind(struct fixture *f, int count)
{
    open_worker(f, ITEMS, 32);
    (void)hold_thread(f); /* a batch of its own */
    (void)queue(f, STAND, ASQ_LANE_NORMAL);
    queue_normal(f, count - 1);
    (void)queue(f, STAND, ASQ_LANE_NORMAL);
    let_go(f);
    wait_for(f, 1);
    uv_sem_wait(&f->reached);
    let_go(f);
    uv_sem_wait(&f->reached);
}

/* Waking */

static void half_a_batch_wakes_the_loop(void *data)
{
    struct fixture *f = data;

    stand_behind(f, 16);
    wait_for(f, 17);
    CHECK_INT(f->finished, 17);
    let_go(f);
    wait_for(f, 18);
    close_worker(f);
}

static void less_waits_for_company(void *data)
{
    struct fixture *f = data;

    stand_behind(f, 15);
    turn(f);
    CHECK_INT(f->finished, 1);
    let_go(f);
    wait_for(f, 17);
    close_worker(f);
}

static void without_a_time_it_never_looks(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 32);
    for (size_t i = 1; i <= 20; i++) {
        queue_normal(f, 1);
        wait_for(f, i);
        CHECK(!looks(f));
    }
    close_worker(f);
}

/* Looking */

/* One answer, and another one close after it. */
static void make_it_look(struct fixture *f, unsigned poll_us)
{
    f->worker.poll_us = poll_us;
    open_worker(f, ITEMS, 32);
    queue_normal(f, 1);
    wait_for(f, 1);
    CHECK(!looks(f)); /* nothing had come before */
    while (!looks(f)) {
        CHECK(f->used < ITEMS / 2); /* the machine is too slow for poll_us */
        (void)hold_thread(f);
        queue_normal(f, 1);
        let_go(f);
        wait_for(f, f->used - 1);
    }
    wait_for(f, f->used);
}

static void answers_close_together_are_looked_for(void *data)
{
    struct fixture *f = data;

    make_it_look(f, A_MINUTE_US);
    (void)hold_thread(f);
    turn(f);
    CHECK(looks(f));
    CHECK_INT(f->finished, f->used - 1);
    let_go(f);
    wait_for(f, f->used);
    close_worker(f);
}

static void set_flag(uv_timer_t *timer)
{
    *(int *)timer->data = 1;
}

static void what_else_the_loop_has_is_served(void *data)
{
    struct fixture *f = data;
    uv_timer_t timer;
    int fired = 0;

    make_it_look(f, A_MINUTE_US);
    CHECK_INT(uv_timer_init(&f->loop, &timer), 0);
    timer.data = &fired;
    (void)hold_thread(f);
    CHECK_INT(uv_timer_start(&timer, set_flag, 1, 0), 0);
    test_run_until(&f->loop, &fired);
    CHECK(looks(f));
    uv_close((uv_handle_t *)&timer, NULL);
    let_go(f);
    wait_for(f, f->used);
    close_worker(f);
}

static void it_stops_when_nothing_is_owed(void *data)
{
    struct fixture *f = data;
    uv_timer_t timer;
    int fired = 0;

    make_it_look(f, A_MINUTE_US);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0); /* nothing keeps it */
    CHECK_INT(uv_timer_init(&f->loop, &timer), 0);
    timer.data = &fired;
    CHECK_INT(uv_timer_start(&timer, set_flag, 1, 0), 0);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK(!looks(f));
    uv_close((uv_handle_t *)&timer, NULL);
    queue_normal(f, 1); /* it is woken again */
    wait_for(f, f->used);
    close_worker(f);
}

static void it_stops_after_a_while(void *data)
{
    struct fixture *f = data;

    make_it_look(f, A_WHILE_US);
    (void)hold_thread(f);
    while (looks(f))
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* the item is at the gate */
    let_go(f);
    wait_for(f, f->used); /* it is woken again */
    close_worker(f);
}

/* Closing */

static void it_is_closed_while_it_looks(void *data)
{
    struct fixture *f = data;

    make_it_look(f, A_MINUTE_US);
    (void)hold_thread(f);
    turn(f);
    CHECK(looks(f));
    let_go(f);
    close_worker(f);
    CHECK_INT(f->finished, f->used);
}

static void close_in_callback(struct item *item)
{
    asq_worker_close(&item->fixture->worker, on_closed);
}

static void it_is_closed_by_what_it_finds(void *data)
{
    struct fixture *f = data;

    make_it_look(f, A_MINUTE_US);
    hold_thread(f)->then = close_in_callback;
    turn(f);
    CHECK(looks(f));
    let_go(f);
    test_run_until(&f->loop, &f->closed);
    CHECK_INT(f->finished, f->used);
}

/* Many rounds */

/* The loop stops looking at any moment before and after an answer. */
static void go_round(struct item *item)
{
    struct fixture *f = item->fixture;

    /* Only this thread reads it. */
    f->worker.poll_us = looks(f) ? (unsigned)item->ran % 40 : A_WHILE_US;
    if (item->ran < (int)test_scaled(ROUNDS))
        CHECK_INT(submit_item(f, item, ASQ_LANE_NORMAL), 0);
    else
        item->then = NULL;
}

static void queue_rounds(struct fixture *f, int items)
{
    open_worker(f, ITEMS, 16);
    for (int i = 0; i < items; i++)
        queue(f, i % 3 == 0 ? POST : NOTHING, ASQ_LANE_NORMAL)->then = go_round;
}

static void finish_rounds(struct fixture *f)
{
    size_t count = test_scaled(ROUNDS);

    wait_for(f, f->used * count);
    for (size_t i = 0; i < f->used; i++) {
        CHECK_INT(f->items[i].ran, count);
        CHECK_INT(f->items[i].finished, count);
        f->items[i].finished = 1; /* as every other test leaves it */
    }
    close_worker(f);
}

static void one_item_is_never_lost(void *data)
{
    queue_rounds(data, 1);
    finish_rounds(data);
}

static void nor_one_of_many(void *data)
{
    queue_rounds(data, 40);
    finish_rounds(data);
}

/* What a callback queues does not come back in the same turn. */
static void a_turn_gives_back_one_list(void *data)
{
    struct fixture *f = data;

    queue_rounds(f, 1);
    while (f->items[0].then != NULL) {
        size_t before = f->finished;

        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* what came is counted */
        CHECK(f->finished <= before + 1);
    }
    finish_rounds(f);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(half_a_batch_wakes_the_loop),
    CASE(less_waits_for_company),
    CASE(without_a_time_it_never_looks),
    CASE(answers_close_together_are_looked_for),
    CASE(what_else_the_loop_has_is_served),
    CASE(it_stops_when_nothing_is_owed),
    CASE(it_stops_after_a_while),
    CASE(it_is_closed_while_it_looks),
    CASE(it_is_closed_by_what_it_finds),
    CASE(one_item_is_never_lost),
    CASE(nor_one_of_many),
    CASE(a_turn_gives_back_one_list),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "worker_look",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = worker_set_up,
                                      .tear_down = worker_tear_down};
