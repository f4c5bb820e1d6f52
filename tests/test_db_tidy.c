/* test_db_tidy - what somebody has left open is undone, counted, and closed
 *
 * The rule: what is counted was answered as failed, so nothing of it may be in
 * the file.
 */
#include "01-blocking/db_tidy.h"
#include "db_fixture.h"

#include <fcntl.h>
#include <stdio.h>

struct fixture {
    struct asq_db db;
    struct asq_leftovers left;
    int descriptors; /* before it was opened */
    int asked;
};

/* How many descriptors this process has open, of the first 256. */
static int descriptors(void)
{
    int count = 0;

    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) != -1;
    return count;
}

static void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    f->descriptors = descriptors();
    open_default(&f->db);
    run(&f->db, "CREATE TABLE t (n INTEGER PRIMARY KEY, v)");
    run(&f->db, "INSERT INTO t VALUES (1, zeroblob(10)), (2, 'two')");
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    close_db(&f->db);
    CHECK_INT(descriptors(), f->descriptors);
}

static struct asq_stmt *step_once(struct asq_db *db, const char *sql)
{
    struct asq_stmt *stmt = NULL;

    CHECK_INT(asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt), 0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    return stmt;
}

static sqlite3_stmt *raw_step_once(struct asq_db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    CHECK_INT(sqlite3_prepare_v2(asq_db_handle(db), sql, -1, &stmt, NULL), 0);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    return stmt;
}

static sqlite3_blob *open_blob(struct asq_db *db, int flags)
{
    sqlite3_blob *blob = NULL;

    CHECK_INT(
        sqlite3_blob_open(asq_db_handle(db), "main", "t", "v", 1, flags, &blob),
        0);
    return blob;
}

static void expect_left(const struct asq_leftovers *left,
                        unsigned transactions,
                        unsigned statements,
                        unsigned handles)
{
    CHECK_INT(left->transactions, transactions);
    CHECK_INT(left->statements, statements);
    CHECK_INT(left->handles, handles);
}

/* Two rows, as at the beginning, and the connection is free for all. */
static void expect_clean(struct fixture *f)
{
    CHECK(!asq_db_in_transaction(&f->db));
    CHECK_INT(f->db.open_statements, 0);
    CHECK_INT(ask(&f->db, "SELECT count(*) FROM t"), 2);
    run(&f->db, "INSERT INTO t VALUES (100, 0)");
    run(&f->db, "DELETE FROM t WHERE n = 100");
    CHECK_INT(asq__db_tidy(&f->db, &f->left), 0);
    expect_left(&f->left, 0, 0, 0);
}

static void tidy(struct fixture *f,
                 unsigned transactions,
                 unsigned statements,
                 unsigned handles)
{
    CHECK_INT(asq__db_tidy(&f->db, &f->left), 0);
    expect_left(&f->left, transactions, statements, handles);
}

static void nothing_is_left(void *data)
{
    struct fixture *f = data;

    tidy(f, 0, 0, 0);
    expect_clean(f);
    CHECK_INT(f->db.cache.idle > 0, 1);
}

static void a_transaction_is_rolled_back(void *data)
{
    struct fixture *f = data;

    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (3, 3)");
    tidy(f, 1, 0, 0);
    run(&f->db, "SAVEPOINT s");
    run(&f->db, "INSERT INTO t VALUES (3, 3)");
    tidy(f, 1, 0, 0);
    expect_clean(f);
}

static void statements_are_released(void *data)
{
    struct fixture *f = data;
    struct asq_stmt *waiting = NULL;

    CHECK_INT(
        asq_stmt_prepare(&f->db, "DELETE FROM t", ASQ_WHOLE_TEXT, &waiting), 0);
    (void)step_once(&f->db, "SELECT * FROM t");
    tidy(f, 0, 2, 0);
    expect_clean(f);
}

