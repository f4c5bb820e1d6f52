/* check - tests of the exercise "in order"
 *
 * A test that is not about the order of answers uses one connection, and a test
 * that is not about closing does not look at how the line closes, so that one
 * mistake does not fail all of them.
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
    char expected[160];

    f->last = 5;
    ask_and_stand(f, 1);
    CHECK_INT(ask_item(f, &f->items[2], &f->b, "SELECT id FROM nowhere"), 0);
    expect_error(ask_item(f, &f->items[3], &f->b, NULL), UV_EINVAL,
                 "what asq_conn_run returns without SQL: UV_EINVAL");
    f->b.capacity = 1;
    expect_error(
        ask_item(f, &f->items[4], &f->b, f->sqls[4]), UV_ENOBUFS,
        "what asq_conn_run returns when its queue is full: UV_ENOBUFS");
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
        test_cause("a question that asq_conn_run refused was put in the line");
    (void)snprintf(expected, sizeof expected,
                   "1, 2 failed with %s, 5 failed with %s, 6, 3",
                   test_code(SQLITE_ERROR), test_code(code));
    expect(f, expected);
}

/* 2 and 3 wait behind a hold, so 2 is answered as soon as it is cancelled; 4
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
    ex_in_order_cancel(&f->items[3].question); /* too late: it has its answer */
    ex_in_order_cancel(&f->items[4].question);
    f->inside--;
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2 cancelled, 3, 4 cancelled, 5");
}

/* Asks a question on the heap, 7 or 8, which is freed once it is delivered. */
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

/* Asks when close was called. */
static void ask_too_late(struct fixture *f, int number, struct asq_conn *conn)
{
    test_cause("ask does not check whether close was called");
    expect_error(ask_item(f, &f->items[number], conn, f->sqls[number]),
                 UV_ESHUTDOWN,
                 "ex_in_order_ask returns UV_ESHUTDOWN after close");
    test_cause(NULL);
}

static void close_while_asked(void *fixture)
{
    struct fixture *f = fixture;

    f->closing_counts = 1;
    open_line(f, &f->second);
    close_line(f, &f->second); /* nothing was asked in it */
    ask_and_stand(f, 1);
    ask(f, 2, &f->a);
    ask(f, 3, &f->a);
    close_line(f, &f->line);
    ask_too_late(f, 4, &f->b);
    expect_none_yet(f, 0);
    turn(f);
    asq_slow_disk_open_gate();
    run_and_expect(f, "1, 2, 3");
    expect_closed(f, 2);
}

static void close_in_callback(struct fixture *f, struct item *item)
{
    if (item->number != 2)
        return;
    close_line(f, &f->line);
    ask_too_late(f, 5, &f->a);
}

static void close_in_the_last(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_hold hold = {0};

    f->closing_counts = 1;
    f->then = close_in_callback;
    ask(f, 1, &f->a);
    ask(f, 2, &f->a);
    run_and_expect(f, "1, 2");
    expect_closed(f, 1);
    open_line(f, &f->line);
    CHECK_INT(asq_hold_begin(&f->a, &hold), 0);
    ask(f, 2, &f->a); /* waits behind the hold */
    ask(f, 3, &f->b);
    ask(f, 4, &f->b);
    run_b(f); /* so 3 and 4 wait in the line when 2 is delivered */
    asq_hold_end(&hold);
    run_and_expect(f, "1, 2, 2, 3, 4");
    expect_closed(f, 2);
}

/* 2 is asked once more while 4 waits behind it, answered. When 9 closes the
 * line, 10 is answered and 11 is not. */
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
    test_cause("a line, or a question, cannot be used a second time");
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
    test_cause(
        "once the line is closing, not every answered question leaves it");
    ask_and_stand(f, 9);
    ask(f, 10, &f->b);
    run_b(f);
    CHECK_INT(asq_hold_begin(&f->b, &hold), 0);
    ask(f, 11, &f->b); /* waits behind the hold */
    asq_slow_disk_open_gate();
    while (f->a.pending > 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* pending keeps it alive */
    turn(f);
    asq_hold_end(&hold);
    run_and_expect(f, "5, 6, 1, 2, 5, 7, 2, 4, 2, 8, 3, 9, 10, 11");
}

static const struct test_case cases[] = {
    {.name = "three_on_one",
     .title = "three questions, one connection, each with its result",
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
     .cause = "an answer does not wait for those before it, or answers that "
              "wait are forgotten when the first is delivered"},
    {.name = "errors_in_the_middle",
     .title = "an error in its place; a refused question has no place",
     .points = 1,
     .run = errors_in_the_middle,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "an error does not take the same path as a result"},
    {.name = "cancelled",
     .title = "cancelled in its place, and the later answers still come",
     .points = 1,
     .run = cancelled,
     .seconds = SECONDS,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "a cancelled question leaves the line too early, or never"},
    {.name = "ask_in_the_callback",
     .title = "asking and freeing while an answer is delivered",
     .points = 1,
     .run = ask_in_the_callback,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_ask",
     .cause = "a question is used after its on_answer has begun"},
    {.name = "close_while_asked",
     .title = "closed when the last answer has been delivered",
     .points = 2,
     .run = close_while_asked,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_close",
     .cause = "close does not wait for the questions in the line, or the "
              "line is not closed after the last one"},
    {.name = "close_in_the_last",
     .title = "close is called while an answer is delivered",
     .points = 1,
     .run = close_in_the_last,
     .seconds = SECONDS,
     .needs = 1,
     .function = "ex_in_order_close",
     .cause = "the handle is closed twice, by close and by take_answer"},
    {.name = "two_lines",
     .title = "two lines at once, and a line used again",
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
