/* test_conn_hold - one has the connection to himself, the others wait
 *
 * The requests of a test are numbered; order is the order of answers.
 */
#include "conn_fixture.h"

#include <stdlib.h>

enum {
    ASKS = 10
};

static struct ask asks[ASKS];

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    ask_init_all(f, asks, ASKS);
    f->answers = 0;
}

static void tear_down(void *data)
{
    conn_tear_down(data);
    ask_destroy_all(asks, ASKS);
}

static void begin(struct fixture *f, struct asq_hold *hold)
{
    CHECK_INT(asq_hold_begin(&f->conn, hold), 0);
}

/* Submits request number i under a hold or, with NULL, under none. */
static void submit(int i, struct asq_hold *hold)
{
    asks[i].request.hold = hold;
    ask_sql(&asks[i], "SELECT 1");
}

static void submit_urgent(int i)
{
    asks[i].request.priority = ASQ_PRIORITY_URGENT;
    submit(i, NULL);
}

/* All of the numbers are answered, in this order, and no others. */
static void check_order(struct fixture *f, const char *numbers)
{
    unsigned count = (unsigned)strlen(numbers);

    wait_for(&asks[numbers[count - 1] - '0']);
    CHECK_INT(f->answers, count);
    for (unsigned i = 0; i < count; i++) {
        CHECK_INT(asks[numbers[i] - '0'].order, i);
        CHECK_INT(asks[numbers[i] - '0'].status, 0);
    }
}

static void urgent_ones_overtake_what_waits(void *data)
{
    struct fixture *f = data;

    hold_worker(&asks[0]);
    submit(1, NULL);
    submit(2, NULL);
    submit_urgent(3);
    submit_urgent(4);
    let_go(f);
    check_order(f, "03412");
}

static void others_wait_for_the_end(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};

    hold_worker(&asks[0]);
    submit(1, NULL); /* comes before the hold */
    begin(f, &hold);
    submit(2, NULL);
    submit_urgent(3);
    submit(4, &hold);
    submit(5, &hold);
    let_go(f);
    check_order(f, "0145");
    asks[6].request.hold = &hold;
    hold_worker(&asks[6]); /* so that what is let in waits together */
    asq_hold_end(&hold);
    asq_hold_end(&hold); /* harmless */
    let_go(f);
    check_order(f, "0145632");
}

static void an_empty_line_is_no_hindrance(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};

    begin(f, &hold);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    submit(0, NULL);
    CHECK(uv_loop_alive(&f->loop)); /* it is owed an answer */
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    CHECK_INT(f->answers, 0);
    asq_hold_end(&hold);
    check_order(f, "0");
    CHECK(!uv_loop_alive(&f->loop));
}

static void holds_stand_in_line(void *data)
{
    struct fixture *f = data;
    struct asq_hold a = {0}, b = {0};

    begin(f, &a);
    submit(0, NULL); /* after a */
    begin(f, &b);
    submit(1, NULL); /* after b */
    submit(2, &b);
    submit(3, &a);
    submit(4, &b);
    check_order(f, "3");
    submit(5, &a);
    asq_hold_end(&a);
    check_order(f, "35024");
    submit(6, &b);
    asq_hold_end(&b);
    check_order(f, "3502461");
}

/* One that ends before its turn has its requests run in its turn. */
static void a_hold_may_end_before_its_turn(void *data)
{
    struct fixture *f = data;
    struct asq_hold a = {0}, b = {0}, c = {0};

    begin(f, &a);
    begin(f, &b);
    begin(f, &c);
    submit(0, NULL);
    submit(1, &c);
    submit(2, &b);
    asq_hold_end(&b);
    CHECK_INT(try_sql(&asks[9], "SELECT 1"), 0); /* after c as well */
    submit(3, &a);
    check_order(f, "3");
    asq_hold_end(&a);
    check_order(f, "321");
    asq_hold_end(&c);
    check_order(f, "32109");
}

