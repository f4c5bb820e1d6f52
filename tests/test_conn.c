/* test_conn - the contract of every request: submitted, answered once */
#include "conn_fixture.h"

#include <stdlib.h>

enum {
    ASKS = 100
};

static int do_nothing(struct asq_db *db, struct asq_request *request)
{
    (void)db;
    (void)request;
    return 0;
}

/* Answers */

static void answers_come_in_order(void *data)
{
    struct fixture *f = data;
    struct ask asks[ASKS];

    open_conn(f);
    run_now(f, "CREATE TABLE t (a)");
    ask_init_all(f, asks, ASKS);
    f->answers = 0;
    for (unsigned i = 0; i < ASKS; i++) {
        if (i % 7 == 0)
            ask_call(&asks[i], do_nothing);
        else
            ask_sql(&asks[i], i % 5 == 0   ? "INSERT INTO t VALUES (1)"
                              : i % 3 == 0 ? LONG
                                           : "SELECT count(*) FROM t");
    }
    CHECK_INT(f->conn.pending, ASKS);
    expect(&asks[ASKS - 1], 0);
    for (unsigned i = 0; i < ASKS; i++) {
        CHECK_INT(asks[i].calls, 1);
        CHECK_INT(asks[i].status, 0);
        CHECK_INT(asks[i].order, i);
    }
    CHECK_INT(f->conn.pending, 0);
    ask_destroy_all(asks, ASKS);
}

static void an_answer_has_rows_and_changes(void *data)
{
    struct fixture *f = data;
    struct asq_value values[2] = {asq_int64(7), asq_text("seven")};
    static const char *const names[] = {"n", "t"};
    struct asq_params params = {.values = values, .count = 2};
    struct ask ask;

    open_conn(f);
    CHECK_TEXT(f->conn.journal_mode, "wal");
    run_now(f, "CREATE TABLE t (n, t)");
    ask_init(f, &ask);
    CHECK_INT(asq_conn_run(&f->conn, &ask.request,
                           "INSERT INTO t VALUES (?1, ?2)", &params, on_answer),
              0);
    expect(&ask, 0);
    CHECK_INT(ask.request.result.changes, 1);
    CHECK_INT(ask.request.result.last_insert_id, 1);
    CHECK(ask.request.started_ns > 0);
    params.names = names;
    ask.done = 0;
    CHECK_INT(asq_conn_run(&f->conn, &ask.request,
                           "SELECT t, n FROM t WHERE t = :t AND n = :n",
                           &params, on_answer),
              0);
    expect(&ask, 0);
    CHECK_INT(ask.request.result.rows, 1);
    CHECK_INT(ask.request.result.changes, 0);
    CHECK_TEXT(asq_result_text(&ask.request.result, 0, "t"), "seven");
    CHECK_INT(asq_result_int64(&ask.request.result, 0, "n"), 7);
    asq_request_destroy(&ask.request);
}

static void an_error_has_its_code_and_message(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    f->profile.result_limit = 1000;
    open_conn(f);
    run_now(f, "CREATE TABLE t (n UNIQUE)");
    run_now(f, "INSERT INTO t VALUES (1)");
    ask_init(f, &ask);
    ask_sql(&ask, "INSERT INTO t VALUES (1)");
    expect(&ask, SQLITE_CONSTRAINT_UNIQUE);
    CHECK_CONTAINS(ask.request.message, "t.n");
    ask_sql(&ask, "SELECT\nnothing FROM\nt");
    expect(&ask, SQLITE_ERROR);
    CHECK_CONTAINS(ask.request.message, "nothing");
    ask_sql(&ask, "SELECT 1; SELECT 2");
    expect(&ask, SQLITE_MISUSE);
    ask_sql(&ask, "SELECT ?1");
    expect(&ask, SQLITE_RANGE);
    ask_sql(&ask, "SELECT zeroblob(2000)");
    expect(&ask, SQLITE_TOOBIG);
    CHECK_INT(ask.request.result.rows, 0);
    ask_sql(&ask, "SELECT 1"); /* nothing of it stays */
    expect(&ask, 0);
    asq_request_destroy(&ask.request);
}

