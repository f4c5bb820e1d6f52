/* test_slow_disk - delays, faults and the gate, seen through SQLite
 *
 * What is left after a fault or a power cut is in test_slow_disk_recovery.c.
 * The raw API is used, because the modules are tested on this disk.
 */
#include "common/clock.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

struct fixture {
    const char *path;
};

/* Registers the slow disk as often as it is used, which must be harmless. */
static sqlite3 *open_db(const char *path, const char *vfs)
{
    sqlite3 *db = NULL;
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    CHECK_INT(sqlite3_open_v2(path, &db, flags, vfs), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(db, 1), SQLITE_OK);
    return db;
}

static void close_db(sqlite3 *db)
{
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static int exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void run(sqlite3 *db, const char *sql)
{
    if (exec(db, sql) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    int64_t answer = sqlite3_column_int64(stmt, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return answer;
}

/* Runs sql and compares the first column of its first row. */
static void check_answer(sqlite3 *db, const char *sql, const char *expected)
{
    sqlite3_stmt *stmt = NULL;
    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    CHECK_TEXT((const char *)sqlite3_column_text(stmt, 0), expected);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

/* Makes a file of about 40 pages and counts ops from zero afterwards. */
static void make_file(const char *path, const char *journal)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA synchronous=OFF; PRAGMA journal_mode=%s;"
                   "CREATE TABLE total (n INTEGER);"
                   "CREATE TABLE filler (id INTEGER PRIMARY KEY, body TEXT);"
                   "INSERT INTO total VALUES (0);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < 100)"
                   "INSERT INTO filler SELECT i, hex(zeroblob(700)) FROM n",
                   journal);
    (void)unlink(path); /* it may not be there */
    sqlite3 *db = open_db(path, NULL);
    run(db, sql);
    close_db(db);
    asq_slow_disk_reset();
}

static const char sum_of_filler[] = "SELECT sum(length(body)) FROM filler";
enum {
    SUM_OF_FILLER = 100 * 1400
};

/* Delays */

static void each_read_takes_its_delay(void *argument)
{
    struct fixture *fixture = argument;
    make_file(fixture->path, "wal");
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    uint64_t before = asq_slow_disk_count(ASQ_DISK_READ);
    asq_slow_disk_delay(ASQ_DISK_READ, 500);
    uint64_t begin = asq_clock_now_ns();
    CHECK_INT(ask(db, sum_of_filler), SUM_OF_FILLER);
    uint64_t took = asq_clock_now_ns() - begin;
    uint64_t reads = asq_slow_disk_count(ASQ_DISK_READ) - before;
    CHECK_RANGE(reads, 34, 60);
    CHECK(took >= reads * 500 * ASQ_NS_PER_US);
    close_db(db);
}

static void writes_syncs_and_opens_take_their_delays(void *argument)
{
    struct fixture *fixture = argument;
    make_file(fixture->path, "delete");
    asq_slow_disk_delay(ASQ_DISK_WRITE, 300);
    asq_slow_disk_delay(ASQ_DISK_SYNC, 1000);
    asq_slow_disk_delay(ASQ_DISK_OPEN, 2000);
    uint64_t begin = asq_clock_now_ns();
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    run(db, "PRAGMA synchronous=FULL; UPDATE total SET n = 1");
    uint64_t took = asq_clock_now_ns() - begin;
    uint64_t writes = asq_slow_disk_count(ASQ_DISK_WRITE);
    uint64_t syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    CHECK_RANGE(writes, 4, 12);
    CHECK_RANGE(syncs, 2, 4);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_OPEN), 2); /* and the journal */
    CHECK(took >= (writes * 300 + syncs * 1000 + 4000) * ASQ_NS_PER_US);
    close_db(db);
}

/* A mapped file would be read without a single xRead. */
static void mmap_does_not_go_around_it(void *argument)
{
    struct fixture *fixture = argument;
    make_file(fixture->path, "wal");
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    run(db, "PRAGMA mmap_size=1000000");
    uint64_t before = asq_slow_disk_count(ASQ_DISK_READ);
    CHECK_INT(ask(db, sum_of_filler), SUM_OF_FILLER);
    CHECK_RANGE(asq_slow_disk_count(ASQ_DISK_READ) - before, 34, 60);
    close_db(db);
}

static void temporary_files_are_not_touched(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    asq_slow_disk_reset();
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_IOERR_WRITE, 1);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 1);
    run(db, "PRAGMA temp_store=FILE; PRAGMA temp.cache_size=2;"
            "CREATE TEMP TABLE t (body);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
            " SELECT i + 1 FROM n WHERE i < 100)"
            "INSERT INTO t SELECT zeroblob(3000) FROM n");
    CHECK_INT(ask(db, "SELECT sum(length(body)) FROM t"), 300000);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_WRITE), 0);
    close_db(db);
}

