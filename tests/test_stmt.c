/* test_stmt - stepping, reading, collecting, counting changes */
#include "db_fixture.h"

#include <string.h>

struct fixture {
    struct asq_db db;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.result_limit = 4000000;
    CHECK_INT(asq_db_open(&f->db, &profile), 0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(f->db.open_statements, 0);
    CHECK_INT(asq_db_close(&f->db), 0);
}

static struct asq_stmt *check_out(struct asq_db *db, const char *sql)
{
    struct asq_stmt *stmt = NULL;

    if (asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt) != 0)
        FAIL("%s: %s", sql, asq_db_message(db));
    return stmt;
}

/* Stepping and reading */

static void rows_are_read_by_index_and_by_name(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_stmt *stmt = check_out(
        db, "SELECT 1 AS id, 'one' AS name UNION ALL SELECT 2, 'two'");

    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_columns(stmt), 2);
    CHECK_TEXT(asq_stmt_name(stmt, 1), "name");
    CHECK(asq_stmt_name(stmt, 2) == NULL);
    CHECK_INT(asq_stmt_column(stmt, "name"), 1);
    CHECK_INT(asq_stmt_column(stmt, "Name"), -1);
    CHECK_TEXT(asq_stmt_value(stmt, 1).as.text, "one");
    CHECK_INT(asq_stmt_value(stmt, 2).type, ASQ_NULL);
    CHECK_INT(asq_stmt_value(stmt, -1).type, ASQ_NULL);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_value(stmt, 0).as.int64, 2);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_DONE);
    CHECK_INT(asq_stmt_value(stmt, 0).type, ASQ_NULL);
    asq_stmt_release(stmt);
}

/* sqlite3_step alone would run a statement again that is done. */
static void what_is_done_stays_done(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_stmt *stmt;

    run(db, "CREATE TABLE t (n INTEGER UNIQUE)");
    stmt = check_out(db, "INSERT INTO t VALUES (1) RETURNING n");
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    for (int i = 0; i < 3; i++)
        CHECK_INT(asq_stmt_step(stmt), SQLITE_DONE);
    asq_stmt_release(stmt);
    stmt = check_out(db, "INSERT INTO t VALUES (1)");
    CHECK_INT(asq_stmt_step(stmt), SQLITE_CONSTRAINT_UNIQUE);
    CHECK_TEXT(asq_db_message(db), "UNIQUE constraint failed: t.n");
    run(db, "DELETE FROM t");
    CHECK_INT(asq_stmt_step(stmt), SQLITE_CONSTRAINT_UNIQUE);
    asq_stmt_release(stmt);
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 0);
}

static void a_reset_statement_runs_again(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value value = asq_int64(7);
    struct asq_params params = {.values = &value, .count = 1};
    struct asq_stmt *stmt;

    run(db, "CREATE TABLE t (n INTEGER UNIQUE)");
    stmt = check_out(db, "INSERT INTO t VALUES (?1)");
    for (int i = 0; i < 3; i++) {
        int expected = i == 0 ? SQLITE_DONE : SQLITE_CONSTRAINT_UNIQUE;

        CHECK_INT(asq_stmt_bind(stmt, &params), 0);
        CHECK_INT(asq_stmt_step(stmt), expected);
        asq_stmt_reset(stmt); /* after an error, too */
    }
    run(db, "DELETE FROM t");
    CHECK_INT(asq_stmt_step(stmt), SQLITE_DONE); /* it keeps the 7 */
    asq_stmt_reset(stmt);
    CHECK_INT(db->open_statements, 1);
    asq_stmt_release(stmt);
    CHECK_INT(ask(db, "SELECT sum(n) FROM t"), 7);
}