static void one_that_nobody_used_leaves_the_line(void *data)
{
    struct fixture *f = data;
    struct asq_hold *hold[4];

    for (int i = 0; i < 4; i++) {
        hold[i] = calloc(1, sizeof *hold[i]);
        CHECK(hold[i] != NULL);
        begin(f, hold[i]);
        submit(i, NULL);
    }
    for (int i = 2; i > 0; i--) {
        asq_hold_end(hold[i]);
        free(hold[i]);
    }
    asq_hold_end(hold[0]);
    free(hold[0]);
    check_order(f, "012");
    submit(4, NULL);
    asq_hold_end(hold[3]);
    free(hold[3]);
    check_order(f, "01234");
}

static void free_hold(struct ask *ask)
{
    free(ask->request.hold);
    ask->request.hold = NULL;
}

static void its_memory_may_go_in_the_last_callback(void *data)
{
    struct fixture *f = data;
    struct asq_hold *hold[2];

    for (int i = 0; i < 2; i++) {
        hold[i] = calloc(1, sizeof *hold[i]);
        CHECK(hold[i] != NULL);
        begin(f, hold[i]);
        asks[i].then = free_hold;
        submit(i, hold[i]);
    }
    submit(2, NULL);
    asq_hold_end(hold[1]);
    asq_hold_end(hold[0]);
    check_order(f, "012");
}

static struct asq_hold late;

static void hold_and_ask(struct ask *ask)
{
    begin(ask->fixture, &late);
    submit(4, NULL); /* after the hold */
    submit(2, &late);
    submit(3, &late);
    asq_hold_end(&late);
}

/* What a callback submits is passed on later, but in the same order. */
static void a_hold_may_begin_and_end_in_a_callback(void *data)
{
    struct fixture *f = data;

    asks[0].then = hold_and_ask;
    submit(0, NULL);
    wait_for(&asks[0]);
    check_order(f, "0234");
}

static void what_names_no_hold_of_this_connection_is_refused(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct asq_conn other;

    asks[0].request.hold = &hold;
    CHECK_INT(try_sql(&asks[0], "SELECT 1"), UV_EINVAL); /* never begun */
    asq_hold_end(&hold);
    asq_conn_init(&other);
    CHECK_INT(asq_hold_begin(&other, &hold), UV_ESHUTDOWN); /* never opened */
    begin(f, &hold);
    asq_hold_end(&hold);
    CHECK_INT(try_sql(&asks[0], "SELECT 1"), UV_EINVAL); /* ended */
    begin(f, &hold);
    hold.line = &other.line;
    CHECK_INT(try_sql(&asks[0], "SELECT 1"), UV_EINVAL); /* of another one */
    hold.line = &f->conn.line;
    asq_hold_end(&hold);
    CHECK_INT(f->conn.pending, 0);
}

static void nobody_writes_into_a_transaction_of_somebody_else(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    static const char *const sql[] = {"BEGIN", "INSERT INTO t VALUES (1)",
                                      "INSERT INTO t VALUES (2)", "ROLLBACK"};

    begin(f, &hold);
    for (int i = 0; i < 4; i++) {
        ask_sql(&asks[4 + i], "INSERT INTO t VALUES (10)");
        asks[i].request.hold = &hold;
        ask_sql(&asks[i], sql[i]);
    }
    asq_hold_end(&hold);
    expect(&asks[7], 0);
    CHECK_INT(ask_number(f, "SELECT sum(n) FROM t"), 40);
}

/* Who waits for a hold is answered when he need not wait any longer. */
static void what_waits_for_a_hold_can_be_stopped(void *data)
{
    struct fixture *f = data;
    struct asq_hold a = {0}, b = {0};

    begin(f, &a);
    begin(f, &b);
    submit(0, NULL);
    submit(1, &b);
    asks[2].request.timeout_ms = 1;
    submit(2, NULL);
    asks[3].request.timeout_ms = 1;
    submit(3, &b);
    submit(4, NULL);
    asq_request_cancel(&asks[0].request);
    asq_request_cancel(&asks[1].request);
    expect(&asks[0], UV_ECANCELED);
    expect(&asks[1], UV_ECANCELED);
    for (int i = 2; i < 4; i++) {
        expect(&asks[i], UV_ETIMEDOUT);
        CHECK_INT(asks[i].request.timed_out_in, ASQ_PLACE_QUEUE);
    }
    CHECK_INT(asks[4].calls, 0);
    asq_hold_end(&b);
    asq_hold_end(&a);
    expect(&asks[4], 0);
}

