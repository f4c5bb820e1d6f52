/* test_script - several statements, all or none of them */
#include "01-blocking/script.h"

#include "db_fixture.h"

#include <stdio.h>
#include <string.h>

#define MARK "\xEF\xBB\xBF" /* the byte order mark of UTF-8 */

struct fixture {
    struct asq_db db;
    struct asq_db other;
    unsigned nth; /* the watch stops from this question on; 0: not */
    unsigned asked;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.busy_ms = 0; /* a lock is told at once */
    open_with(&f->db, &profile);
    open_with(&f->other, &profile);
    run(&f->db, "CREATE TABLE t (n INTEGER UNIQUE)");
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(f->db.open_statements, 0);
    CHECK(!asq_db_in_transaction(&f->db));
    close_db(&f->db);
    close_db(&f->other);
}

static void script(struct fixture *f, const char *sql, unsigned expected)
{
    unsigned count = 99;

    if (asq_db_script(&f->db, sql, &count) != 0)
        FAIL("%s: %s", sql, asq_db_message(&f->db));
    CHECK_INT(count, expected);
}

static void check_failed(struct fixture *f,
                         const char *sql,
                         int code,
                         unsigned number,
                         const char *message)
{
    unsigned count = 99;

    CHECK_INT(asq_db_script(&f->db, sql, &count), code);
    CHECK_TEXT(asq_db_message(&f->db), message);
    CHECK_INT(count, number);
}

static int64_t rows(struct fixture *f)
{
    return ask(&f->other, "SELECT count(*) FROM t");
}

static void all_of_it_runs(void *fixture)
{
    struct fixture *f = fixture;

    script(f,
           MARK "-- a schema\r\n"
                "CREATE TABLE u (n INTEGER, s TEXT DEFAULT ';');\n"
                "CREATE TABLE log (n INTEGER);;\n"
                "CREATE TRIGGER g AFTER INSERT ON u BEGIN"
                " INSERT INTO log VALUES (new.n);"
                " INSERT INTO log SELECT CASE WHEN new.n THEN 1 END; END;\n"
                "/* rows; */ INSERT INTO u (n) VALUES (1), (2) RETURNING n;\n"
                "SELECT * FROM u; PRAGMA main . user_version = 7;" MARK
                "WITH c(n) AS (VALUES (5)) INSERT INTO t SELECT n FROM c",
           7);
    CHECK_INT(ask(&f->other, "SELECT count(*) FROM log"), 4);
    CHECK_INT(ask(&f->other, "PRAGMA user_version"), 7);
    CHECK_INT(rows(f), 1);
    CHECK_INT(asq_db_script(&f->db, "DELETE FROM t", NULL), 0);
    CHECK_INT(rows(f), 0);
}

/* BEGIN IMMEDIATE would be told of the lock. */
static void a_text_without_a_statement_runs_nothing(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->other, "BEGIN IMMEDIATE");
    script(f, "", 0);
    script(f, " ;\n;", 0);
    script(f, MARK "-- nothing\n/* but; comments */", 0);
    check_failed(f, "SELECT 1;", SQLITE_BUSY, 0, "database is locked");
    run(&f->other, "ROLLBACK");
    CHECK_INT(asq_db_script(&f->db, NULL, NULL), SQLITE_MISUSE);
}

static void an_error_undoes_all(void *fixture)
{
    struct fixture *f = fixture;

    check_failed(f,
                 "CREATE TABLE u (n); INSERT INTO t VALUES (1);"
                 " INSERT INTO t VALUES (1); SELECT 1",
                 SQLITE_CONSTRAINT_UNIQUE, 3,
                 "statement 3: UNIQUE constraint failed: t.n");
    check_failed(f, "INSERT INTO t VALUES (1); SELECT * FROM u;", SQLITE_ERROR,
                 2, "statement 2: no such table: u");
    check_failed(f, "INSERT INTO t VALUES (1);; SELEC", SQLITE_ERROR, 2,
                 "statement 2: near \"SELEC\": syntax error");
    check_failed(f, "INSERT INTO t VALUES (1); SELECT 'it", SQLITE_ERROR, 2,
                 "statement 2: unrecognized token: \"'it\"");
    check_failed(f, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (:n);",
                 SQLITE_RANGE, 2,
                 "statement 2: the SQL has 1 parameter, 0 values were given");
    check_failed(f,
                 "INSERT INTO t VALUES (1);"
                 " INSERT OR ROLLBACK INTO t VALUES (1);",
                 SQLITE_CONSTRAINT_UNIQUE, 2,
                 "statement 2: UNIQUE constraint failed: t.n");
    CHECK_INT(rows(f), 0);
    script(f, "INSERT INTO t VALUES (1)", 1);
    CHECK_INT(rows(f), 1);
}

