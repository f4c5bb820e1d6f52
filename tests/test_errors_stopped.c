/* test_errors_stopped - locks, cancels, deadlines, full queues, for real */
#include "errors_fixture.h"

static const struct expected busy = {SQLITE_BUSY, ASQ_ERROR_BUSY,
                                     ASQ_REMEDY_RETRY, ""};
static const struct expected never_ran = {UV_ECANCELED, ASQ_ERROR_CANCELLED,
                                          ASQ_REMEDY_STOP, ""};
static const struct expected late = {UV_ETIMEDOUT, ASQ_ERROR_DEADLINE,
                                     ASQ_REMEDY_STOP, ""};

static void open_table(struct fixture *f)
{
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    run_now(f, "INSERT INTO t VALUES (1)");
}

/* Locks */

static void busy_with_a_lock_of_another(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    f->profile.busy_ms = 1;
    open_table(f);
    other = raw_open(f->profile.path);
    raw_do(other, "BEGIN IMMEDIATE");
    sql_fails(f, "INSERT INTO t VALUES (2)", &busy);
    sql_fails(f, "BEGIN IMMEDIATE", &busy);
    raw_close(other);
}

static void busy_with_an_old_snapshot(void *data)
{
    static const struct expected snapshot = {SQLITE_BUSY_SNAPSHOT,
                                             ASQ_ERROR_BUSY_SNAPSHOT,
                                             ASQ_REMEDY_RETRY_ALL, ""};
    struct fixture *f = data;

    open_table(f);
    share_tx(f);
    run_now(f, "BEGIN");
    run_now(f, "SELECT n FROM t");
    raw_run(f->profile.path, "INSERT INTO t VALUES (2)");
    sql_fails(f, "INSERT INTO t VALUES (3)", &snapshot);
    sql_fails(f, "INSERT INTO t VALUES (3)", &snapshot); /* not by waiting */
    run_now(f, "ROLLBACK");
    run_now(f, "INSERT INTO t VALUES (3)");
}

