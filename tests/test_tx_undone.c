/* test_tx_undone - SQLite ends a transaction, refuses to begin or to commit it
 */
#include "tx_fixture.h"

/* What a step does to the transaction */

/* Runs sql between two rows; the step behind it must not run. */
static void run_three(struct tx_fixture *t, const char *sql)
{
    struct ask ask;

    ask_init(&t->f, &ask);
    hold_worker(&ask);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[0], &t->steps[1], sql);
    run(&t->parts[0], &t->steps[2], "INSERT INTO t VALUES (3)");
    let_go(&t->f);
    expect_step(&t->steps[2], UV_ECANCELED);
    CHECK_CONTAINS(t->steps[2].step.request.message, "rolled back before");
    asq_request_destroy(&ask.request);
}

/* The callback cannot tolerate it: what was there before is gone. */
static void a_statement_may_roll_back_everything(void *data)
{
    struct tx_fixture *t = data;

    t->steps[1].verdict = 0;
    run_three(t, "INSERT OR ROLLBACK INTO t VALUES (1)");
    expect_end(&t->parts[0], SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_CONTAINS(t->parts[0].tx.message, "UNIQUE");
    CHECK_INT(count_rows(t), 0);
}

static void a_trigger_may_roll_back_everything(void *data)
{
    struct tx_fixture *t = data;

    run_now(&t->f, "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.n = 2 "
                   "BEGIN SELECT raise(ROLLBACK, 'not two'); END");
    t->steps[1].verdict = 0;
    run_three(t, "INSERT INTO t VALUES (2)");
    expect_end(&t->parts[0], SQLITE_CONSTRAINT_TRIGGER);
    CHECK_TEXT(t->parts[0].tx.message, "not two");
    CHECK_INT(count_rows(t), 0);
}

/* The request of a step may be cancelled like any other. A write that was
 * interrupted has undone everything. */
static void an_interrupt_may_roll_back_everything(void *data)
{
    struct tx_fixture *t = data;

    t->steps[1].verdict = 0;
    t->steps[2].verdict = 0;
    call_now(&t->f, add_stand_inside);
    for (int i = 0; i < 3; i++)
        run(&t->parts[0], &t->steps[i],
            i == 1 ? "INSERT INTO t " ENDLESS_STAND
                   : "INSERT INTO t VALUES (1)");
    wait_at_gate(t);
    asq_request_cancel(&t->steps[1].step.request);
    let_go(&t->f);
    expect_end(&t->parts[0], UV_ECANCELED);
    CHECK_INT(t->steps[1].status, SQLITE_INTERRUPT);
    CHECK_INT(t->steps[2].status, UV_ECANCELED);
    CHECK_INT(count_rows(t), 0);
}

/* A query that was interrupted has not. */
static void an_interrupted_query_may_be_tolerated(void *data)
{
    struct tx_fixture *t = data;

    t->steps[1].verdict = 0;
    mark(t, &t->steps[1].step.request);
    for (int i = 0; i < 3; i++)
        run(&t->parts[0], &t->steps[i],
            i == 1 ? ENDLESS : "INSERT INTO t VALUES (NULL)");
    wait_at_gate(t);
    asq_request_cancel(&t->steps[1].step.request);
    let_go(&t->f);
    expect_end(&t->parts[0], 0);
    CHECK_INT(t->steps[1].status, SQLITE_INTERRUPT);
    CHECK_INT(count_rows(t), 2);
}

static void a_step_must_not_commit(void *data)
{
    struct tx_fixture *t = data;

    run_three(t, "COMMIT");
    expect_end(&t->parts[0], SQLITE_MISUSE);
    CHECK_TEXT(t->parts[0].tx.message, "a step has ended the transaction");
    CHECK_INT(t->steps[1].status, 0);
    CHECK_INT(count_rows(t), 1);
}

static void a_step_must_not_roll_back(void *data)
{
    struct tx_fixture *t = data;

    run_three(t, "ROLLBACK");
    expect_end(&t->parts[0], SQLITE_MISUSE);
    CHECK_INT(count_rows(t), 0);
}

static void a_step_must_not_begin(void *data)
{
    struct tx_fixture *t = data;

    run(&t->parts[0], &t->steps[0], "BEGIN");
    expect_end(&t->parts[0], SQLITE_ERROR);
    CHECK_CONTAINS(t->parts[0].tx.message, "within a transaction");
}

/* BEGIN */

static void begin_waits_for_the_lock_in_vain(void *data)
{
    struct tx_fixture *t = data;
    sqlite3 *other = raw_open(t->f.profile.path);
    struct ask ask;

    ask_init(&t->f, &ask);
    close_conn(&t->f);
    init_again(&t->f);
    t->f.profile.busy_ms = 1;
    open_conn(&t->f);
    raw_do(other, "BEGIN IMMEDIATE; INSERT INTO t VALUES (99)");
    hold_worker(&ask);
    for (int i = 0; i < 3; i++) {
        t->steps[i].verdict = 0; /* it does not matter */
        run(&t->parts[0], &t->steps[i], "INSERT INTO t VALUES (NULL)");
    }
    let_go(&t->f);
    expect_end(&t->parts[0], SQLITE_BUSY);
    CHECK_INT(t->steps[0].status, SQLITE_BUSY);
    for (int i = 1; i < 3; i++)
        CHECK_INT(t->steps[i].status, UV_ECANCELED);
    raw_do(other, "COMMIT");
    CHECK_INT(count_rows(t), 1);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (NULL)");
    expect_end(&t->parts[0], 0);
    CHECK_INT(count_rows(t), 2);
    raw_close(other);
    asq_request_destroy(&ask.request);
}

/* Somebody has left a transaction open: it is theirs. */
static void what_another_one_began_is_left_alone(void *data)
{
    struct tx_fixture *t = data;

    share_tx(&t->f);
    run_now(&t->f, "BEGIN");
    run_now(&t->f, "INSERT INTO t VALUES (1)");
    for (int i = 0; i < 3; i++) {
        t->steps[i].verdict = 0; /* it does not matter */
        run(&t->parts[0], &t->steps[i], "INSERT INTO t VALUES (NULL)");
    }
    expect_end(&t->parts[0], SQLITE_ERROR);
    CHECK_CONTAINS(t->parts[0].tx.message, "within a transaction");
    CHECK_INT(t->steps[1].status, UV_ECANCELED);
    run_now(&t->f, "COMMIT");
    CHECK_INT(count_rows(t), 1);
}

/* A deferred one has its snapshot from its first query on: it may not write
 * when another one has written since. */
static void write_elsewhere(struct step *s)
{
    raw_run(s->fixture->f.profile.path, "INSERT INTO t VALUES (99)");
}

static void a_deferred_one_reads_a_snapshot(void *data)
{
    struct tx_fixture *t = data;

    t->parts[0].tx.mode = ASQ_TX_DEFERRED;
    run(&t->parts[0], &t->steps[0], "SELECT count(*) FROM t");
    t->steps[0].then = write_elsewhere;
    expect_step(&t->steps[0], 0);
    expect_end(&t->parts[0], 0);
    CHECK_INT(count_rows(t), 1);
}

static void write_then_go_on(struct step *s)
{
    struct tx_fixture *t = s->fixture;

    raw_run(t->f.profile.path, "INSERT INTO t VALUES (100)");
    t->steps[2].verdict = 0;
    run(&t->parts[0], &t->steps[1], "SELECT count(*) FROM t");
    run(&t->parts[0], &t->steps[2], "INSERT INTO t VALUES (1)");
}

static void a_write_in_a_deferred_one_fails_at_once(void *data)
{
    struct tx_fixture *t = data;

    t->parts[0].tx.mode = ASQ_TX_DEFERRED;
    t->steps[0].then = write_then_go_on;
    run(&t->parts[0], &t->steps[0], "SELECT count(*) FROM t");
    expect_end(&t->parts[0], 0);
    CHECK_INT(asq_result_at(&t->steps[1].step.request.result, 0, 0).as.int64,
              0);
    CHECK_INT(t->steps[2].status, SQLITE_BUSY_SNAPSHOT);
    CHECK_INT(count_rows(t), 1);
}

/* COMMIT */

static int leave_half_stepped(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;
    int rc = asq_stmt_prepare(db, "INSERT INTO t VALUES (1), (2) RETURNING n",
                              ASQ_WHOLE_TEXT, &stmt);

    (void)request; /* its answer is its status */
    CHECK_INT(rc, 0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    return 0;
}

static int release_all(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    asq_stmt_release_all(db);
    return 0;
}

static void a_write_that_is_not_over_is_not_committed(void *data)
{
    struct tx_fixture *t = data;

    call(&t->parts[0], &t->steps[0], leave_half_stepped);
    expect_end(&t->parts[0], SQLITE_BUSY);
    CHECK_CONTAINS(t->parts[0].tx.message, "SQL statements in progress");
    CHECK_INT(t->parts[0].tx.outcome_unknown, 0);
    CHECK_INT(count_rows(t), 0);
    call_now(&t->f, release_all);
    CHECK_INT(count_rows(t), 0);
}

/* An interrupt lasts as long as a statement is open, and would stop the
 * ROLLBACK as well: then the database is closed, so that nobody falls into what
 * stayed open. */
static int leave_interrupted(struct asq_db *db, struct asq_request *request)
{
    (void)leave_half_stepped(db, request);
    sqlite3_interrupt(asq_db_handle(db));
    return SQLITE_INTERRUPT;
}

static void an_open_statement_may_prevent_the_rollback(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;

    call(&t->parts[0], &t->steps[0], leave_interrupted);
    expect_end(&t->parts[0], UV_ECANCELED);
    CHECK_INT(count_rows(t), 0);
    ask_init(&t->f, &ask);
    ask_sql(&ask, "INSERT INTO t VALUES (5)");
    expect(&ask, UV_ESHUTDOWN);
    asq_request_destroy(&ask.request);
}

static void a_deferred_key_fails_at_commit(void *data)
{
    struct tx_fixture *t = data;

    run_now(&t->f, "CREATE TABLE child (n REFERENCES t DEFERRABLE "
                   "INITIALLY DEFERRED)");
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run(&t->parts[0], &t->steps[1], "INSERT INTO child VALUES (9)");
    expect_end(&t->parts[0], SQLITE_CONSTRAINT_FOREIGNKEY);
    CHECK_CONTAINS(t->parts[0].tx.message, "FOREIGN KEY");
    CHECK_INT(t->steps[1].status, 0);
    CHECK_INT(count_rows(t), 0);
    run(&t->parts[0], &t->steps[1], "INSERT INTO child VALUES (9)");
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (9)");
    expect_end(&t->parts[0], 0);
    CHECK_INT(count_rows(t), 1);
}

/* The file changes hands between journal and readers. */
static void commit_waits_for_a_reader_in_vain(void *data)
{
    struct tx_fixture *t = data;
    sqlite3 *reader = raw_open(t->f.profile.path);

    close_conn(&t->f);
    raw_do(reader, "PRAGMA journal_mode=DELETE");
    init_again(&t->f);
    t->f.profile.busy_ms = 1;
    t->f.profile.wal = false;
    open_conn(&t->f);
    raw_do(reader, "BEGIN; SELECT * FROM t");
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[0], SQLITE_BUSY);
    CHECK_INT(t->steps[0].status, 0);
    raw_do(reader, "COMMIT");
    CHECK_INT(count_rows(t), 0);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[0], 0);
    CHECK_INT(count_rows(t), 1);
    raw_close(reader);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(a_statement_may_roll_back_everything),
    CASE(a_trigger_may_roll_back_everything),
    CASE(an_interrupt_may_roll_back_everything),
    CASE(an_interrupted_query_may_be_tolerated),
    CASE(a_step_must_not_commit),
    CASE(a_step_must_not_roll_back),
    CASE(a_step_must_not_begin),
    CASE(begin_waits_for_the_lock_in_vain),
    CASE(what_another_one_began_is_left_alone),
    CASE(a_deferred_one_reads_a_snapshot),
    CASE(a_write_in_a_deferred_one_fails_at_once),
    CASE(a_write_that_is_not_over_is_not_committed),
    CASE(an_open_statement_may_prevent_the_rollback),
    CASE(a_deferred_key_fails_at_commit),
    CASE(commit_waits_for_a_reader_in_vain),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_undone",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = tx_set_up,
                                      .tear_down = tx_tear_down};