static void raw_statements_are_reset(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *reader = raw_step_once(&f->db, "SELECT n FROM t");
    sqlite3_stmt *idle = NULL;

    CHECK_INT(
        sqlite3_prepare_v2(asq_db_handle(&f->db), "SELECT 1", -1, &idle, NULL),
        0);
    tidy(f, 0, 1, 0); /* one that does not run hurts nobody */
    expect_clean(f);
    CHECK_INT(sqlite3_step(reader), SQLITE_ROW); /* still there */
    CHECK_INT(sqlite3_column_int(reader, 0), 1);
    CHECK_INT(sqlite3_finalize(reader), 0);
    CHECK_INT(sqlite3_finalize(idle), 0);
}

static const char returning[] = "INSERT INTO t VALUES (3, 3), (4, 4)"
                                " RETURNING n";

static void a_write_that_has_returned_a_row_is_undone(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *raw;

    (void)step_once(&f->db, returning);
    tidy(f, 0, 1, 0);
    expect_clean(f);
    raw = raw_step_once(&f->db, returning);
    tidy(f, 0, 1, 0);
    expect_clean(f);
    CHECK_INT(sqlite3_finalize(raw), 0);
    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (5, 5)");
    (void)step_once(&f->db, returning);
    (void)step_once(&f->db, "SELECT * FROM t");
    tidy(f, 1, 2, 0);
    expect_clean(f);
}

/* Nothing that ends first may commit for the others. */
static void many_at_once(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *raw[2];

    (void)step_once(&f->db, "SELECT * FROM t");
    raw[0] = raw_step_once(&f->db, "SELECT * FROM t");
    raw[1] = raw_step_once(&f->db, returning);
    (void)step_once(&f->db, "DELETE FROM t RETURNING n");
    tidy(f, 0, 4, 0);
    expect_clean(f);
    for (int i = 0; i < 2; i++)
        CHECK_INT(sqlite3_finalize(raw[i]), 0);
}

static void a_blob_is_counted_and_works_on(void *data)
{
    struct fixture *f = data;
    sqlite3_blob *blob = open_blob(&f->db, 0);
    char byte = 1;

    tidy(f, 0, 0, 1);
    (void)step_once(&f->db, "SELECT * FROM t");
    tidy(f, 0, 1, 1);
    CHECK_INT(sqlite3_blob_read(blob, &byte, 1, 9), 0);
    CHECK_INT(byte, 0);
    CHECK_INT(sqlite3_blob_close(blob), 0);
    expect_clean(f);
}

/* An interrupt would hit every statement that comes while the blob is open. */
static void a_blob_beside_a_write_that_is_undone(void *data)
{
    struct fixture *f = data;
    sqlite3_blob *blob = open_blob(&f->db, 0);

    (void)step_once(&f->db, returning);
    tidy(f, 0, 1, 1);
    CHECK_INT(ask(&f->db, "SELECT count(*) FROM t"), 2);
    run(&f->db, "INSERT INTO t VALUES (3, 3)");
    run(&f->db, "DELETE FROM t WHERE n = 3");
    CHECK_INT(sqlite3_blob_close(blob), 0);
    expect_clean(f);
}

static void deferred_keys_hold_nothing_up(void *data)
{
    struct fixture *f = data;

    run(&f->db,
        "CREATE TABLE c (n REFERENCES t DEFERRABLE INITIALLY DEFERRED)");
    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO c VALUES (4711)");
    tidy(f, 1, 0, 0);
    (void)step_once(&f->db, "INSERT INTO c VALUES (4711) RETURNING n");
    tidy(f, 0, 1, 0);
    CHECK_INT(ask(&f->db, "SELECT count(*) FROM c"), 0);
    expect_clean(f);
}

static int always(void *data)
{
    (void)data;
    return 1;
}

static int count_asked(void *data)
{
    ++*(int *)data;
    return 0;
}

static void a_watch_does_not_stop_it(void *data)
{
    struct fixture *f = data;

    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (3, 3)");
    (void)step_once(&f->db, "SELECT * FROM t");
    CHECK_INT(asq_db_watch(&f->db, always, NULL), 0);
    tidy(f, 1, 1, 0);
    CHECK_INT(asq_db_watch(&f->db, NULL, NULL), 0);
    expect_clean(f);
}