static int drop_under_a_query(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;
    int rc = asq_stmt_prepare(db, "SELECT n FROM t", ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_stmt_step(stmt);
    if (rc == SQLITE_ROW)
        rc = asq_db_run(db, "DROP TABLE t", NULL, &request->result);
    asq_stmt_release(stmt);
    return rc;
}

static void locked_by_a_statement_of_its_own(void *data)
{
    static const struct expected locked = {SQLITE_LOCKED, ASQ_ERROR_LOCKED,
                                           ASQ_REMEDY_FIX, ""};
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask_call(&ask, drop_under_a_query);
    expect_error(&ask, &locked);
    asq_request_destroy(&ask.request);
    run_now(f, "DROP TABLE t");
}

static sqlite3 *open_shared(void)
{
    sqlite3 *db;

    CHECK_INT(sqlite3_open_v2("file:shared?mode=memory&cache=shared", &db,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                  SQLITE_OPEN_URI,
                              NULL),
              0);
    return db;
}

/* No conn opens a shared cache; who does meets another connection's lock. */
static void busy_in_a_shared_cache(void *data)
{
    sqlite3 *a, *b;
    int rc;

    (void)data;
    if (sqlite3_compileoption_used("OMIT_SHARED_CACHE"))
        test_skip("this SQLite has no shared cache");
    a = open_shared();
    b = open_shared();
    raw_do(a, "CREATE TABLE t (n); BEGIN; INSERT INTO t VALUES (1)");
    rc = sqlite3_exec(b, "SELECT n FROM t", NULL, NULL, NULL);
    CHECK_INT(rc & 0xff, SQLITE_LOCKED);
    CHECK_INT(sqlite3_extended_errcode(b), SQLITE_LOCKED_SHAREDCACHE);
    check_error(
        asq_error_of_code(sqlite3_extended_errcode(b), sqlite3_errmsg(b)),
        &busy);
    raw_close(b);
    raw_close(a);
}

/* Cancels */

static void cancelled_before_and_while_it_ran(void *data)
{
    static const struct expected interrupted = {
        SQLITE_INTERRUPT, ASQ_ERROR_CANCELLED, ASQ_REMEDY_STOP, ""};
    struct fixture *f = data;
    struct ask asks[2];

    f->conn.observe = stand_if_marked;
    open_table(f);
    ask_init_all(f, asks, 2);
    f->marked = &asks[0].request;
    ask_sql(&asks[0], ENDLESS);
    ask_sql(&asks[1], "SELECT n FROM t");
    uv_sem_wait(&f->reached);
    asq_request_cancel(&asks[0].request);
    asq_request_cancel(&asks[1].request);
    let_go(f);
    expect_error(&asks[0], &interrupted);
    expect_error(&asks[1], &never_ran);
    ask_destroy_all(asks, 2);
}

/* Deadlines: on a busy machine it may pass in the queue already. */
static void time_out(struct fixture *f, const char *sql, const char *place)
{
    struct ask ask;
    const char *name;

    ask_init(f, &ask);
    ask.request.timeout_ms = 20;
    for (int i = 0; i < 50; i++) {
        ask_sql(&ask, sql);
        expect_error(&ask, &late);
        name = asq_place_name(ask.request.timed_out_in);
        if (strcmp(name, place) == 0)
            break;
        CHECK_TEXT(name, "queue");
    }
    CHECK_TEXT(asq_place_name(ask.request.timed_out_in), place);
    asq_request_destroy(&ask.request);
}

static void a_deadline_says_where(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];
    sqlite3 *other;

    f->profile.busy_ms = 3600000;
    open_table(f);
    ask_init_all(f, asks, 2);
    hold_worker(&asks[0]);
    asks[1].request.timeout_ms = 1;
    ask_sql(&asks[1], "SELECT n FROM t");
    while (uv_hrtime() < asks[1].request.deadline_ns)
        continue;
    let_go(f);
    expect_error(&asks[1], &late);
    CHECK_TEXT(asq_place_name(asks[1].request.timed_out_in), "queue");
    ask_destroy_all(asks, 2);
    time_out(f, ENDLESS, "running");
    other = raw_open(f->profile.path);
    raw_do(other, "BEGIN IMMEDIATE");
    time_out(f, "INSERT INTO t VALUES (2)", "lock");
    raw_close(other);
}

/* The queue, the end */

static void check_submit(struct ask *ask, const struct expected *expected)
{
    int rc = try_sql(ask, "SELECT 1");

    CHECK_INT(rc, expected->status);
    check_error(asq_error_of_code(rc, NULL), expected);
}

static void submit_refuses(void *data)
{
    static const struct expected full = {UV_ENOBUFS, ASQ_ERROR_QUEUE_FULL,
                                         ASQ_REMEDY_RETRY, ""};
    static const struct expected pending = {UV_EINVAL, ASQ_ERROR_MISUSE,
                                            ASQ_REMEDY_FIX, ""};
    static const struct expected closing = {
        UV_ESHUTDOWN, ASQ_ERROR_SHUTTING_DOWN, ASQ_REMEDY_STOP, ""};
    struct fixture *f = data;
    struct ask asks[3];

    f->conn.capacity = 2;
    open_table(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    check_submit(&asks[2], &full);
    check_submit(&asks[1], &pending);
    start_close(f);
    check_submit(&asks[2], &closing);
    let_go(f);
    expect(&asks[0], 0);
    expect_error(&asks[1], &never_ran); /* close finds it in the queue */
    ask_destroy_all(asks, 3);
}

static const struct test_case cases[] = {
    {.name = "busy_with_a_lock_of_another", .run = busy_with_a_lock_of_another},
    {.name = "busy_with_an_old_snapshot", .run = busy_with_an_old_snapshot},
    {.name = "locked_by_a_statement_of_its_own",
     .run = locked_by_a_statement_of_its_own},
    {.name = "busy_in_a_shared_cache", .run = busy_in_a_shared_cache},
    {.name = "cancelled_before_and_while_it_ran",
     .run = cancelled_before_and_while_it_ran},
    {.name = "a_deadline_says_where", .run = a_deadline_says_where},
    {.name = "submit_refuses", .run = submit_refuses},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "errors_stopped",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