/* It is none of its statements that fails, but COMMIT. */
static void a_commit_that_fails_undoes_all(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->db, "CREATE TABLE child (n INTEGER REFERENCES t (n)"
                " DEFERRABLE INITIALLY DEFERRED)");
    check_failed(f, "INSERT INTO child VALUES (1); INSERT INTO t VALUES (2)",
                 SQLITE_CONSTRAINT_FOREIGNKEY, 0,
                 "FOREIGN KEY constraint failed");
    CHECK(!asq_db_in_transaction(&f->db));
    CHECK_INT(rows(f), 0);
    script(f, "INSERT INTO child VALUES (1); INSERT INTO t VALUES (1)", 2);
}

static void inside_a_transaction_it_undoes_itself(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (1)");
    script(f, "INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)", 2);
    CHECK(asq_db_in_transaction(&f->db));
    check_failed(f, "INSERT INTO t VALUES (4); INSERT INTO t VALUES (1)",
                 SQLITE_CONSTRAINT_UNIQUE, 2,
                 "statement 2: UNIQUE constraint failed: t.n");
    CHECK(asq_db_in_transaction(&f->db));
    CHECK_INT(ask(&f->db, "SELECT count(*) FROM t"), 3);
    /* What SQLite itself rolls back is all of it. */
    check_failed(f, "INSERT OR ROLLBACK INTO t VALUES (1)",
                 SQLITE_CONSTRAINT_UNIQUE, 1,
                 "statement 1: UNIQUE constraint failed: t.n");
    CHECK(!asq_db_in_transaction(&f->db));
    CHECK_INT(rows(f), 0);
}

static void what_cannot_be_undone_is_refused_before(void *fixture)
{
    static const char *const own = "a script has its own transaction";
    static const char *const file = "ATTACH, DETACH and VACUUM cannot be "
                                    "undone";
    static const char *const pragma = "this PRAGMA cannot be undone";
    const struct {
        const char *sql;
        const char *reason;
    } refused[] = {
        {"BEGIN", own},
        {MARK "COMMIT", own},
        {"/**/END", own},
        {"ROLLBACK", own},
        {"SAVEPOINT s", own},
        {"ROLLBACK TO s", own},
        {"release asq_script", own},
        {"ATTACH ':memory:' AS a", file},
        {"DETACH a", file},
        {"vacuum", file},
        {"PRAGMA foreign_keys = 0", pragma},
        {"PRAGMA main.journal_mode = DELETE", pragma},
        {"PRAGMA synchronous(0)", pragma},
        {"PRAGMA wal_checkpoint", pragma},
        {"PRAGMA user_version_ = 1", pragma},
        {"PRAGMA", pragma},
        {"EXPLAIN PRAGMA user_version = 1", pragma},
    };
    struct fixture *f = fixture;
    char sql[200], message[200];

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        (void)snprintf(sql, sizeof sql, "INSERT INTO t VALUES (1);;%s;x;",
                       refused[i].sql);
        (void)snprintf(message, sizeof message, "statement 2: %s",
                       refused[i].reason);
        check_failed(f, sql, SQLITE_MISUSE, 2, message);
        CHECK(!asq_db_in_transaction(&f->db));
    }
    CHECK_INT(f->db.cache.misses, 1); /* CREATE TABLE t, and nothing since */
    CHECK_INT(ask(&f->db, "PRAGMA foreign_keys"), 1);
    script(f,
           "PRAGMA user_version = 1; pragma main.application_id(5);"
           "PRAGMA /**/ defer_foreign_keys = ON",
           3);
}

static int watch(void *data)
{
    struct fixture *f = data;

    f->asked++;
    return f->nth != 0 && f->asked >= f->nth;
}

