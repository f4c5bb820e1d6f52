/* test_tx_closed - the connection goes away while a transaction is under way
 *
 * What had not come to its COMMIT is undone, and every step and transaction
 * is told, before the connection says that it is closed.
 */
#include "tx_fixture.h"

enum {
    ROWS = 3 /* steps that each test submits */
};

static void submit_rows(struct tx_fixture *t, struct part *part)
{
    for (int i = 0; i < ROWS; i++)
        run(part, &t->steps[i], "INSERT INTO t VALUES (NULL)");
}

static void expect_gone(struct tx_fixture *t, int first)
{
    for (int i = 0; i < ROWS; i++)
        expect_step(&t->steps[i], i == 0 ? first : UV_ECANCELED);
    expect_end(&t->parts[0], UV_ECANCELED);
    close_conn(&t->f);
    CHECK_INT(count_rows(t), 0);
    CHECK_INT(try_step(&t->parts[0], &t->steps[0], "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(t->parts[0].tx.state, ASQ_TX_CLOSED);
}

/* Close */

static void closed_while_it_opens(void *data)
{
    struct tx_fixture *t = data;

    close_conn(&t->f);
    init_again(&t->f);
    start_open(&t->f);
    submit_rows(t, &t->parts[0]);
    start_close(&t->f);
    expect_gone(t, UV_ECANCELED);
}

static void closed_while_it_waits(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;

    ask_init(&t->f, &ask);
    hold_worker(&ask);
    submit_rows(t, &t->parts[0]);
    start_close(&t->f);
    CHECK_INT(try_step(&t->parts[0], &t->steps[3], "SELECT 1"), UV_ESHUTDOWN);
    let_go(&t->f);
    expect_gone(t, UV_ECANCELED);
    asq_request_destroy(&ask.request);
}

/* The step that runs is left to finish. */
static void closed_while_it_runs(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->steps[0].step.request);
    submit_rows(t, &t->parts[0]);
    wait_at_gate(t);
    start_close(&t->f);
    let_go(&t->f);
    expect_gone(t, 0);
    CHECK_INT(t->f.conn.left_open.transactions, 1);
}

static void closed_while_others_stand_in_line(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->steps[0].step.request);
    submit_rows(t, &t->parts[0]);
    run(&t->other, &t->steps[3], "INSERT INTO t VALUES (NULL)");
    wait_at_gate(t);
    start_close(&t->f);
    let_go(&t->f);
    expect_end(&t->other, UV_ECANCELED);
    CHECK_INT(t->steps[3].status, UV_ECANCELED);
    expect_gone(t, 0);
}

static void close_in_step(struct step *s)
{
    start_close(&s->fixture->f);
    CHECK_INT(try_step(s->step.tx->data, s, "SELECT 1"), UV_ESHUTDOWN);
}

/* Not committed, although its only step has succeeded. */
static void closed_in_a_callback(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].then = close_in_step;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[0], UV_ECANCELED);
    CHECK_TEXT(t->parts[0].tx.message, "the connection is being closed");
    close_conn(&t->f);
    CHECK_INT(count_rows(t), 0);
}

static void closed_in_a_callback_that_says_no(void *data)
{
    struct tx_fixture *t = data;

    t->steps[0].then = close_in_step;
    t->steps[0].verdict = 42;
    run(&t->parts[1], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[1], 42);
    expect_end(&t->parts[0], UV_ECANCELED);
    close_conn(&t->f);
    CHECK_INT(count_rows(t), 0);
}

/* The COMMIT stands at the gate: it runs. */
static void closed_while_it_commits(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->parts[0].tx.end);
    submit_rows(t, &t->parts[0]);
    run_until_committing(&t->parts[0]);
    wait_at_gate(t);
    start_close(&t->f);
    let_go(&t->f);
    expect_end(&t->parts[0], 0);
    close_conn(&t->f);
    CHECK_INT(count_rows(t), ROWS);
}

static void close_at_end(struct part *part)
{
    start_close(&part->fixture->f);
}

static void closed_at_its_end(void *data)
{
    struct tx_fixture *t = data;

    t->parts[0].then = close_at_end;
    submit_rows(t, &t->parts[0]);
    expect_end(&t->parts[0], 0);
    close_conn(&t->f);
    CHECK_INT(t->f.conn.left_open.holds, 0);
    CHECK_INT(t->f.conn.left_open.statements, 0);
    CHECK_INT(count_rows(t), ROWS);
}

