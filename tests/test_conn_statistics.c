/* test_conn_statistics - what a connection counts, and what it calls slow */
#include "conn_fixture.h"

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    open_conn(f);
    run_now(f, "CREATE TABLE t (n UNIQUE)");
}

static void outcomes_are_counted(void *data)
{
    struct fixture *f = data;
    struct asq_conn_stats before = asq_conn_statistics(&f->conn), after;
    struct ask asks[5];

    ask_init_all(f, asks, 5);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "INSERT INTO t VALUES (1), (1)");
    ask_sql(&asks[2], "SELECT 1");
    asq_request_cancel(&asks[2].request);
    asks[3].request.timeout_ms = 20;
    ask_sql(&asks[3], ENDLESS);
    ask_sql(&asks[4], "SELECT 1");
    let_go(f);
    expect(&asks[4], 0);
    after = asq_conn_statistics(&f->conn);
    CHECK_INT(after.answered - before.answered, 5);
    CHECK_INT(after.failed - before.failed, 1);
    CHECK_INT(after.cancelled - before.cancelled, 1);
    CHECK_INT(after.too_late - before.too_late, 1);
    ask_destroy_all(asks, 5);
}

static void the_longest_are_kept(void *data)
{
    struct fixture *f = data;
    struct asq_conn_stats stats;
    struct ask asks[2];

    ask_init_all(f, asks, 2);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    let_go(f);
    expect(&asks[1], 0);
    stats = asq_conn_statistics(&f->conn);
    CHECK(stats.longest_run_ns >=
          asks[0].request.ended_ns - asks[0].request.started_ns);
    CHECK(stats.longest_wait_ns >=
          asks[1].request.started_ns - asks[1].request.submitted_ns);
    CHECK(stats.longest_run_ns < uv_hrtime());
    ask_destroy_all(asks, 2);
}

static void shared_read_transactions_are_counted(void *data)
{
    struct fixture *f = data;
    struct asq_conn_stats before = asq_conn_statistics(&f->conn);
    struct ask asks[6];

    ask_init_all(f, asks, 6);
    hold_worker(&asks[0]);
    for (int i = 1; i < 6; i++)
        ask_sql(&asks[i], i == 3 ? "INSERT INTO t VALUES (1)" : "SELECT 1");
    let_go(f);
    expect(&asks[5], 0);
    CHECK_INT(asq_conn_statistics(&f->conn).read_batches - before.read_batches,
              2);
    ask_destroy_all(asks, 6);
}

/* A sleeping worker is woken once for all that is submitted meanwhile. */
static void wake_ups_are_counted(void *data)
{
    struct fixture *f = data;
    struct asq_conn_stats before, after;
    struct ask ask;

    ask_init(f, &ask);
    while (!atomic_load(&f->conn.worker.sleeping))
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    before = asq_conn_statistics(&f->conn);
    hold_worker(&ask);
    after = asq_conn_statistics(&f->conn);
    CHECK_INT(after.worker_wakes - before.worker_wakes, 1);
    let_go(f);
    expect(&ask, 0);
    CHECK(asq_conn_statistics(&f->conn).loop_wakes >= before.loop_wakes);
    asq_request_destroy(&ask.request);
}

static const char *slow_sql;
static int slow_status;

static void note_slow(struct asq_conn *conn, const struct asq_request *request)
{
    struct fixture *f = conn->data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->loop_thread));
    CHECK_INT(((struct ask *)request->data)->calls, 0); /* before it */
    slow_sql = request->sql;
    slow_status = request->status;
}

static void a_slow_request_is_told(void *data)
{
    static const char sql[] = ENDLESS;
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    f->conn.on_slow = note_slow;
    f->conn.slow_ms = 900000;
    run_now(f, "SELECT 1");
    CHECK(slow_sql == NULL);
    f->conn.slow_ms = 10;
    ask.request.timeout_ms = 20;
    ask_sql(&ask, sql);
    expect(&ask, UV_ETIMEDOUT);
    CHECK(slow_sql == sql);
    CHECK_INT(slow_status, UV_ETIMEDOUT);
    asq_request_destroy(&ask.request);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(outcomes_are_counted),
    CASE(the_longest_are_kept),
    CASE(shared_read_transactions_are_counted),
    CASE(wake_ups_are_counted),
    CASE(a_slow_request_is_told),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_statistics",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
