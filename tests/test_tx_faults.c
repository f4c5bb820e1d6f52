/* test_tx_faults - no memory and no disk at any moment of a transaction
 *
 * A transaction of rows 1 to 4: 2 in a savepoint that is rolled back, 3 in one
 * that is released, then an index and 4. Behind it another one writes 100.
 * Whatever goes wrong on the way, what both are told must be what the file
 * then holds.
 */
#include "common/slow_disk.h"
#include "disk_faults.h"
#include "tx_fixture.h"

static void set_up(void *data)
{
    struct tx_fixture *t = data;

    tx_prepare(t);
    CHECK_INT(asq_slow_disk_register(), 0);
    t->f.profile.vfs = ASQ_SLOW_DISK;
    t->f.profile.synchronous = 2; /* so that every commit is synced */
}

static void tear_down(void *data)
{
    struct tx_fixture *t = data;

    if (t->f.opened > 0)
        tx_tear_down(t);
    else
        conn_tear_down(&t->f);
}

/* What has been given up takes no more steps. */
static void submit_more(struct part *part, struct step *s, const char *sql)
{
    int rc = try_step(part, s, sql);

    CHECK(rc == 0 || rc == UV_ECANCELED || rc == UV_ESHUTDOWN);
}

static void go_on_outside(struct part *part)
{
    struct tx_fixture *t = part->fixture;

    part->then = NULL;
    submit_more(&t->parts[0], &t->steps[3], "CREATE INDEX i ON t (v)");
    submit_more(&t->parts[0], &t->steps[4],
                "INSERT INTO t VALUES (4, randomblob(3000))");
}

static void go_on_inside(struct part *part)
{
    struct tx_fixture *t = part->fixture;

    part->then = go_on_outside;
    t->steps[2].verdict = AS_STATUS;
    submit_more(part, &t->steps[2], "INSERT INTO t VALUES (3, NULL)");
}

static void submit_all(struct tx_fixture *t)
{
    t->parts[1].then = go_on_inside;
    run(&t->parts[0], &t->steps[0],
        "INSERT INTO t VALUES (1, randomblob(3000))");
    t->steps[1].verdict = 42;
    run(&t->parts[1], &t->steps[1],
        "INSERT INTO t VALUES (2, randomblob(3000))");
}

/* Opens, makes the table, runs both, closes. */
static void live(struct tx_fixture *t, struct ask asks[static 2])
{
    ask_init_all(&t->f, asks, 2);
    start_open(&t->f);
    ask_sql(&asks[0], "CREATE TABLE t (n INTEGER PRIMARY KEY, v)");
    submit_all(t);
    ask_sql(&asks[1], "INSERT INTO t VALUES (100, NULL)");
    wait_for(&asks[1]);
    test_run_until(&t->f.loop, &t->parts[0].ended);
    close_conn(&t->f);
    CHECK_INT(t->parts[0].ended, 1);
    t->parts[0].ended = 0;
    t->parts[1].ended = 0;
    ask_destroy_all(asks, 2);
    for (int i = 0; i < STEPS; i++) {
        asq_tx_step_destroy(&t->steps[i].step);
        init_step(t, &t->steps[i]);
    }
    init_again(&t->f);
    t->f.conn.observe = observe_tx;
}

static void check_life(struct tx_fixture *t, const struct ask asks[static 2])
{
    const struct part *part = &t->parts[0];
    sqlite3 *db = raw_open(t->f.profile.path);

    if (raw_ask(db, "SELECT count(*) FROM sqlite_schema") == 0) {
        CHECK(part->status != 0 && asks[1].status != 0);
    } else {
        int64_t rows = raw_ask(db, "SELECT count(*) FROM t WHERE n < 100");
        int64_t with = 2 + (t->parts[1].status == 0);

        CHECK_INT(raw_ask(db, "SELECT count(*) FROM t WHERE n = 2"), 0);
        CHECK_INT(raw_ask(db, "SELECT count(*) FROM sqlite_schema "
                              "WHERE name = 'i'"),
                  rows > 0);
        if (part->tx.outcome_unknown)
            CHECK(rows == 0 || rows == with);
        else
            CHECK_INT(rows, part->status == 0 ? with : 0);
        rows = raw_ask(db, "SELECT count(*) FROM t WHERE n = 100");
        if (asks[1].request.outcome_unknown)
            CHECK_RANGE(rows, 0, 1);
        else
            CHECK_INT(rows, asks[1].status == 0);
    }
    raw_close(db);
    check_integrity(t->f.profile.path);
}

static void fail_each_allocation(struct tx_fixture *t, int keep)
{
    struct ask asks[2];
    int64_t held;
    uint64_t nth = 0;
    int failed;

    t->f.profile.vfs = NULL;
    live(t, asks); /* what SQLite allocates once and keeps */
    check_life(t, asks);
    CHECK_INT(t->parts[0].status, 0);
    held = test_alloc_held();
    do {
        nth++;
        remove_files(t->f.profile.path);
        test_alloc_fail_at(TEST_ALLOC_ALL, nth, keep);
        live(t, asks);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        CHECK_INT(test_alloc_held(), held);
        check_life(t, asks);
    } while (failed);
    CHECK(nth > 100);
    CHECK_INT(t->parts[0].status, 0);
}

static void one_allocation_may_fail(void *data)
{
    fail_each_allocation(data, 0);
}

static void all_that_follow_may_fail(void *data)
{
    fail_each_allocation(data, 1);
}

