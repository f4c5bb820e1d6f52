/* test_conn_left - what a request leaves open is not somebody else's loss */
#include "conn_fixture.h"

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
}

static void check_left(const struct fixture *f,
                       unsigned transactions,
                       unsigned statements,
                       unsigned handles)
{
    CHECK_INT(f->conn.left_open.transactions, transactions);
    CHECK_INT(f->conn.left_open.statements, statements);
    CHECK_INT(f->conn.left_open.handles, handles);
}

static int64_t rows_of(const struct fixture *f)
{
    return raw_number(f->profile.path, "SELECT count(*) FROM t");
}

static void expect_call(struct fixture *f, asq_call_cb call, int status)
{
    struct ask ask;

    ask_init(f, &ask);
    ask_call(&ask, call);
    expect(&ask, status);
    if (status == SQLITE_MISUSE)
        CHECK_CONTAINS(ask.request.message, "left");
    asq_request_destroy(&ask.request);
}

/* Another request must not fall into it: it would be lost. */
static void a_transaction_is_rolled_back(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    ask_sql(&ask, "BEGIN IMMEDIATE");
    expect(&ask, SQLITE_MISUSE);
    run_now(f, "INSERT INTO t VALUES (1)");
    CHECK_INT(rows_of(f), 1); /* seen by others, so it is committed */
    close_conn(f);
    check_left(f, 1, 0, 0);
    asq_request_destroy(&ask.request);
}

static int begin_and_insert(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_db_run(db, "BEGIN", NULL, NULL);

    (void)request;
    return rc != 0 ? rc
                   : asq_db_run(db, "INSERT INTO t VALUES (2)", NULL, NULL);
}

static int begin_and_fail(struct asq_db *db, struct asq_request *request)
{
    int rc = begin_and_insert(db, request);

    return rc != 0 ? rc : asq_db_run(db, "INSERT INTO none", NULL, NULL);
}

static void a_function_that_does_not_commit_is_told(void *data)
{
    struct fixture *f = data;

    expect_call(f, begin_and_insert, SQLITE_MISUSE);
    expect_call(f, begin_and_fail, SQLITE_ERROR); /* its own error counts */
    run_now(f, "INSERT INTO t VALUES (1)");
    CHECK_INT(rows_of(f), 1);
    close_conn(f);
    check_left(f, 2, 0, 0);
}

static struct asq_stmt *forgotten;

static int step_once(struct asq_db *db, const char *sql)
{
    int rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &forgotten);

    if (rc == 0)
        rc = asq_stmt_step(forgotten);
    return rc == SQLITE_ROW ? 0 : rc;
}

static int forget_write(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return step_once(db, "INSERT INTO t VALUES (7), (8) RETURNING n");
}

static int forget_read(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return step_once(db, "SELECT 1 UNION ALL SELECT 2");
}

static int forget_nothing(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_run(db, "SELECT 1", NULL, NULL);
}

/* Giving it back would commit it, and the answer says that it failed. */
static void a_write_that_is_half_stepped_is_undone(void *data)
{
    struct fixture *f = data;

    expect_call(f, forget_write, SQLITE_MISUSE);
    run_now(f, "INSERT INTO t VALUES (1)");
    CHECK_INT(rows_of(f), 1);
    CHECK_INT(raw_number(f->profile.path, "SELECT n FROM t"), 1);
    close_conn(f);
    check_left(f, 0, 1, 0);
}

/* It would pin its snapshot, and with it the WAL. */
static void a_statement_is_released(void *data)
{
    struct fixture *f = data;

    expect_call(f, forget_read, SQLITE_MISUSE);
    CHECK_INT(f->conn.runner.db.open_statements, 0);
    close_conn(f);
    check_left(f, 0, 1, 0);
}

/* An SQL function that forgets a statement. */
static void
forget_inside(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count; /* there are no values */
    (void)values;
    CHECK_INT(step_once(sqlite3_user_data(context), "SELECT 1 UNION SELECT 2"),
              0);
    sqlite3_result_int(context, 1);
}

static int add_forget(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return sqlite3_create_function(asq_db_handle(db), "forget", 0, SQLITE_UTF8,
                                   db, forget_inside, NULL, NULL);
}

/* By itself, and in a read transaction that several share. */
static void a_query_may_forget_one_as_well(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    call_now(f, add_forget);
    ask_init_all(f, asks, 4);
    ask_sql(&asks[0], "SELECT forget()");
    expect(&asks[0], SQLITE_MISUSE);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    ask_sql(&asks[2], "SELECT forget()");
    ask_sql(&asks[3], "SELECT 2");
    let_go(f);
    expect(&asks[3], 0);
    CHECK_INT(asks[1].status, 0);
    CHECK_INT(asks[2].status, SQLITE_MISUSE);
    CHECK_INT(f->conn.runner.db.open_statements, 0);
    close_conn(f);
    check_left(f, 0, 2, 0);
    ask_destroy_all(asks, 4);
}

static sqlite3_stmt *raw;