/* Before its first step a cached statement knows the old columns. */
static void columns_are_right_after_the_first_step(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_result result = {0};
    struct asq_stmt *stmt;
    struct asq_db other;

    run(db, "CREATE TABLE t (a INTEGER)");
    run(db, "INSERT INTO t VALUES (1)");
    CHECK_INT(ask(db, "SELECT * FROM t"), 1);
    CHECK_INT(asq_db_open(&other, &profile), 0);
    run(&other, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'");
    run(&other, "ALTER TABLE t RENAME COLUMN a TO first");
    stmt = check_out(db, "SELECT * FROM t");
    CHECK_INT(db->cache.hits, 1);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_columns(stmt), 2);
    CHECK_TEXT(asq_stmt_name(stmt, 0), "first");
    CHECK_INT(asq_stmt_column(stmt, "b"), 1);
    CHECK_TEXT(asq_stmt_value(stmt, 1).as.text, "new");
    asq_stmt_release(stmt);
    run(&other, "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 3");
    CHECK_INT(asq_db_run(db, "SELECT * FROM t", NULL, &result), 0);
    CHECK_INT(result.columns, 3);
    CHECK_TEXT(asq_result_name(&result, 2), "c");
    CHECK_INT(asq_result_int64(&result, 0, "c"), 3);
    asq_result_destroy(&result);
    CHECK_INT(asq_db_close(&other), 0);
}

/* Collecting */

static void every_type_is_collected(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct asq_value expected[] = {
        asq_null(),       asq_int64(INT64_MIN),  asq_double(0.5),
        asq_text("text"), asq_text(""),          asq_blob("\0\1", 2),
        asq_blob("", 0),  asq_text_n("a\0b", 3), /* SQL can make what params
                                                    refuses */
    };
    const int count = sizeof expected / sizeof expected[0];
    struct asq_result result = {0};

    CHECK_INT(asq_db_run(db,
                         "SELECT NULL, -9223372036854775808, 0.5, 'text', '',"
                         " x'0001', x'', 'a' || char(0) || 'b'",
                         NULL, &result),
              0);
    CHECK_INT(result.columns, count);
    for (int i = 0; i < count; i++) {
        struct asq_value got = asq_result_at(&result, 0, i);

        CHECK(asq_value_equal(&got, &expected[i]));
    }
    asq_result_destroy(&result);
}

static void no_rows_still_have_columns(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_result result = {0};

    CHECK_INT(asq_db_run(db, "SELECT 1 AS n WHERE 0", NULL, &result), 0);
    CHECK_INT(result.rows, 0);
    CHECK_INT(result.columns, 1);
    CHECK_TEXT(asq_result_name(&result, 0), "n");
    run(db, "CREATE TABLE t (n INTEGER)");
    CHECK_INT(asq_db_run(db, "INSERT INTO t VALUES (1)", NULL, &result), 0);
    CHECK_INT(result.columns, 0);
    CHECK_INT(result.changes, 1);
    asq_result_destroy(&result);
}

static void a_hundred_thousand_rows(void *fixture)
{
    static const char sql[] =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
        " WHERE n < 100000) SELECT n FROM c";
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_result result = {0};
    int64_t sum = 0;

    CHECK_INT(asq_db_run(db, sql, NULL, &result), 0);
    CHECK_INT(result.rows, 100000);
    for (size_t i = 0; i < result.rows; i++)
        sum += asq_result_at(&result, i, 0).as.int64;
    CHECK_INT(sum, INT64_C(5000050000));
    asq_result_destroy(&result);
}

static const char too_much[] =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
    " WHERE n < 1000000) SELECT n FROM c";

static void more_than_the_limit_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_result result = {0};

    CHECK_INT(asq_db_run(db, too_much, NULL, &result), SQLITE_TOOBIG);
    CHECK_TEXT(asq_db_message(db),
               "the result is larger than its limit of 4000000 bytes");
    CHECK_INT(result.rows, 0);
    CHECK_INT(result.columns, 0);
    CHECK_INT(asq_db_run(db, "SELECT 5 AS n", NULL, &result), 0);
    CHECK_INT(asq_result_int64(&result, 0, "n"), 5);
    run(db, too_much); /* without a result nothing is too much */
    asq_result_destroy(&result);
}

/* A write returns its rows after it has done its work. */
static void a_write_whose_rows_do_not_fit_is_undone(void *fixture)
{
    static const char sql[] =
        "INSERT INTO t SELECT value FROM g RETURNING zeroblob(100000)";
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_result result = {0};

    run(db, "CREATE TABLE t (n INTEGER)");
    run(db, "CREATE TABLE g AS WITH RECURSIVE c(value) AS (SELECT 1"
            " UNION ALL SELECT value + 1 FROM c WHERE value < 100)"
            " SELECT value FROM c");
    CHECK_INT(asq_db_run(db, sql, NULL, &result), SQLITE_TOOBIG);
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 0);
    run(db, "BEGIN");
    run(db, "INSERT INTO t VALUES (1)");
    CHECK_INT(asq_db_run(db, sql, NULL, &result), SQLITE_TOOBIG);
    CHECK(!asq_db_in_transaction(db));
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 0);
    run(db, "DELETE FROM g WHERE value > 10");
    CHECK_INT(asq_db_run(db, sql, NULL, &result), 0);
    CHECK_INT(result.rows, 10);
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 10);
    asq_result_destroy(&result);
}

