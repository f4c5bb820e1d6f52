/* test_slow_disk_recovery - what is left after a fault or a power cut
 *
 * The same small work is done again and again, and each time another op goes
 * wrong. Whatever happens, the file is whole afterwards, and what was
 * acknowledged is there as long as every COMMIT was synced.
 */
#include "04-measure-first/db_copy.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>

enum {
    ROWS = 5,
    CHECKPOINT_AFTER = 3
};

struct fixture {
    const char *path;
    const char *journal;
    const char *synchronous;
};

static int exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static sqlite3 *open_db(const char *path, const char *vfs)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    CHECK_INT(sqlite3_open_v2(path, &db, flags, vfs), SQLITE_OK);
    return db;
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

static void make_file(const struct fixture *fixture)
{
    char sql[256];

    (void)asq_db_remove(fixture->path); /* what cannot be removed stays */
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA synchronous=OFF; PRAGMA journal_mode=%s;"
                   "CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT);"
                   "CREATE TABLE total (n INTEGER);"
                   "INSERT INTO total VALUES (0)",
                   fixture->journal);
    sqlite3 *db = open_db(fixture->path, NULL);
    run(db, sql);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    asq_slow_disk_reset();
}

/* Opens through the slow disk, which may fail. The time-out is for threads
 * that open a WAL file at once: one of them makes the shared memory. */
static int open_slow(const struct fixture *fixture, sqlite3 **ret_db)
{
    char sql[128];
    int flags = SQLITE_OPEN_READWRITE;
    int rc = sqlite3_open_v2(fixture->path, ret_db, flags, ASQ_SLOW_DISK);
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA synchronous=%s; PRAGMA journal_mode=%s",
                   fixture->synchronous, fixture->journal);
    if (rc != SQLITE_OK)
        return rc;
    CHECK_INT(sqlite3_busy_timeout(*ret_db, 10000), SQLITE_OK);
    return exec(*ret_db, sql);
}

/* Adds a row of two pages and counts it in `total`. */
static int write_row(sqlite3 *db, int id)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "BEGIN; UPDATE total SET n = n + 1;"
                   "INSERT INTO rows VALUES (%d, hex(zeroblob(3000)));"
                   "COMMIT",
                   id);
    return exec(db, sql);
}

/* Stops at the first error. Returns how many COMMITs returned 0. */
static int write_rows(sqlite3 *db)
{
    int acknowledged = 0;
    int rc = SQLITE_OK;
    while (acknowledged < ROWS && rc == SQLITE_OK) {
        rc = write_row(db, acknowledged + 1);
        acknowledged += rc == SQLITE_OK;
        if (acknowledged == CHECKPOINT_AFTER && rc == SQLITE_OK)
            rc = exec(db, "PRAGMA wal_checkpoint");
    }
    return acknowledged;
}

static int open_write_close(const struct fixture *fixture)
{
    sqlite3 *db = NULL;
    int acknowledged = 0;
    if (open_slow(fixture, &db) == SQLITE_OK)
        acknowledged = write_rows(db);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    return acknowledged;
}

/* Opens without the slow disk and checks that the file is whole and holds
 * the first rows without a gap. Returns how many. */
static int count_rows(const struct fixture *fixture)
{
    sqlite3 *db = open_db(fixture->path, NULL);
    CHECK_INT(ask(db, "SELECT integrity_check = 'ok'"
                      " FROM pragma_integrity_check"),
              1);
    int64_t count = ask(db, "SELECT count(*) FROM rows");
    CHECK_INT(ask(db, "SELECT coalesce(max(id), 0) FROM rows"), count);
    CHECK_INT(ask(db, "SELECT n FROM total"), count);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    return (int)count;
}

static const char *const journals[] = {"delete", "truncate", "persist", "wal"};

/* Faults */

/* Fails the first op, the second, and so on, until the work needs fewer. The
 * row whose COMMIT failed may be there or not. */
static void
fail_each(struct fixture *fixture, enum asq_disk_op op, int code, int keep)
{
    int unfinished = 0;
    int struck = 1;
    for (uint64_t nth = 1; struck; nth++) {
        CHECK(nth < 300);
        make_file(fixture);
        asq_slow_disk_fail(op, nth, code, keep);
        int acknowledged = open_write_close(fixture);
        struck = asq_slow_disk_count(op) >= nth;
        unfinished += acknowledged < ROWS;
        asq_slow_disk_reset();
        CHECK_RANGE(count_rows(fixture), acknowledged, acknowledged + 1);
    }
    CHECK(unfinished > 0);
}

