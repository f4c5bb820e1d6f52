/* check - tests of the exercise "in order"
 *
 * Where a test is not about what comes out of order, or about closing, all is
 * asked of one connection, and closing is not looked at: so one mistake does
 * not fail all of them.
 */
#include "model.h"

enum {
    SECONDS = 5
};

static void set_up(void *fixture)
{
    open_model(fixture);
}

static void tear_down(void *fixture)
{
    close_model(fixture);
}

static void three_on_one(void *fixture)
{
    struct fixture *f = fixture;

    f->last = 3;
    for (int number = 1; number <= 3; number++)
        ask(f, number, &f->a);
    run_and_expect(f, "1, 2, 3");
}

static void out_of_order(void *fixture)
{
    struct fixture *f = fixture;
    char expected[sizeof f->text] = "1";
    unsigned of_b = 0;

    f->last = QUESTIONS;
    ask_and_stand(f, 1);
    for (int number = 2; number <= QUESTIONS; number++) {
        int to_b = number == 2 || number > QUESTIONS / 2 ||
                   test_random_range(&f->random, 0, 2) > 0;
        size_t used = strlen(expected);

        of_b += to_b != 0;
        ask(f, number, to_b ? &f->b : &f->a);
        (void)snprintf(expected + used, sizeof expected - used, ", %d", number);
    }
    expect_none_yet(f, of_b);
    asq_slow_disk_open_gate();
    run_and_expect(f, expected);
}

static void errors_in_the_middle(void *fixture)
{
    struct fixture *f = fixture;
    int code = SQLITE_IOERR | (int)test_random_range(&f->random, 40, 90) << 8;
    char expected[64];

    f->last = 5;
    ask_and_stand(f, 1);
    CHECK_INT(ask_item(f, &f->items[2], &f->b, "SELECT id FROM nowhere"), 0);
    expect_error(ask_item(f, &f->items[3], &f->b, NULL), UV_EINVAL,
                 "what asq_conn_run returns for no sql, UV_EINVAL");
    f->b.capacity = 1;
    expect_error(ask_item(f, &f->items[4], &f->b, f->sqls[4]), UV_ENOBUFS,
                 "what asq_conn_run returns when it is full, UV_ENOBUFS");
    f->b.capacity = QUESTIONS;
    expect_none_yet(f, 1);
    asq_slow_disk_fail(ASQ_DISK_READ, 1, code, 0);
    ask(f, 5, &f->b);
    expect_none_yet(f, 1);
    ask(f, 6, &f->b);
    ask(f, 3, &f->b);
    expect_none_yet(f, 2);
    asq_slow_disk_open_gate();
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* as in run_and_expect */
    if (f->count < f->last)
        test_cause("a question that asq_conn_run refused stands in the line");
    (void)snprintf(expected, sizeof expected,
                   "1, 2 failed 1, 5 failed %d, 6, 3", code);
    expect(f, expected);
}

/* 2 and 3 wait for a hold, so 2 is answered at once when it is cancelled; 4
 * waits behind 1. */
static void cancelled(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_hold hold = {0};

    f->last = 5;
    ask_and_stand(f, 1);
    CHECK_INT(asq_hold_begin(&f->b, &hold), 0);
    ask(f, 2, &f->b);
    ask(f, 3, &f->b);
    f->inside++;
    ex_in_order_cancel(&f->items[2].question);
    f->inside--;
    while (f->b.pending > 1)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* pending keeps it alive */
    asq_hold_end(&hold);
    ask(f, 4, &f->a);
    ask(f, 5, &f->a);
    expect_none_yet(f, 1);
    f->inside++;
    ex_in_order_cancel(&f->items[3].question); /* too late: it is answered */
    ex_in_order_cancel(&f->items[4].question);
    f->inside--;
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2 cancelled, 3, 4 cancelled, 5");
}

/* Asks from the heap: 7 and 8, which are freed when they are delivered. */
static void ask_from_heap(struct fixture *f, int number)
{
    struct item *item = malloc(sizeof *item);

    CHECK(item != NULL);
    init_item(f, item, &f->line, number);
    item->on_heap = 1;
    CHECK_INT(ask_item(f, item, &f->a, f->sqls[number]), 0);
}

static void ask_anew(struct fixture *f, struct item *item)
{
    if (item->number == 1 && f->count < 6)
        ask(f, 1, &f->a);
    if (item->number == 2 || item->number == 7)
        ask_from_heap(f, item->number == 2 ? 7 : 8);
}

static void ask_in_the_callback(void *fixture)
{
    struct fixture *f = fixture;

    f->last = 7;
    f->then = ask_anew;
    ask(f, 1, &f->a);
    ask(f, 2, &f->a);
    ask(f, 3, &f->a);
    run_and_expect(f, "1, 2, 3, 1, 7, 1, 8");
}