/* Whatever it answers without memory, nothing that it counted is kept. */
static void without_memory_nothing_is_committed(void *data)
{
    struct fixture *f = data;
    int failed = 1;

    for (uint64_t nth = 1; failed; nth++) {
        for (int i = 0; i < 4; i++) {
            int rc;

            if (i % 2 != 0)
                run(&f->db, "BEGIN");
            if (i / 2 != 0)
                (void)step_once(&f->db, returning);
            else
                (void)raw_step_once(&f->db, returning);
            test_alloc_fail_at(TEST_ALLOC_ALL, nth, 1);
            rc = asq__db_tidy(&f->db, &f->left);
            failed = test_alloc_has_failed();
            test_alloc_fail_at(0, 0, 0);
            CHECK_INT(f->left.statements, 1);
            if (rc == 0)
                CHECK(!asq_db_in_transaction(&f->db));
            asq__db_close_anyway(&f->db, &f->left);
            CHECK_INT(descriptors(), f->descriptors);
            open_default(&f->db);
            CHECK_INT(ask(&f->db, "SELECT count(*) FROM t"), 2);
        }
    }
}

static void a_foreign_thread(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq__db_tidy(&f->db, &f->left), SQLITE_MISUSE);
    asq__db_close_anyway(&f->db, &f->left);
    expect_left(&f->left, 0, 0, 0);
}

static void only_its_owner_may_tidy_or_close(void *data)
{
    struct fixture *f = data;
    uv_thread_t thread;

    run(&f->db, "BEGIN");
    CHECK_INT(uv_thread_create(&thread, a_foreign_thread, f), 0);
    CHECK_INT(uv_thread_join(&thread), 0);
    CHECK(asq_db_in_transaction(&f->db));
    tidy(f, 1, 0, 0);
}

/* Closing */

