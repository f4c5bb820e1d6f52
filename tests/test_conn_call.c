/* test_conn_call - functions on the worker, and the observer */
#include "conn_fixture.h"

#include <stdio.h>

static uv_thread_t worker_thread; /* that ran the last call */
static struct asq_stmt *left_open;

static int add_rows(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_db_run(db, "INSERT INTO t VALUES (1), (2)", NULL, NULL);

    worker_thread = uv_thread_self();
    if (rc == 0)
        rc = asq_db_run(db, "SELECT sum(n) FROM t", NULL, &request->result);
    return rc;
}

static int fail_in_sql(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* the connection has the message */
    return asq_db_run(db, "SELECT missing", NULL, NULL);
}

static int fail_with_message(struct asq_db *db, struct asq_request *request)
{
    (void)db; /* it is no matter of the database */
    (void)snprintf(request->message, sizeof request->message, "not today");
    return SQLITE_ABORT;
}

static int fail_silently(struct asq_db *db, struct asq_request *request)
{
    (void)db; /* it is no matter of the database */
    (void)request;
    return SQLITE_MISMATCH;
}

static void open_table(struct fixture *f)
{
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
}

static void a_function_runs_on_the_worker(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    uv_thread_t before;

    open_table(f);
    ask_init(f, &ask);
    ask_call(&ask, add_rows);
    expect(&ask, 0);
    CHECK_INT(number_of(&ask), 3);
    before = worker_thread;
    CHECK(!uv_thread_equal(&before, &f->loop_thread));
    ask_call(&ask, add_rows);
    expect(&ask, 0);
    CHECK_INT(number_of(&ask), 6);
    CHECK(uv_thread_equal(&before, &worker_thread));
    asq_request_destroy(&ask.request);
}

static void its_status_and_message_are_handed_on(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask_call(&ask, fail_in_sql);
    expect(&ask, SQLITE_ERROR);
    CHECK_TEXT(ask.request.message, "no such column: missing");
    ask_call(&ask, fail_with_message);
    expect(&ask, SQLITE_ABORT);
    CHECK_TEXT(ask.request.message, "not today");
    asq_request_destroy(&ask.request);
}

/* An error that the database knows nothing of must not get the message of
 * the last one that it knew. */
static void an_old_message_is_not_used_again(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask_call(&ask, fail_in_sql);
    expect(&ask, SQLITE_ERROR);
    ask_call(&ask, fail_silently);
    expect(&ask, SQLITE_MISMATCH);
    CHECK_TEXT(ask.request.message, sqlite3_errstr(SQLITE_MISMATCH));
    asq_request_destroy(&ask.request);
}

/* The first error was dealt with, and the code is the function's own. */
static int fail_by_itself(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    (void)asq_db_run(db, "SELECT missing", NULL, NULL);
    return SQLITE_ABORT;
}

static int fail_as_libuv(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    (void)asq_db_run(db, "SELECT missing", NULL, NULL);
    return UV_ENOENT;
}

static void a_code_of_its_own_has_no_message_of_sqlite(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask_call(&ask, fail_by_itself);
    expect(&ask, SQLITE_ABORT);
    CHECK_TEXT(ask.request.message, sqlite3_errstr(SQLITE_ABORT));
    ask_call(&ask, fail_as_libuv);
    expect(&ask, UV_ENOENT);
    CHECK_TEXT(ask.request.message, uv_strerror(UV_ENOENT));
    asq_request_destroy(&ask.request);
}

/* Cancel */

static int run_two(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;
    int rc;

    uv_sem_post(&ask->fixture->reached);
    rc = asq_db_run(db, ENDLESS, NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(db, "INSERT INTO t VALUES (1)", NULL, NULL);
    return rc;
}

static int run_two_regardless(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    uv_sem_post(&ask->fixture->reached);
    for (int i = 0; i < 2; i++) {
        if (asq_db_run(db, i == 0 ? ENDLESS : "INSERT INTO t VALUES (1)", NULL,
                       NULL) != SQLITE_INTERRUPT)
            return SQLITE_INTERNAL;
    }
    return 0;
}

static void a_cancelled_function_decides_what_to_do(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask_call(&ask, run_two);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&ask.request);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    ask_call(&ask, run_two_regardless);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&ask.request);
    expect(&ask, 0); /* what it says; but no statement of it ran any more */
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    asq_request_destroy(&ask.request);
}

