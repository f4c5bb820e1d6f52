/* test_db_neighbours - stopping one statement leaves the others alone
 *
 * Several statements are open on one connection, as when a hold streams rows
 * and writes between them. One is stopped; what is beside it goes on, and what
 * was stopped has done nothing.
 */
#include "db_fixture.h"

#include <stdio.h>

enum {
    ROWS = 1000
};

struct fixture {
    struct asq_db db;
    struct asq_db other;
    struct asq_stmt *reader; /* half read */
    int64_t next;            /* row of it */
    unsigned nth;            /* the watch stops from this question on; 0: not */
    unsigned asked;
    unsigned late; /* writes that were over when the watch said stop */
};

static int watch(void *data)
{
    struct fixture *f = data;

    f->asked++;
    return f->nth != 0 && f->asked >= f->nth;
}

static void stop_at(struct fixture *f, unsigned nth)
{
    f->nth = nth;
    f->asked = 0;
}

static void fetch(struct fixture *f)
{
    if (asq_stmt_step(f->reader) != SQLITE_ROW)
        FAIL("row %d: %s", (int)f->next, asq_db_message(&f->db));
    CHECK_INT(asq_stmt_value(f->reader, 0).as.int64, f->next);
    f->next++;
}

static void open_reader(struct fixture *f)
{
    CHECK_INT(asq_stmt_prepare(&f->db, "SELECT n FROM r ORDER BY n",
                               ASQ_WHOLE_TEXT, &f->reader),
              0);
    f->next = 1;
    fetch(f);
}

static void set_up(void *data)
{
    struct fixture *f = data;

    open_default(&f->db);
    open_default(&f->other);
    run(&f->db, "CREATE TABLE t (n INTEGER)");
    run(&f->db, "CREATE TABLE r (n INTEGER PRIMARY KEY)");
    run(&f->db, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1"
                " FROM c WHERE n < 1000) INSERT INTO r SELECT n FROM c");
    CHECK_INT(asq_db_watch(&f->db, watch, f), 0);
    open_reader(f);
}

/* The reader, which nobody has stopped, comes to its end. */
static void tear_down(void *data)
{
    struct fixture *f = data;

    stop_at(f, 0);
    while (f->next <= ROWS)
        fetch(f);
    CHECK_INT(asq_stmt_step(f->reader), SQLITE_DONE);
    asq_stmt_release(f->reader);
    close_db(&f->db);
    close_db(&f->other);
}

static const char endless[] =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    " SELECT count(*) FROM c";

static void a_stopped_read_leaves_the_others_alone(void *fixture)
{
    struct fixture *f = fixture;

    for (unsigned nth = 1; nth < 40; nth++) {
        stop_at(f, nth);
        CHECK_INT(asq_db_run(&f->db, endless, NULL, NULL), SQLITE_INTERRUPT);
        CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
        CHECK_INT(f->asked, nth);
        stop_at(f, 0);
        fetch(f);
        run(&f->db, "INSERT INTO t VALUES (1)");
        CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), nth);
    }
}

/* Runs an autocommit write that the watch stops at its nth question, and
 * compares word and deed. Returns whether it was done. */
static bool word_is_deed(struct fixture *f, const char *sql, unsigned nth)
{
    int64_t before = ask(&f->other, "SELECT count(*) FROM t");
    int64_t after;
    int rc;

    stop_at(f, nth);
    rc = asq_db_run(&f->db, sql, NULL, NULL);
    f->late += rc == 0 && f->asked >= nth;
    stop_at(f, 0);
    after = ask(&f->other, "SELECT count(*) FROM t");
    if (rc != 0)
        CHECK_INT(rc, SQLITE_INTERRUPT);
    if ((rc == 0) != (after > before))
        FAIL("%s: said %d, and %d rows were inserted", sql, rc,
             (int)(after - before));
    CHECK_INT(f->db.stopped, rc == 0 ? ASQ_STOP_NONE : ASQ_STOP_RUNNING);
    return rc == 0;
}

/* Of many lengths, so that the watch is asked at each point of the end too:
 * just before the commit, and just after it. */
static void told_is_what_is_in_the_file(void *fixture)
{
    struct fixture *f = fixture;
    unsigned done = 0, stopped = 0;
    char sql[200];

    for (int n = 1; n <= (int)test_scaled(300); n++) {
        (void)snprintf(sql, sizeof sql,
                       "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1"
                       " FROM c WHERE n < %d) INSERT INTO t SELECT n FROM c",
                       n);
        for (unsigned nth = 1; !word_is_deed(f, sql, nth); nth++)
            stopped++;
        done++;
        if (n % 10 == 0)
            fetch(f);
    }
    CHECK(stopped > 3 * done);
}