static void take_result(struct ask *ask)
{
    struct asq_result mine = {0};

    asq_result_take(&ask->request.result, &mine);
    ask->then = NULL;
    ask_sql(ask, "SELECT 2");
    CHECK_TEXT(asq_result_at(&mine, 0, 0).as.text, "mine");
    asq_result_destroy(&mine);
}

static void a_result_can_be_taken(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_conn(f);
    ask_init(f, &ask);
    ask.then = take_result;
    ask_sql(&ask, "SELECT 'mine'");
    expect(&ask, 0);
    CHECK_INT(ask.calls, 2);
    CHECK_INT(number_of(&ask), 2);
    asq_request_destroy(&ask.request);
}

/* Callbacks that submit, submit again, or free */

static void ask_again(struct ask *ask)
{
    if (ask->calls < test_scaled(1000))
        ask_sql(ask, "SELECT 1");
}

static void a_request_is_submitted_again_in_its_callback(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_conn(f);
    ask_init_all(f, asks, 3);
    for (int i = 0; i < 3; i++) {
        asks[i].then = ask_again;
        ask_sql(&asks[i], "SELECT 1");
    }
    for (int i = 0; i < 3; i++) {
        expect(&asks[i], 0);
        CHECK_INT(asks[i].calls, test_scaled(1000));
    }
    ask_destroy_all(asks, 3);
}

static void free_ask(struct ask *ask)
{
    asq_request_destroy(&ask->request);
    memset(ask, 0xff, sizeof *ask); /* whoever looks again is found out */
    free(ask);
}

static void a_request_is_freed_in_its_callback(void *data)
{
    struct fixture *f = data;
    struct ask last;

    open_conn(f);
    for (int i = 0; i < ASKS; i++) {
        struct ask *ask = malloc(sizeof *ask);

        CHECK(ask != NULL);
        ask_init(f, ask);
        ask->then = free_ask;
        ask_sql(ask, i % 3 == 0 ? "nonsense" : "SELECT 'some text'");
        if (i % 10 == 0)
            asq_request_cancel(&ask->request);
    }
    ask_init(f, &last);
    ask_sql(&last, "SELECT 1");
    expect(&last, 0);
    CHECK_INT(f->answers, ASKS + 1);
    asq_request_destroy(&last.request);
}

/* Idle */

static void count_idle(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    CHECK_INT(conn->pending, 0);
    f->trace[0]++; /* nothing is traced here */
}

static void idle_is_told_when_nothing_is_pending(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    f->conn.on_idle = count_idle;
    open_conn(f);
    CHECK_INT(f->trace[0], 0);
    ask_init_all(f, asks, 2);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    let_go(f);
    expect(&asks[1], 0);
    CHECK_INT(f->trace[0], 1);
    asks[0].then = ask_again;
    asks[0].calls = test_scaled(1000) - 5;
    ask_sql(&asks[0], "SELECT 1");
    expect(&asks[0], 0);
    CHECK_INT(f->trace[0], 2);
    ask_destroy_all(asks, 2);
}

static const struct test_case cases[] = {
    {.name = "answers_come_in_order", .run = answers_come_in_order},
    {.name = "an_answer_has_rows_and_changes",
     .run = an_answer_has_rows_and_changes},
    {.name = "an_error_has_its_code_and_message",
     .run = an_error_has_its_code_and_message},
    {.name = "a_result_can_be_taken", .run = a_result_can_be_taken},
    {.name = "a_request_is_submitted_again_in_its_callback",
     .run = a_request_is_submitted_again_in_its_callback},
    {.name = "a_request_is_freed_in_its_callback",
     .run = a_request_is_freed_in_its_callback},
    {.name = "idle_is_told_when_nothing_is_pending",
     .run = idle_is_told_when_nothing_is_pending},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
