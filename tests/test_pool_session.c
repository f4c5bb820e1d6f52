/* test_pool_session - the next borrower finds a connection as it was opened */
#include "pool_fixture.h"

#include <stdio.h>

/* P8 */
static void a_transaction_is_rolled_back(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    borrow(f, &a, "a");
    run_on(&a, "BEGIN IMMEDIATE");
    run_on(&a, "INSERT INTO t VALUES (1)");
    end_borrower(&a);
    borrow(f, &b, "b");
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM t"), 0);
    run_on(&b, "BEGIN IMMEDIATE"); /* none is open */
    run_on(&b, "COMMIT");
    end_borrower(&b);
    CHECK_INT(stats_of(f).undone, 1);
    CHECK_INT(stats_of(f).replaced, 0);
    CHECK_INT(stats_of(f).opened, 1);
}

static void a_clean_one_goes_on_at_once(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    borrow(f, &a, "a");
    run_on(&a, "BEGIN IMMEDIATE");
    run_on(&a, "INSERT INTO t VALUES (1)");
    run_on(&a, "COMMIT");
    init(f, &b, "b");
    acquire(&b);
    release(&a);
    CHECK_INT(b.loan.state, ASQ_LOAN_DUE); /* no trip to the worker */
    expect_loan(&b, 0);
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM t"), 1);
    CHECK_INT(stats_of(f).undone, 0);
    end_borrower(&b);
    asq_request_destroy(&a.request);
}

static void one_that_cannot_be_rolled_back_is_replaced(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    f->profile.wal = false;
    f->profile.cache_kib = 16; /* so that the transaction writes to the file */
    open_pool(f, 1);
    borrow(f, &a, "a");
    run_on(&a, "PRAGMA user_version"); /* reads, so nothing changes */
    run_on(&a, "BEGIN IMMEDIATE");
    run_on(&a, "INSERT INTO t VALUES (1)");
    CHECK_INT(a.loan.conn->left_open_now, 1);
    /* Nobody can fail ROLLBACK from outside: the database is lost instead. */
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 1);
    start_on(&a, "COMMIT");
    test_run_until(&f->loop, &a.answered);
    CHECK(a.answer != 0);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 0, 0, 0);
    end_borrower(&a);
    borrow(f, &b, "b");
    CHECK_RANGE(number_on(&b, "SELECT count(*) AS n FROM t"), 0, 1);
    end_borrower(&b);
}

/* P9 */
static void a_read_transaction_is_found_too(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    char message[256];

    open_pool(f, 1);
    borrow(f, &a, "a");
    run_on(&a, "BEGIN");
    CHECK_INT(number_on(&a, "SELECT count(*) AS n FROM t"), 0);
    end_borrower(&a);
    CHECK_INT(asq_ask_elsewhere(f->path, "INSERT INTO t VALUES (1)", NULL,
                                message, sizeof message),
              0);
    borrow(f, &b, "b");
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM t"), 1);
    end_borrower(&b);
    CHECK_INT(stats_of(f).undone, 1);
}

static struct asq_hold forgotten;

static void a_hold_that_was_forgotten_is_ended(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    borrow(f, &a, "a");
    asq_hold_init(&forgotten);
    CHECK_INT(asq_hold_begin(a.loan.conn, &forgotten), 0);
    a.request.hold = &forgotten;
    run_on(&a, "BEGIN IMMEDIATE");
    run_on(&a, "INSERT INTO t VALUES (1)");
    end_borrower(&a);
    borrow(f, &b, "b");
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM t"), 0);
    end_borrower(&b);
    CHECK_INT(stats_of(f).undone, 1);
}

/* P10: each of these changes the session. */
static const char *const changes[] = {
    "CREATE TEMP TABLE mine (a)",
    "CREATE TEMP VIEW mine AS SELECT 1",
    "CREATE TEMP TRIGGER mine AFTER INSERT ON t BEGIN SELECT 1; END",
    "ATTACH ':memory:' AS other",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA query_only(1)",
    "PRAGMA cache_size = 10",
    "PRAGMA temp_store = 2",
};

static void a_changed_one_is_replaced(void *data)
{
    struct fixture *f = data;
    const unsigned count = sizeof changes / sizeof changes[0];

    open_pool(f, 1);
    for (unsigned i = 0; i < count; i++) {
        struct borrower a, b;

        borrow(f, &a, "a");
        run_on(&a, changes[i]);
        end_borrower(&a);
        borrow(f, &b, "b");
        CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM temp.sqlite_master"),
                  0);
        CHECK_INT(number_on(&b, "SELECT foreign_keys AS n FROM "
                                "pragma_foreign_keys"),
                  1);
        CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM "
                                "pragma_database_list WHERE name = 'other'"),
                  0);
        end_borrower(&b);
        CHECK_INT(stats_of(f).replaced, i + 1);
    }
    CHECK_INT(stats_of(f).opened, count + 1);
}

