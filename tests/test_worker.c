/* test_worker - work goes to the thread in order and comes back once */
#include "worker_fixture.h"

/* Order and batches */

static void work_comes_back_in_order(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 7);
    queue_normal(f, 20);
    wait_for(f, 20);
    CHECK_TEXT(f->order, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    close_worker(f);
}

static void what_waits_is_one_batch(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 4);
    (void)hold_thread(f); /* it comes back with the others */
    queue_normal(f, 10);
    let_go(f);
    wait_for(f, 11);
    CHECK_INT(f->batch_count, 4);
    CHECK_INT(f->batches[0], 1);
    CHECK_INT(f->batches[1], 4);
    CHECK_INT(f->batches[2], 4);
    CHECK_INT(f->batches[3], 2);
    close_worker(f);
}

static void urgent_work_is_taken_first(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 2);
    (void)hold_thread(f); /* number 1 */
    queue_normal(f, 3);
    for (int i = 0; i < 3; i++)
        (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    let_go(f);
    wait_for(f, 7);
    CHECK_TEXT(f->order, "1 5 6 7 2 3 4");
    close_worker(f);
}

/* Each batch is full of urgent items, and new ones come while it runs. */
static void urgent_work_does_not_starve_the_rest(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 2);
    (void)hold_thread(f); /* number 1 */
    queue_normal(f, 1);   /* number 2 */
    for (int batch = 0; batch < 4; batch++) {
        (void)queue(f, STAND, ASQ_LANE_URGENT);
        (void)queue(f, NOTHING, ASQ_LANE_URGENT);
        let_go(f);
        uv_sem_wait(&f->reached);
    }
    let_go(f);
    wait_for(f, 10);
    CHECK_TEXT(f->order, "1 3 4 5 6 7 8 2 9 10");
    close_worker(f);
}

static void settle_fixes_the_order_of_what_waits(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 64);
    asq_worker_settle(&f->worker); /* nothing waits: nothing happens */
    (void)hold_thread(f);          /* number 1 */
    queue_normal(f, 1);
    (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    queue_normal(f, 1);
    asq_worker_settle(&f->worker);
    (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    queue_normal(f, 1);
    (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    let_go(f);
    wait_for(f, 7);
    CHECK_TEXT(f->order, "1 3 2 4 5 7 6");
    close_worker(f);
}

static void settle_in_callback(struct item *item)
{
    struct fixture *f = item->fixture;

    queue_normal(f, 1);
    asq_worker_settle(&f->worker);
    (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    let_go(f);
}

/* The first item comes back while the second stands at the gate. */
static void settle_holds_for_what_a_callback_has_queued(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 64);
    (void)hold_thread(f); /* number 1 */
    queue(f, POST, ASQ_LANE_NORMAL)->then = settle_in_callback;
    (void)queue(f, STAND, ASQ_LANE_NORMAL); /* number 3 */
    let_go(f);
    wait_for(f, 5);
    CHECK_TEXT(f->order, "1 2 3 4 5");
    close_worker(f);
}

static void what_is_posted_comes_back_during_the_batch(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 64);
    (void)hold_thread(f); /* number 1 */
    queue_normal(f, 1);
    (void)queue(f, POST, ASQ_LANE_NORMAL);
    (void)queue(f, STAND, ASQ_LANE_NORMAL); /* number 4 */
    let_go(f);
    wait_for(f, 3);
    CHECK_TEXT(f->order, "1 2 3");
    let_go(f);
    wait_for(f, 4);
    close_worker(f);
}

/* Submitting */

static void resubmit(struct item *item)
{
    struct fixture *f = item->fixture;

    item->then = NULL;
    item->finished = 0;
    CHECK_INT(submit_item(f, item, ASQ_LANE_NORMAL), 0);
    CHECK_INT(submit_item(f, new_item(f, NOTHING), ASQ_LANE_NORMAL),
              UV_ENOBUFS);
    f->used--;
}

static void a_full_queue_has_room_again_in_the_callback(void *data)
{
    struct fixture *f = data;

    open_worker(f, 2, 64);
    hold_thread(f)->then = resubmit; /* number 1 */
    queue_normal(f, 1);
    CHECK_INT(submit_item(f, new_item(f, NOTHING), ASQ_LANE_URGENT),
              UV_ENOBUFS);
    f->used--;
    let_go(f);
    uv_sem_post(&f->gate); /* it stands there twice */
    wait_for(f, 3);
    CHECK_TEXT(f->order, "1 2 1");
    CHECK_INT(f->items[0].ran, 2);
    close_worker(f);
}

static void queue_until_it_runs(struct item *item)
{
    struct fixture *f = item->fixture;

    (void)queue(f, STAND, ASQ_LANE_URGENT); /* found by its number */
    queue_normal(f, 500);
    uv_sem_wait(&f->reached);
    let_go(f);
}

/* What callbacks queue is collected, but not until the last has returned. */
static void a_callback_that_queues_much_does_not_keep_it_back(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 64);
    queue(f, NOTHING, ASQ_LANE_NORMAL)->then = queue_until_it_runs;
    wait_for(f, 502);
    close_worker(f);
}

