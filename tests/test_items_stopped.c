/* test_items_stopped - a request that is pending, cancelled, late, or closed */
#include "items_fixture.h"

static int64_t count_all(struct fixture *f)
{
    return ask_number(f, "SELECT count(*) FROM items");
}

/* A request that is pending is the worker's: nothing of it is touched. */
static void what_is_pending_is_left_alone(void *data)
{
    static const char *const wrong = "nmae";
    const struct asq_value text = asq_text("x");
    const struct asq_params fields = {&text, &wrong, 1};
    struct fixture *f = data;
    struct ask held;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    ask_init(f, &held);
    hold_worker(&held);
    CHECK_INT(read_item(&ask, 1), 0);
    CHECK_INT(delete_item(&ask, 1), UV_EINVAL);
    CHECK_INT(update(&ask, 1, &fields), UV_EINVAL);
    CHECK_INT(create(&ask, &fields), UV_EINVAL);
    CHECK_TEXT(ask.items.request.message, "");
    let_go(f);
    expect_item(&ask, 0, 0);
    CHECK_INT(ask.items.request.result.rows, 1);
    CHECK_INT(asq_items_read(&f->conn, &ask.items, 1, NULL), UV_EINVAL);
    CHECK_INT(count_all(f), 1);
    asq_items_destroy(&ask.items);
}

static void cancelled_before_it_ran(void *data)
{
    struct fixture *f = data;
    struct ask held;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    ask_init(f, &held);
    hold_worker(&held);
    CHECK_INT(delete_item(&ask, 1), 0);
    asq_request_cancel(&ask.items.request);
    let_go(f);
    expect_item(&ask, 0, UV_ECANCELED);
    CHECK_INT(count_all(f), 1);
    asq_items_destroy(&ask.items);
}

/* Its trigger takes long, so it is noticed; what it has done is undone. */
static void cancelled_while_it_ran(void *data)
{
    struct fixture *f = data;
    struct item_ask ask;

    f->conn.observe = stand_if_marked;
    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    run_now(f, "CREATE TRIGGER t AFTER DELETE ON items BEGIN"
               " INSERT INTO items SELECT 2, 'x', 'sold', '{}', count(*)"
               " FROM (" LONG "); END");
    f->marked = &ask.items.request;
    CHECK_INT(delete_item(&ask, 1), 0);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&ask.items.request);
    let_go(f);
    expect_item(&ask, 0, SQLITE_INTERRUPT);
    f->marked = NULL;
    CHECK_INT(ask_number(f, "SELECT sum(id) FROM items"), 1);
    asq_items_destroy(&ask.items);
}

static void the_deadline_passed_in_the_queue(void *data)
{
    struct fixture *f = data;
    struct ask held;
    struct item_ask ask;

    start(f);
    item_init(f, &ask);
    (void)make(&ask, "lamp", "sold");
    ask_init(f, &held);
    hold_worker(&held);
    ask.items.request.timeout_ms = 1;
    CHECK_INT(delete_item(&ask, 1), 0);
    while (uv_hrtime() < ask.items.request.deadline_ns)
        continue;
    let_go(f);
    expect_item(&ask, 0, UV_ETIMEDOUT);
    CHECK_INT(ask.items.request.timed_out_in, ASQ_PLACE_QUEUE);
    CHECK_INT(count_all(f), 1);
    asq_items_destroy(&ask.items);
}

static void close_while_under_way(void *data)
{
    struct fixture *f = data;
    static const char *const wrong = "nmae";
    const struct asq_value text = asq_text("x");
    const struct asq_params fields = {&text, &wrong, 1};
    struct item_ask asks[3];

    f->conn.observe = stand_if_marked;
    f->conn.capacity = 2;
    start(f);
    for (int i = 0; i < 3; i++)
        item_init(f, &asks[i]);
    (void)make(&asks[0], "lamp", "sold");
    f->marked = &asks[0].items.request;
    CHECK_INT(delete_item(&asks[0], 1), 0);
    uv_sem_wait(&f->reached);
    CHECK_INT(read_item(&asks[1], 1), 0);
    CHECK_INT(update(&asks[2], 1, &fields), UV_EINVAL);
    CHECK_INT(read_item(&asks[2], 1), UV_ENOBUFS);
    CHECK_TEXT(asks[2].items.request.message, ""); /* not that of before */
    start_close(f);
    CHECK_INT(read_item(&asks[2], 1), UV_ESHUTDOWN);
    let_go(f);
    expect_item(&asks[0], 0, 0); /* it ran, and is left to finish */
    expect_item(&asks[1], 0, UV_ECANCELED);
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM items"), 0);
    for (int i = 0; i < 3; i++)
        asq_items_destroy(&asks[i].items);
}

static const struct test_case cases[] = {
    {.name = "what_is_pending_is_left_alone",
     .run = what_is_pending_is_left_alone},
    {.name = "cancelled_before_it_ran", .run = cancelled_before_it_ran},
    {.name = "cancelled_while_it_ran", .run = cancelled_while_it_ran},
    {.name = "the_deadline_passed_in_the_queue",
     .run = the_deadline_passed_in_the_queue},
    {.name = "close_while_under_way", .run = close_while_under_way},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "items_stopped",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