/* A default VFS without shared memory: WAL is refused, nothing crashes. */
static void without_shared_memory_there_is_no_wal(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3_vfs *dotfile = sqlite3_vfs_find("unix-dotfile");
    if (dotfile == NULL)
        test_skip("this SQLite has no unix-dotfile");
    CHECK_INT(sqlite3_vfs_register(dotfile, 1), SQLITE_OK);
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    check_answer(db, "PRAGMA journal_mode = wal", "delete");
    run(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 1);
    close_db(db);
}

/* Faults */

static void each_fault_arrives_with_its_code(void *argument)
{
    struct fixture *fixture = argument;
    static const struct {
        enum asq_disk_op op;
        int code;
    } faults[] = {
        {ASQ_DISK_READ, SQLITE_IOERR_READ},
        {ASQ_DISK_WRITE, SQLITE_IOERR_WRITE},
        {ASQ_DISK_WRITE, SQLITE_FULL},
        {ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC},
    };
    static const char *const journals[] = {"delete", "wal"};
    for (int i = 0; i < 8; i++) {
        make_file(fixture->path, journals[i / 4]);
        sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
        run(db, "PRAGMA synchronous=FULL; SELECT * FROM total");
        asq_slow_disk_fail(faults[i % 4].op, 1, faults[i % 4].code, 0);
        int rc = exec(
            db, "BEGIN; INSERT INTO filler SELECT id + 100, body FROM filler;"
                "COMMIT");
        CHECK_INT(rc, faults[i % 4].code);
        (void)exec(db, "ROLLBACK"); /* SQLite may have done it already */
        check_answer(db, "PRAGMA integrity_check", "ok");
        close_db(db);
    }
}

static void a_file_that_does_not_open_is_cantopen(void *argument)
{
    struct fixture *fixture = argument;
    static const char *const journals[] = {"delete", "wal"};
    for (int i = 0; i < 2; i++) {
        make_file(fixture->path, journals[i]);
        sqlite3 *db = NULL;
        asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 0);
        CHECK_INT(sqlite3_open_v2(fixture->path, &db, SQLITE_OPEN_READWRITE,
                                  ASQ_SLOW_DISK),
                  SQLITE_CANTOPEN);
        close_db(db);
        db = open_db(fixture->path, ASQ_SLOW_DISK);
        asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 0);
        CHECK_INT(exec(db, "UPDATE total SET n = 1"), SQLITE_CANTOPEN);
        run(db, "UPDATE total SET n = 2");
        check_answer(db, "PRAGMA integrity_check", "ok");
        close_db(db);
    }
}

static void a_fault_strikes_the_nth_and_stays_if_kept(void *argument)
{
    struct fixture *fixture = argument;
    make_file(fixture->path, "wal");
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    run(db, "PRAGMA cache_size=0; SELECT * FROM total");
    uint64_t before = asq_slow_disk_count(ASQ_DISK_READ);
    asq_slow_disk_fail(ASQ_DISK_READ, 5, SQLITE_IOERR_READ, 0);
    CHECK_INT(exec(db, sum_of_filler), SQLITE_IOERR_READ);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_READ) - before, 5);
    CHECK_INT(ask(db, sum_of_filler), SUM_OF_FILLER);

    asq_slow_disk_fail(ASQ_DISK_READ, 3, SQLITE_IOERR_READ, 1);
    for (int i = 0; i < 3; i++)
        CHECK_INT(exec(db, sum_of_filler), SQLITE_IOERR_READ);
    asq_slow_disk_fail(ASQ_DISK_READ, 0, 0, 0);
    CHECK_INT(ask(db, sum_of_filler), SUM_OF_FILLER);
    close_db(db);
}

/* The gate */

struct reader {
    const char *path;
    uv_thread_t thread;
    atomic_int done;
    int64_t answer;
};

static void read_on_thread(void *argument)
{
    struct reader *reader = argument;
    sqlite3 *db = open_db(reader->path, ASQ_SLOW_DISK);
    reader->answer = ask(db, sum_of_filler);
    atomic_store(&reader->done, 1);
    close_db(db);
}

static void start_reader(struct reader *reader, const char *path)
{
    make_file(path, "wal");
    reader->path = path;
    asq_slow_disk_gate(ASQ_DISK_READ, 7);
    CHECK_INT(uv_thread_create(&reader->thread, read_on_thread, reader), 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_READ), 7);
    CHECK_INT(atomic_load(&reader->done), 0);
}