/* Statements that stay open under a hold */

static int open_query(struct asq_db *db, struct asq_request *request)
{
    int rc =
        asq_stmt_prepare(db, "SELECT n FROM t", ASQ_WHOLE_TEXT, &left_open);

    (void)request; /* the rows come later */
    return rc != 0 ? rc : asq_stmt_bind(left_open, NULL);
}

static int next_row(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_stmt_step(left_open);
    struct asq_value value;

    (void)db; /* the statement knows it */
    if (rc != SQLITE_ROW)
        return rc;
    value = asq_stmt_value(left_open, 0);
    request->result.columns = 1;
    /* A name, then the cell; there is memory for two cells. */
    rc = asq_result_add(&request->result, &(struct asq_value){0});
    return rc != 0 ? rc : asq_result_add(&request->result, &value);
}

static void what_a_hold_leaves_open_is_closed_by_close(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask ask;

    open_table(f);
    call_now(f, add_rows);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_init(f, &ask);
    ask.request.hold = &hold;
    ask_call(&ask, open_query);
    expect(&ask, 0);
    for (int i = 1; i <= 2; i++) {
        ask_call(&ask, next_row);
        expect(&ask, 0);
        CHECK_INT(number_of(&ask), i);
        ask_sql(&ask, "SELECT count(*) FROM t"); /* beside it */
        expect(&ask, 0);
        CHECK_INT(number_of(&ask), 2);
    }
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "PRAGMA wal_checkpoint"), 0);
    asq_request_destroy(&ask.request);
}

/* The observer */

static struct {
    const struct asq_request *now;
    unsigned starts, ends;
    uv_thread_t thread;
    int status;
} seen;

static void observe(struct asq_conn *conn,
                    const struct asq_request *request,
                    enum asq_event event)
{
    CHECK(conn->data != NULL);
    CHECK(request->started_ns > 0);
    seen.thread = uv_thread_self();
    if (event == ASQ_EVENT_START) {
        CHECK(seen.now == NULL);
        CHECK_INT(request->ended_ns, 0);
        seen.now = request;
        seen.starts++;
    } else {
        CHECK(seen.now == request);
        CHECK(request->ended_ns >= request->started_ns);
        seen.now = NULL;
        seen.ends++;
        seen.status = request->status;
    }
}

static void the_observer_sees_what_runs(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];

    f->conn.observe = observe;
    open_table(f);
    CHECK_INT(seen.ends, 1);
    ask_init_all(f, asks, 5);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    ask_sql(&asks[2], "SELECT 2");
    ask_sql(&asks[3], "SELECT 3"); /* cancelled: not seen */
    asq_request_cancel(&asks[3].request);
    ask_sql(&asks[4], "nonsense");
    let_go(f);
    expect(&asks[4], SQLITE_ERROR);
    CHECK_INT(seen.starts, 5);
    CHECK_INT(seen.ends, 5);
    CHECK_INT(seen.status, SQLITE_ERROR);
    CHECK(!uv_thread_equal(&seen.thread, &f->loop_thread));
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1"); /* closed before it runs: not seen */
    start_close(f);
    let_go(f);
    close_conn(f);
    CHECK_INT(seen.starts, 6);
    CHECK_INT(seen.ends, 6);
    ask_destroy_all(asks, 5);
}

static const struct test_case cases[] = {
    {.name = "a_code_of_its_own_has_no_message_of_sqlite",
     .run = a_code_of_its_own_has_no_message_of_sqlite},
    {.name = "a_function_runs_on_the_worker",
     .run = a_function_runs_on_the_worker},
    {.name = "its_status_and_message_are_handed_on",
     .run = its_status_and_message_are_handed_on},
    {.name = "an_old_message_is_not_used_again",
     .run = an_old_message_is_not_used_again},
    {.name = "a_cancelled_function_decides_what_to_do",
     .run = a_cancelled_function_decides_what_to_do},
    {.name = "what_a_hold_leaves_open_is_closed_by_close",
     .run = what_a_hold_leaves_open_is_closed_by_close},
    {.name = "the_observer_sees_what_runs", .run = the_observer_sees_what_runs},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_call",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
