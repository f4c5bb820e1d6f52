/* test_tempdb - databases that are gone afterwards */
#include "db_fixture.h"

#include "09-lifetimes/tempdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of this test, which TMPDIR names. */
static void set_up(void *fixture)
{
    const char *folder = test_path("tmp");

    (void)fixture; /* there is none */
    CHECK_INT(mkdir(folder, 0700), 0);
    CHECK_INT(setenv("TMPDIR", folder, 1), 0);
}

/* The folder must be empty for that. */
static void tear_down(void *fixture)
{
    (void)fixture;
    CHECK_INT(rmdir(test_path("tmp")), 0);
}

static void open_temp(struct asq_tempdb *tempdb, enum asq_tempdb_kind kind)
{
    if (asq_tempdb_open(tempdb, kind, NULL) != 0)
        FAIL("%s", tempdb->message);
}

static void close_temp(struct asq_tempdb *tempdb)
{
    if (asq_tempdb_close(tempdb) != 0)
        FAIL("%s", tempdb->message);
}

static void connect_to(struct asq_tempdb *tempdb, struct asq_db *db)
{
    struct asq_profile profile = asq_tempdb_profile(tempdb);

    open_with(db, &profile);
}

/* Returns how many tables the second of two connections sees. */
static int64_t tables_seen(struct asq_tempdb *tempdb)
{
    struct asq_db one, two;
    int64_t count;

    connect_to(tempdb, &one);
    connect_to(tempdb, &two);
    run(&one, "CREATE TABLE t (a)");
    count = ask(&two, "SELECT count(*) FROM sqlite_schema");
    close_db(&two);
    close_db(&one);
    return count;
}

static void two_connections_share_a_file(void *data)
{
    struct asq_tempdb tempdb;
    struct asq_db db;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_FILE);
    CHECK(strstr(tempdb.path, test_path("tmp")) == tempdb.path);
    CHECK_INT(tables_seen(&tempdb), 1);
    connect_to(&tempdb, &db);
    CHECK_TEXT(db.journal_mode, "wal");
    CHECK_INT(ask(&db, "SELECT count(*) FROM t"), 0); /* it is still there */
    close_db(&db);
    close_temp(&tempdb);
}

static void two_connections_share_memory(void *data)
{
    struct asq_tempdb tempdb;
    struct asq_db db;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_SHARED);
    CHECK_INT(tables_seen(&tempdb), 1);
    connect_to(&tempdb, &db);
    CHECK_TEXT(db.journal_mode, "memory");
    CHECK_INT(ask(&db, "SELECT count(*) FROM t"), 0); /* it is still there */
    close_db(&db);
    close_temp(&tempdb);
    CHECK_INT(access(tempdb.path, F_OK), -1); /* it never was a file */
}

static void nobody_shares_what_is_private(void *data)
{
    struct asq_tempdb tempdb;
    struct asq_db db;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_PRIVATE);
    CHECK_INT(tables_seen(&tempdb), 0);
    connect_to(&tempdb, &db);
    CHECK_TEXT(db.journal_mode, "memory");
    close_db(&db);
    close_temp(&tempdb);
}

static void memory_is_gone_with_its_last_connection(void *data)
{
    struct asq_tempdb tempdb;
    struct asq_profile profile;
    struct asq_db db;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_SHARED);
    CHECK_INT(tables_seen(&tempdb), 1);
    profile = asq_tempdb_profile(&tempdb);
    close_temp(&tempdb);
    open_with(&db, &profile);
    CHECK_INT(ask(&db, "SELECT count(*) FROM sqlite_schema"), 0);
    close_db(&db);
}

/* Only this user, and nothing is left with what a killed process leaves. */
static void everything_is_removed(void *data)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    struct asq_tempdb tempdb;
    struct stat there;
    char path[600];

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_FILE);
    CHECK_INT(stat(tempdb.folder, &there), 0);
    CHECK_INT(there.st_mode & 0777, 0700);
    for (int i = 0; i < 4; i++) {
        FILE *file;

        (void)snprintf(path, sizeof path, "%s%s", tempdb.path, ends[i]);
        file = fopen(path, "w");
        CHECK(file != NULL);
        CHECK_INT(fclose(file), 0);
    }
    close_temp(&tempdb);
    CHECK_INT(stat(tempdb.path, &there), -1);
    CHECK_INT(asq_tempdb_close(&tempdb), 0); /* again */
}

static void an_unused_one_is_removed(void *data)
{
    struct asq_tempdb tempdb;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_FILE);
    close_temp(&tempdb);
}

static void what_is_foreign_stays(void *data)
{
    struct asq_tempdb tempdb;
    char path[600];
    FILE *file;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_FILE);
    CHECK_INT(tables_seen(&tempdb), 1);
    (void)snprintf(path, sizeof path, "%s/foreign", tempdb.folder);
    file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK_INT(fclose(file), 0);
    CHECK_INT(asq_tempdb_close(&tempdb), UV_ENOTEMPTY);
    CHECK_CONTAINS(tempdb.message, "ot empty");
    CHECK_INT(access(path, F_OK), 0);
    CHECK_INT(access(tempdb.path, F_OK), -1);
    CHECK_INT(unlink(path), 0);
    close_temp(&tempdb);
}