static void close_while_asked(void *fixture)
{
    struct fixture *f = fixture;

    f->closing_counts = 1;
    open_line(f, &f->second);
    close_line(f, &f->second); /* nobody has asked */
    ask_and_stand(f, 1);
    ask(f, 2, &f->a);
    ask(f, 3, &f->a);
    close_line(f, &f->line);
    expect_error(ask_item(f, &f->items[4], &f->b, f->sqls[4]), UV_ESHUTDOWN,
                 "UV_ESHUTDOWN from ex_in_order_ask after close");
    expect_none_yet(f, 0);
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2, 3");
    expect_closed(f, 2);
}

static void close_in_callback(struct fixture *f, struct item *item)
{
    if (item->number != 2)
        return;
    close_line(f, &f->line);
    expect_error(ask_item(f, &f->items[5], &f->a, f->sqls[5]), UV_ESHUTDOWN,
                 "UV_ESHUTDOWN from ex_in_order_ask after close");
}

static void close_in_the_last(void *fixture)
{
    struct fixture *f = fixture;

    f->closing_counts = 1;
    f->then = close_in_callback;
    ask(f, 1, &f->a);
    ask(f, 2, &f->a);
    run_and_expect(f, "1, 2");
    expect_closed(f, 1);
    open_line(f, &f->line);
    for (int number = 2; number <= 4; number++) /* 3 and 4 still wait */
        ask(f, number, &f->a);
    run_and_expect(f, "1, 2, 2, 3, 4");
    expect_closed(f, 2);
}

/* 2 asks once more while 4 waits behind it, with its answer. When 9 closes the
 * line, 10 has its answer and 11 has none. */
static void ask_or_close(struct fixture *f, struct item *item)
{
    if (item->number == 2 && f->count == 7)
        ask(f, 2, &f->b);
    if (item->number == 9)
        close_line(f, &f->line);
}

static void two_lines(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_hold hold = {0};

    f->last = 14;
    f->then = ask_or_close;
    open_line(f, &f->second);
    f->items[5].track = f->items[6].track = f->items[8].track = &f->second;
    ask_and_stand(f, 1);
    ask(f, 5, &f->b);
    ask(f, 2, &f->b);
    ask(f, 6, &f->b);
    run_b(f);
    test_cause("a line waits for the answers of another line");
    expect(f, "5, 6");
    asq_slow_disk_open_gate();
    run_and_expect(f, "5, 6, 1, 2");
    test_cause("a line or a question does not work a second time");
    ask_and_stand(f, 7);
    ask(f, 5, &f->b);
    ask(f, 2, &f->b);
    ask(f, 4, &f->b);
    run_b(f);
    expect(f, "5, 6, 1, 2, 5");
    asq_slow_disk_open_gate();
    run_and_expect(f, "5, 6, 1, 2, 5, 7, 2, 4, 2");
    ask(f, 8, &f->a);
    ask(f, 3, &f->a);
    run_and_expect(f, "5, 6, 1, 2, 5, 7, 2, 4, 2, 8, 3");
    test_cause("once the line is closing, not all that can leave do");
    ask_and_stand(f, 9);
    ask(f, 10, &f->b);
    run_b(f);
    CHECK_INT(asq_hold_begin(&f->b, &hold), 0);
    ask(f, 11, &f->b); /* waits for the hold */
    asq_slow_disk_open_gate();
    while (f->a.pending > 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* pending keeps it alive */
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);   /* a handle would be closed now */
    asq_hold_end(&hold);
    run_and_expect(f, "5, 6, 1, 2, 5, 7, 2, 4, 2, 8, 3, 9, 10, 11");
}

static const struct test_case cases[] = {
    {.name = "three_on_one",
     .title = "three on one connection, each with its own result",
     .points = 1,
     .run = three_on_one,
     .seconds = SECONDS,
     .function = "ex_in_order_ask",
     .cause = "an answer is not delivered, or to the wrong question"},
    {.name = "out_of_order",
     .title = "delivered in the order of asking, not of answering",
     .points = 2,
     .run = out_of_order,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "an answer that is not the first in the line does not wait, or "
              "those behind the first are forgotten"},
    {.name = "errors_in_the_middle",
     .title = "an error in its place; a question that was refused has none",
     .points = 1,
     .run = errors_in_the_middle,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "an error is delivered on another way than an answer"},
    {.name = "cancelled",
     .title = "cancelled in its place, and the later ones still come",
     .points = 1,
     .run = cancelled,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "a question that was cancelled leaves the line early or never"},
    {.name = "ask_in_the_callback",
     .title = "asking and freeing while an answer is delivered",
     .points = 1,
     .run = ask_in_the_callback,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "a question is looked at after on_answer has begun"},
    {.name = "close_while_asked",
     .title = "closed when the last answer is delivered",
     .points = 2,
     .run = close_while_asked,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_close",
     .cause = "close does not wait for those in the line, or nobody closes "
              "after the last"},
    {.name = "close_in_the_last",
     .title = "close while an answer is delivered",
     .points = 1,
     .run = close_in_the_last,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_close",
     .cause = "the handle is closed twice, by close and by take_answer"},
    {.name = "two_lines",
     .title = "two lines at once, and each of them again",
     .points = 1,
     .run = two_lines,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask"},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "03-event-loop",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
