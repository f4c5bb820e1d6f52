/* test_conn_checkpoint - the WAL back into the file, and how that is ended
 *
 * A checkpoint asks no handler of SQLite, so these tests hold one at the gate
 * of the slow disk, between two of the pages that it writes into the file.
 */
#include "common/slow_disk.h"
#include "conn_fixture.h"

enum {
    PAGES = 60
};

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    open_conn(f);
    run_now(f, "CREATE TABLE t (a)");
    for (int i = 0; i < PAGES; i++)
        run_now(f, "INSERT INTO t VALUES (zeroblob(4000))");
}

static void start_checkpoint(struct ask *ask)
{
    struct fixture *f = ask->fixture;

    f->submitting = true;
    CHECK_INT(asq_conn_checkpoint(&f->conn, &ask->request,
                                  SQLITE_CHECKPOINT_TRUNCATE, on_answer),
              0);
    f->submitting = false;
    ask->done = 0;
}

/* Returns while the checkpoint has written one page and wants to go on. */
static void start_and_stop(struct ask *ask)
{
    asq_slow_disk_gate(ASQ_DISK_WRITE, 2);
    start_checkpoint(ask);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
}

static int64_t cell(const struct ask *ask, const char *name)
{
    return asq_result_int64(&ask->request.result, 0, name);
}

static void it_says_what_the_pragma_says(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    start_checkpoint(&ask);
    expect(&ask, 0);
    CHECK_INT(ask.request.result.rows, 1);
    CHECK_INT(cell(&ask, "busy"), 0);
    CHECK_INT(cell(&ask, "log"), 0); /* it is emptied */
    CHECK_INT(cell(&ask, "checkpointed"), 0);
    ask_sql(&ask, "PRAGMA wal_checkpoint(TRUNCATE)");
    expect(&ask, 0);
    CHECK_TEXT(asq_result_name(&ask.request.result, 0), "busy");
    CHECK_TEXT(asq_result_name(&ask.request.result, 1), "log");
    CHECK_TEXT(asq_result_name(&ask.request.result, 2), "checkpointed");
    asq_request_destroy(&ask.request);
}

/* Pins all but the last row. Returns the connection to be closed. */
static sqlite3 *stand_in_the_way(struct fixture *f)
{
    sqlite3 *other = raw_open(f->profile.path);

    raw_do(other, "BEGIN");
    CHECK_INT(raw_ask(other, "SELECT count(*) FROM t"), PAGES);
    run_now(f, "INSERT INTO t VALUES (1)");
    return other;
}

static void a_reader_in_the_way_is_in_the_row(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;
    struct ask ask;

    close_conn(f);
    init_again(f);
    f->profile.busy_ms = 10;
    open_conn(f);
    other = stand_in_the_way(f);
    ask_init(f, &ask);
    start_checkpoint(&ask);
    expect(&ask, 0);
    CHECK_INT(cell(&ask, "busy"), 1);
    CHECK_INT(cell(&ask, "log") - cell(&ask, "checkpointed"), 1);
    raw_close(other);
    asq_request_destroy(&ask.request);
}

/* busy_ms would be five seconds, and is a quarter of an hour here. */
static void a_deadline_ends_the_wait_for_a_reader(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;
    struct ask ask;

    close_conn(f);
    init_again(f);
    f->profile.busy_ms = 900000;
    open_conn(f);
    other = stand_in_the_way(f);
    ask_init(f, &ask);
    ask.request.timeout_ms = 30;
    start_checkpoint(&ask);
    expect(&ask, UV_ETIMEDOUT);
    CHECK_INT(ask.request.timed_out_in, ASQ_PLACE_LOCK);
    ask.request.timeout_ms = 0;
    start_checkpoint(&ask);
    asq_request_cancel(&ask.request);
    wait_for(&ask);
    CHECK(ask.status == SQLITE_INTERRUPT || ask.status == UV_ECANCELED);
    raw_close(other);
    asq_request_destroy(&ask.request);
}

static void check_cut(struct fixture *f, uint64_t writes)
{
    /* What was at the gate, and no more than one page after it. */
    CHECK_RANGE(asq_slow_disk_count(ASQ_DISK_WRITE) - writes, 0, 1);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"), PAGES);
}