/* From each allocation on there is no memory until the transaction is over:
 * not even for a ROLLBACK, which the index has made out of date. What comes
 * then must not fall into it. */
static void a_transaction_is_never_left_open(void *data)
{
    struct tx_fixture *t = data;
    struct ask ask;
    uint64_t nth = 0;
    int failed;

    t->f.profile.vfs = NULL;
    t->f.profile.statements = 0; /* everything is prepared anew */
    ask_init(&t->f, &ask);
    do {
        int64_t rows;

        remove_files(t->f.profile.path);
        open_conn(&t->f);
        run_now(&t->f, "CREATE TABLE t (n INTEGER PRIMARY KEY, v)");
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, ++nth, 1);
        submit_all(t);
        test_run_until(&t->f.loop, &t->parts[0].ended);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        t->parts[0].ended = 0;
        t->parts[1].ended = 0;
        rows = t->parts[0].status != 0 ? 0 : 2 + (t->parts[1].status == 0);
        if (try_sql(&ask, "INSERT INTO t VALUES (100, NULL)") == 0) {
            wait_for(&ask);
            if (ask.status != 0)
                CHECK_INT(ask.status, UV_ESHUTDOWN);
            rows += ask.status == 0;
        }
        CHECK_INT(t->parts[0].tx.outcome_unknown, 0);
        CHECK_INT(count_rows(t), rows);
        close_conn(&t->f);
        init_again(&t->f);
        t->f.conn.observe = observe_tx;
    } while (failed);
    CHECK(nth > 10);
    CHECK_INT(t->parts[0].status, 0);
    asq_request_destroy(&ask.request);
}

static void
fail_each_op(struct tx_fixture *t, enum asq_disk_op op, int code, int keep)
{
    struct ask asks[2];
    uint64_t nth = 0;
    uint64_t ops;

    do {
        nth++;
        remove_files(t->f.profile.path);
        asq_slow_disk_reset();
        asq_slow_disk_fail(op, nth, code, keep);
        live(t, asks);
        ops = asq_slow_disk_count(op);
        asq_slow_disk_reset();
        check_life(t, asks);
    } while (nth <= ops);
    CHECK(nth > 1);
    CHECK_INT(t->parts[0].status, 0);
}

static void fail_all_ops(struct tx_fixture *t)
{
    for (size_t i = 0; i < DISK_FAULTS; i++) {
        for (int keep = 0; keep < 2; keep++)
            fail_each_op(t, disk_faults[i].op, disk_faults[i].code, keep);
    }
}

static void every_op_may_fail(void *data)
{
    fail_all_ops(data);
}

static void every_op_may_fail_without_wal(void *data)
{
    struct tx_fixture *t = data;

    t->f.profile.wal = false;
    fail_all_ops(t);
}

static void open_table(struct tx_fixture *t)
{
    open_conn(&t->f);
    run_now(&t->f, "CREATE TABLE t (n INTEGER PRIMARY KEY)");
}

static void a_commit_that_is_not_synced_is_unknown(void *data)
{
    struct tx_fixture *t = data;

    open_table(t);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    run(&t->parts[1], &t->steps[0], "INSERT INTO t VALUES (1)");
    expect_end(&t->parts[1], 0);
    expect_end(&t->parts[0], SQLITE_IOERR_FSYNC);
    CHECK_INT(t->parts[0].tx.outcome_unknown, 1);
    CHECK_INT(try_step(&t->parts[0], &t->steps[0], "SELECT 1"), UV_ESHUTDOWN);
    close_conn(&t->f);
    CHECK_RANGE(count_rows(t), 0, 1);
}

/* Whoever gives up while COMMIT waits for the disk comes too late. */
static void a_commit_that_has_begun_is_too_far(void *data)
{
    struct tx_fixture *t = data;

    open_table(t);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run_until_committing(&t->parts[0]);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    asq_tx_fail(&t->parts[0].tx, UV_ECANCELED);
    CHECK_INT(try_step(&t->parts[0], &t->steps[1], "SELECT 1"), UV_ECANCELED);
    asq_slow_disk_open_gate();
    expect_end(&t->parts[0], 0);
    CHECK_TEXT(t->parts[0].tx.message, "");
    CHECK_INT(count_rows(t), 1);
}

static void close_lets_a_commit_finish(void *data)
{
    struct tx_fixture *t = data;

    open_table(t);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run_until_committing(&t->parts[0]);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    start_close(&t->f);
    asq_slow_disk_open_gate();
    expect_end(&t->parts[0], 0);
    close_conn(&t->f);
    CHECK_INT(count_rows(t), 1);
}

static void so_does_cancel(void *data)
{
    struct tx_fixture *t = data;

    open_table(t);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    run(&t->parts[0], &t->steps[0], "INSERT INTO t VALUES (1)");
    run_until_committing(&t->parts[0]);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    asq_conn_cancel(&t->f.conn);
    asq_slow_disk_open_gate();
    expect_end(&t->parts[0], 0);
    CHECK_INT(count_rows(t), 1);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(one_allocation_may_fail),
    CASE(all_that_follow_may_fail),
    CASE(a_transaction_is_never_left_open),
    CASE(every_op_may_fail),
    CASE(every_op_may_fail_without_wal),
    CASE(a_commit_that_is_not_synced_is_unknown),
    CASE(a_commit_that_has_begun_is_too_far),
    CASE(close_lets_a_commit_finish),
    CASE(so_does_cancel),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "tx_faults",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct tx_fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
