/* test_conn_disk - a disk that fails at every op of a connection's life */
#include "common/slow_disk.h"
#include "conn_life.h"
#include "disk_faults.h"

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2; /* so that every commit is synced */
}

/* Each op of a life in turn fails, until one is left alone. */
static void
fail_each(struct fixture *f, enum asq_disk_op op, int code, int keep)
{
    uint64_t nth = 0;
    uint64_t ops;
    struct life life;

    do {
        nth++;
        remove_files(f->profile.path);
        asq_slow_disk_reset();
        asq_slow_disk_fail(op, nth, code, keep);
        live(f, &life);
        ops = asq_slow_disk_count(op);
        asq_slow_disk_reset();
        check_life(f, &life);
    } while (nth <= ops);
    CHECK(nth > 1);
    for (int i = 0; i < LIFE_ASKS; i++)
        CHECK_INT(life.asks[i].status, 0);
}

static void fail_all(struct fixture *f)
{
    for (size_t i = 0; i < DISK_FAULTS; i++) {
        for (int keep = 0; keep < 2; keep++)
            fail_each(f, disk_faults[i].op, disk_faults[i].code, keep);
    }
    for (int keep = 0; keep < 2; keep++)
        fail_each(f, ASQ_DISK_OPEN, SQLITE_CANTOPEN, keep);
}

static void every_op_may_fail(void *data)
{
    fail_all(data);
}

static void every_op_may_fail_without_wal(void *data)
{
    struct fixture *f = data;

    f->profile.wal = false;
    fail_all(f);
}

/* A commit whose sync fails */

static void open_table(struct fixture *f)
{
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
}

static void check_unknown(struct fixture *f, struct ask *ask)
{
    struct ask next;

    expect(ask, SQLITE_IOERR_FSYNC);
    CHECK_INT(ask->request.outcome_unknown, 1);
    ask_init(f, &next);
    CHECK_INT(try_sql(&next, "SELECT 1"), UV_ESHUTDOWN);
}

static void a_commit_that_fails_ends_the_connection(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    open_table(f);
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[2], "SELECT 1");
    ask_sql(&asks[3], "INSERT INTO t VALUES (2)");
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    let_go(f);
    check_unknown(f, &asks[1]);
    for (int i = 2; i < 4; i++) {
        expect(&asks[i], UV_ESHUTDOWN);
        CHECK_INT(asks[i].request.outcome_unknown, 0);
        CHECK_CONTAINS(asks[i].request.message, "the database is not open");
    }
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0); /* it waits for close */
    close_conn(f);
    check_integrity(f->profile.path);
    init_again(f);
    open_conn(f); /* now it can be seen */
    CHECK_RANGE(ask_number(f, "SELECT count(*) FROM t"), 0, 1);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t WHERE n = 2"), 0);
    ask_destroy_all(asks, 4);
}

static void the_same_for_a_transaction(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[4];
    static const char *const sql[] = {"BEGIN", "INSERT INTO t VALUES (1)",
                                      "COMMIT", "SELECT 1"};

    open_table(f);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    ask_init_all(f, asks, 4);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    for (int i = 0; i < 4; i++) {
        asks[i].request.hold = i < 3 ? &hold : NULL;
        ask_sql(&asks[i], sql[i]);
    }
    check_unknown(f, &asks[2]);
    CHECK_INT(asks[1].status, 0);
    asq_hold_end(&hold);
    expect(&asks[3], UV_ESHUTDOWN);
    close_conn(f);
    check_integrity(f->profile.path);
    ask_destroy_all(asks, 4);
}

static int insert_leaving_open(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt;
    int rc = asq_stmt_prepare(db, "SELECT n FROM t", ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_stmt_step(stmt); /* stays open */
    return rc != SQLITE_DONE ? SQLITE_INTERNAL
                             : asq_db_run(db, "INSERT INTO t VALUES (1)", NULL,
                                          &request->result);
}

static void the_same_for_a_function(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    ask_call(&ask, insert_leaving_open);
    check_unknown(f, &ask);
    asq_request_destroy(&ask.request);
}

static void close_in_callback(struct ask *ask)
{
    start_close(ask->fixture);
}

static void close_works_at_once(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    open_table(f);
    ask_init_all(f, asks, 2);
    asks[0].then = close_in_callback;
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    ask_sql(&asks[0], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[1], "SELECT 1");
    test_run_until(&f->loop, &f->closed);
    CHECK_INT(asks[0].status, SQLITE_IOERR_FSYNC);
    CHECK(asks[1].status == UV_ESHUTDOWN || asks[1].status == UV_ECANCELED);
    ask_destroy_all(asks, 2);
}

/* A full disk is told, undone, and no reason to stop. */
static void a_full_disk_undoes_the_write(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    open_table(f);
    ask_init(f, &ask);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    ask_sql(&ask, "INSERT INTO t VALUES (1)");
    expect(&ask, SQLITE_FULL);
    CHECK_INT(ask.request.outcome_unknown, 0);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    ask_sql(&ask, "INSERT INTO t VALUES (2)");
    expect(&ask, 0);
    CHECK_INT(ask_number(f, "SELECT sum(n) FROM t"), 2);
    asq_request_destroy(&ask.request);
}

static const struct test_case cases[] = {
    {.name = "every_op_may_fail", .run = every_op_may_fail},
    {.name = "every_op_may_fail_without_wal",
     .run = every_op_may_fail_without_wal},
    {.name = "a_commit_that_fails_ends_the_connection",
     .run = a_commit_that_fails_ends_the_connection},
    {.name = "the_same_for_a_transaction", .run = the_same_for_a_transaction},
    {.name = "the_same_for_a_function", .run = the_same_for_a_function},
    {.name = "close_works_at_once", .run = close_works_at_once},
    {.name = "a_full_disk_undoes_the_write",
     .run = a_full_disk_undoes_the_write},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_disk",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