static void a_cancel_ends_it(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    uint64_t writes;

    ask_init(f, &ask);
    start_and_stop(&ask);
    writes = asq_slow_disk_count(ASQ_DISK_WRITE);
    asq_request_cancel(&ask.request);
    while (!f->conn.runner.checkpoint
                .interrupted) /* the timer of the conn does it */
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_slow_disk_open_gate();
    expect(&ask, SQLITE_INTERRUPT);
    CHECK_TEXT(ask.request.message, "cancelled while it ran");
    check_cut(f, writes);
    start_checkpoint(&ask); /* and the next one is not hit by it */
    expect(&ask, 0);
    CHECK_INT(cell(&ask, "busy"), 0);
    asq_request_destroy(&ask.request);
}

static void a_deadline_ends_it(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    uint64_t writes;

    ask_init(f, &ask);
    ask.request.timeout_ms = 30;
    start_and_stop(&ask);
    writes = asq_slow_disk_count(ASQ_DISK_WRITE);
    while (!f->conn.runner.checkpoint.interrupted)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_slow_disk_open_gate();
    expect(&ask, UV_ETIMEDOUT);
    CHECK_INT(ask.request.timed_out_in, ASQ_PLACE_RUNNING);
    check_cut(f, writes);
    asq_request_destroy(&ask.request);
}

/* Nor does the close take it up again. */
static void cancelling_the_connection_ends_it(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    uint64_t writes;

    ask_init(f, &ask);
    start_and_stop(&ask);
    writes = asq_slow_disk_count(ASQ_DISK_WRITE);
    asq_conn_cancel(&f->conn);
    asq_slow_disk_open_gate();
    expect(&ask, SQLITE_INTERRUPT);
    close_conn(f);
    check_cut(f, writes);
    asq_request_destroy(&ask.request);
}

static void one_that_waits_is_not_begun(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    ask_init_all(f, asks, 2);
    hold_worker(&asks[0]);
    start_checkpoint(&asks[1]);
    asq_request_cancel(&asks[1].request);
    let_go(f);
    expect(&asks[1], UV_ECANCELED);
    CHECK_INT(f->conn.checkpoints, 0);
    ask_destroy_all(asks, 2);
}

static void a_connection_that_reads_is_told(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    close_conn(f);
    init_again(f);
    f->profile.mode = ASQ_OPEN_READ;
    open_conn(f);
    ask_init(f, &ask);
    start_checkpoint(&ask);
    expect(&ask, SQLITE_READONLY);
    CHECK_TEXT(ask.request.message, "the connection only reads");
    asq_request_destroy(&ask.request);
}

static int begin(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_run(db, "BEGIN", NULL, NULL); /* no table is read */
}

static int count_to_three(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;
    int rc =
        asq_stmt_prepare(db, "VALUES (1), (2), (3)", ASQ_WHOLE_TEXT, &stmt);

    (void)request;
    if (rc == 0)
        rc = asq_stmt_step(stmt);
    return rc == SQLITE_ROW ? 0 : rc;
}

/* An interrupt of the checkpoint would end what is open beside it, and all
 * that comes while it is open. SQLite itself refuses only what has read. */
static void what_is_open_is_in_its_way(void *data)
{
    static const asq_call_cb calls[] = {begin, count_to_three};
    struct fixture *f = data;

    for (int i = 0; i < 2; i++) {
        struct asq_hold hold = {0};
        struct ask asks[2];

        ask_init_all(f, asks, 2);
        CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
        asks[0].request.hold = &hold;
        asks[1].request.hold = &hold;
        ask_call(&asks[0], calls[i]);
        start_checkpoint(&asks[1]);
        asq_hold_end(&hold);
        expect(&asks[0], 0);
        expect(&asks[1], SQLITE_LOCKED);
        CHECK_CONTAINS(asks[1].request.message, "is open");
        ask_destroy_all(asks, 2);
    }
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(it_says_what_the_pragma_says),
    CASE(a_reader_in_the_way_is_in_the_row),
    CASE(a_deadline_ends_the_wait_for_a_reader),
    CASE(a_cancel_ends_it),
    CASE(a_deadline_ends_it),
    CASE(cancelling_the_connection_ends_it),
    CASE(one_that_waits_is_not_begun),
    CASE(a_connection_that_reads_is_told),
    CASE(what_is_open_is_in_its_way),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_checkpoint",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
