/* test_conn_open - opening a connection, and every way it can fail */
#include "common/slow_disk.h"
#include "conn_fixture.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void requests_may_be_submitted_before_it_is_open(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    ask_init_all(f, asks, 2);
    start_open(f);
    ask_sql(&asks[0], "CREATE TABLE t (a)");
    ask_sql(&asks[1], "SELECT count(*) FROM t");
    CHECK_INT(f->opened, 0);
    expect(&asks[1], 0);
    CHECK_INT(f->opened, 1);
    CHECK_INT(f->open_status, 0);
    CHECK_INT(asks[0].status, 0);
    CHECK_INT(number_of(&asks[1]), 0);
    ask_destroy_all(asks, 2);
}

static struct ask first; /* what on_open_ask asks */

static void on_open_ask(struct asq_conn *conn, int status)
{
    on_open(conn, status);
    ask_init(conn->data, &first);
    ask_sql(&first, "SELECT 1");
}

static void a_request_may_be_submitted_in_on_open(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open_ask), 0);
    test_run_until(&f->loop, &f->opened);
    expect(&first, 0);
    CHECK_INT(first.calls, 1);
    asq_request_destroy(&first.request);
}

/* Failing */

/* Opens f->profile, which fails with a code whose low byte is given. */
static void check_fails(struct fixture *f, int code)
{
    struct ask before, after;

    ask_init(f, &before);
    ask_init(f, &after);
    start_open(f);
    ask_sql(&before, "SELECT 1");
    expect(&before, UV_ESHUTDOWN);
    CHECK_INT(f->opened, 1);
    CHECK_INT(f->open_status & 0xff, code);
    CHECK_CONTAINS(f->conn.message, f->profile.path);
    CHECK(strchr(f->conn.message, '\n') == NULL);
    CHECK_CONTAINS(before.request.message, f->conn.message);
    CHECK_INT(before.request.started_ns, 0);
    CHECK_INT(try_sql(&after, "SELECT 1"), UV_ESHUTDOWN);
    CHECK(!uv_loop_alive(&f->loop));
    close_conn(f);
    CHECK_INT(before.calls, 1);
    ask_destroy_all(&before, 1);
}

static void a_missing_file_fails(void *data)
{
    struct fixture *f = data;

    f->profile.mode = ASQ_OPEN_WRITE;
    check_fails(f, SQLITE_CANTOPEN);
}

static void a_directory_fails(void *data)
{
    struct fixture *f = data;

    CHECK_INT(mkdir(f->profile.path, 0700), 0);
    check_fails(f, SQLITE_CANTOPEN);
    CHECK_INT(rmdir(f->profile.path), 0);
}

static void a_file_that_is_no_database_fails(void *data)
{
    struct fixture *f = data;
    FILE *file = fopen(f->profile.path, "w");

    CHECK(file != NULL);
    for (int i = 0; i < 100; i++)
        CHECK(fputs("This is a text, not a database.\n", file) >= 0);
    CHECK_INT(fclose(file), 0);
    check_fails(f, SQLITE_NOTADB);
}

static void a_locked_file_fails_when_the_time_is_over(void *data)
{
    struct fixture *f = data;
    sqlite3 *db = raw_open(f->profile.path);

    raw_do(db, "CREATE TABLE t (a)");
    raw_do(db, "BEGIN EXCLUSIVE");
    f->profile.busy_ms = 20;
    check_fails(f, SQLITE_BUSY);
    raw_close(db);
}

/* The connection is still owed its close, so it cannot be opened again. */
static void a_failed_one_is_closed_before_it_is_opened_again(void *data)
{
    struct fixture *f = data;

    f->profile.mode = ASQ_OPEN_WRITE;
    start_open(f);
    test_run_until(&f->loop, &f->opened);
    CHECK_INT(f->open_status, SQLITE_CANTOPEN);
    f->profile.mode = ASQ_OPEN_CREATE;
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open),
              UV_EINVAL);
    close_conn(f);
    init_again(f);
    open_conn(f);
    run_now(f, "SELECT 1");
}

