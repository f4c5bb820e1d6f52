/* test_tx - a transaction on a loop: what runs, in which order, what stays */
#include "tx_fixture.h"

/* The block and its neighbours */

static void begin_rides_and_commit_is_one_hop_more(void *data)
{
    struct tx_fixture *t = data;
    unsigned before;

    call_now(&t->f, start_trace);
    before = t->requests;
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[0], &t->steps[1], "INSERT INTO t VALUES (2)");
    run(&t->parts[0], &t->steps[2], "SELECT * FROM t");
    expect_end(&t->parts[0], 0);
    CHECK_INT(t->requests - before, 3 + 1);
    call_now(&t->f, stop_trace);
    CHECK_TEXT(t->f.trace, "BEGIN INSERT INSERT SELECT COMMIT");
    CHECK_INT(t->steps[2].step.request.result.rows, 2);
    CHECK_INT(count_rows(t), 2);
}

static int note_text(unsigned type, void *data, void *stmt, void *text)
{
    struct fixture *f = data;
    size_t length = strlen(f->trace);

    (void)type; /* there is one */
    (void)stmt;
    (void)snprintf(f->trace + length, sizeof f->trace - length, "%s; ",
                   (const char *)text);
    return 0;
}

static int start_text(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_trace_v2(asq_db_handle(db), SQLITE_TRACE_STMT, note_text,
                            ask->fixture);
}

static void each_mode_has_its_begin(void *data)
{
    struct tx_fixture *t = data;
    struct part *part = &t->parts[0];

    call_now(&t->f, start_text);
    CHECK_INT(part->tx.mode, ASQ_TX_IMMEDIATE);
    for (int mode = ASQ_TX_IMMEDIATE; mode <= ASQ_TX_EXCLUSIVE; mode++) {
        part->tx.mode = (enum asq_tx_mode)mode;
        run(part, &t->steps[0], "SELECT 1");
        expect_end(part, 0);
    }
    CHECK_TEXT(t->f.trace, "BEGIN IMMEDIATE; SELECT 1; COMMIT; "
                           "BEGIN; SELECT 1; COMMIT; "
                           "BEGIN EXCLUSIVE; SELECT 1; COMMIT; ");
}

static void submit_third(struct step *s)
{
    run(&s->fixture->parts[0], &s->fixture->steps[2],
        "INSERT INTO t VALUES(3)");
}

/* All of it waits when the worker is let go: before, block, urgent, reads. */
static void nobody_gets_in_between(void *data)
{
    struct tx_fixture *t = data;
    struct ask asks[5];

    ask_init_all(&t->f, asks, 5);
    asks[2].request.priority = ASQ_PRIORITY_URGENT;
    call_now(&t->f, start_trace);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "DELETE FROM t");
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[3], "SELECT count(*) FROM t");
    run(&t->parts[0], &t->steps[1], "INSERT INTO t VALUES (2)");
    ask_sql(&asks[4], "SELECT 1 + count(*) FROM t");
    ask_sql(&asks[2], "UPDATE t SET n = n + 10");
    t->steps[1].then = submit_third;
    let_go(&t->f);
    expect_end(&t->parts[0], 0);
    expect(&asks[4], 0);
    call_now(&t->f, stop_trace);
    CHECK_TEXT(t->f.trace, "DELETE BEGIN INSERT INSERT INSERT COMMIT UPDATE "
                           "BEGIN SELECT SELECT COMMIT");
    CHECK_INT(asks[2].request.result.changes, 3);
    ask_destroy_all(asks, 5);
}

static void two_transactions_stand_in_line(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;

    ask_init(&t->f, &ask);
    call_now(&t->f, start_trace);
    hold_worker(&ask);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->other, &t->steps[3], "DELETE FROM t WHERE n < 3");
    run(&t->parts[0], &t->steps[1], "INSERT INTO t VALUES (2)");
    run(&t->other, &t->steps[4], "DELETE FROM t WHERE n > 5");
    t->steps[1].then = submit_third;
    let_go(&t->f);
    expect_end(&t->other, 0);
    expect_end(&t->parts[0], 0);
    call_now(&t->f, stop_trace);
    CHECK_TEXT(t->f.trace, "BEGIN INSERT INSERT INSERT COMMIT "
                           "BEGIN DELETE DELETE COMMIT");
    CHECK(t->parts[0].order < t->other.order);
    CHECK_INT(t->steps[3].step.request.result.changes, 2);
    ask_destroy_all(&ask, 1);
}

