/* test_conn_close - closing at any time: every request is answered before */
#include "common/slow_disk.h"
#include "conn_fixture.h"

#include <stdlib.h>

static int add_row(struct asq_db *db, struct asq_request *request)
{
    return asq_db_run(db, "INSERT INTO t VALUES (1)", NULL, &request->result);
}

static void close_lets_the_running_one_finish(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    open_conn(f);
    run_now(f, "CREATE TABLE t (a)");
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    ask_call(&asks[2], add_row);
    asks[3].request.priority = ASQ_PRIORITY_URGENT;
    ask_sql(&asks[3], "INSERT INTO t VALUES (1)");
    start_close(f);
    let_go(f);
    close_conn(f);
    CHECK_INT(asks[0].status, 0);
    for (int i = 0; i < 4; i++)
        CHECK_INT(asks[i].calls, 1);
    for (int i = 1; i < 4; i++) {
        CHECK_INT(asks[i].status, UV_ECANCELED);
        CHECK_INT(asks[i].request.started_ns, 0);
    }
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"), 0);
    ask_destroy_all(asks, 4);
}

/* The same with a statement that waits for the disk. */
static void close_waits_for_a_slow_disk(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    CHECK_INT(asq_slow_disk_register(), 0);
    raw_run(f->profile.path, "CREATE TABLE t (a); INSERT INTO t VALUES (7)");
    f->profile.vfs = ASQ_SLOW_DISK;
    open_conn(f);
    ask_init_all(f, asks, 2);
    asq_slow_disk_gate(ASQ_DISK_READ, 1);
    ask_sql(&asks[0], "SELECT a FROM t");
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    ask_sql(&asks[1], "SELECT a FROM t");
    start_close(f);
    asq_slow_disk_open_gate();
    close_conn(f);
    CHECK_INT(asks[0].status, 0);
    CHECK_INT(number_of(&asks[0]), 7);
    CHECK_INT(asks[1].status, UV_ECANCELED);
    ask_destroy_all(asks, 2);
}

static void observe_start(struct asq_conn *conn,
                          const struct asq_request *request,
                          enum asq_event event)
{
    struct fixture *f = conn->data;

    (void)request; /* there is only one */
    if (event == ASQ_EVENT_START)
        uv_sem_post(&f->reached);
}

static void who_cancels_first_does_not_wait(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    f->conn.observe = observe_start;
    open_conn(f);
    ask_init_all(f, asks, 2);
    ask_sql(&asks[0], ENDLESS);
    uv_sem_wait(&f->reached);
    ask_sql(&asks[1], ENDLESS);
    asq_request_cancel(&asks[0].request);
    start_close(f);
    asq_request_cancel(&asks[1].request);
    close_conn(f);
    CHECK_INT(asks[0].status, SQLITE_INTERRUPT);
    if (asks[1].status != SQLITE_INTERRUPT) /* it may have begun before close */
        CHECK_INT(asks[1].status, UV_ECANCELED);
    ask_destroy_all(asks, 2);
}

static void close_in_it(struct ask *ask)
{
    struct fixture *f = ask->fixture;

    start_close(f);
    CHECK_INT(try_sql(ask, "SELECT 1"), UV_ESHUTDOWN);
    CHECK(!f->closed);
}

static void close_inside_a_callback(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_conn(f);
    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    asks[0].then = close_in_it;
    ask_sql(&asks[1], ENDLESS);
    ask_sql(&asks[2], "SELECT 1");
    asq_request_cancel(&asks[1].request);
    let_go(f);
    test_run_until(&f->loop, &f->closed);
    for (int i = 0; i < 3; i++)
        CHECK_INT(asks[i].calls, 1);
    CHECK_INT(asks[1].status, UV_ECANCELED);
    if (asks[2].status != 0) /* it may have run before the callback did */
        CHECK_INT(asks[2].status, UV_ECANCELED);
    ask_destroy_all(asks, 3);
}