/* Its memory may go once the callbacks of all its requests have begun. */
static void a_hold_leaves_the_line_with_its_last_request(void *data)
{
    struct fixture *f = data;
    struct asq_hold first = {0};
    struct asq_hold *second = calloc(1, sizeof *second);

    CHECK(second != NULL);
    begin(f, &first);
    begin(f, second);
    submit(0, second);
    submit(1, NULL);
    asq_hold_end(second);
    asq_request_cancel(&asks[0].request);
    expect(&asks[0], UV_ECANCELED);
    free(second);
    CHECK_INT(asks[1].calls, 0);
    asq_hold_end(&first);
    expect(&asks[1], 0);
}

/* Closing */

static void close_answers_all_who_stand_in_line(void *data)
{
    struct fixture *f = data;
    struct asq_hold a = {0}, b = {0};

    hold_worker(&asks[0]);
    begin(f, &a);
    begin(f, &b);
    submit(1, &a);
    submit(2, &b);
    submit(3, NULL);
    start_close(f);
    CHECK_INT(asq_hold_begin(&f->conn, &a), UV_ESHUTDOWN);
    let_go(f);
    close_conn(f);
    CHECK_INT(asks[0].status, 0);
    for (int i = 1; i < 4; i++) {
        CHECK_INT(asks[i].calls, 1);
        CHECK_INT(asks[i].status, UV_ECANCELED);
    }
    asq_hold_end(&b); /* not owed, and harmless */
}

static void a_hold_may_begin_while_opening(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};

    close_conn(f);
    init_again(f);
    start_open(f);
    begin(f, &hold);
    submit(0, NULL);
    submit(1, &hold);
    check_order(f, "1");
    asq_hold_end(&hold);
    check_order(f, "10");
}

static const struct test_case cases[] = {
    {.name = "urgent_ones_overtake_what_waits",
     .run = urgent_ones_overtake_what_waits},
    {.name = "others_wait_for_the_end", .run = others_wait_for_the_end},
    {.name = "an_empty_line_is_no_hindrance",
     .run = an_empty_line_is_no_hindrance},
    {.name = "holds_stand_in_line", .run = holds_stand_in_line},
    {.name = "a_hold_may_end_before_its_turn",
     .run = a_hold_may_end_before_its_turn},
    {.name = "one_that_nobody_used_leaves_the_line",
     .run = one_that_nobody_used_leaves_the_line},
    {.name = "its_memory_may_go_in_the_last_callback",
     .run = its_memory_may_go_in_the_last_callback},
    {.name = "a_hold_may_begin_and_end_in_a_callback",
     .run = a_hold_may_begin_and_end_in_a_callback},
    {.name = "what_names_no_hold_of_this_connection_is_refused",
     .run = what_names_no_hold_of_this_connection_is_refused},
    {.name = "nobody_writes_into_a_transaction_of_somebody_else",
     .run = nobody_writes_into_a_transaction_of_somebody_else},
    {.name = "what_waits_for_a_hold_can_be_stopped",
     .run = what_waits_for_a_hold_can_be_stopped},
    {.name = "a_hold_leaves_the_line_with_its_last_request",
     .run = a_hold_leaves_the_line_with_its_last_request},
    {.name = "close_answers_all_who_stand_in_line",
     .run = close_answers_all_who_stand_in_line},
    {.name = "a_hold_may_begin_while_opening",
     .run = a_hold_may_begin_while_opening},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_hold",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