static void an_error_empties_the_result(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_result result = {0};

    CHECK_INT(asq_db_run(db, "SELECT 5", NULL, &result), 0);
    CHECK_INT(asq_db_run(db, "SELEC", NULL, &result), SQLITE_ERROR);
    CHECK_INT(result.rows, 0);
    CHECK_INT(asq_db_run(db, "SELECT 5", NULL, &result), 0);
    /* The first row arrives, the second one fails. */
    CHECK_INT(asq_db_run(db,
                         "SELECT abs(column1) FROM (VALUES (1),"
                         " (-9223372036854775808))",
                         NULL, &result),
              SQLITE_ERROR);
    CHECK_TEXT(asq_db_message(db), "integer overflow");
    CHECK_INT(result.rows, 0);
    CHECK_INT(result.columns, 0);
    asq_result_destroy(&result);
}

/* Changes */

static int64_t changes(struct asq_db *db, const char *sql)
{
    struct asq_result result = {0};
    struct asq_stmt *stmt = check_out(db, sql);
    int64_t changed;

    if (asq_stmt_collect(stmt, &result) != 0)
        FAIL("%s: %s", sql, asq_db_message(db));
    changed = asq_stmt_changes(stmt);
    CHECK_INT(result.changes, changed);
    asq_stmt_release(stmt);
    asq_result_destroy(&result);
    return changed;
}

static void changes_are_those_of_the_statement(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    CHECK_INT(changes(db, "CREATE TABLE t (n INTEGER UNIQUE)"), 0);
    CHECK_INT(changes(db, "INSERT INTO t VALUES (1), (2), (3)"), 3);
    CHECK_INT(changes(db, "SELECT * FROM t"), 0);
    CHECK_INT(changes(db, "CREATE TABLE u AS SELECT * FROM t"), 0);
    CHECK_INT(changes(db, "ALTER TABLE u ADD COLUMN m"), 0);
    CHECK_INT(changes(db, "UPDATE t SET n = n + 10 WHERE n > 1"), 2);
    CHECK_INT(changes(db, "PRAGMA user_version = 3"), 0);
    CHECK_INT(changes(db, "BEGIN"), 0);
    CHECK_INT(changes(db, "UPDATE t SET n = n WHERE n = 99"), 0);
    CHECK_INT(changes(db, "COMMIT"), 0);
    CHECK_INT(changes(db, "REPLACE INTO t VALUES (12)"), 1);
    CHECK_INT(changes(db, "INSERT INTO t VALUES (50), (51) RETURNING n"), 2);
    CHECK_INT(changes(db, "DELETE FROM t"), 5);
    CHECK_INT(changes(db, "DROP TABLE t"), 0);
}