static void join_reader(struct reader *reader)
{
    CHECK_INT(uv_thread_join(&reader->thread), 0);
    CHECK_INT(reader->answer, SUM_OF_FILLER);
}

static void the_gate_holds_the_nth_read(void *argument)
{
    struct fixture *fixture = argument;
    struct reader reader = {0};
    start_reader(&reader, fixture->path);
    CHECK_INT(asq_slow_disk_wait_for_gate(0), 0); /* it still stands there */
    asq_slow_disk_open_gate();
    join_reader(&reader);
    CHECK_INT(asq_slow_disk_wait_for_gate(1), UV_ETIMEDOUT);
}

static void reset_lets_go(void *argument)
{
    struct fixture *fixture = argument;
    struct reader reader = {0};
    start_reader(&reader, fixture->path);
    asq_slow_disk_reset();
    join_reader(&reader);
}

static void a_new_gate_lets_go_and_holds_the_next(void *argument)
{
    struct fixture *fixture = argument;
    struct reader reader = {0};
    start_reader(&reader, fixture->path);
    for (uint64_t reads = 8; reads <= 12; reads++) {
        asq_slow_disk_gate(ASQ_DISK_READ, 1);
        CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
        CHECK_INT(asq_slow_disk_count(ASQ_DISK_READ), reads);
    }
    CHECK_INT(atomic_load(&reader.done), 0);
    asq_slow_disk_open_gate();
    join_reader(&reader);
}

static void others_pass_while_one_stands_at_the_gate(void *argument)
{
    struct fixture *fixture = argument;
    struct reader reader = {0};
    start_reader(&reader, fixture->path);
    sqlite3 *db = open_db(fixture->path, ASQ_SLOW_DISK);
    CHECK_INT(ask(db, sum_of_filler), SUM_OF_FILLER);
    run(db, "UPDATE total SET n = 1");
    close_db(db);
    CHECK_INT(atomic_load(&reader.done), 0);
    asq_slow_disk_open_gate();
    join_reader(&reader);
}

static void commit_on_thread(void *argument)
{
    run(argument, "UPDATE total SET n = 1");
}

static void the_gate_holds_a_commit_at_its_sync(void *argument)
{
    struct fixture *fixture = argument;
    make_file(fixture->path, "wal");
    sqlite3 *writer = open_db(fixture->path, ASQ_SLOW_DISK);
    sqlite3 *other = open_db(fixture->path, ASQ_SLOW_DISK);
    run(writer, "PRAGMA synchronous=FULL; UPDATE total SET n = 0");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    uv_thread_t thread;
    CHECK_INT(uv_thread_create(&thread, commit_on_thread, writer), 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    CHECK_INT(ask(other, "SELECT n FROM total"), 0);
    CHECK_INT(exec(other, "UPDATE total SET n = 2"), SQLITE_BUSY);
    asq_slow_disk_open_gate();
    CHECK_INT(uv_thread_join(&thread), 0);
    CHECK_INT(ask(other, "SELECT n FROM total"), 1);
    close_db(writer);
    close_db(other);
}

static void set_up(void *argument)
{
    struct fixture *fixture = argument;
    fixture->path = test_path("a.db");
}

static const struct test_case cases[] = {
    {.name = "each_read_takes_its_delay", .run = each_read_takes_its_delay},
    {.name = "writes_syncs_and_opens_take_their_delays",
     .run = writes_syncs_and_opens_take_their_delays},
    {.name = "mmap_does_not_go_around_it", .run = mmap_does_not_go_around_it},
    {.name = "temporary_files_are_not_touched",
     .run = temporary_files_are_not_touched},
    {.name = "without_shared_memory_there_is_no_wal",
     .run = without_shared_memory_there_is_no_wal},
    {.name = "each_fault_arrives_with_its_code",
     .run = each_fault_arrives_with_its_code},
    {.name = "a_file_that_does_not_open_is_cantopen",
     .run = a_file_that_does_not_open_is_cantopen},
    {.name = "a_fault_strikes_the_nth_and_stays_if_kept",
     .run = a_fault_strikes_the_nth_and_stays_if_kept},
    {.name = "the_gate_holds_the_nth_read", .run = the_gate_holds_the_nth_read},
    {.name = "reset_lets_go", .run = reset_lets_go},
    {.name = "a_new_gate_lets_go_and_holds_the_next",
     .run = a_new_gate_lets_go_and_holds_the_next},
    {.name = "others_pass_while_one_stands_at_the_gate",
     .run = others_pass_while_one_stands_at_the_gate},
    {.name = "the_gate_holds_a_commit_at_its_sync",
     .run = the_gate_holds_a_commit_at_its_sync},
    {0},
};

const struct test_suite test_suite = {
    .name = "slow_disk",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
};