/* Locks */

struct waiter {
    struct asq_db db;
    int waits;
};

static int note_and_stop(void *data)
{
    struct waiter *waiter = data;

    waiter->waits += waiter->db.waiting;
    return waiter->db.waiting; /* stop: the test has seen that it waits */
}

/* The watch is asked while a connection waits for a lock: so it waits. Who
 * writes keeps readers out as well: there is no WAL. */
static void memory_waits_for_a_lock(void *data)
{
    struct asq_tempdb tempdb;
    struct waiter waiter = {.waits = 0};
    struct asq_db *two = &waiter.db;
    struct asq_db one;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_SHARED);
    connect_to(&tempdb, &one);
    connect_to(&tempdb, two);
    run(&one, "CREATE TABLE t (a)");
    CHECK_INT(ask(two, "SELECT count(*) FROM t"), 0);
    run(&one, "BEGIN IMMEDIATE");
    CHECK_INT(asq_db_watch(two, note_and_stop, &waiter), 0);
    CHECK_INT(asq_db_run(two, "INSERT INTO t VALUES (1)", NULL, NULL) & 0xff,
              SQLITE_BUSY);
    CHECK_INT(waiter.waits, 1);
    CHECK_INT(asq_db_run(two, "SELECT a FROM t", NULL, NULL) & 0xff,
              SQLITE_BUSY);
    CHECK_INT(waiter.waits, 2);
    CHECK_INT(two->stopped, ASQ_STOP_LOCK);
    CHECK_INT(asq_db_watch(two, NULL, NULL), 0);
    run(&one, "COMMIT");
    run(two, "INSERT INTO t VALUES (1)");
    close_db(two);
    close_db(&one);
    close_temp(&tempdb);
}

static int never_asked(void *data, int tries)
{
    (void)data;
    FAIL("asked to wait, try %d", tries);
}

