/* test_conn_cancel - what waits is not run, what runs is stopped and undone */
#include "conn_fixture.h"

/* Posts `reached` when it has been called with 1,000. */
static void
tell_at_1000(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count; /* it is always one */
    if (sqlite3_value_int(values[0]) == 1000)
        uv_sem_post(&f->reached);
    sqlite3_result_value(context, values[0]);
}

static int add_function(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_create_function(asq_db_handle(db), "tell", 1, SQLITE_UTF8,
                                   ask->fixture, tell_at_1000, NULL, NULL);
}

/* Writes for ever, and tells when it has begun. */
static const char WRITE_ENDLESS[] =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "INSERT INTO t SELECT tell(x) FROM n";
static const char READ_ENDLESS[] =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT max(tell(x)) FROM n";

static void open_table(struct fixture *f)
{
    f->conn.observe = stand_if_marked;
    open_conn(f);
    call_now(f, add_function);
    run_now(f, "CREATE TABLE t (n)");
}

static void what_waits_is_not_run(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_table(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[2], "SELECT count(*) FROM t");
    asq_request_cancel(&asks[1].request);
    asq_request_cancel(&asks[1].request);
    let_go(f);
    expect(&asks[2], 0);
    CHECK_INT(asks[1].status, UV_ECANCELED);
    CHECK_INT(asks[1].request.started_ns, 0);
    CHECK_INT(number_of(&asks[2]), 0);
    ask_destroy_all(asks, 3);
}

static void what_runs_is_interrupted(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask_sql(&ask, READ_ENDLESS);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&ask.request);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_TEXT(ask.request.message, "cancelled while it ran");
    CHECK_INT(ask.request.timed_out_in, ASQ_PLACE_NONE);
    CHECK(ask.request.started_ns > 0);
    CHECK_INT(ask.request.result.rows, 0);
    ask_sql(&ask, LONG); /* the cancel is spent */
    expect(&ask, 0);
    asq_request_destroy(&ask.request);
}

/* Before its first step an interrupt of SQLite itself would be lost. */
static void what_has_just_started_is_interrupted(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    f->marked = &ask.request;
    ask_sql(&ask, ENDLESS);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&ask.request);
    let_go(f);
    expect(&ask, SQLITE_INTERRUPT);
    asq_request_destroy(&ask.request);
}

static void an_interrupted_write_is_undone(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    run_now(f, "INSERT INTO t VALUES (5)");
    ask_init(f, &ask);
    ask_sql(&ask, WRITE_ENDLESS);
    uv_sem_wait(&f->reached);
    asq_request_cancel(&ask.request);
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 1);
    run_now(f, "INSERT INTO t VALUES (6)");
    CHECK_INT(raw_number(f->profile.path, "SELECT sum(n) FROM t"), 11);
    asq_request_destroy(&ask.request);
}

static int check_no_transaction(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* only the connection matters */
    CHECK(!asq_db_in_transaction(db));
    return 0;
}

static void in_a_transaction_everything_is_undone(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[4];
    static const char *const sql[] = {"BEGIN", "INSERT INTO t VALUES (1)",
                                      "SAVEPOINT s", WRITE_ENDLESS};

    open_table(f);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_init_all(f, asks, 4);
    for (int i = 0; i < 4; i++) {
        asks[i].request.hold = &hold;
        ask_sql(&asks[i], sql[i]);
    }
    uv_sem_wait(&f->reached);
    asq_request_cancel(&asks[3].request);
    expect(&asks[3], SQLITE_INTERRUPT);
    asq_hold_end(&hold);
    call_now(f, check_no_transaction);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    ask_destroy_all(asks, 4);
}

/* SQLite counts the operations of all runs of a statement. In some of these
 * rounds it asks the watch once more after the wait was given up. */
static void one_that_waits_for_a_lock_gives_up(void *data)
{
    struct fixture *f = data;
    sqlite3 *db;
    struct ask ask;

    f->profile.busy_ms = 3600000;
    open_table(f);
    db = raw_open(f->profile.path);
    raw_do(db, "BEGIN IMMEDIATE");
    ask_init(f, &ask);
    f->marked = &ask.request;
    for (int i = 0; i < 200; i++) {
        ask_sql(&ask, "INSERT INTO t VALUES (1)");
        uv_sem_wait(&f->reached);
        if (i == 0)
            let_go(f); /* it may wait already, or not yet */
        asq_request_cancel(&ask.request);
        if (i != 0)
            let_go(f);
        expect(&ask, SQLITE_INTERRUPT);
        CHECK_TEXT(ask.request.message, "cancelled while it ran");
    }
    raw_do(db, "COMMIT");
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    raw_close(db);
    asq_request_destroy(&ask.request);
}

static void a_late_cancel_is_harmless(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    asq_request_cancel(&ask.request); /* never submitted */
    ask_sql(&ask, "SELECT 1");
    expect(&ask, 0);
    asq_request_cancel(&ask.request); /* answered */
    ask_sql(&ask, "SELECT 2");
    expect(&ask, 0);
    CHECK_INT(number_of(&ask), 2);
    asq_request_destroy(&ask.request);
}

/* The cancel comes at any moment of the first one's life. */
static void a_cancel_never_hits_the_next_one(void *data)
{
    struct fixture *f = data;
    unsigned rounds = test_scaled(3000);
    unsigned seed = 41;
    struct ask asks[3];

    open_table(f);
    ask_init_all(f, asks, 3);
    for (unsigned i = 0; i < rounds; i++) {
        ask_sql(&asks[0], i % 2 == 0 ? LONG : "SELECT count(*) FROM t");
        ask_sql(&asks[1], i % 3 == 0 ? LONG : "INSERT INTO t VALUES (1)");
        ask_sql(&asks[2], LONG);
        seed = seed * 1103515245 + 12345;
        for (unsigned k = seed >> 16 & 15; k > 0; k--)
            (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* a little time */
        asq_request_cancel(&asks[0].request);
        expect(&asks[2], 0);
        CHECK_INT(asks[1].status, 0);
        if (asks[0].status != 0)
            CHECK(asks[0].status == UV_ECANCELED ||
                  asks[0].status == SQLITE_INTERRUPT);
    }
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"),
              rounds - (rounds + 2) / 3);
    ask_destroy_all(asks, 3);
}

static const struct test_case cases[] = {
    {.name = "what_waits_is_not_run", .run = what_waits_is_not_run},
    {.name = "what_runs_is_interrupted", .run = what_runs_is_interrupted},
    {.name = "what_has_just_started_is_interrupted",
     .run = what_has_just_started_is_interrupted},
    {.name = "an_interrupted_write_is_undone",
     .run = an_interrupted_write_is_undone},
    {.name = "in_a_transaction_everything_is_undone",
     .run = in_a_transaction_everything_is_undone},
    {.name = "one_that_waits_for_a_lock_gives_up",
     .run = one_that_waits_for_a_lock_gives_up},
    {.name = "a_late_cancel_is_harmless", .run = a_late_cancel_is_harmless},
    {.name = "a_cancel_never_hits_the_next_one",
     .run = a_cancel_never_hits_the_next_one},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_cancel",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