static void close_anyway(struct fixture *f,
                         unsigned transactions,
                         unsigned statements,
                         unsigned handles)
{
    asq__db_close_anyway(&f->db, &f->left);
    expect_left(&f->left, transactions, statements, handles);
    CHECK_INT(asq_db_run(&f->db, "SELECT 1", NULL, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_db_close(&f->db), 0);
    if (handles == 0)
        CHECK_INT(descriptors(), f->descriptors);
}

static void reopen(struct fixture *f)
{
    CHECK_INT(descriptors(), f->descriptors);
    open_default(&f->db);
    CHECK_INT(ask(&f->db, "SELECT count(*) FROM t"), 2);
}

static void all_is_closed(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *idle = NULL;

    close_anyway(f, 0, 0, 0);
    reopen(f);
    run(&f->db, "BEGIN");
    (void)step_once(&f->db, returning);
    (void)raw_step_once(&f->db, "SELECT * FROM t");
    CHECK_INT(
        sqlite3_prepare_v2(asq_db_handle(&f->db), "SELECT 1", -1, &idle, NULL),
        0);
    close_anyway(f, 1, 3, 0); /* the idle one was not finalized */
    reopen(f);
}

static void closing_twice_is_harmless(void *data)
{
    struct fixture *f = data;
    struct asq_db never = {0};

    close_anyway(f, 0, 0, 0);
    close_anyway(f, 0, 0, 0);
    asq__db_close_anyway(&never, &f->left);
    expect_left(&f->left, 0, 0, 0);
    reopen(f);
}

static void a_blob_may_be_closed_late(void *data)
{
    struct fixture *f = data;
    sqlite3_blob *blob = open_blob(&f->db, 1);

    (void)step_once(&f->db, returning);
    close_anyway(f, 0, 1, 1);
    CHECK(descriptors() > f->descriptors);
    (void)sqlite3_blob_close(blob); /* says that its write was undone */
    reopen(f);
}

static void a_backup_may_be_finished_late(void *data)
{
    struct fixture *f = data;
    sqlite3 *copy = NULL;
    sqlite3_backup *backup;

    CHECK_INT(sqlite3_open(":memory:", &copy), 0);
    backup = sqlite3_backup_init(copy, "main", asq_db_handle(&f->db), "main");
    CHECK(backup != NULL);
    CHECK_INT(sqlite3_backup_step(backup, 1), 0);
    tidy(f, 0, 0, 0); /* SQLite does not tell before closing */
    close_anyway(f, 0, 0, 1);
    CHECK_INT(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    CHECK_INT(sqlite3_backup_finish(backup), 0);
    CHECK_INT(sqlite3_close(copy), 0);
    reopen(f);
}

/* A statement that waits for a lock then waits as SQLite does, and asks nothing
 * of a connection that is gone. */
static void what_is_left_asks_nobody(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *raw;
    struct asq_db other;

    run(&f->db, "CREATE VIRTUAL TABLE words USING fts5(w)");
    CHECK_INT(sqlite3_prepare_v2(asq_db_handle(&f->db),
                                 "INSERT INTO t VALUES (3, 3)", -1, &raw, NULL),
              0);
    CHECK_INT(asq_db_watch(&f->db, count_asked, &f->asked), 0);
    asq__db_close_anyway(&f->db, &f->left);
    CHECK_INT(f->left.handles, 1);
    f->asked = 0;
    open_default(&other);
    run(&other, "BEGIN IMMEDIATE");
    CHECK_INT(sqlite3_step(raw), SQLITE_BUSY);
    CHECK_INT(f->asked, 0);
    (void)sqlite3_finalize(raw); /* says again that it was busy */
    close_db(&other);
    reopen(f);
}

/* FTS5 prepares statements on the connection and finalizes them itself: a
 * second time would be a use after free. */
static void statements_of_a_module_are_left_to_it(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *raw;

    run(&f->db, "CREATE VIRTUAL TABLE words USING fts5(w)");
    run(&f->db, "INSERT INTO words VALUES ('one'), ('another one')");
    (void)step_once(&f->db, "SELECT * FROM words WHERE w MATCH 'one'");
    (void)asq_db_handle(&f->db);
    close_anyway(f, 0, 1, 0);
    reopen(f);
    raw = raw_step_once(&f->db, "SELECT * FROM words WHERE w MATCH 'one'");
    asq__db_close_anyway(&f->db, &f->left);
    CHECK(f->left.statements >= 1);
    CHECK_INT(f->left.handles, 1);
    CHECK_INT(sqlite3_finalize(raw), 0);
    reopen(f);
}

static const struct test_case cases[] = {
    {.name = "nothing_is_left", .run = nothing_is_left},
    {.name = "a_transaction_is_rolled_back",
     .run = a_transaction_is_rolled_back},
    {.name = "statements_are_released", .run = statements_are_released},
    {.name = "raw_statements_are_reset", .run = raw_statements_are_reset},
    {.name = "a_write_that_has_returned_a_row_is_undone",
     .run = a_write_that_has_returned_a_row_is_undone},
    {.name = "many_at_once", .run = many_at_once},
    {.name = "a_blob_is_counted_and_works_on",
     .run = a_blob_is_counted_and_works_on},
    {.name = "a_blob_beside_a_write_that_is_undone",
     .run = a_blob_beside_a_write_that_is_undone},
    {.name = "deferred_keys_hold_nothing_up",
     .run = deferred_keys_hold_nothing_up},
    {.name = "a_watch_does_not_stop_it", .run = a_watch_does_not_stop_it},
    {.name = "without_memory_nothing_is_committed",
     .run = without_memory_nothing_is_committed},
    {.name = "only_its_owner_may_tidy_or_close",
     .run = only_its_owner_may_tidy_or_close},
    {.name = "all_is_closed", .run = all_is_closed},
    {.name = "closing_twice_is_harmless", .run = closing_twice_is_harmless},
    {.name = "a_blob_may_be_closed_late", .run = a_blob_may_be_closed_late},
    {.name = "a_backup_may_be_finished_late",
     .run = a_backup_may_be_finished_late},
    {.name = "what_is_left_asks_nobody", .run = what_is_left_asks_nobody},
    {.name = "statements_of_a_module_are_left_to_it",
     .run = statements_of_a_module_are_left_to_it},
    {0},
};

const struct test_suite test_suite = {.name = "db_tidy",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
