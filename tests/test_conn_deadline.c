/* test_conn_deadline - a deadline ends a request wherever it stands
 *
 * No test says how long something takes. A deadline is long over when a timer
 * of several times its length has fired.
 */
#include "conn_fixture.h"

#include <limits.h>

static void on_time(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

/* Runs the loop for at least that long; the worker goes on meanwhile. */
static void let_time_pass(struct fixture *f, unsigned ms)
{
    uv_timer_t timer;

    uv_update_time(&f->loop);
    CHECK_INT(uv_timer_init(&f->loop, &timer), 0);
    CHECK_INT(uv_timer_start(&timer, on_time, ms, 0), 0);
    while (uv_is_active((uv_handle_t *)&timer))
        (void)uv_run(&f->loop, UV_RUN_ONCE); /* the worker is held */
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);   /* ends the close */
}

static void open_table(struct fixture *f)
{
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
}

static void in_the_queue(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_table(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    asks[1].request.timeout_ms = 1;
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    asks[2].request.timeout_ms = 3600000;
    ask_sql(&asks[2], "INSERT INTO t VALUES (2)");
    let_time_pass(f, 10);
    CHECK_INT(asks[1].calls, 0); /* the worker stands still */
    let_go(f);
    expect(&asks[1], UV_ETIMEDOUT);
    CHECK_INT(asks[1].request.timed_out_in, ASQ_PLACE_QUEUE);
    CHECK_INT(asks[1].request.started_ns, 0);
    expect(&asks[2], 0);
    CHECK_INT(ask_number(f, "SELECT sum(n) FROM t"), 2);
    ask_destroy_all(asks, 3);
}

/* Submits it until its deadline passes where it should: on a busy machine it
 * may also pass in the queue. */
static void time_out(struct ask *ask, const char *sql, enum asq_place place)
{
    ask->request.timeout_ms = 20;
    for (int i = 0; i < 50; i++) {
        ask_sql(ask, sql);
        expect(ask, UV_ETIMEDOUT);
        if (ask->request.timed_out_in == place)
            return;
        CHECK_INT(ask->request.timed_out_in, ASQ_PLACE_QUEUE);
    }
    FAIL("the deadline never passed in place %d", (int)place);
}

static void while_it_runs(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    time_out(&ask, ENDLESS, ASQ_PLACE_RUNNING);
    CHECK_TEXT(ask.request.message, "the deadline passed while it ran");
    CHECK(ask.request.started_ns > 0);
    run_now(f, "SELECT 1");
    asq_request_destroy(&ask.request);
}

static void a_write_that_runs_too_long_is_undone(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    time_out(&ask,
             "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
             "INSERT INTO t SELECT x FROM n",
             ASQ_PLACE_RUNNING);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    asq_request_destroy(&ask.request);
}

static void in_the_wait_for_a_lock(void *data)
{
    struct fixture *f = data;
    sqlite3 *db;
    struct ask ask;

    f->profile.busy_ms = 3600000;
    open_table(f);
    db = raw_open(f->profile.path);
    raw_do(db, "BEGIN IMMEDIATE");
    ask_init(f, &ask);
    time_out(&ask, "INSERT INTO t VALUES (1)", ASQ_PLACE_LOCK);
    CHECK_TEXT(ask.request.message,
               "the deadline passed while it waited for a lock");
    time_out(&ask, "BEGIN IMMEDIATE", ASQ_PLACE_LOCK);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0); /* needs no lock */
    raw_do(db, "COMMIT");
    run_now(f, "INSERT INTO t VALUES (2)");
    CHECK_INT(ask_number(f, "SELECT sum(n) FROM t"), 2);
    raw_close(db);
    asq_request_destroy(&ask.request);
}

/* Without WAL a query may wait for a writer as soon as it is prepared. */
static void in_the_wait_for_a_lock_before_it_starts(void *data)
{
    struct fixture *f = data;
    sqlite3 *db;
    struct ask asks[3];

    f->profile.busy_ms = 3600000;
    f->profile.wal = false;
    open_table(f);
    db = raw_open(f->profile.path);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    raw_do(db, "CREATE TABLE u (n); BEGIN EXCLUSIVE");
    for (int i = 1; i < 3; i++) {
        asks[i].request.timeout_ms = 20;
        ask_sql(&asks[i], "SELECT n FROM u");
    }
    let_go(f);
    /* SQLite, which could not look, may say that there is no such table. */
    for (int i = 1; i < 3; i++) {
        wait_for(&asks[i]);
        if (asks[i].status != UV_ETIMEDOUT)
            CHECK_INT(asks[i].status, SQLITE_ERROR);
    }
    raw_do(db, "COMMIT");
    raw_close(db);
    run_now(f, "SELECT n FROM u");
    ask_destroy_all(asks, 3);
}

/* No deadline, and what ordinary waiting for a lock ends with. */
static void without_one_a_lock_ends_in_busy(void *data)
{
    struct fixture *f = data;
    sqlite3 *db;
    struct ask ask;

    f->profile.busy_ms = 10;
    open_table(f);
    db = raw_open(f->profile.path);
    raw_do(db, "BEGIN IMMEDIATE");
    ask_init(f, &ask);
    ask_sql(&ask, "INSERT INTO t VALUES (1)");
    expect(&ask, SQLITE_BUSY);
    CHECK_CONTAINS(ask.request.message, "locked");
    raw_close(db);
    asq_request_destroy(&ask.request);
}

static void it_is_taken_anew_with_each_submit(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    ask.request.timeout_ms = 1;
    ask_sql(&ask, ENDLESS);
    expect(&ask, UV_ETIMEDOUT);
    ask.request.timeout_ms = 0;
    ask_sql(&ask, LONG);
    expect(&ask, 0);
    CHECK_INT(ask.request.timed_out_in, ASQ_PLACE_NONE);
    CHECK_INT(number_of(&ask), 2000);
    asq_request_destroy(&ask.request);
}

/* What is left goes into the timeout_ms of the next request. */
static void what_is_left_of_it(void *data)
{
    uint64_t now_ns = uv_hrtime();
    unsigned left;

    (void)data; /* no connection is needed */
    CHECK_INT(asq_time_left_ms(0), 0);
    CHECK_INT(asq_time_left_ms(1), 1);
    CHECK_INT(asq_time_left_ms(now_ns), 1);
    left = asq_time_left_ms(now_ns + UINT64_C(3600000000000));
    CHECK_RANGE(left, 3000000, 3600000);
    /* Longer than the type holds: 50 days, 500 years. */
    CHECK_INT(asq_time_left_ms(now_ns + UINT64_C(4320000000000000)), UINT_MAX);
    CHECK_INT(asq_time_left_ms(UINT64_MAX), UINT_MAX);
}

static const struct test_case cases[] = {
    {.name = "what_is_left_of_it", .run = what_is_left_of_it},
    {.name = "in_the_queue", .run = in_the_queue},
    {.name = "while_it_runs", .run = while_it_runs},
    {.name = "a_write_that_runs_too_long_is_undone",
     .run = a_write_that_runs_too_long_is_undone},
    {.name = "in_the_wait_for_a_lock", .run = in_the_wait_for_a_lock},
    {.name = "in_the_wait_for_a_lock_before_it_starts",
     .run = in_the_wait_for_a_lock_before_it_starts,
     .seconds = 5},
    {.name = "without_one_a_lock_ends_in_busy",
     .run = without_one_a_lock_ends_in_busy},
    {.name = "it_is_taken_anew_with_each_submit",
     .run = it_is_taken_anew_with_each_submit},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_deadline",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
