/* test_conn_idle - doing nothing costs nothing, and doing much leaves nothing
 */
#include "conn_fixture.h"

#include <time.h>

enum {
    IDLE_MS = 200,
    IN_FLIGHT = 64
};

static void an_idle_connection_lets_the_loop_end(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    start_open(f);
    CHECK(uv_loop_alive(&f->loop));
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(f->opened, 1);
    ask_init(f, &ask);
    for (int i = 0; i < 3; i++) {
        ask_sql(&ask, LONG);
        CHECK(uv_loop_alive(&f->loop));
        CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
        CHECK_INT(ask.done, 1);
    }
    start_close(f);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(f->closed, 1);
    asq_request_destroy(&ask.request);
}

/* Counts the turns of a loop until a timer fires. */
struct stretch {
    uv_prepare_t prepare;
    uv_timer_t timer;
    int turns;
    int over;
};

static void on_turn(uv_prepare_t *prepare)
{
    struct stretch *stretch = prepare->data;

    stretch->turns++;
}

static void on_time(uv_timer_t *timer)
{
    struct stretch *stretch = timer->data;

    stretch->over = 1;
    uv_close((uv_handle_t *)&stretch->prepare, NULL);
    uv_close((uv_handle_t *)timer, NULL);
}

static int count_turns(struct fixture *f)
{
    struct stretch stretch = {.turns = 0};

    uv_update_time(&f->loop);
    stretch.prepare.data = &stretch;
    stretch.timer.data = &stretch;
    CHECK_INT(uv_prepare_init(&f->loop, &stretch.prepare), 0);
    CHECK_INT(uv_prepare_start(&stretch.prepare, on_turn), 0);
    CHECK_INT(uv_timer_init(&f->loop, &stretch.timer), 0);
    CHECK_INT(uv_timer_start(&stretch.timer, on_time, IDLE_MS, 0), 0);
    test_run_until(&f->loop, &stretch.over);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT); /* ends the close of both */
    return stretch.turns;
}

static int read_clock(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;
    struct timespec now;

    (void)db; /* it is idle, too */
    CHECK_INT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    /* Text of the fixture that is not used otherwise. */
    memcpy(ask->fixture->trace, &now, sizeof now);
    return 0;
}

/* Returns the processor time that the worker has used, in microseconds. */
static int64_t worker_us(struct fixture *f)
{
    struct timespec now;

    call_now(f, read_clock);
    memcpy(&now, f->trace, sizeof now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A thread that looks for work every millisecond would make about as many
 * turns; one that never sleeps would use all of the time. */
static void nothing_in_flight_wakes_nobody(void *data)
{
    struct fixture *f = data;
    int64_t before;
    int turns;

    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    before = worker_us(f);
    turns = count_turns(f);
    CHECK_RANGE(turns, 1, 10);
    CHECK_RANGE(worker_us(f) - before, 0, IDLE_MS * 1000 / 10);
}

/* What runs for long wakes nobody either, as long as nobody is answered. */
static void what_runs_does_not_wake_the_loop(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_conn(f);
    ask_init(f, &ask);
    ask_sql(&ask, ENDLESS);
    CHECK_RANGE(count_turns(f), 1, 10);
    CHECK_INT(ask.calls, 0);
    asq_request_cancel(&ask.request);
    expect(&ask, SQLITE_INTERRUPT);
    asq_request_destroy(&ask.request);
}

/* Memory */

struct reader {
    struct ask ask;
    struct asq_value id;
    struct asq_params params;
};

static struct reader readers[IN_FLIGHT];
static unsigned left; /* to be submitted */

static void read_on(struct ask *ask)
{
    struct reader *reader = ASQ_CONTAINER_OF(ask, struct reader, ask);

    if (left == 0)
        return;
    left--;
    reader->id = asq_int64(left % 100);
    reader->params = (struct asq_params){.values = &reader->id, .count = 1};
    CHECK_INT(asq_conn_run(&ask->fixture->conn, &ask->request,
                           left % 100 == 0 ? "UPDATE t SET v = v + 1 "
                                             "WHERE id = ?1"
                                           : "SELECT v FROM t WHERE id = ?1",
                           &reader->params, on_answer),
              0);
}

static void read_many(struct fixture *f, unsigned count)
{
    left = count;
    f->answers = 0;
    for (int i = 0; i < IN_FLIGHT; i++)
        read_on(&readers[i].ask);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    CHECK_INT(f->answers, count);
    for (int i = 0; i < IN_FLIGHT; i++)
        CHECK_INT(readers[i].ask.status, 0);
}

/* After the first ones no request needs memory of its own: an allocator that
 * has none left is not noticed. SQLite takes and gives back. */
static void a_million_requests_leave_memory_flat(void *data)
{
    struct fixture *f = data;
    unsigned many = 1000000;
    int64_t held;

    if (test_scaled(many) < many)
        many = 20000; /* under a sanitizer */
    f->profile.synchronous = 0;
    open_conn(f);
    run_now(f, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    run_now(f, "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n "
               "WHERE x < 99) INSERT INTO t SELECT x, x FROM n");
    for (int i = 0; i < IN_FLIGHT; i++) {
        ask_init(f, &readers[i].ask);
        readers[i].ask.then = read_on;
    }
    read_many(f, many / 10);
    held = test_alloc_held();
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    read_many(f, many);
    CHECK_INT(test_alloc_has_failed(), 0);
    test_alloc_fail_at(0, 0, 0);
    CHECK_RANGE(test_alloc_held() - held, -held, 4096);
    CHECK_INT(ask_number(f, "SELECT v FROM t WHERE id = 0"),
              many / 10 / 100 + many / 100);
    for (int i = 0; i < IN_FLIGHT; i++)
        asq_request_destroy(&readers[i].ask.request);
}

static const struct test_case cases[] = {
    {.name = "an_idle_connection_lets_the_loop_end",
     .run = an_idle_connection_lets_the_loop_end},
    {.name = "nothing_in_flight_wakes_nobody",
     .run = nothing_in_flight_wakes_nobody},
    {.name = "what_runs_does_not_wake_the_loop",
     .run = what_runs_does_not_wake_the_loop},
    {.name = "a_million_requests_leave_memory_flat",
     .run = a_million_requests_leave_memory_flat,
     .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_idle",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