static void fail_each_in_all_journals(struct fixture *fixture,
                                      enum asq_disk_op op,
                                      int code)
{
    /* Real syncs take time and matter only where the power may go. */
    fixture->synchronous = op == ASQ_DISK_SYNC ? "FULL" : "OFF";
    for (int i = 0; i < 8; i++) {
        fixture->journal = journals[i / 2];
        fail_each(fixture, op, code, i % 2);
    }
}

static void any_read_may_fail(void *fixture)
{
    fail_each_in_all_journals(fixture, ASQ_DISK_READ, SQLITE_IOERR_READ);
}

static void any_write_may_fail(void *fixture)
{
    fail_each_in_all_journals(fixture, ASQ_DISK_WRITE, SQLITE_IOERR_WRITE);
}

static void the_disk_may_be_full_at_any_write(void *fixture)
{
    fail_each_in_all_journals(fixture, ASQ_DISK_WRITE, SQLITE_FULL);
}

static void any_sync_may_fail(void *fixture)
{
    fail_each_in_all_journals(fixture, ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC);
}

static void any_open_may_fail(void *fixture)
{
    fail_each_in_all_journals(fixture, ASQ_DISK_OPEN, SQLITE_CANTOPEN);
}

/* Power cuts */

struct worker {
    const struct fixture *fixture;
    int acknowledged;
};

static void work_on_thread(void *argument)
{
    struct worker *worker = argument;
    worker->acknowledged = open_write_close(worker->fixture);
}

/* Cuts the power while the nth op is about to begin. Returns how many rows
 * had been acknowledged. */
