/* test_db_hook - what may happen while a database is being opened: the hook
 * of the profile, its time limit, and a watch that ends it
 */
#include "01-blocking/db_open.h"
#include "db_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* How many descriptors this process has open, of the first 256. */
static int descriptors(void)
{
    int count = 0;

    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) != -1;
    return count;
}

struct hook {
    const char *sql; /* NULL: none */
    int code;        /* what it returns when the SQL has gone well */
    int calls;
    bool step;       /* leaves sql after one step, with the next four */
    bool raw;        /* prepared by SQLite itself */
    bool blob;       /* leaves a blob of t open */
    sqlite3 *handle; /* as it was in the hook */
    sqlite3_blob *left;
};

static int leave_stepped(struct asq_db *db, const struct hook *hook)
{
    struct asq_stmt *stmt = NULL;
    sqlite3_stmt *raw = NULL;

    if (hook->raw) {
        CHECK_INT(
            sqlite3_prepare_v2(asq_db_handle(db), hook->sql, -1, &raw, NULL),
            0);
        CHECK_INT(sqlite3_step(raw), SQLITE_ROW);
    } else {
        CHECK_INT(asq_stmt_prepare(db, hook->sql, ASQ_WHOLE_TEXT, &stmt), 0);
        CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    }
    return 0;
}

static int on_open_db(struct asq_db *db, void *data)
{
    struct hook *hook = data;
    int rc = 0;

    hook->calls++;
    hook->handle = asq_db_handle(db);
    CHECK(hook->handle != NULL);
    if (hook->step)
        return leave_stepped(db, hook);
    if (hook->blob)
        CHECK_INT(sqlite3_blob_open(hook->handle, "main", "t", "v", 1, 0,
                                    &hook->left),
                  0);
    if (hook->sql != NULL)
        rc = asq_db_run(db, hook->sql, NULL, NULL);
    return rc != 0 ? rc : hook->code;
}

static struct asq_profile profile_with(struct hook *hook)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.on_open_db = on_open_db;
    profile.on_open_data = hook;
    return profile;
}

static void make_file(void)
{
    struct asq_db db;

    open_default(&db);
    run(&db, "CREATE TABLE IF NOT EXISTS t (v)");
    run(&db, "INSERT INTO t VALUES (zeroblob(10))");
    close_db(&db);
}

/* The size of a page can be chosen as long as nothing has touched the file,
 * and no more once it is in WAL. */
static void it_comes_before_anything_reads_the_file(void *fixture)
{
    struct hook hook = {.sql = "PRAGMA page_size = 8192"};
    struct asq_profile profile = profile_with(&hook);
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    CHECK_INT(hook.calls, 1);
    CHECK(hook.handle == asq_db_handle(&db));
    run(&db, "CREATE TABLE t (n)");
    CHECK_INT(ask(&db, "PRAGMA page_size"), 8192);
    CHECK_TEXT(db.journal_mode, "wal");
    close_db(&db);
}

static void what_it_makes_is_there_afterwards(void *fixture)
{
    struct hook hook = {.sql = "CREATE TEMP TABLE mine AS SELECT 5 AS n"};
    struct asq_profile profile = profile_with(&hook);
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    CHECK_INT(ask(&db, "SELECT n FROM mine"), 5);
    close_db(&db);
    hook.sql = "ATTACH ':memory:' AS beside";
    open_with(&db, &profile);
    run(&db, "CREATE TABLE beside.t (n)");
    close_db(&db);
}

static int count_commits(void *data, sqlite3 *handle, const char *name, int n)
{
    (void)handle;
    (void)name;
    (void)n;
    ++*(int *)data;
    return 0;
}

static int set_wal_hook(struct asq_db *db, void *data)
{
    (void)sqlite3_wal_hook(asq_db_handle(db), count_commits, data);
    return 0;
}

static void its_wal_hook_stays_without_automatic_checkpoints(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;
    int commits = 0;

    (void)fixture;
    profile.on_open_db = set_wal_hook;
    profile.on_open_data = &commits;
    profile.wal_autocheckpoint = 0;
    open_with(&db, &profile);
    run(&db, "CREATE TABLE t (n)");
    CHECK_INT(commits, 1);
    close_db(&db);
}