static void the_same_short_insert_again_and_again(void *fixture)
{
    struct fixture *f = fixture;

    for (unsigned i = 0; i < test_scaled(1000); i++)
        (void)word_is_deed(f, "INSERT INTO t VALUES (1)", 2);
    CHECK(f->late > 0);
}

static void a_write_between_its_rows_is_undone(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_stmt *stmt = NULL;
    int rows = 0, rc;

    CHECK_INT(asq_stmt_prepare(&f->db,
                               "INSERT INTO t SELECT n FROM r RETURNING n",
                               ASQ_WHOLE_TEXT, &stmt),
              0);
    for (int i = 1; i <= 3; i++) {
        stop_at(f, 0);
        while ((rc = asq_stmt_step(stmt)) == SQLITE_ROW) {
            if (++rows == 50 * i)
                stop_at(f, 1);
        }
        CHECK_INT(rc, SQLITE_INTERRUPT);
        CHECK_INT(asq_stmt_step(stmt), SQLITE_INTERRUPT);
        asq_stmt_reset(stmt);
        CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 0);
        stop_at(f, 0);
        fetch(f);
    }
    asq_stmt_release(stmt);
    run(&f->db, "INSERT INTO t VALUES (1)");
    CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 1);
}

static void a_write_in_a_transaction_ends_it(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (1)");
    stop_at(f, 5);
    CHECK_INT(asq_db_run(&f->db, "INSERT INTO t SELECT n FROM r", NULL, NULL),
              SQLITE_INTERRUPT);
    CHECK(!asq_db_in_transaction(&f->db));
    stop_at(f, 0);
    CHECK_INT(ask(&f->db, "SELECT count(*) FROM t"), 0);
}

/* The rows do not fit: the write is undone, at its first row or at its last
 * one, and nothing beside it. */
static void a_write_that_does_not_fit_leaves_the_others(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_result result = {0};
    static const char *const texts[] = {
        "INSERT INTO t VALUES (1) RETURNING zeroblob(70000000)",
        "INSERT INTO t VALUES (1), (70000000) RETURNING zeroblob(n)",
        "INSERT INTO t SELECT n FROM r RETURNING zeroblob(n * 1000)"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_INT(asq_db_run(&f->db, texts[i], NULL, &result), SQLITE_TOOBIG);
        CHECK(!asq_db_in_transaction(&f->db));
        CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 0);
        fetch(f);
        run(&f->db, "BEGIN");
        run(&f->db, "INSERT INTO t VALUES (1)");
        CHECK_INT(asq_db_run(&f->db, texts[i], NULL, &result), SQLITE_TOOBIG);
        CHECK(!asq_db_in_transaction(&f->db));
        CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 0);
        fetch(f);
    }
    run(&f->db, "INSERT INTO t VALUES (1)");
    asq_result_destroy(&result);
}

/* Behind an FTS5 table SQLite runs statements inside the statement. */
static void a_full_text_write_is_done_or_not(void *fixture)
{
    struct fixture *f = fixture;
    unsigned nth;
    bool done = false;

    if (!sqlite3_compileoption_used("ENABLE_FTS5"))
        test_skip("SQLite has no FTS5");
    run(&f->db, "CREATE VIRTUAL TABLE x USING fts5(a)");
    run(&f->db, "CREATE TRIGGER g AFTER INSERT ON x_content BEGIN"
                " INSERT INTO t VALUES (new.id); END");
    for (nth = 1; !done; nth += nth / 8 + 1) {
        done = word_is_deed(f, "INSERT INTO x SELECT 'some words ' || n FROM r",
                            nth);
        CHECK_INT(ask(&f->other, "SELECT count(*) FROM x WHERE x MATCH 'some'"),
                  done ? ROWS : 0);
        run(&f->db, "INSERT INTO x(x) VALUES ('integrity-check')");
        fetch(f);
    }
    CHECK(nth > 20);
    for (nth = 1, done = false; !done; nth += nth / 4 + 1) {
        stop_at(f, nth);
        done = asq_db_run(&f->db, "INSERT INTO x(x) VALUES ('rebuild')", NULL,
                          NULL) == 0;
        stop_at(f, 0);
        run(&f->db, "INSERT INTO x(x) VALUES ('integrity-check')");
        fetch(f);
    }
    CHECK(nth > 10);
}