static void what_only_asks_replaces_nothing(void *data)
{
    static const char *const asks[] = {
        "PRAGMA foreign_keys",
        "PRAGMA table_info(t)",
        "PRAGMA INTEGRITY_CHECK(5)",
        "PRAGMA wal_checkpoint(PASSIVE)",
        "SELECT * FROM pragma_table_info('t')",
        "CREATE TABLE other (a)",
        "CREATE INDEX an_index ON t (a)",
        "DROP INDEX an_index",
        "ANALYZE",
    };
    struct fixture *f = data;
    struct borrower a;

    open_pool(f, 1);
    borrow(f, &a, "a");
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        run_on(&a, asks[i]);
    end_borrower(&a);
    turn(f);
    CHECK_INT(stats_of(f).replaced, 0);
    CHECK_INT(stats_of(f).idle, 1);
}

static void a_run_may_not_change_the_session(void *data)
{
    struct fixture *f = data;

    open_pool(f, 1);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        run_query(f, changes[i], SQLITE_AUTH);
    run_query(f, "PRAGMA table_info(t)", 0);
    run_query(f, "INSERT INTO t VALUES (1)", 0);
    CHECK_INT(stats_of(f).replaced, 0);
    CHECK_INT(stats_of(f).opened, 1);
}

static void a_run_leaves_no_transaction(void *data)
{
    struct fixture *f = data;
    struct borrower a;

    open_pool(f, 1);
    run_query(f, "BEGIN IMMEDIATE", SQLITE_MISUSE);
    run_query(f, "INSERT INTO t VALUES (1)", 0);
    borrow(f, &a, "a");
    run_on(&a, "BEGIN IMMEDIATE"); /* a loan may */
    run_on(&a, "ROLLBACK");
    end_borrower(&a);
    run_query(f, "BEGIN IMMEDIATE", SQLITE_MISUSE); /* and a run again not */
}

/* The hook of the program runs for each, and may do what a run may not. */
static int open_with_temp(struct asq_db *db, void *data)
{
    int rc = add_stand(db, data);

    if (rc == 0)
        rc = sqlite3_exec(asq_db_handle(db),
                          "CREATE TEMP TABLE given (a); PRAGMA cache_size = 50",
                          NULL, NULL, NULL);
    return rc;
}

static void what_the_profile_does_is_no_change(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    f->profile.on_open_db = open_with_temp;
    open_pool(f, 2);
    borrow(f, &a, "a");
    borrow(f, &b, "b");
    CHECK_INT(number_on(&a, "SELECT count(*) AS n FROM given"), 0);
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM given"), 0);
    end_borrower(&a);
    end_borrower(&b);
    turn(f);
    CHECK_INT(stats_of(f).replaced, 0);
}

static int refuse_to_open(struct asq_db *db, void *data)
{
    (void)db;
    (void)data;
    return SQLITE_AUTH;
}

static void a_hook_that_fails_fails_the_loan(void *data)
{
    struct fixture *f = data;
    struct borrower a;

    f->profile.on_open_db = refuse_to_open;
    open_pool(f, 1);
    init(f, &a, "a");
    acquire(&a);
    expect_loan(&a, SQLITE_AUTH);
    CHECK_INT(stats_of(f).failed_opens, 1);
}

static void a_lost_database_is_replaced(void *data)
{
    struct fixture *f = data;
    struct query q;

    f->profile.synchronous = 2;
    open_pool(f, 1);
    run_query(f, "INSERT INTO t VALUES (1)", 0);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    start_query(f, &q, "INSERT INTO t VALUES (2)");
    test_run_until(&f->loop, &q.done);
    CHECK_INT(q.status & 0xff, SQLITE_IOERR);
    CHECK_INT(q.request.outcome_unknown, 1);
    asq_request_destroy(&q.request);
    run_query(f, "INSERT INTO t VALUES (3)", 0);
    CHECK_INT(stats_of(f).replaced, 1);
    CHECK_INT(stats_of(f).opened, 2);
}

/* A borrower need not wait for its last answers. */
static void pending_requests_keep_their_transaction(void *data)
{
    static const char *const steps[] = {"SELECT stand()", "BEGIN IMMEDIATE",
                                        "INSERT INTO t VALUES (1)",
                                        "INSERT INTO t VALUES (2)", "COMMIT"};
    enum {
        STEPS = sizeof steps / sizeof steps[0]
    };
    struct fixture *f = data;
    struct borrower a, b, parts[STEPS];

    open_pool(f, 1);
    borrow(f, &a, "a");
    for (int i = 0; i < STEPS; i++) {
        init(f, &parts[i], "part");
        parts[i].loan.conn = a.loan.conn;
        start_on(&parts[i], steps[i]);
    }
    release(&a);
    uv_sem_post(&f->gate);
    borrow(f, &b, "b");
    for (int i = 0; i < STEPS; i++) {
        CHECK_INT(parts[i].answered, 1);
        CHECK_INT(parts[i].answer, 0);
        asq_request_destroy(&parts[i].request);
    }
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM t"), 2);
    end_borrower(&b);
    CHECK_INT(stats_of(f).undone, 0);
    CHECK_INT(stats_of(f).replaced, 0);
}