/* Opening fails with this code and message. */
static void
check_fails(const struct asq_profile *profile, int code, const char *reason)
{
    struct asq_db db;

    CHECK_INT(asq_db_open(&db, profile), code);
    CHECK_INT(db.failed, code);
    CHECK_CONTAINS(asq_db_message(&db), reason);
    CHECK_CONTAINS(asq_db_message(&db), "a.db: ");
    CHECK_INT(asq_db_run(&db, "SELECT 1", NULL, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_db_close(&db), 0);
}

/* The same, and nothing stays open. Only where no other connection is: as long
 * as one has locks, SQLite closes no descriptor of its file. */
static void
check_closes(const struct asq_profile *profile, int code, const char *reason)
{
    int before = descriptors();

    check_fails(profile, code, reason);
    CHECK_INT(descriptors(), before);
}

static void its_failing_is_the_failing_of_opening(void *fixture)
{
    struct hook hook = {.sql = "ATTACH '/nowhere/b.db' AS b"};
    struct asq_profile profile = profile_with(&hook);

    (void)fixture;
    make_file();
    check_closes(&profile, SQLITE_CANTOPEN,
                 "on_open_db: unable to open database: /nowhere/b.db");
    hook.sql = "SELECT nonsuch FROM t";
    check_closes(&profile, SQLITE_ERROR, "on_open_db: no such column: nonsuch");
    hook = (struct hook){.code = -4711};
    check_closes(&profile, -4711, "on_open_db: it returned -4711");
    hook = (struct hook){.sql = "BEGIN IMMEDIATE", .code = 3};
    check_closes(&profile, 3, "on_open_db: it returned 3");
    make_file(); /* it is locked no more */
}

static void what_it_leaves_open_is_its_failing(void *fixture)
{
    struct hook hook = {.sql = "BEGIN IMMEDIATE"};
    struct asq_profile profile = profile_with(&hook);

    (void)fixture;
    make_file();
    check_closes(&profile, SQLITE_MISUSE, "on_open_db left a transaction open");
    hook.sql = "SELECT * FROM t";
    hook.step = true;
    check_closes(&profile, SQLITE_MISUSE, "on_open_db left a statement open");
    hook.raw = true;
    check_closes(&profile, SQLITE_MISUSE, "on_open_db left a statement open");
    make_file();
}

/* A blob belongs to whoever has opened it, who may still close it. */
static void a_blob_that_it_leaves_open_can_be_closed_late(void *fixture)
{
    struct hook hook = {.blob = true};
    struct asq_profile profile = profile_with(&hook);
    struct asq_db db;
    int before = descriptors();

    (void)fixture;
    make_file();
    CHECK_INT(asq_db_open(&db, &profile), SQLITE_MISUSE);
    CHECK_CONTAINS(asq_db_message(&db), "on_open_db left a blob open");
    CHECK_INT(asq_db_close(&db), 0);
    CHECK(descriptors() > before);
    CHECK_INT(sqlite3_blob_close(hook.left), 0);
    CHECK_INT(descriptors(), before);
}

/* The time limit */

static const char endless[] =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    " SELECT count(*) FROM c";

static const char in_time[] = "not open after 30 ms, waiting for a lock; set "
                              "open_ms of the profile higher, or to 0";

/* Without the limit each of these would outlast the test. */
static void waiting_for_a_lock_ends_in_time(void *fixture)
{
    struct hook hook = {.sql = NULL};
    struct asq_profile profile = profile_with(&hook);
    struct asq_db other;

    (void)fixture;
    profile.wal = false;
    open_with(&other, &profile);
    run(&other, "CREATE TABLE t (n)");
    run(&other, "BEGIN EXCLUSIVE");
    profile.busy_ms = 3600000;
    profile.open_ms = 30;
    check_fails(&profile, SQLITE_BUSY_TIMEOUT, in_time);
    profile.wal = true; /* the loop around the journal mode */
    check_fails(&profile, SQLITE_BUSY_TIMEOUT, in_time);
    hook.sql = "SELECT * FROM t";
    check_fails(&profile, SQLITE_BUSY_TIMEOUT, in_time);
    close_db(&other);
}

static void a_long_hook_ends_in_time(void *fixture)
{
    struct hook hook = {.sql = endless};
    struct asq_profile profile = profile_with(&hook);

    (void)fixture;
    profile.open_ms = 30;
    check_fails(&profile, SQLITE_BUSY_TIMEOUT, "not open after 30 ms; set");
}

static int ignore_the_end(struct asq_db *db, void *data)
{
    (void)data;
    CHECK_INT(asq_db_run(db, endless, NULL, NULL), SQLITE_INTERRUPT);
    return 0;
}

static void what_is_ready_too_late_is_not_open(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    (void)fixture;
    profile.open_ms = 30;
    profile.on_open_db = ignore_the_end;
    check_fails(&profile, SQLITE_BUSY_TIMEOUT, "not open after 30 ms");
}

static void the_limit_ends_with_opening(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    profile.open_ms = 3600000;
    open_with(&db, &profile);
    CHECK(db.watch == NULL);
    close_db(&db);
}

/* The watch */

struct watcher {
    int asked;
    int stop_at; /* 0: never */
};

static int watch(void *data)
{
    struct watcher *watcher = data;

    watcher->asked++;
    return watcher->stop_at != 0 && watcher->asked >= watcher->stop_at;
}

static void check_stopped(const struct asq_profile *profile,
                          int code,
                          enum asq_stop stopped)
{
    struct watcher watcher = {.stop_at = 3};
    struct asq_db db;

    CHECK_INT(asq__db_open(&db, profile, watch, &watcher), code);
    CHECK_INT(db.stopped, stopped);
    CHECK_RANGE(watcher.asked, 3, 4); /* SQLite may ask once more */
    CHECK_INT(asq_db_close(&db), 0);
}

static void a_watch_ends_each_wait(void *fixture)
{
    struct hook hook = {.sql = NULL};
    struct asq_profile profile = profile_with(&hook);
    struct asq_db other;

    (void)fixture;
    profile.wal = false;
    open_with(&other, &profile);
    run(&other, "CREATE TABLE t (n)");
    run(&other, "BEGIN EXCLUSIVE");
    profile.busy_ms = 3600000;
    check_stopped(&profile, SQLITE_BUSY, ASQ_STOP_LOCK);
    profile.wal = true;
    check_stopped(&profile, SQLITE_BUSY, ASQ_STOP_LOCK);
    hook.sql = "SELECT * FROM t";
    check_stopped(&profile, SQLITE_BUSY, ASQ_STOP_LOCK);
    hook.sql = endless;
    check_stopped(&profile, SQLITE_INTERRUPT, ASQ_STOP_RUNNING);
    close_db(&other);
}

static void the_watch_stays(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct watcher watcher = {0};
    struct asq_db db;

    (void)fixture;
    profile.open_ms = 3600000;
    CHECK_INT(asq__db_open(&db, &profile, watch, &watcher), 0);
    watcher.stop_at = 1;
    CHECK_INT(asq_db_run(&db, endless, NULL, NULL), SQLITE_INTERRUPT);
    close_db(&db);
}

static const struct test_case cases[] = {
    {.name = "it_comes_before_anything_reads_the_file",
     .run = it_comes_before_anything_reads_the_file},
    {.name = "what_it_makes_is_there_afterwards",
     .run = what_it_makes_is_there_afterwards},
    {.name = "its_wal_hook_stays_without_automatic_checkpoints",
     .run = its_wal_hook_stays_without_automatic_checkpoints},
    {.name = "its_failing_is_the_failing_of_opening",
     .run = its_failing_is_the_failing_of_opening},
    {.name = "what_it_leaves_open_is_its_failing",
     .run = what_it_leaves_open_is_its_failing},
    {.name = "a_blob_that_it_leaves_open_can_be_closed_late",
     .run = a_blob_that_it_leaves_open_can_be_closed_late},
    {.name = "waiting_for_a_lock_ends_in_time",
     .run = waiting_for_a_lock_ends_in_time},
    {.name = "a_long_hook_ends_in_time", .run = a_long_hook_ends_in_time},
    {.name = "what_is_ready_too_late_is_not_open",
     .run = what_is_ready_too_late_is_not_open},
    {.name = "the_limit_ends_with_opening", .run = the_limit_ends_with_opening},
    {.name = "a_watch_ends_each_wait", .run = a_watch_ends_each_wait},
    {.name = "the_watch_stays", .run = the_watch_stays},
    {0},
};

const struct test_suite test_suite = {.name = "db_hook", .cases = cases};