/* Between the statements and in them. */
static void stopped_is_undone(void *fixture)
{
    static const char sql[] =
        "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);"
        " WITH RECURSIVE c(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM c"
        " WHERE n < 1000) INSERT INTO t SELECT n FROM c;"
        " SELECT count(*) FROM t; DELETE FROM t WHERE n > 900;";
    struct fixture *f = fixture;
    unsigned seen = 0;
    int rc;

    CHECK_INT(asq_db_watch(&f->db, watch, f), 0);
    for (unsigned nth = 1;; nth++) {
        unsigned count = 99;

        f->nth = nth;
        f->asked = 0;
        rc = asq_db_script(&f->db, sql, &count);
        f->nth = 0;
        CHECK(!asq_db_in_transaction(&f->db));
        CHECK_INT(f->db.stopped, rc == 0 ? ASQ_STOP_NONE : ASQ_STOP_RUNNING);
        if (rc == 0)
            break;
        CHECK_INT(rc, SQLITE_INTERRUPT);
        CHECK_INT(rows(f), 0);
        seen |= 1U << count;
    }
    CHECK_INT(seen, 0x3f); /* before BEGIN, and at each statement */
    CHECK_INT(rows(f), 900);
    CHECK_INT(asq_db_watch(&f->db, NULL, NULL), 0);
}

/* Statements that come once push nothing out of the cache. */
static void the_cache_keeps_what_it_has(void *fixture)
{
    struct fixture *f = fixture;
    char sql[3000];
    size_t used = 0;

    CHECK_INT(ask(&f->db, "SELECT 1"), 1);
    for (int i = 0; i < 50; i++)
        used += (size_t)snprintf(sql + used, sizeof sql - used,
                                 "INSERT INTO t VALUES (%d);", i);
    script(f, sql, 50);
    f->db.cache.hits = 0;
    CHECK_INT(ask(&f->db, "SELECT 1"), 1);
    CHECK_INT(f->db.cache.hits, 1);
    CHECK_INT(f->db.cache.evicted, 0);
}

/* raw('SQL') runs SQL behind the back of the script. */
static void run_raw(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    sqlite3_result_int(context,
                       sqlite3_exec(sqlite3_context_db_handle(context),
                                    (const char *)sqlite3_value_text(values[0]),
                                    0, 0, 0));
}

static void an_ended_transaction_is_noticed(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(sqlite3_create_function(asq_db_handle(&f->db), "raw", 1,
                                      SQLITE_UTF8, NULL, run_raw, 0, 0),
              0);
    check_failed(f, "SELECT raw('ROLLBACK'); INSERT INTO t VALUES (1)",
                 SQLITE_MISUSE, 1,
                 "statement 1: an SQL function has ended the transaction");
    CHECK_INT(rows(f), 0);
    /* Without its savepoint all around it is undone: half would be wrong. */
    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (1)");
    check_failed(f,
                 "SELECT raw('RELEASE asq_script');"
                 " INSERT INTO t VALUES (2); SELECT x",
                 SQLITE_ERROR, 3, "statement 3: no such column: x");
    CHECK(!asq_db_in_transaction(&f->db));
    CHECK_INT(rows(f), 0);
}

static const struct test_case cases[] = {
    {.name = "all_of_it_runs", .run = all_of_it_runs},
    {.name = "a_text_without_a_statement_runs_nothing",
     .run = a_text_without_a_statement_runs_nothing},
    {.name = "an_error_undoes_all", .run = an_error_undoes_all},
    {.name = "a_commit_that_fails_undoes_all",
     .run = a_commit_that_fails_undoes_all},
    {.name = "inside_a_transaction_it_undoes_itself",
     .run = inside_a_transaction_it_undoes_itself},
    {.name = "what_cannot_be_undone_is_refused_before",
     .run = what_cannot_be_undone_is_refused_before},
    {.name = "stopped_is_undone", .run = stopped_is_undone},
    {.name = "the_cache_keeps_what_it_has", .run = the_cache_keeps_what_it_has},
    {.name = "an_ended_transaction_is_noticed",
     .run = an_ended_transaction_is_noticed},
    {0},
};

const struct test_suite test_suite = {
    .name = "script",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