static void close_when_idle(struct asq_conn *conn)
{
    start_close(conn->data);
}

static void close_in_on_idle(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    f->conn.on_idle = close_when_idle;
    open_conn(f);
    ask_init(f, &ask);
    ask_sql(&ask, "SELECT 1");
    expect(&ask, 0);
    test_run_until(&f->loop, &f->closed);
    asq_request_destroy(&ask.request);
}

static void an_open_transaction_is_rolled_back(void *data)
{
    struct fixture *f = data;

    f->conn.shared_tx = true;
    open_conn(f);
    run_now(f, "CREATE TABLE t (a)");
    run_now(f, "BEGIN");
    run_now(f, "INSERT INTO t VALUES (1)");
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"), 0);
    check_integrity(f->profile.path);
}

/* A connection on the heap, with a request inside, freed where it may be. */
struct heap {
    struct asq_conn conn;
    struct asq_request request;
    int *closed;
};

static void on_heap_open(struct asq_conn *conn, int status)
{
    (void)conn; /* close is called by main */
    CHECK_INT(status, 0);
}

static void on_heap_done(struct asq_request *request, int status)
{
    (void)status; /* it ran or it was cancelled */
    asq_request_destroy(request);
}

static void on_heap_closed(struct asq_conn *conn)
{
    struct heap *heap = conn->data;

    *heap->closed = 1;
    memset(heap, 0xff, sizeof *heap); /* whoever looks again is found out */
    free(heap);
}

static void the_memory_may_go_in_on_closed(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < 20; i++) {
        struct heap *heap = calloc(1, sizeof *heap);

        f->closed = 0;
        CHECK(heap != NULL);
        heap->closed = &f->closed;
        asq_conn_init(&heap->conn);
        heap->conn.data = heap;
        CHECK_INT(
            asq_conn_open(&heap->conn, &f->loop, &f->profile, on_heap_open), 0);
        asq_request_init(&heap->request);
        CHECK_INT(asq_conn_run(&heap->conn, &heap->request, "SELECT 1", NULL,
                               on_heap_done),
                  0);
        if (i % 2 == 0)
            CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
        asq_conn_close(&heap->conn, on_heap_closed);
        test_run_until(&f->loop, &f->closed);
    }
}

/* Two connections on one loop; one is closed while the other works. */
static void closing_one_does_not_disturb_another(void *data)
{
    struct fixture *f = data;
    struct fixture other = {.loop_thread = f->loop_thread};
    struct ask asks[2];

    open_conn(f);
    run_now(f, "CREATE TABLE t (a)");
    asq_conn_init(&other.conn);
    other.conn.data = &other;
    CHECK_INT(asq_conn_open(&other.conn, &f->loop, &f->profile, on_open), 0);
    ask_init(f, &asks[0]);
    ask_init(&other, &asks[1]);
    ask_sql(&asks[0], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[1], "SELECT 1");
    asq_conn_close(&other.conn, on_closed);
    test_run_until(&f->loop, &other.closed);
    CHECK_INT(asks[1].calls, 1);
    expect(&asks[0], 0);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 1);
    ask_destroy_all(asks, 2);
}

static const struct test_case cases[] = {
    {.name = "close_lets_the_running_one_finish",
     .run = close_lets_the_running_one_finish},
    {.name = "close_waits_for_a_slow_disk", .run = close_waits_for_a_slow_disk},
    {.name = "who_cancels_first_does_not_wait",
     .run = who_cancels_first_does_not_wait},
    {.name = "close_inside_a_callback", .run = close_inside_a_callback},
    {.name = "close_in_on_idle", .run = close_in_on_idle},
    {.name = "an_open_transaction_is_rolled_back",
     .run = an_open_transaction_is_rolled_back},
    {.name = "the_memory_may_go_in_on_closed",
     .run = the_memory_may_go_in_on_closed},
    {.name = "closing_one_does_not_disturb_another",
     .run = closing_one_does_not_disturb_another},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_close",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