static int step_raw(struct asq_db *db, struct asq_request *request)
{
    int rc = sqlite3_prepare_v2(asq_db_handle(db), "SELECT n FROM t", -1, &raw,
                                NULL);

    (void)request;
    if (rc == 0)
        rc = sqlite3_step(raw);
    return rc == SQLITE_ROW ? 0 : rc;
}

static int step_raw_again(struct asq_db *db, struct asq_request *request)
{
    int rc = sqlite3_step(raw);

    (void)db;
    (void)request;
    (void)sqlite3_reset(raw);
    return rc == SQLITE_ROW ? 0 : rc;
}

/* A function may keep statements of its own, but not in the middle. */
static void a_raw_statement_is_reset(void *data)
{
    struct fixture *f = data;

    run_now(f, "INSERT INTO t VALUES (1)");
    expect_call(f, step_raw, SQLITE_MISUSE);
    expect_call(f, step_raw_again, 0);
    close_conn(f);
    check_left(f, 0, 2, 0); /* the second time it was not finalized */
}

static sqlite3_blob *blob;

static int open_blob(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return sqlite3_blob_open(asq_db_handle(db), "main", "t", "n", 1, 0, &blob);
}

/* It cannot be undone. Its owner can still close it, even later. */
static void a_blob_handle_is_told(void *data)
{
    struct fixture *f = data;
    char byte;

    run_now(f, "INSERT INTO t VALUES (x'41')");
    expect_call(f, open_blob, SQLITE_MISUSE);
    close_conn(f);
    check_left(f, 0, 0, 1);
    CHECK_INT(sqlite3_blob_read(blob, &byte, 1, 0), 0);
    CHECK_INT(byte, 'A');
    CHECK_INT(sqlite3_blob_close(blob), 0);
}

static int close_blob(struct asq_db *db, struct asq_request *request)
{
    (void)db; /* the handle knows it */
    (void)request;
    return sqlite3_blob_close(blob);
}

/* It stays open, but whoever runs after it has not left it. */
static void a_blob_handle_is_told_once(void *data)
{
    struct fixture *f = data;

    run_now(f, "INSERT INTO t VALUES (x'41')");
    expect_call(f, open_blob, SQLITE_MISUSE);
    expect_call(f, forget_nothing, 0);
    expect_call(f, forget_read, SQLITE_MISUSE);
    expect_call(f, close_blob, 0);
    expect_call(f, open_blob, SQLITE_MISUSE);
    expect_call(f, close_blob, 0);
    close_conn(f);
    check_left(f, 0, 1, 2);
}

static void shared_tx_keeps_it_for_everybody(void *data)
{
    struct fixture *f = data;

    close_conn(f);
    init_again(f);
    f->conn.shared_tx = true;
    open_conn(f);
    run_now(f, "BEGIN");
    run_now(f, "INSERT INTO t VALUES (1)");
    CHECK_INT(rows_of(f), 0);
    run_now(f, "COMMIT");
    CHECK_INT(rows_of(f), 1);
    run_now(f, "BEGIN");
    close_conn(f);
    check_left(f, 1, 0, 0);
}

static int deny_rollback(void *data,
                         int action,
                         const char *what,
                         const char *name,
                         const char *schema,
                         const char *trigger)
{
    (void)data;
    (void)name;
    (void)schema;
    (void)trigger;
    return action == SQLITE_TRANSACTION && strcmp(what, "ROLLBACK") == 0
               ? SQLITE_DENY
               : SQLITE_OK;
}

static int set_authorizer(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return sqlite3_set_authorizer(asq_db_handle(db), deny_rollback, NULL);
}

/* Nobody may fall into a transaction that cannot be undone. */
static void what_cannot_be_undone_closes_the_database(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    call_now(f, set_authorizer);
    ask_init_all(f, asks, 2);
    ask_sql(&asks[0], "BEGIN IMMEDIATE");
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    expect(&asks[0], SQLITE_MISUSE);
    expect(&asks[1], UV_ESHUTDOWN);
    CHECK_CONTAINS(asks[1].request.message, "not authorized");
    CHECK_INT(rows_of(f), 0);
    close_conn(f);
    check_left(f, 1, 0, 0);
    ask_destroy_all(asks, 2);
}

/* Holds */

static void ask_under(struct ask *ask, struct asq_hold *hold, const char *sql)
{
    ask->request.hold = hold;
    ask_sql(ask, sql);
}

static void a_hold_may_leave_it_open_until_it_ends(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[2];
    struct ask other;

    ask_init_all(f, asks, 2);
    ask_init(f, &other);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_under(&asks[0], &hold, "BEGIN");
    expect(&asks[0], 0);
    ask_under(&asks[1], &hold, "INSERT INTO t VALUES (9)");
    ask_sql(&other, "INSERT INTO t VALUES (1)");
    expect(&asks[1], 0);
    asq_hold_end(&hold);
    expect(&other, 0);
    CHECK_INT(raw_number(f->profile.path, "SELECT sum(n) FROM t"), 1);
    close_conn(f);
    check_left(f, 1, 0, 0);
    ask_destroy_all(asks, 2);
    ask_destroy_all(&other, 1);
}