static void closed_while_it_is_rolled_back(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->parts[0].tx.end);
    t->steps[0].verdict = 42;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_step(&t->steps[0], 0);
    CHECK_INT(t->parts[0].tx.state, ASQ_TX_ROLLING_BACK);
    wait_at_gate(t);
    start_close(&t->f);
    let_go(&t->f);
    expect_end(&t->parts[0], 42);
    close_conn(&t->f);
    CHECK_INT(t->f.conn.left_open.transactions, 0);
    CHECK_INT(count_rows(t), 0);
}

/* Savepoints inside one another, all of them open. */
static void closed_with_all_that_is_inside(void *data)
{
    struct tx_fixture *t = data;

    mark(t, &t->steps[0].step.request);
    run(&t->parts[1], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[2], &t->steps[1], "INSERT INTO t VALUES (2)");
    wait_at_gate(t);
    start_close(&t->f);
    let_go(&t->f);
    for (int i = 2; i >= 0; i--)
        expect_end(&t->parts[i], UV_ECANCELED);
    CHECK_INT(t->steps[0].status, 0);
    close_conn(&t->f);
    CHECK_INT(count_rows(t), 0);
}

/* A database that cannot be opened */

static void it_cannot_be_opened(void *data)
{
    struct tx_fixture *t = data;

    close_conn(&t->f);
    init_again(&t->f);
    t->f.profile.path = "/nowhere/a.db";
    start_open(&t->f);
    submit_rows(t, &t->parts[0]);
    expect_end(&t->parts[0], UV_ESHUTDOWN);
    CHECK_CONTAINS(t->parts[0].tx.message, "/nowhere/a.db");
    for (int i = 0; i < ROWS; i++)
        CHECK_INT(t->steps[i].status, UV_ESHUTDOWN);
    t->f.profile.path = test_path("a.db");
}

/* Refuse, then cancel */

static void submit_last(struct step *s)
{
    run(&s->fixture->parts[0], &s->fixture->steps[3],
        "INSERT INTO t VALUES (NULL)");
}

static void refused_it_goes_on_to_its_end(void *data)
{
    struct tx_fixture *t = data;

    t->steps[ROWS - 1].then = submit_last;
    submit_rows(t, &t->parts[0]);
    run(&t->other, &t->steps[4], "INSERT INTO t VALUES (NULL)");
    asq_conn_refuse(&t->f.conn);
    expect_end(&t->parts[0], 0);
    expect_end(&t->other, 0);
    CHECK_INT(count_rows(t), ROWS + 2);
    CHECK_INT(try_step(&t->parts[0], &t->steps[0], "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(try_step(&t->parts[1], &t->steps[0], "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(t->parts[0].tx.state, ASQ_TX_CLOSED);
    CHECK_INT(t->parts[1].tx.state, ASQ_TX_CLOSED);
}

static void cancelled_while_it_waits(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;

    ask_init(&t->f, &ask);
    hold_worker(&ask);
    submit_rows(t, &t->parts[0]);
    asq_conn_cancel(&t->f.conn);
    let_go(&t->f);
    expect_gone(t, UV_ECANCELED);
    asq_request_destroy(&ask.request);
}

static void cancelled_while_it_runs(void *data)
{
    struct tx_fixture *t = data;

    call(&t->parts[0], &t->steps[0], run_endless);
    for (int i = 1; i < ROWS; i++)
        run(&t->parts[0], &t->steps[i], "INSERT INTO t VALUES (NULL)");
    wait_at_gate(t);
    asq_conn_cancel(&t->f.conn);
    expect_gone(t, SQLITE_INTERRUPT);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(closed_while_it_opens),
    CASE(closed_while_it_waits),
    CASE(closed_while_it_runs),
    CASE(closed_while_others_stand_in_line),
    CASE(closed_in_a_callback),
    CASE(closed_in_a_callback_that_says_no),
    CASE(closed_while_it_commits),
    CASE(closed_at_its_end),
    CASE(closed_while_it_is_rolled_back),
    CASE(closed_with_all_that_is_inside),
    CASE(it_cannot_be_opened),
    CASE(refused_it_goes_on_to_its_end),
    CASE(cancelled_while_it_waits),
    CASE(cancelled_while_it_runs),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_closed",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_set_up,
                                      .tear_down = tx_tear_down};