static sqlite3_blob *blob;

static int open_blob(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return sqlite3_blob_open(asq_db_handle(db), "main", "b", "x", 1, 0, &blob);
}

/* Nobody but its owner can close it, and it keeps old rows in sight. */
static void one_with_an_open_blob_is_replaced(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    char message[256];

    open_pool(f, 1);
    borrow(f, &a, "a");
    run_on(&a, "CREATE TABLE b (x)");
    run_on(&a, "INSERT INTO b VALUES (zeroblob(10))");
    a.answered = 0;
    CHECK_INT(asq_conn_call(a.loan.conn, &a.request, open_blob, take_borrowed),
              0);
    test_run_until(&f->loop, &a.answered);
    CHECK_INT(a.answer, 0);
    end_borrower(&a);
    CHECK_INT(asq_ask_elsewhere(f->path, "INSERT INTO t VALUES (1)", NULL,
                                message, sizeof message),
              0);
    borrow(f, &b, "b");
    CHECK_INT(number_on(&b, "SELECT count(*) AS n FROM t"), 1);
    end_borrower(&b);
    CHECK_INT(stats_of(f).undone, 1);
    CHECK_INT(stats_of(f).replaced, 1);
    CHECK_INT(sqlite3_blob_close(blob), 0);
}

/* The next borrower must find what the hook has made, as it was made. */
static void what_the_profile_made_is_kept(void *data)
{
    static const char *const spoils[] = {
        "DROP TABLE given", "ALTER TABLE given RENAME TO taken",
        "ALTER TABLE given ADD COLUMN b", "INSERT INTO given VALUES (1)",
        "DROP TABLE temp.given"};
    const unsigned count = sizeof spoils / sizeof spoils[0];
    struct fixture *f = data;

    f->profile.on_open_db = open_with_temp;
    open_pool(f, 1);
    for (unsigned i = 0; i < count; i++) {
        struct borrower a;

        run_query(f, spoils[i], SQLITE_AUTH);
        borrow(f, &a, "a");
        run_on(&a, spoils[i]);
        end_borrower(&a);
        borrow(f, &a, "a");
        CHECK_INT(number_on(&a, "SELECT count(*) AS n FROM given"), 0);
        end_borrower(&a);
        CHECK_INT(stats_of(f).replaced, i + 1);
    }
    run_query(f, "INSERT INTO t VALUES (1)", 0);
    run_query(f, "ALTER TABLE t RENAME COLUMN a TO b", 0);
    run_query(f, "CREATE TABLE other (a)", 0);
    run_query(f, "DROP TABLE other", 0);
    CHECK_INT(stats_of(f).opened, count + 1);
}

static const struct test_case cases[] = {
    {.name = "a_transaction_is_rolled_back",
     .run = a_transaction_is_rolled_back},
    {.name = "a_clean_one_goes_on_at_once", .run = a_clean_one_goes_on_at_once},
    {.name = "one_that_cannot_be_rolled_back_is_replaced",
     .run = one_that_cannot_be_rolled_back_is_replaced},
    {.name = "a_read_transaction_is_found_too",
     .run = a_read_transaction_is_found_too},
    {.name = "a_hold_that_was_forgotten_is_ended",
     .run = a_hold_that_was_forgotten_is_ended},
    {.name = "a_changed_one_is_replaced", .run = a_changed_one_is_replaced},
    {.name = "what_only_asks_replaces_nothing",
     .run = what_only_asks_replaces_nothing},
    {.name = "a_run_may_not_change_the_session",
     .run = a_run_may_not_change_the_session},
    {.name = "a_run_leaves_no_transaction", .run = a_run_leaves_no_transaction},
    {.name = "what_the_profile_does_is_no_change",
     .run = what_the_profile_does_is_no_change},
    {.name = "a_hook_that_fails_fails_the_loan",
     .run = a_hook_that_fails_fails_the_loan},
    {.name = "a_lost_database_is_replaced", .run = a_lost_database_is_replaced},
    {.name = "pending_requests_keep_their_transaction",
     .run = pending_requests_keep_their_transaction},
    {.name = "one_with_an_open_blob_is_replaced",
     .run = one_with_an_open_blob_is_replaced},
    {.name = "what_the_profile_made_is_kept",
     .run = what_the_profile_made_is_kept},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "pool_session",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
