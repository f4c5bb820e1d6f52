/* test_conn_short - a function of many short statements can be stopped
 *
 * No handler is asked while a short statement runs, and SQLite forgets an
 * interrupt when the next one begins. So each is asked about before it
 * begins. The function stops at the gate in the midst of its work; whatever
 * happens there must be noticed by its very next statement.
 */
#include "conn_fixture.h"

enum {
    STATEMENTS = 1000,
    AT = 10 /* where the function stops */
};

/* What the function of this test does, and how far it came. */
static struct {
    const char *before, *sql, *after; /* once; many times; once, whatever */
    int ran, after_rc;
} work;

static int run_many(struct asq_db *db, struct asq_request *request)
{
    int rc = work.before == NULL ? 0 : asq_db_run(db, work.before, NULL, NULL);

    for (work.ran = 0; work.ran < STATEMENTS && rc == 0; work.ran += rc == 0) {
        if (work.ran == AT)
            (void)stand_at_gate(db, request);
        rc = asq_db_run(db, work.sql, NULL, NULL);
    }
    work.after_rc = -1;
    if (work.after != NULL)
        work.after_rc = asq_db_run(db, work.after, NULL, NULL);
    return rc;
}

static void set_up(void *data)
{
    conn_set_up(data);
    open_conn(data);
    run_now(data, "CREATE TABLE t (n)");
    work.sql = "INSERT INTO t VALUES (1)";
}

/* Returns with the function at the gate. */
static void start_many(struct fixture *f, struct ask *ask)
{
    ask_call(ask, run_many);
    uv_sem_wait(&f->reached);
}

static void a_cancel_is_noticed_by_the_next_one(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    start_many(f, &ask);
    asq_request_cancel(&ask.request);
    let_go(f);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_TEXT(ask.request.message, "cancelled while it ran");
    CHECK_INT(work.ran, AT);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), AT);
    asq_request_destroy(&ask.request);
}

static void a_deadline_is_noticed_by_the_next_one(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    ask.request.timeout_ms = 30;
    start_many(f, &ask);
    while (uv_hrtime() <= ask.request.deadline_ns)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* until it has passed */
    let_go(f);
    expect(&ask, UV_ETIMEDOUT);
    CHECK_INT(ask.request.timed_out_in, ASQ_PLACE_RUNNING);
    CHECK_INT(work.ran, AT);
    asq_request_destroy(&ask.request);
}

static void cancelling_the_connection_is_noticed(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    start_many(f, &ask);
    asq_conn_cancel(&f->conn);
    let_go(f);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_INT(work.ran, AT);
    asq_request_destroy(&ask.request);
}

/* Without a cancel a close lets it finish, as it says. */
static void a_close_lets_it_finish(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    start_many(f, &ask);
    start_close(f);
    let_go(f);
    expect(&ask, 0);
    CHECK_INT(work.ran, STATEMENTS);
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"),
              STATEMENTS);
    asq_request_destroy(&ask.request);
}

/* What ends a transaction always runs, or it would stay open. */
static void the_end_of_a_transaction_always_runs(void *data)
{
    static const char *const ends[] = {"COMMIT", "ROLLBACK"};
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    work.before = "BEGIN";
    for (int i = 0; i < 2; i++) {
        work.after = ends[i];
        start_many(f, &ask);
        asq_request_cancel(&ask.request);
        let_go(f);
        expect(&ask, SQLITE_INTERRUPT);
        CHECK_INT(work.after_rc, 0);
        CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), AT);
    }
    CHECK_INT(f->conn.runner.cleaner.left.transactions, 0);
    asq_request_destroy(&ask.request);
}

/* A transaction is not begun any more. */
static void short_transactions_are_stopped(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    work.sql = "BEGIN";
    work.before = "SELECT 1";
    work.after = "INSERT INTO t VALUES (2)"; /* nor a statement alone */
    ask_call(&ask, run_many);
    expect(&ask, SQLITE_ERROR); /* two BEGINs: the function as such works */
    work.sql = "SELECT n FROM t";
    start_many(f, &ask);
    asq_request_cancel(&ask.request);
    let_go(f);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_INT(work.after_rc, SQLITE_INTERRUPT);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    asq_request_destroy(&ask.request);
}

/* SQLite clears an interrupt when the next statement begins. */
static void a_script_is_stopped_and_undone(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    f->conn.observe = NULL;
    ask_init(f, &ask);
    CHECK_INT(asq_conn_script(&f->conn, &ask.request, NULL, on_answer),
              UV_EINVAL);
    ask.request.timeout_ms = 20;
    CHECK_INT(asq_conn_script(&f->conn, &ask.request,
                              "INSERT INTO t VALUES (3);" ENDLESS
                              "; INSERT INTO t VALUES (4)",
                              on_answer),
              0);
    expect(&ask, UV_ETIMEDOUT);
    CHECK_INT(ask.request.failed_statement, 2);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    asq_request_destroy(&ask.request);
}

static void a_script_is_all_or_nothing(void *data)
{
    static const char *const scripts[] = {
        "CREATE TABLE u (a UNIQUE); INSERT INTO u VALUES (1);"
        "INSERT INTO t SELECT a FROM u",
        "INSERT INTO t VALUES (5); INSERT INTO u VALUES (1); SELECT 1"};
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(
            asq_conn_script(&f->conn, &ask.request, scripts[i], on_answer), 0);
        ask.done = 0;
        expect(&ask, i == 0 ? 0 : SQLITE_CONSTRAINT_UNIQUE);
        CHECK_INT(ask_number(f, "SELECT sum(n) FROM t"), 1);
    }
    CHECK_INT(ask.request.failed_statement, 2);
    CHECK_CONTAINS(ask.request.message, "statement 2: ");
    asq_request_destroy(&ask.request);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(a_cancel_is_noticed_by_the_next_one),
    CASE(a_deadline_is_noticed_by_the_next_one),
    CASE(cancelling_the_connection_is_noticed),
    CASE(a_close_lets_it_finish),
    CASE(the_end_of_a_transaction_always_runs),
    CASE(short_transactions_are_stopped),
    CASE(a_script_is_stopped_and_undone),
    CASE(a_script_is_all_or_nothing),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_short",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