static int
cut_at(const struct fixture *fixture, enum asq_disk_op op, uint64_t nth)
{
    struct worker worker = {.fixture = fixture};
    uv_thread_t thread;
    make_file(fixture);
    asq_slow_disk_remember();
    asq_slow_disk_gate(op, nth);
    CHECK_INT(uv_thread_create(&thread, work_on_thread, &worker), 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    CHECK_INT(asq_slow_disk_power_cut(), 0);
    asq_slow_disk_open_gate();
    CHECK_INT(uv_thread_join(&thread), 0);
    asq_slow_disk_power_on();
    return worker.acknowledged;
}

static uint64_t count_ops(const struct fixture *fixture, enum asq_disk_op op)
{
    make_file(fixture);
    CHECK_INT(open_write_close(fixture), ROWS);
    return asq_slow_disk_count(op);
}

static void full_loses_nothing_that_was_acknowledged(void *argument)
{
    struct fixture *fixture = argument;
    static const enum asq_disk_op ops[] = {ASQ_DISK_SYNC, ASQ_DISK_WRITE};
    for (int i = 0; i < 8; i++) {
        fixture->journal = journals[i / 2];
        uint64_t ops_begun = count_ops(fixture, ops[i % 2]);
        CHECK(ops_begun >= ROWS);
        for (uint64_t nth = 1; nth <= ops_begun; nth++) {
            int acknowledged = cut_at(fixture, ops[i % 2], nth);
            CHECK_RANGE(count_rows(fixture), acknowledged, acknowledged + 1);
        }
    }
}

static void normal_in_wal_leaves_a_prefix(void *argument)
{
    struct fixture *fixture = argument;
    fixture->journal = "wal";
    fixture->synchronous = "NORMAL";
    uint64_t writes = count_ops(fixture, ASQ_DISK_WRITE);
    int lost = 0;
    for (uint64_t nth = 1; nth <= writes; nth++) {
        int acknowledged = cut_at(fixture, ASQ_DISK_WRITE, nth);
        int left = count_rows(fixture);
        CHECK_RANGE(left, 0, acknowledged + 1);
        lost += acknowledged > left;
    }
    CHECK(lost > 0);
}

/* Acknowledges all rows, then cuts the power. Returns how many are left. */
static int cut_after_the_last_row(struct fixture *fixture,
                                  const char *synchronous)
{
    sqlite3 *db = NULL;
    fixture->journal = "wal";
    fixture->synchronous = synchronous;
    make_file(fixture);
    asq_slow_disk_remember();
    CHECK_INT(open_slow(fixture, &db), SQLITE_OK);
    CHECK_INT(write_rows(db), ROWS);
    CHECK_INT(ask(db, "SELECT count(*) FROM rows"), ROWS);
    CHECK_INT(asq_slow_disk_power_cut(), 0);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    asq_slow_disk_power_on();
    return count_rows(fixture);
}

static void normal_in_wal_loses_what_came_after_the_checkpoint(void *argument)
{
    CHECK_INT(cut_after_the_last_row(argument, "FULL"), ROWS);
    CHECK_INT(cut_after_the_last_row(argument, "NORMAL"), CHECKPOINT_AFTER);
}

static void closing_a_file_does_not_save_it(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = NULL;
    fixture->journal = "wal";
    fixture->synchronous = "NORMAL";
    make_file(fixture);
    asq_slow_disk_remember();
    CHECK_INT(open_slow(fixture, &db), SQLITE_OK);
    CHECK_INT(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
              SQLITE_OK);
    CHECK_INT(write_row(db, 1), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    CHECK_INT(asq_slow_disk_power_cut(), 0);
    asq_slow_disk_power_on();
    CHECK_INT(count_rows(fixture), 0);
}

/* Nothing was synced, and the journal is gone for good: it must not be missed
 * when the rest is undone. */
static void a_deleted_journal_does_not_come_back(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = NULL;
    fixture->journal = "delete";
    fixture->synchronous = "OFF";
    make_file(fixture);
    asq_slow_disk_remember();
    CHECK_INT(open_slow(fixture, &db), SQLITE_OK);
    CHECK_INT(write_row(db, 1), SQLITE_OK);
    CHECK_INT(asq_slow_disk_power_cut(), 0);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    asq_slow_disk_power_on();
    CHECK_INT(count_rows(fixture), 0);
}

static void without_power_everything_fails_but_closing(void *argument)
{
    struct fixture *fixture = argument;
    for (int i = 0; i < 4; i++) {
        sqlite3 *db = NULL;
        sqlite3 *late = NULL;
        fixture->journal = journals[i];
        make_file(fixture);
        asq_slow_disk_remember();
        CHECK_INT(open_slow(fixture, &db), SQLITE_OK);
        CHECK_INT(write_row(db, 1), SQLITE_OK);
        CHECK_INT(asq_slow_disk_power_cut(), 0);
        CHECK_INT(exec(db, "SELECT * FROM rows"), SQLITE_IOERR);
        CHECK_INT(write_row(db, 2), SQLITE_IOERR);
        CHECK_INT(open_slow(fixture, &late), SQLITE_IOERR);
        CHECK_INT(sqlite3_close(late), SQLITE_OK);
        CHECK_INT(sqlite3_close(db), SQLITE_OK);
        asq_slow_disk_power_on();
        CHECK_INT(open_slow(fixture, &db), SQLITE_OK);
        CHECK_INT(write_row(db, 2), SQLITE_OK);
        CHECK_INT(sqlite3_close(db), SQLITE_OK);
        CHECK_INT(count_rows(fixture), 2);
    }
}

static void what_was_not_remembered_is_not_undone(void *argument)
{
    struct fixture *fixture = argument;
    sqlite3 *db = NULL;
    fixture->journal = "wal";
    fixture->synchronous = "OFF";
    make_file(fixture);
    asq_slow_disk_remember();
    CHECK_INT(open_slow(fixture, &db), SQLITE_OK);
    CHECK_INT(write_row(db, 1), SQLITE_OK);
    asq_slow_disk_reset();
    CHECK_INT(write_row(db, 2), SQLITE_OK);
    CHECK_INT(asq_slow_disk_power_cut(), SQLITE_MISUSE);
    CHECK_INT(write_row(db, 3), SQLITE_IOERR);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    asq_slow_disk_power_on();
    CHECK_INT(count_rows(fixture), 2);
}

/* Several threads */

static void read_until_the_power_goes(void *argument)
{
    const struct fixture *fixture = argument;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = open_slow(fixture, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db,
                                "SELECT n = (SELECT count(*) FROM rows) AND"
                                " n * 6000 = (SELECT coalesce("
                                "sum(length(body)), 0) FROM rows) FROM total",
                                -1, &stmt, NULL);
    while (rc == SQLITE_OK) {
        if (sqlite3_step(stmt) == SQLITE_ROW)
            CHECK_INT(sqlite3_column_int(stmt, 0), 1);
        rc = sqlite3_reset(stmt);
    }
    CHECK_INT(rc, SQLITE_IOERR);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void readers_see_no_half_undone_file(void *argument)
{
    struct fixture *fixture = argument;
    struct worker worker = {.fixture = fixture};
    uv_thread_t writer;
    uv_thread_t readers[3];
    fixture->journal = "wal";
    for (uint64_t nth = 10; nth <= 40; nth += 10) {
        make_file(fixture);
        asq_slow_disk_remember();
        asq_slow_disk_gate(ASQ_DISK_WRITE, nth);
        for (int i = 0; i < 3; i++)
            CHECK_INT(uv_thread_create(&readers[i], read_until_the_power_goes,
                                       fixture),
                      0);
        CHECK_INT(uv_thread_create(&writer, work_on_thread, &worker), 0);
        CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
        CHECK_INT(asq_slow_disk_power_cut(), 0);
        asq_slow_disk_open_gate();
        CHECK_INT(uv_thread_join(&writer), 0);
        for (int i = 0; i < 3; i++)
            CHECK_INT(uv_thread_join(&readers[i]), 0);
        asq_slow_disk_power_on();
        CHECK_RANGE(count_rows(fixture), worker.acknowledged,
                    worker.acknowledged + 1);
    }
}

static void threads_with_files_of_their_own_are_remembered(void *argument)
{
    static const char *const names[] = {"1.db", "2.db", "3.db", "4.db"};
    struct fixture fixtures[4];
    struct worker workers[4];
    uv_thread_t threads[4];
    for (int i = 0; i < 4; i++) {
        fixtures[i] = *(struct fixture *)argument;
        fixtures[i].path = test_path(names[i]);
        fixtures[i].journal = journals[i];
        workers[i] = (struct worker){.fixture = &fixtures[i]};
        make_file(&fixtures[i]);
    }
    asq_slow_disk_remember();
    for (int i = 0; i < 4; i++)
        CHECK_INT(uv_thread_create(&threads[i], work_on_thread, &workers[i]),
                  0);
    for (int i = 0; i < 4; i++)
        CHECK_INT(uv_thread_join(&threads[i]), 0);
    CHECK_INT(asq_slow_disk_power_cut(), 0);
    asq_slow_disk_power_on();
    for (int i = 0; i < 4; i++)
        CHECK_INT(count_rows(&fixtures[i]), ROWS);
}

static void set_up(void *argument)
{
    struct fixture *fixture = argument;
    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    fixture->path = test_path("a.db");
    fixture->synchronous = "FULL";
}

static void tear_down(void *fixture)
{
    (void)fixture;
    asq_slow_disk_reset();
}

static const struct test_case cases[] = {
    {.name = "any_read_may_fail", .run = any_read_may_fail, .seconds = 120},
    {.name = "any_write_may_fail", .run = any_write_may_fail, .seconds = 120},
    {.name = "the_disk_may_be_full_at_any_write",
     .run = the_disk_may_be_full_at_any_write,
     .seconds = 120},
    {.name = "any_sync_may_fail", .run = any_sync_may_fail, .seconds = 120},
    {.name = "any_open_may_fail", .run = any_open_may_fail, .seconds = 120},
    {.name = "full_loses_nothing_that_was_acknowledged",
     .run = full_loses_nothing_that_was_acknowledged,
     .seconds = 120},
    {.name = "normal_in_wal_leaves_a_prefix",
     .run = normal_in_wal_leaves_a_prefix,
     .seconds = 120},
    {.name = "normal_in_wal_loses_what_came_after_the_checkpoint",
     .run = normal_in_wal_loses_what_came_after_the_checkpoint},
    {.name = "closing_a_file_does_not_save_it",
     .run = closing_a_file_does_not_save_it},
    {.name = "a_deleted_journal_does_not_come_back",
     .run = a_deleted_journal_does_not_come_back},
    {.name = "without_power_everything_fails_but_closing",
     .run = without_power_everything_fails_but_closing},
    {.name = "what_was_not_remembered_is_not_undone",
     .run = what_was_not_remembered_is_not_undone},
    {.name = "readers_see_no_half_undone_file",
     .run = readers_see_no_half_undone_file},
    {.name = "threads_with_files_of_their_own_are_remembered",
     .run = threads_with_files_of_their_own_are_remembered},
    {0},
};

const struct test_suite test_suite = {
    .name = "slow_disk_recovery",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