/* The schema is read while a statement is prepared. */
static void preparing_is_stopped_alone(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_stmt *stmt = NULL;
    char sql[60];
    int interrupted = 0;

    asq_stmt_release(f->reader); /* its snapshot would hide the tables */
    CHECK_INT(asq_stmt_prepare(&f->db,
                               "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL"
                               " SELECT n + 1 FROM c WHERE n < 1000)"
                               " SELECT n FROM c",
                               ASQ_WHOLE_TEXT, &f->reader),
              0);
    f->next = 1;
    fetch(f);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(sql, sizeof sql, "CREATE TABLE u%d (n INTEGER)", i);
        run(&f->other, sql);
        (void)snprintf(sql, sizeof sql, "SELECT n FROM u%d", i);
        stop_at(f, 1);
        if (asq_stmt_prepare(&f->db, sql, ASQ_WHOLE_TEXT, &stmt) != 0) {
            CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
            interrupted++;
        } else {
            asq_stmt_release(stmt);
        }
        stop_at(f, 0);
        fetch(f);
    }
    CHECK(interrupted > 10);
}

/* A write that is half stepped, and what is done meanwhile. */
static int
write_around(struct fixture *f, const char *sql, unsigned nth, int expected)
{
    struct asq_stmt *stmt;
    int rc;

    CHECK_INT(asq_stmt_prepare(&f->db,
                               "INSERT INTO t VALUES (5), (6) RETURNING n",
                               ASQ_WHOLE_TEXT, &stmt),
              0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    stop_at(f, nth);
    CHECK_INT(asq_db_run(&f->db, sql, NULL, NULL), expected);
    stop_at(f, 0);
    do {
        rc = asq_stmt_step(stmt);
    } while (rc == SQLITE_ROW);
    CHECK_INT(asq_stmt_step(stmt), rc);
    asq_stmt_release(stmt);
    return rc;
}

/* SQLite itself says DONE: what was acknowledged would be gone. */
static void a_half_stepped_write_is_told_that_it_was_undone(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->db, "CREATE TABLE u (n UNIQUE)");
    run(&f->db, "INSERT INTO u VALUES (1)");
    CHECK_INT(write_around(f, "INSERT INTO u VALUES (1)", 0,
                           SQLITE_CONSTRAINT_UNIQUE),
              SQLITE_DONE);
    CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 2);
    CHECK_INT(write_around(f, "INSERT OR ROLLBACK INTO u VALUES (1)", 0,
                           SQLITE_CONSTRAINT_UNIQUE),
              SQLITE_ABORT_ROLLBACK);
    CHECK_CONTAINS(asq_db_message(&f->db), "undone");
    CHECK_INT(write_around(f,
                           "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT "
                           "n + 1 FROM c) INSERT INTO t SELECT n FROM c",
                           9, SQLITE_INTERRUPT),
              SQLITE_ABORT_ROLLBACK);
    CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 2);
    CHECK_INT(write_around(f, "INSERT INTO u VALUES (2)", 0, 0), SQLITE_DONE);
    CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 4);
}

/* What a program makes by SQLite's handle is stopped as well. */
static void a_statement_of_the_handle_is_stopped(void *fixture)
{
    struct fixture *f = fixture;

    stop_at(f, 3);
    CHECK_INT(sqlite3_exec(asq_db_handle(&f->db), endless, 0, 0, 0),
              SQLITE_INTERRUPT);
    stop_at(f, 0);
    fetch(f);
    asq_stmt_release(f->reader);
    stop_at(f, 3);
    CHECK_INT(sqlite3_exec(asq_db_handle(&f->db), endless, 0, 0, 0),
              SQLITE_INTERRUPT);
    stop_at(f, 0);
    open_reader(f);
}

/* While something is open, SQLite keeps the flag of an interrupt, and ends
 * all that begins. A blob may be open for long. */
static void after_that_a_blob_harms_nobody(void *fixture)
{
    struct fixture *f = fixture;
    sqlite3_blob *blob;
    char byte;

    asq_stmt_release(f->reader);
    CHECK_INT(asq_db_run(&f->db, "INSERT INTO t VALUES (x'41')", NULL, NULL),
              0);
    CHECK_INT(
        sqlite3_blob_open(asq_db_handle(&f->db), "main", "t", "n", 1, 0, &blob),
        SQLITE_OK);
    stop_at(f, 3);
    CHECK_INT(sqlite3_exec(asq_db_handle(&f->db), endless, 0, 0, 0),
              SQLITE_INTERRUPT);
    stop_at(f, 0);
    CHECK_INT(asq_db_run(&f->db, "INSERT INTO t VALUES (2)", NULL, NULL), 0);
    CHECK_INT(sqlite3_blob_read(blob, &byte, 1, 0), SQLITE_OK);
    CHECK_INT(sqlite3_blob_close(blob), SQLITE_OK);
    open_reader(f);
}

