/* test_conn_again - a second time: open, close, fork; and who the worker is */
#include "common/slow_disk.h"
#include "conn_fixture.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2;
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
}

/* From on_closed, without an init in between. */
static void open_again(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    on_closed(conn);
    f->opened = 0;
    f->close_called = false;
    start_open(f);
}

static void it_opens_again_from_on_closed(void *data)
{
    struct fixture *f = data;

    for (int i = 1; i <= 3; i++) {
        run_now(f, "INSERT INTO t VALUES (1)");
        CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open),
                  UV_EINVAL); /* close is owed */
        f->opened = 1;
        asq_conn_close(&f->conn, open_again);
        CHECK_INT(asq_conn_run(&f->conn, &(struct asq_request){0}, "SELECT 1",
                               NULL, on_answer),
                  UV_ESHUTDOWN);
        test_run_until(&f->loop, &f->closed);
        f->closed = 0;
        test_run_until(&f->loop, &f->opened);
        CHECK_INT(f->open_status, 0);
        CHECK_INT(asq_conn_statistics(&f->conn).answered, 0);
        CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), i);
    }
}

/* After an unknown outcome only opening again can tell. */
static void it_opens_again_after_an_unknown_outcome(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    ask_sql(&ask, "INSERT INTO t VALUES (1)");
    expect(&ask, SQLITE_IOERR_FSYNC);
    CHECK_INT(ask.request.outcome_unknown, 1);
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_ESHUTDOWN);
    asq_conn_close(&f->conn, open_again);
    test_run_until(&f->loop, &f->closed);
    f->closed = 0;
    test_run_until(&f->loop, &f->opened);
    CHECK_INT(f->open_status, 0);
    CHECK_RANGE(ask_number(f, "SELECT count(*) FROM t"), 0, 1);
    run_now(f, "INSERT INTO t VALUES (2)");
    asq_request_destroy(&ask.request);
}

static void a_second_close_does_nothing(void *data)
{
    struct fixture *f = data;

    start_close(f);
    asq_conn_close(&f->conn, NULL);
    close_conn(f);
    asq_conn_close(&f->conn, NULL);
    asq_conn_cancel(&f->conn);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0); /* nothing keeps it */
}

/* The lock is somebody else's for busy_ms, which is a quarter of an hour. */
static void a_close_ends_the_wait_of_opening(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    close_conn(f);
    raw_run(f->profile.path, "PRAGMA journal_mode=DELETE");
    other = raw_open(f->profile.path);
    raw_do(other, "BEGIN EXCLUSIVE");
    init_again(f);
    f->profile.busy_ms = 900000;
    start_open(f);
    start_close(f);
    test_run_until(&f->loop, &f->closed);
    CHECK(f->open_status != 0);
    CHECK(f->conn.message[0] != '\0');
    raw_close(other);
}

/* The thread that would run it is not there. */
static void the_child_of_a_fork_is_refused(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask ask;
    pid_t child;
    int status;

    ask_init(f, &ask);
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(asq_conn_run(&f->conn, &ask.request, "SELECT 1", NULL,
                           on_answer) != UV_EINVAL ||
              asq_hold_begin(&f->conn, &hold) != UV_EINVAL);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    run_now(f, "INSERT INTO t VALUES (1)");
    asq_request_destroy(&ask.request);
}

/* Its locks are as another thread of the parent had them. */
static void the_child_of_a_fork_can_close_nothing(void *data)
{
    struct fixture *f = data;
    pid_t child;
    int status;

    uv_mutex_lock(&f->conn.worker.lock);
    uv_mutex_lock(&f->conn.runner.checkpoint.lock);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        asq_conn_cancel(&f->conn);
        asq_conn_close(&f->conn, on_closed);
        _exit(0);
    }
    uv_mutex_unlock(&f->conn.runner.checkpoint.lock);
    uv_mutex_unlock(&f->conn.worker.lock);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    run_now(f, "INSERT INTO t VALUES (1)");
}

static int start_other(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    (void)db;
    uv_sem_post(&ask->fixture->reached);
    return 0;
}

static struct ask other;

static void submit_other(struct ask *ask)
{
    struct fixture *f = ask->fixture;
    uint64_t begin_ns;

    while (!atomic_load(&f->conn.worker.sleeping))
        (void)sched_yield();
    CHECK_INT(asq_conn_call(&f->conn, &other.request, start_other, on_answer),
              0);
    begin_ns = uv_hrtime();
    while (uv_hrtime() - begin_ns < 1000000)
        ; /* a slow callback */
}

static void wait_for_other(struct ask *ask)
{
    uv_sem_wait(&ask->fixture->reached); /* it runs before this returns */
}

/* Both are answered in one turn of the loop. */
static void a_request_does_not_wait_for_the_next_callback(void *data)
{
    struct fixture *f = data;
    struct ask asks[2];

    ask_init_all(f, asks, 2);
    ask_init(f, &other);
    asks[0].then = submit_other;
    asks[1].then = wait_for_other;
    for (int i = 0; i < 2; i++)
        ask_sql(&asks[i], "SELECT 1");
    while (!atomic_load(&f->conn.worker.sleeping))
        (void)sched_yield(); /* both are answered */
    expect(&other, 0);
    CHECK_INT(asks[1].calls, 1);
    ask_destroy_all(asks, 2);
    asq_request_destroy(&other.request);
}

/* The worker, as the system sees it */

static char name[64], blocked[64];

static void read_line(const char *path, const char *key, char *text)
{
    FILE *file = fopen(path, "r");
    char line[256];

    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0)
            (void)sscanf(line + strlen(key), "%63s", text);
    }
    (void)fclose(file);
}

static int look_at_self(struct asq_db *db, struct asq_request *request)
{
    (void)db;
    (void)request;
    read_line("/proc/thread-self/status", "Name:", name);
    read_line("/proc/thread-self/status", "SigBlk:", blocked);
    return 0;
}

static void the_worker_has_a_name_and_no_signals(void *data)
{
    struct fixture *f = data;

#if !defined(__linux__)
    test_skip("this system has no /proc/thread-self");
#endif
    call_now(f, look_at_self);
    CHECK_TEXT(name, "a.db");
    for (int i = 1; i < 32; i++) {
        if (i != SIGKILL && i != SIGSTOP)
            CHECK(strtoull(blocked, NULL, 16) & (1ULL << (i - 1)));
    }
    close_conn(f);
    init_again(f);
    f->conn.name = "a name that is too long";
    open_conn(f);
    call_now(f, look_at_self);
    CHECK_TEXT(name, "a");
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(it_opens_again_from_on_closed),
    CASE(it_opens_again_after_an_unknown_outcome),
    CASE(a_second_close_does_nothing),
    CASE(a_close_ends_the_wait_of_opening),
    CASE(the_child_of_a_fork_is_refused),
    CASE(the_child_of_a_fork_can_close_nothing),
    CASE(a_request_does_not_wait_for_the_next_callback),
    CASE(the_worker_has_a_name_and_no_signals),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_again",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
