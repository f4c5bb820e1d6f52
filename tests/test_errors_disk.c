/* test_errors_disk - what goes wrong with a disk, a file or memory, for real */
#include "common/slow_disk.h"
#include "errors_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static const struct expected full = {SQLITE_FULL, ASQ_ERROR_FULL,
                                     ASQ_REMEDY_REPAIR, ""};
static const struct expected closed = {UV_ESHUTDOWN, ASQ_ERROR_SHUTTING_DOWN,
                                       ASQ_REMEDY_STOP, ""};

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2; /* so that every commit is synced */
}

/* Many pages, more than the header's and the schema's. */
static void make_file(struct fixture *f)
{
    raw_run(f->profile.path,
            "CREATE TABLE t (v); INSERT INTO t VALUES (randomblob(100000))");
}

static void open_fails(struct fixture *f, const struct expected *expected)
{
    start_open(f);
    test_run_until(&f->loop, &f->opened);
    CHECK_INT(f->open_status, expected->status);
    check_error(asq_error_of_code(f->open_status, f->conn.message), expected);
}

static void a_full_disk(void *data)
{
    struct fixture *f = data;

    make_file(f);
    open_conn(f);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    sql_fails(f, "INSERT INTO t VALUES (1)", &full);
    asq_slow_disk_reset();
    run_now(f, "INSERT INTO t VALUES (1)");
}

static void a_full_database(void *data)
{
    struct fixture *f = data;

    make_file(f);
    open_conn(f);
    run_now(f, "PRAGMA max_page_count=1"); /* as many as there are */
    sql_fails(f, "INSERT INTO t VALUES (randomblob(100000))", &full);
}

static void a_read_that_fails(void *data)
{
    static const struct expected io = {SQLITE_IOERR_READ, ASQ_ERROR_IO,
                                       ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;

    make_file(f);
    open_conn(f);
    asq_slow_disk_fail(ASQ_DISK_READ, 1, SQLITE_IOERR_READ, 1);
    sql_fails(f, "SELECT hex(v) FROM t", &io);
    asq_slow_disk_reset();
    run_now(f, "SELECT hex(v) FROM t");
}

static void damage(const char *path, off_t at)
{
    unsigned char garbage[64];
    int file = open(path, O_WRONLY);

    memset(garbage, 0xa5, sizeof garbage);
    CHECK(file >= 0);
    CHECK_INT(pwrite(file, garbage, sizeof garbage, at), sizeof garbage);
    CHECK_INT(close(file), 0);
}

static void a_damaged_page(void *data)
{
    static const struct expected corrupt = {SQLITE_CORRUPT, ASQ_ERROR_CORRUPT,
                                            ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;

    make_file(f);
    damage(f->profile.path, 4096); /* the first page of t */
    open_conn(f);
    sql_fails(f, "SELECT v FROM t", &corrupt);
}

static void not_a_database(void *data)
{
    static const struct expected other = {
        SQLITE_NOTADB, ASQ_ERROR_NOT_A_DATABASE, ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;

    make_file(f);
    damage(f->profile.path, 0); /* where the name of the format stands */
    open_fails(f, &other);
}

static void a_folder_that_is_missing(void *data)
{
    static const struct expected missing = {
        SQLITE_CANTOPEN, ASQ_ERROR_CANNOT_OPEN, ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;
    struct ask ask;

    f->profile.path = test_path("missing/a.db");
    ask_init(f, &ask);
    start_open(f);
    ask_sql(&ask, "SELECT 1");
    expect_error(&ask, &closed); /* and why stands in its message */
    CHECK_CONTAINS(ask.request.message, "unable to open database file");
    CHECK_INT(f->open_status, missing.status);
    check_error(asq_error_of_code(f->open_status, f->conn.message), &missing);
    asq_request_destroy(&ask.request);
}

static void a_connection_for_reading(void *data)
{
    static const struct expected read_only = {
        SQLITE_READONLY, ASQ_ERROR_READ_ONLY, ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;

    make_file(f);
    f->profile.mode = ASQ_OPEN_READ;
    open_conn(f);
    sql_fails(f, "INSERT INTO t VALUES (1)", &read_only);
}

/* Root may write everything, so root becomes nobody for a while. */
static void a_file_that_cannot_be_written(void *data)
{
    static const struct expected read_only = {
        SQLITE_READONLY, ASQ_ERROR_READ_ONLY, ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;
    int file;

    make_file(f);
    CHECK_INT(chmod(f->profile.path, 0444), 0);
    if (geteuid() == 0 && seteuid(65534) != 0)
        test_skip("root cannot become another user here");
    file = open(f->profile.path, O_RDONLY);
    if (file < 0)
        test_skip("another user cannot reach the folder of the tests");
    CHECK_INT(close(file), 0);
    f->profile.vfs = NULL;
    open_fails(f, &read_only);
    close_conn(f);
    if (getuid() == 0)
        CHECK_INT(seteuid(0), 0);
}

static void no_memory(void *data)
{
    static const struct expected memory = {SQLITE_NOMEM, ASQ_ERROR_MEMORY,
                                           ASQ_REMEDY_REPAIR, ""};
    struct fixture *f = data;

    make_file(f);
    open_conn(f);
    test_alloc_fail_at(TEST_ALLOC_SQLITE, 1, 1);
    sql_fails(f, "SELECT hex(v) FROM t", &memory);
    test_alloc_fail_at(0, 0, 0);
    run_now(f, "SELECT hex(v) FROM t");
}

static void a_commit_that_may_have_happened(void *data)
{
    static const struct expected unknown = {
        SQLITE_IOERR_FSYNC, ASQ_ERROR_OUTCOME_UNKNOWN, ASQ_REMEDY_REOPEN, ""};
    struct fixture *f = data;
    struct ask asks[2];

    make_file(f);
    open_conn(f);
    ask_init_all(f, asks, 2);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    ask_sql(&asks[0], "INSERT INTO t VALUES (1)");
    ask_sql(&asks[1], "SELECT 1");
    expect_error(&asks[0], &unknown);
    expect_error(&asks[1], &closed);
    ask_destroy_all(asks, 2);
}

static const struct test_case cases[] = {
    {.name = "a_full_disk", .run = a_full_disk},
    {.name = "a_full_database", .run = a_full_database},
    {.name = "a_read_that_fails", .run = a_read_that_fails},
    {.name = "a_commit_that_may_have_happened",
     .run = a_commit_that_may_have_happened},
    {.name = "a_damaged_page", .run = a_damaged_page},
    {.name = "not_a_database", .run = not_a_database},
    {.name = "a_folder_that_is_missing", .run = a_folder_that_is_missing},
    {.name = "a_connection_for_reading", .run = a_connection_for_reading},
    {.name = "a_file_that_cannot_be_written",
     .run = a_file_that_cannot_be_written},
    {.name = "no_memory", .run = no_memory},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "errors_disk",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