static int finish_write(struct asq_db *db, struct asq_request *request)
{
    int rc;

    (void)db;
    (void)request;
    do {
        rc = asq_stmt_step(forgotten);
    } while (rc == SQLITE_ROW);
    asq_stmt_release(forgotten);
    return rc == SQLITE_DONE ? 0 : rc;
}

/* SQLite says DONE of a write that was rolled back on the way: what undoes a
 * read transaction must not get around it. */
static void neighbours_under_a_hold_leave_a_write_alone(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[5];

    ask_init_all(f, asks, 5);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    for (int i = 0; i < 5; i++)
        asks[i].request.hold = &hold;
    hold_worker(&asks[0]);
    ask_call(&asks[1], forget_write);
    ask_sql(&asks[2], "SELECT 1");
    ask_sql(&asks[3], "SELECT 2");
    ask_call(&asks[4], finish_write);
    asq_hold_end(&hold);
    let_go(f);
    expect(&asks[4], 0);
    for (int i = 1; i < 4; i++)
        expect(&asks[i], 0);
    CHECK_INT(rows_of(f), 2);
    close_conn(f);
    check_left(f, 0, 0, 0);
    ask_destroy_all(asks, 5);
}

/* Nobody comes after it: the lock must go nevertheless. */
static void an_ended_hold_keeps_no_lock(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask ask;

    ask_init(f, &ask);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_under(&ask, &hold, "BEGIN IMMEDIATE");
    asq_hold_end(&hold); /* before it is answered */
    expect(&ask, 0);
    while (f->conn.tidying)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    raw_run(f->profile.path, "INSERT INTO t VALUES (1)");
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_under(&ask, &hold, "BEGIN IMMEDIATE");
    expect(&ask, 0);
    asq_hold_end(&hold); /* after it is answered */
    CHECK(f->conn.tidying);
    while (f->conn.tidying)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    raw_run(f->profile.path, "INSERT INTO t VALUES (1)");
    close_conn(f);
    check_left(f, 2, 0, 0);
    asq_request_destroy(&ask.request);
}

/* The next one begins anew, and is not undone for the one before. */
static void the_next_hold_is_left_alone(void *data)
{
    struct fixture *f = data;
    struct asq_hold holds[2] = {0};
    struct ask asks[5];

    ask_init_all(f, asks, 5);
    hold_worker(&asks[0]);
    for (int i = 0; i < 2; i++)
        CHECK_INT(asq_hold_begin(&f->conn, &holds[i]), 0);
    ask_under(&asks[1], &holds[0], "BEGIN IMMEDIATE");
    ask_under(&asks[2], &holds[1], "BEGIN IMMEDIATE");
    asq_hold_end(&holds[0]);
    let_go(f);
    expect(&asks[2], 0);
    while (f->conn.tidying)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    ask_under(&asks[3], &holds[1], "INSERT INTO t VALUES (1)");
    ask_under(&asks[4], &holds[1], "COMMIT");
    expect(&asks[4], 0);
    asq_hold_end(&holds[1]);
    CHECK(!f->conn.tidying);
    CHECK_INT(rows_of(f), 1);
    close_conn(f);
    check_left(f, 1, 0, 0);
    ask_destroy_all(asks, 5);
}

static void a_hold_in_the_line_cannot_begin_again(void *data)
{
    struct fixture *f = data;
    struct asq_hold holds[2] = {0};
    struct ask asks[2];

    ask_init_all(f, asks, 2);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(asq_hold_begin(&f->conn, &holds[i]), 0);
        CHECK_INT(asq_hold_begin(&f->conn, &holds[i]), UV_EBUSY);
    }
    ask_under(&asks[1], &holds[1], "INSERT INTO t VALUES (1)");
    asq_hold_end(&holds[1]);
    CHECK_INT(asq_hold_begin(&f->conn, &holds[1]), UV_EBUSY); /* unanswered */
    asq_hold_end(&holds[0]);
    expect(&asks[1], 0);
    CHECK_INT(asq_hold_begin(&f->conn, &holds[1]), 0);
    asq_hold_end(&holds[1]);
    ask_destroy_all(asks, 2);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(a_transaction_is_rolled_back),
    CASE(a_function_that_does_not_commit_is_told),
    CASE(a_write_that_is_half_stepped_is_undone),
    CASE(a_statement_is_released),
    CASE(a_query_may_forget_one_as_well),
    CASE(a_raw_statement_is_reset),
    CASE(a_blob_handle_is_told),
    CASE(a_blob_handle_is_told_once),
    CASE(shared_tx_keeps_it_for_everybody),
    CASE(what_cannot_be_undone_closes_the_database),
    CASE(a_hold_may_leave_it_open_until_it_ends),
    CASE(neighbours_under_a_hold_leave_a_write_alone),
    CASE(an_ended_hold_keeps_no_lock),
    CASE(the_next_hold_is_left_alone),
    CASE(a_hold_in_the_line_cannot_begin_again),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_left",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