static void nobody_need_listen(void *data)
{
    struct tx_fixture *t = data;
    struct asq_tx *tx = &t->parts[0].tx;

    tx->on_end = NULL;
    CHECK_INT(asq_tx_run(tx, &t->steps[0].step, "INSERT INTO t VALUES (1)",
                         NULL, NULL),
              0);
    CHECK_INT(uv_run(&t->f.loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(count_rows(t), 1);
    for (int i = 0; i < 2; i++)
        CHECK_INT(asq_tx_run(tx, &t->steps[i].step, "INSERT INTO t VALUES (2)",
                             NULL, NULL),
                  0);
    CHECK_INT(uv_run(&t->f.loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(tx->state, ASQ_TX_CLOSED);
    CHECK_INT(count_rows(t), 1);
}

static void what_cannot_be_submitted(void *data)
{
    struct tx_fixture *t = data;
    struct asq_tx *tx = &t->parts[0].tx;
    struct asq_tx_step *step = &t->steps[0].step;

    asq_tx_fail(tx, UV_ECANCELED); /* nothing is open */
    CHECK_INT(asq_tx_run(tx, step, NULL, NULL, on_step), UV_EINVAL);
    CHECK_INT(asq_tx_call(tx, step, NULL, on_step), UV_EINVAL);
    CHECK_INT(tx->state, ASQ_TX_CLOSED);
    mark(t, &tx->end); /* COMMIT, and later ROLLBACK */
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    CHECK_INT(try_step(&t->parts[0], &t->steps[0], "SELECT 1"), UV_EINVAL);
    CHECK_INT(try_step(&t->other, &t->steps[0], "SELECT 1"), UV_EINVAL);
    CHECK_INT(t->other.tx.state, ASQ_TX_CLOSED);
    run_until_committing(&t->parts[0]);
    CHECK_INT(try_step(&t->parts[0], &t->steps[1], "SELECT 1"), UV_EBUSY);
    CHECK_INT(try_step(&t->parts[1], &t->steps[1], "SELECT 1"), UV_EBUSY);
    wait_at_gate(t);
    let_go(&t->f);
    expect_end(&t->parts[0], 0);
    t->steps[0].verdict = 5;
    run(&t->parts[0], &t->steps[0], "SELECT 1");
    expect_step(&t->steps[0], 0);
    CHECK_INT(tx->state, ASQ_TX_ROLLING_BACK);
    CHECK_INT(try_step(&t->parts[0], &t->steps[1], "SELECT 1"), UV_ECANCELED);
    CHECK_INT(try_step(&t->parts[1], &t->steps[1], "SELECT 1"), UV_ECANCELED);
    wait_at_gate(t);
    let_go(&t->f);
    expect_end(&t->parts[0], 5);
}

static void a_full_connection_lets_it_end(void *data)
{
    struct tx_fixture *t = data;
    struct ask asks[2];

    ask_init_all(&t->f, asks, 2);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    t->f.conn.capacity = 2;
    ask_sql(&asks[0], "SELECT 1");
    CHECK_INT(try_sql(&asks[1], "SELECT 1"), UV_ENOBUFS);
    run(&t->parts[0], &t->steps[1], "INSERT INTO t VALUES (2)");
    expect_end(&t->parts[0], 0);
    expect(&asks[0], 0);
    CHECK_INT(count_rows(t), 2);
    ask_destroy_all(asks, 2);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(begin_rides_and_commit_is_one_hop_more),
    CASE(each_mode_has_its_begin),
    CASE(nobody_gets_in_between),
    CASE(two_transactions_stand_in_line),
    CASE(nobody_need_listen),
    CASE(what_cannot_be_submitted),
    CASE(a_full_connection_lets_it_end),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_set_up,
                                      .tear_down = tx_tear_down};
