/* test_tx - a transaction on a loop: what runs, in which order, what stays */
#include "07-transactions/tx.h"
#include "conn_trace.h"

enum {
    STEPS = 8
};

struct tx_fixture {
    struct fixture f;
    struct asq_tx tx;
    struct asq_tx_step steps[STEPS];
    int ended, status;
};

static void note_end(struct asq_tx *tx, int status)
{
    struct tx_fixture *t = tx->data;

    t->ended++;
    t->status = status;
}

static void set_up(void *data)
{
    struct tx_fixture *t = data;

    conn_set_up(&t->f);
    open_conn(&t->f);
    run_now(&t->f, "CREATE TABLE t (n INTEGER PRIMARY KEY)");
    asq_tx_init(&t->tx, &t->f.conn);
    t->tx.data = t;
    t->tx.on_end = note_end;
    for (int i = 0; i < STEPS; i++)
        asq_tx_step_init(&t->steps[i]);
}

static void tear_down(void *data)
{
    struct tx_fixture *t = data;

    conn_tear_down(&t->f);
    for (int i = 0; i < STEPS; i++)
        asq_tx_step_destroy(&t->steps[i]);
    asq_tx_destroy(&t->tx);
}

static void expect_end(struct tx_fixture *t, int status)
{
    test_run_until(&t->f.loop, &t->ended);
    CHECK_INT(t->ended, 1);
    if (t->status != status)
        FAIL("status %d instead of %d: %s", t->status, status, t->tx.message);
    t->ended = 0;
}

static void run(struct tx_fixture *t, int i, const char *sql)
{
    CHECK_INT(asq_tx_run(&t->tx, &t->steps[i], sql, NULL, NULL), 0);
}

static void begin_rides_and_commit_is_one_hop_more(void *data)
{
    struct tx_fixture *t = data;

    call_now(&t->f, start_trace);
    run(t, 0, "INSERT INTO t VALUES (1)");
    run(t, 1, "INSERT INTO t VALUES (2)");
    expect_end(t, 0);
    call_now(&t->f, stop_trace);
    CHECK_TEXT(t->f.trace, "BEGIN INSERT INSERT COMMIT");
    CHECK_INT(ask_number(&t->f, "SELECT count(*) FROM t"), 2);
}

static void an_error_undoes_all(void *data)
{
    struct tx_fixture *t = data;

    run(t, 0, "INSERT INTO t VALUES (1)");
    run(t, 1, "INSERT INTO t VALUES (1)");
    run(t, 2, "INSERT INTO t VALUES (3)");
    expect_end(t, SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(ask_number(&t->f, "SELECT count(*) FROM t"), 0);
}

static const struct test_case cases[] = {
    {.name = "begin_rides_and_commit_is_one_hop_more",
     .run = begin_rides_and_commit_is_one_hop_more},
    {.name = "an_error_undoes_all", .run = an_error_undoes_all},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