/* Sweep */

static void a_sweep_takes_items_out_of_the_queue(void *data)
{
    struct fixture *f = data;

    open_worker(f, ITEMS, 64);
    (void)queue(f, SWEEP_ODD, ASQ_LANE_NORMAL); /* number 1 */
    uv_sem_wait(&f->reached);
    queue_normal(f, 4);
    (void)queue(f, NOTHING, ASQ_LANE_URGENT); /* number 6 */
    (void)queue(f, NOTHING, ASQ_LANE_URGENT);
    let_go(f);
    wait_for(f, 7);
    CHECK_TEXT(f->order, "7 3 5 1 6 2 4");
    for (size_t i = 0; i < f->used; i++)
        CHECK_INT(f->items[i].ran, i == 0 || i % 2 == 1);
    close_worker(f);
}

/* Many at once */

static void pass_on(struct item *item)
{
    struct fixture *f = item->fixture;

    if (item->ran < (int)test_scaled(500))
        CHECK_INT(
            submit_item(f, item,
                        item->ran % 3 == 0 ? ASQ_LANE_URGENT : ASQ_LANE_NORMAL),
            0);
    else
        item->then = NULL;
}

/* Both threads put the other to sleep and wake it in every possible order. */
static void nothing_is_lost_in_many_rounds(void *data)
{
    struct fixture *f = data;
    size_t rounds = test_scaled(500);

    open_worker(f, 100, 16);
    for (int i = 0; i < 100; i++)
        queue(f, i % 5 == 0 ? POST : NOTHING, ASQ_LANE_NORMAL)->then = pass_on;
    wait_for(f, 100 * rounds);
    for (size_t i = 0; i < f->used; i++) {
        CHECK_INT(f->items[i].ran, rounds);
        CHECK_INT(f->items[i].finished, rounds);
        f->items[i].finished = 1; /* as every other test leaves it */
    }
    close_worker(f);
}

static const struct test_case cases[] = {
    {.name = "work_comes_back_in_order", .run = work_comes_back_in_order},
    {.name = "what_waits_is_one_batch", .run = what_waits_is_one_batch},
    {.name = "urgent_work_is_taken_first", .run = urgent_work_is_taken_first},
    {.name = "urgent_work_does_not_starve_the_rest",
     .run = urgent_work_does_not_starve_the_rest},
    {.name = "settle_fixes_the_order_of_what_waits",
     .run = settle_fixes_the_order_of_what_waits},
    {.name = "settle_holds_for_what_a_callback_has_queued",
     .run = settle_holds_for_what_a_callback_has_queued},
    {.name = "what_is_posted_comes_back_during_the_batch",
     .run = what_is_posted_comes_back_during_the_batch},
    {.name = "a_full_queue_has_room_again_in_the_callback",
     .run = a_full_queue_has_room_again_in_the_callback},
    {.name = "a_callback_that_queues_much_does_not_keep_it_back",
     .run = a_callback_that_queues_much_does_not_keep_it_back},
    {.name = "a_sweep_takes_items_out_of_the_queue",
     .run = a_sweep_takes_items_out_of_the_queue},
    {.name = "nothing_is_lost_in_many_rounds",
     .run = nothing_is_lost_in_many_rounds},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "worker",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = worker_set_up,
                                      .tear_down = worker_tear_down};