/* Shared cache does not ask whether to wait. */
static void shared_cache_does_not_wait(void *data)
{
    static const char uri[] = "file:shared?mode=memory&cache=shared";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    sqlite3 *one, *two;

    (void)data;
    CHECK_INT(sqlite3_open_v2(uri, &one, flags, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_open_v2(uri, &two, flags, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_busy_handler(two, never_asked, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_exec(one, "CREATE TABLE t (a)", NULL, NULL, NULL),
              SQLITE_OK);
    CHECK_INT(
        sqlite3_exec(one, "BEGIN; INSERT INTO t VALUES (1)", NULL, NULL, NULL),
        SQLITE_OK);
    CHECK_INT(sqlite3_exec(two, "SELECT * FROM t", NULL, NULL, NULL),
              SQLITE_LOCKED);
    CHECK_INT(sqlite3_close(two), SQLITE_OK);
    CHECK_INT(sqlite3_close(one), SQLITE_OK);
}

/* Errors */

static void refused(const char *parent, int code)
{
    struct asq_tempdb tempdb;

    CHECK_INT(asq_tempdb_open(&tempdb, ASQ_TEMPDB_FILE, parent), code);
    CHECK(tempdb.message[0] != '\0');
    CHECK(strchr(tempdb.message, '\n') == NULL);
    CHECK_TEXT(tempdb.folder, "");
    CHECK_INT(asq_tempdb_close(&tempdb), 0);
}

static void without_tmpdir_it_is_tmp(void *data)
{
    struct asq_tempdb tempdb;

    (void)data;
    CHECK_INT(unsetenv("TMPDIR"), 0);
    open_temp(&tempdb, ASQ_TEMPDB_FILE);
    CHECK(strncmp(tempdb.path, "/tmp/", 5) == 0);
    close_temp(&tempdb);
    CHECK_INT(setenv("TMPDIR", "", 1), 0);
    open_temp(&tempdb, ASQ_TEMPDB_FILE);
    CHECK(strncmp(tempdb.path, "/tmp/", 5) == 0);
    close_temp(&tempdb);
}

static void a_parent_is_used_as_given(void *data)
{
    struct asq_tempdb tempdb;

    (void)data;
    CHECK_INT(setenv("TMPDIR", "/missing/folder", 1), 0);
    CHECK_INT(asq_tempdb_open(&tempdb, ASQ_TEMPDB_FILE, test_path("tmp")), 0);
    CHECK_INT(tables_seen(&tempdb), 1);
    close_temp(&tempdb);
    refused(NULL, UV_ENOENT);
}

static void a_folder_that_cannot_be_made(void *data)
{
    (void)data;
    refused("/missing/folder", UV_ENOENT);
    refused(test_path("tmp/missing"), UV_ENOENT);
    CHECK_INT(chmod(test_path("tmp"), 0500), 0);
    if (geteuid() != 0) /* who may do anything */
        refused(test_path("tmp"), UV_EACCES);
    CHECK_INT(chmod(test_path("tmp"), 0700), 0);
}

/* Each length up to the limit works, whole or not at all. */
static void a_name_that_is_too_long(void *data)
{
    char parent[600];
    size_t length = strlen(test_path("tmp"));

    (void)data;
    memset(parent, '/', sizeof parent);
    memcpy(parent, test_path("tmp"), length);
    for (length = ASQ_TEMPDB_FOLDER - 20; length < ASQ_TEMPDB_PATH + 20;
         length++) {
        parent[length] = '\0';
        if (length + sizeof "/asq-XXXXXX" <= ASQ_TEMPDB_FOLDER) {
            struct asq_tempdb tempdb;

            CHECK_INT(asq_tempdb_open(&tempdb, ASQ_TEMPDB_FILE, parent), 0);
            CHECK_INT(tables_seen(&tempdb), 1);
            close_temp(&tempdb);
        } else {
            refused(parent, UV_ENAMETOOLONG);
        }
        parent[length] = '/';
    }
}

static void close_accepts_what_is_not_open(void *data)
{
    struct asq_tempdb tempdb = {0};

    (void)data;
    CHECK_INT(asq_tempdb_close(NULL), 0);
    CHECK_INT(asq_tempdb_close(&tempdb), 0);
}

static void close_from_elsewhere(void *data)
{
    struct asq_tempdb *tempdb = data;

    CHECK_INT(asq_tempdb_close(tempdb), SQLITE_MISUSE);
    CHECK(tempdb->message[0] != '\0');
}

static void another_thread_does_not_close_it(void *data)
{
    struct asq_tempdb tempdb;
    uv_thread_t thread;

    (void)data;
    open_temp(&tempdb, ASQ_TEMPDB_SHARED);
    CHECK_INT(uv_thread_create(&thread, close_from_elsewhere, &tempdb), 0);
    CHECK_INT(uv_thread_join(&thread), 0);
    CHECK_INT(tables_seen(&tempdb), 1);
    close_temp(&tempdb);
}

/* A hundred at once, from four threads */

enum {
    THREADS = 4,
    EACH = 25
};

struct share {
    uv_barrier_t *barrier;
    enum asq_tempdb_kind kind;
    struct asq_tempdb tempdbs[EACH];
};

static void open_share(void *data)
{
    struct share *share = data;

    (void)uv_barrier_wait(share->barrier); /* 1 for one of them: no error */
    for (int i = 0; i < EACH; i++) {
        open_temp(&share->tempdbs[i], share->kind);
        CHECK_INT(tables_seen(&share->tempdbs[i]), 1);
    }
    (void)uv_barrier_wait(share->barrier); /* all are open */
    (void)uv_barrier_wait(share->barrier); /* they were compared */
    for (int i = 0; i < EACH; i++)
        close_temp(&share->tempdbs[i]);
}

static void check_all_different(const struct share *shares)
{
    for (int i = 0; i < THREADS * EACH; i++) {
        for (int k = 0; k < i; k++)
            CHECK(strcmp(shares[i / EACH].tempdbs[i % EACH].path,
                         shares[k / EACH].tempdbs[k % EACH].path) != 0);
    }
}

static void open_a_hundred(enum asq_tempdb_kind kind)
{
    static struct share shares[THREADS];
    uv_barrier_t barrier;
    uv_thread_t threads[THREADS];

    CHECK_INT(uv_barrier_init(&barrier, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++) {
        shares[i].barrier = &barrier;
        shares[i].kind = kind;
        CHECK_INT(uv_thread_create(&threads[i], open_share, &shares[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        (void)uv_barrier_wait(&barrier);
    check_all_different(shares);
    (void)uv_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(uv_thread_join(&threads[i]), 0);
    uv_barrier_destroy(&barrier);
}

static void a_hundred_are_all_different(void *data)
{
    (void)data;
    open_a_hundred(ASQ_TEMPDB_FILE);
    open_a_hundred(ASQ_TEMPDB_SHARED);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(two_connections_share_a_file),
    CASE(two_connections_share_memory),
    CASE(nobody_shares_what_is_private),
    CASE(memory_is_gone_with_its_last_connection),
    CASE(everything_is_removed),
    CASE(an_unused_one_is_removed),
    CASE(what_is_foreign_stays),
    CASE(memory_waits_for_a_lock),
    CASE(shared_cache_does_not_wait),
    CASE(without_tmpdir_it_is_tmp),
    CASE(a_parent_is_used_as_given),
    CASE(a_folder_that_cannot_be_made),
    CASE(a_name_that_is_too_long),
    CASE(close_accepts_what_is_not_open),
    CASE(another_thread_does_not_close_it),
    CASE(a_hundred_are_all_different),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "tempdb", .cases = cases, .set_up = set_up, .tear_down = tear_down};