static void what_triggers_and_keys_do_does_not_count(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    run(db, "CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    run(db, "CREATE TABLE child (parent INTEGER REFERENCES parent(id)"
            " ON DELETE CASCADE)");
    run(db, "CREATE TABLE log (n INTEGER)");
    run(db, "CREATE TRIGGER g AFTER INSERT ON parent BEGIN"
            " INSERT INTO log VALUES (new.id), (new.id); END");
    run(db, "CREATE VIEW v AS SELECT id FROM parent");
    run(db, "CREATE TRIGGER h INSTEAD OF INSERT ON v BEGIN"
            " INSERT INTO log VALUES (new.id); END");
    CHECK_INT(changes(db, "INSERT INTO parent VALUES (1), (2)"), 2);
    CHECK_INT(ask(db, "SELECT count(*) FROM log"), 4);
    run(db, "INSERT INTO child VALUES (1), (1), (1)");
    CHECK_INT(changes(db, "DELETE FROM parent WHERE id = 1"), 1);
    CHECK_INT(ask(db, "SELECT count(*) FROM child"), 0);
    CHECK_INT(changes(db, "INSERT INTO v VALUES (9)"), 0);
    CHECK_INT(ask(db, "SELECT count(*) FROM log WHERE n = 9"), 1);
}

/* SQLite's own number is that of the last INSERT, UPDATE or DELETE, whoever
 * ran it. */
static void only_changes_of_rows_count(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    run(db, "CREATE TABLE t (n INTEGER UNIQUE)");
    CHECK_INT(changes(db, "/**/ ;WITH c(n) AS (VALUES (1), (2))"
                          " INSERT INTO t SELECT n FROM c"),
              2);
    CHECK_INT(changes(db, "WITH c AS (SELECT 1) SELECT * FROM c"), 0);
    CHECK_INT(changes(db, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"),
              0);
    CHECK_INT(changes(db, "INSERT OR IGNORE INTO t VALUES (1), (3)"), 1);
    CHECK_INT(changes(db, "EXPLAIN DELETE FROM t"), 0);
    CHECK_INT(changes(db, "SELECT * FROM t"), 0);
    CHECK_INT(changes(db, "CREATE INDEX i ON t (n)"), 0);
    CHECK_INT(changes(db, "REINDEX"), 0);
    CHECK_INT(changes(db, "ANALYZE"), 0);
    CHECK_INT(changes(db, "VACUUM"), 0);
    CHECK_INT(changes(db, "DELETE FROM t"), 3);
    CHECK_INT(changes(db, "DELETE FROM t"), 0);
}

static void a_full_text_index_does_not_count(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    if (!sqlite3_compileoption_used("ENABLE_FTS5"))
        test_skip("SQLite has no FTS5");
    CHECK_INT(changes(db, "CREATE VIRTUAL TABLE f USING fts5(x)"), 0);
    CHECK_INT(changes(db, "BEGIN"), 0);
    CHECK_INT(changes(db, "INSERT INTO f VALUES ('a'), ('b'), ('c')"), 3);
    CHECK_INT(changes(db, "COMMIT"), 0);
    CHECK_INT(changes(db, "SAVEPOINT s"), 0);
    CHECK_INT(changes(db, "UPDATE f SET x = 'd' WHERE x MATCH 'a OR b'"), 2);
    CHECK_INT(changes(db, "RELEASE s"), 0);
    CHECK_INT(changes(db, "DELETE FROM f"), 3);
    CHECK_INT(changes(db, "DROP TABLE f"), 0);
}

static void the_last_insert_id_is_told(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_result result = {0};

    run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
    CHECK_INT(asq_db_run(db, "INSERT INTO t VALUES (41, 0)", NULL, &result), 0);
    CHECK_INT(result.last_insert_id, 41);
    CHECK_INT(asq_db_run(db, "INSERT INTO t (n) VALUES (0)", NULL, &result), 0);
    CHECK_INT(result.last_insert_id, 42);
    asq_result_destroy(&result);
}

static const struct test_case cases[] = {
    {.name = "rows_are_read_by_index_and_by_name",
     .run = rows_are_read_by_index_and_by_name},
    {.name = "what_is_done_stays_done", .run = what_is_done_stays_done},
    {.name = "a_reset_statement_runs_again",
     .run = a_reset_statement_runs_again},
    {.name = "columns_are_right_after_the_first_step",
     .run = columns_are_right_after_the_first_step},
    {.name = "every_type_is_collected", .run = every_type_is_collected},
    {.name = "no_rows_still_have_columns", .run = no_rows_still_have_columns},
    {.name = "a_hundred_thousand_rows", .run = a_hundred_thousand_rows},
    {.name = "more_than_the_limit_is_refused",
     .run = more_than_the_limit_is_refused},
    {.name = "a_write_whose_rows_do_not_fit_is_undone",
     .run = a_write_whose_rows_do_not_fit_is_undone},
    {.name = "an_error_empties_the_result", .run = an_error_empties_the_result},
    {.name = "changes_are_those_of_the_statement",
     .run = changes_are_those_of_the_statement},
    {.name = "what_triggers_and_keys_do_does_not_count",
     .run = what_triggers_and_keys_do_does_not_count},
    {.name = "only_changes_of_rows_count", .run = only_changes_of_rows_count},
    {.name = "a_full_text_index_does_not_count",
     .run = a_full_text_index_does_not_count},
    {.name = "the_last_insert_id_is_told", .run = the_last_insert_id_is_told},
    {0},
};

const struct test_suite test_suite = {
    .name = "stmt",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