/* libuv asks for stacks of this size, and no address space holds one. */
static void without_a_thread_nothing_is_owed(void *data)
{
    struct fixture *f = data;
    struct rlimit before, limit;
    struct ask ask;

    CHECK_INT(getrlimit(RLIMIT_STACK, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)1 << 47;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max)
        test_skip("the stack is limited, so a thread cannot be made to fail");
    CHECK_INT(setrlimit(RLIMIT_STACK, &limit), 0);
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open),
              UV_EAGAIN);
    CHECK_INT(setrlimit(RLIMIT_STACK, &before), 0);
    CHECK(!uv_loop_alive(&f->loop));
    ask_init(f, &ask);
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(f->opened, 0);
    open_conn(f); /* it is as if it had never been tried */
    run_now(f, "SELECT 1");
}

/* Closing before it is open */

/* The disk holds it still while it opens the file. */
static void close_while_opening(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    ask_init(f, &ask);
    start_open(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    ask_sql(&ask, "SELECT 1");
    start_close(f);
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_EINVAL); /* still pending */
    asq_slow_disk_open_gate();
    close_conn(f);
    CHECK_INT(f->opened, 1);
    CHECK_INT(f->open_status, 0);
    CHECK_INT(ask.calls, 1);
    CHECK_INT(ask.status, UV_ECANCELED);
    asq_request_destroy(&ask.request);
}

/* The same, at whatever moment the worker has come to. */
static void close_at_once(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    for (unsigned i = 0; i < test_scaled(100); i++) {
        ask_init(f, &ask);
        start_open(f);
        ask_sql(&ask, "SELECT 1");
        start_close(f);
        close_conn(f);
        CHECK_INT(f->open_status, 0);
        CHECK_INT(ask.calls, 1);
        if (ask.status != 0) /* it may have run */
            CHECK_INT(ask.status, UV_ECANCELED);
        asq_request_destroy(&ask.request);
        init_again(f);
    }
}

/* The message must be that of opening, whatever close does at the same time;
 * the thread sanitizer looks at it too. */
static void close_while_opening_fails(void *data)
{
    struct fixture *f = data;

    f->profile.mode = ASQ_OPEN_WRITE;
    for (unsigned i = 0; i < test_scaled(300); i++) {
        start_open(f);
        start_close(f);
        close_conn(f);
        CHECK_INT(f->open_status, SQLITE_CANTOPEN);
        CHECK_CONTAINS(f->conn.message, f->profile.path);
        init_again(f);
    }
}

static void on_open_close(struct asq_conn *conn, int status)
{
    struct ask ask;

    on_open(conn, status);
    start_close(conn->data);
    ask_init(conn->data, &ask);
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_ESHUTDOWN);
}

static void close_in_on_open(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < 2; i++) {
        CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open_close),
                  0);
        test_run_until(&f->loop, &f->closed);
        CHECK_INT(f->open_status, i == 0 ? 0 : SQLITE_CANTOPEN);
        init_again(f);
        /* The second time it fails. */
        f->profile.mode = ASQ_OPEN_WRITE;
        (void)unlink(f->profile.path);
    }
}

static const struct test_case cases[] = {
    {.name = "requests_may_be_submitted_before_it_is_open",
     .run = requests_may_be_submitted_before_it_is_open},
    {.name = "a_request_may_be_submitted_in_on_open",
     .run = a_request_may_be_submitted_in_on_open},
    {.name = "a_missing_file_fails", .run = a_missing_file_fails},
    {.name = "a_directory_fails", .run = a_directory_fails},
    {.name = "a_file_that_is_no_database_fails",
     .run = a_file_that_is_no_database_fails},
    {.name = "a_locked_file_fails_when_the_time_is_over",
     .run = a_locked_file_fails_when_the_time_is_over},
    {.name = "a_failed_one_is_closed_before_it_is_opened_again",
     .run = a_failed_one_is_closed_before_it_is_opened_again},
    {.name = "without_a_thread_nothing_is_owed",
     .run = without_a_thread_nothing_is_owed},
    {.name = "close_while_opening", .run = close_while_opening},
    {.name = "close_at_once", .run = close_at_once},
    {.name = "close_while_opening_fails", .run = close_while_opening_fails},
    {.name = "close_in_on_open", .run = close_in_on_open},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_open",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