/* A write that is over when the watch says stop has happened. */
static void what_the_handle_has_committed_is_not_called_stopped(void *fixture)
{
    struct fixture *f = fixture;
    sqlite3 *handle = asq_db_handle(&f->db);
    int64_t written = 0;

    for (unsigned nth = 1; nth <= 40; nth++) {
        int rc;

        stop_at(f, nth);
        rc = sqlite3_exec(handle,
                          "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT "
                          "x + 1 FROM n WHERE x < 150) INSERT INTO t SELECT 7 "
                          "FROM n",
                          0, 0, 0);
        stop_at(f, 0);
        CHECK(rc == SQLITE_OK || rc == SQLITE_INTERRUPT);
        written += rc == SQLITE_OK ? 150 : 0;
        CHECK_INT(ask(&f->db, "SELECT count(*) FROM t WHERE n = 7"), written);
        fetch(f);
    }
    CHECK(written > 0);
    CHECK(written < 40 * 150);
}

/* An SQL function that runs statements by the same connection. */

static void
run_inside(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count;
    sqlite3_result_int(
        context, asq_db_run(&f->db, (const char *)sqlite3_value_text(values[0]),
                            NULL, NULL));
}

static void the_inner_one_and_the_outer_one_are_stopped(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_result result = {0};
    char sql[300];

    CHECK_INT(sqlite3_create_function(asq_db_handle(&f->db), "inside", 1,
                                      SQLITE_UTF8, f, run_inside, 0, 0),
              0);
    CHECK_INT(ask(&f->db, "SELECT inside('INSERT INTO t VALUES (1)')"), 0);
    /* Stopped is the inner one, and at the next question the outer one. */
    (void)snprintf(sql, sizeof sql, "SELECT sum(inside('%s')) FROM r, r AS two",
                   endless);
    stop_at(f, 10);
    CHECK_INT(asq_db_run(&f->db, sql, NULL, &result), SQLITE_INTERRUPT);
    CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
    stop_at(f, 0);
    /* A lock that the inner one has not got does not protect the outer one. */
    run(&f->other, "BEGIN IMMEDIATE");
    stop_at(f, 4);
    CHECK_INT(asq_db_run(&f->db,
                         "SELECT sum(inside('INSERT INTO t VALUES (2)'))"
                         " FROM r, r AS two, r AS three",
                         NULL, &result),
              SQLITE_INTERRUPT);
    CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
    stop_at(f, 0);
    run(&f->other, "ROLLBACK");
    CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), 1);
    asq_result_destroy(&result);
}

static const struct test_case cases[] = {
    {.name = "a_stopped_read_leaves_the_others_alone",
     .run = a_stopped_read_leaves_the_others_alone},
    {.name = "told_is_what_is_in_the_file", .run = told_is_what_is_in_the_file},
    {.name = "the_same_short_insert_again_and_again",
     .run = the_same_short_insert_again_and_again},
    {.name = "a_write_between_its_rows_is_undone",
     .run = a_write_between_its_rows_is_undone},
    {.name = "a_write_in_a_transaction_ends_it",
     .run = a_write_in_a_transaction_ends_it},
    {.name = "a_write_that_does_not_fit_leaves_the_others",
     .run = a_write_that_does_not_fit_leaves_the_others},
    {.name = "a_full_text_write_is_done_or_not",
     .run = a_full_text_write_is_done_or_not},
    {.name = "preparing_is_stopped_alone", .run = preparing_is_stopped_alone},
    {.name = "a_half_stepped_write_is_told_that_it_was_undone",
     .run = a_half_stepped_write_is_told_that_it_was_undone},
    {.name = "a_statement_of_the_handle_is_stopped",
     .run = a_statement_of_the_handle_is_stopped},
    {.name = "after_that_a_blob_harms_nobody",
     .run = after_that_a_blob_harms_nobody},
    {.name = "what_the_handle_has_committed_is_not_called_stopped",
     .run = what_the_handle_has_committed_is_not_called_stopped},
    {.name = "the_inner_one_and_the_outer_one_are_stopped",
     .run = the_inner_one_and_the_outer_one_are_stopped},
    {0},
};

const struct test_suite test_suite = {
    .name = "db_neighbours",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
