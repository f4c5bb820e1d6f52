/* test_cache - statements out and back, what is kept, which SQL is refused */
#include "01-blocking/cache.h"
#include "01-blocking/stmt.h"
#include "grader/test.h"

#include <string.h>

#define MARK "\xEF\xBB\xBF" /* the byte order mark of UTF-8 */

struct fixture {
    struct asq_db db;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.statements = 3;
    CHECK_INT(asq_db_open(&f->db, &profile), 0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_db_close(&f->db), 0);
}

static struct asq_stmt *check_out(struct asq_db *db, const char *sql)
{
    struct asq_stmt *stmt = NULL;

    if (asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt) != 0)
        FAIL("%s: %s", sql, asq_db_message(db));
    return stmt;
}

/* Says whether the text was found in the cache. */
static bool hit(struct asq_db *db, const char *sql)
{
    uint64_t before = db->cache.hits;

    asq_stmt_release(check_out(db, sql));
    return db->cache.hits == before + 1;
}

static void the_second_use_is_a_hit(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    CHECK(!hit(db, "SELECT 1"));
    CHECK_INT(db->cache.misses, 1);
    CHECK_INT(db->cache.idle, 1);
    CHECK(hit(db, "SELECT 1"));
    CHECK_INT(db->cache.misses, 1);
    CHECK(!hit(db, "select 1")); /* the key is the text, not its meaning */
    CHECK(!hit(db, "SELECT 10"));
    CHECK_INT(db->cache.misses, 3);
    CHECK_INT(db->cache.idle, 3);
    CHECK_INT(db->cache.evicted, 0);
}

static void what_was_not_used_for_longest_goes_first(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    CHECK(!hit(db, "SELECT 'a'"));
    CHECK(!hit(db, "SELECT 'b'"));
    CHECK(!hit(db, "SELECT 'c'"));
    CHECK(hit(db, "SELECT 'a'"));
    CHECK(!hit(db, "SELECT 'd'")); /* b goes */
    CHECK_INT(db->cache.evicted, 1);
    CHECK_INT(db->cache.idle, 3);
    CHECK(hit(db, "SELECT 'c'"));
    CHECK(hit(db, "SELECT 'a'"));
    CHECK(!hit(db, "SELECT 'b'")); /* d goes */
    CHECK(!hit(db, "SELECT 'd'")); /* c goes */
    CHECK(hit(db, "SELECT 'a'"));
    CHECK_INT(db->cache.evicted, 3);
    CHECK_INT(db->cache.hits, 4);
    CHECK_INT(db->cache.misses, 6);
}

/* What is checked out does not count and is not evicted. */
static void more_may_be_out_than_are_kept(void *fixture)
{
    static const char *const texts[] = {"SELECT 1", "SELECT 2", "SELECT 3",
                                        "SELECT 4", "SELECT 5"};
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_stmt *out[5];

    for (int i = 0; i < 5; i++) {
        out[i] = check_out(db, texts[i]);
        CHECK_INT(asq_stmt_step(out[i]), SQLITE_ROW);
    }
    CHECK_INT(db->open_statements, 5);
    CHECK_INT(db->cache.idle, 0);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(asq_stmt_value(out[i], 0).as.int64, i + 1);
        asq_stmt_release(out[i]);
    }
    CHECK_INT(db->open_statements, 0);
    CHECK_INT(db->cache.idle, 3);
    CHECK_INT(db->cache.evicted, 2);
    CHECK(hit(db, "SELECT 5"));
    CHECK(!hit(db, "SELECT 1"));
}

static void the_same_text_nested_gets_two_statements(void *fixture)
{
    static const char sql[] = "SELECT ?1 UNION ALL SELECT ?1 + 1";
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value ten = asq_int64(10), twenty = asq_int64(20);
    struct asq_stmt *outer = check_out(db, sql);
    struct asq_stmt *inner = check_out(db, sql);

    CHECK(outer != inner);
    CHECK_INT(asq_stmt_bind(outer, &(struct asq_params){&ten, NULL, 1}), 0);
    CHECK_INT(asq_stmt_bind(inner, &(struct asq_params){&twenty, NULL, 1}), 0);
    CHECK_INT(asq_stmt_step(outer), SQLITE_ROW);
    CHECK_INT(asq_stmt_step(inner), SQLITE_ROW);
    CHECK_INT(asq_stmt_step(outer), SQLITE_ROW);
    CHECK_INT(asq_stmt_value(outer, 0).as.int64, 11);
    CHECK_INT(asq_stmt_value(inner, 0).as.int64, 20);
    CHECK_INT(asq_stmt_step(outer), SQLITE_DONE);
    CHECK_INT(asq_stmt_step(inner), SQLITE_ROW);
    CHECK_INT(asq_stmt_value(inner, 0).as.int64, 21);
    asq_stmt_release(outer);
    asq_stmt_release(inner);
    CHECK_INT(db->cache.idle, 2);
    CHECK_INT(db->cache.misses, 2);
}

/* A second use begins at the first row, without the old parameters, and no
 * read transaction stays behind. */
static void given_back_is_reset_and_unbound(void *fixture)
{
    static const char sql[] = "SELECT ?1, name FROM sqlite_schema"
                              " UNION ALL SELECT ?1, 'last'";
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value seven = asq_int64(7);
    struct asq_stmt *stmt = check_out(db, sql);

    CHECK_INT(asq_stmt_bind(stmt, &(struct asq_params){&seven, NULL, 1}), 0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_value(stmt, 0).as.int64, 7);
    CHECK_INT(sqlite3_txn_state(asq_db_handle(db), "main"), SQLITE_TXN_READ);
    asq_stmt_release(stmt);
    CHECK_INT(sqlite3_txn_state(asq_db_handle(db), "main"), SQLITE_TXN_NONE);
    CHECK(check_out(db, sql) == stmt);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_value(stmt, 0).type, ASQ_NULL);
    asq_stmt_release(stmt);
    asq_stmt_release(NULL);
}

static void a_pragma_is_never_kept(void *fixture)
{
    static const char *const texts[] = {
        "PRAGMA user_version",
        "pragma user_version",
        " \t\n;PRAGMA user_version",
        "-- a comment\nPRAGMA user_version",
        "/* two *//* comments */ PRAGMA user_version",
        MARK "PRAGMA user_version",
        "EXPLAIN PRAGMA user_version",
        "EXPLAIN QUERY PLAN PRAGMA user_version",
    };
    struct asq_db *db = &((struct fixture *)fixture)->db;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK(!hit(db, texts[i]));
        CHECK(!hit(db, texts[i]));
        CHECK_INT(db->cache.idle, 0);
    }
}

static void without_a_cache_nothing_is_kept(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("b.db"));
    struct asq_db db;

    (void)fixture;
    profile.statements = 0;
    CHECK_INT(asq_db_open(&db, &profile), 0);
    CHECK(!hit(&db, "SELECT 1"));
    CHECK(!hit(&db, "SELECT 1"));
    CHECK_INT(db.cache.idle, 0);
    CHECK_INT(db.cache.misses, 2);
    CHECK_INT(asq_db_close(&db), 0);
}

static void check_refused(struct asq_db *db,
                          const char *sql,
                          size_t size,
                          int code,
                          const char *message)
{
    struct asq_stmt *stmt = NULL;

    CHECK_INT(asq_stmt_prepare(db, sql, size, &stmt), code);
    CHECK_TEXT(asq_db_message(db), message);
    CHECK(stmt == NULL);
    CHECK_INT(db->open_statements, 0);
    CHECK_INT(db->cache.idle, 0);
    CHECK_INT(db->cache.misses, 0);
}

static void wrong_sql_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    check_refused(db, "SELEC 1", ASQ_WHOLE_TEXT, SQLITE_ERROR,
                  "near \"SELEC\": syntax error");
    check_refused(db, "SELECT * FROM none", ASQ_WHOLE_TEXT, SQLITE_ERROR,
                  "no such table: none");
    check_refused(db, NULL, ASQ_WHOLE_TEXT, SQLITE_MISUSE, "no SQL was given");
}

static void no_statement_is_refused(void *fixture)
{
    static const char *const texts[] = {"",      " \n",        ";",
                                        " ; ; ", "-- comment", "/* comment */",
                                        MARK,    " ;" MARK ";"};
    struct asq_db *db = &((struct fixture *)fixture)->db;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_refused(db, texts[i], ASQ_WHOLE_TEXT, SQLITE_MISUSE,
                      "there is no statement in the SQL");
    check_refused(db, "SELECT 1", 0, SQLITE_MISUSE,
                  "there is no statement in the SQL");
}

static void text_after_the_statement_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;

    check_refused(db, "SELECT 1; SELECT 2", ASQ_WHOLE_TEXT, SQLITE_MISUSE,
                  "text after the first statement: \"SELECT 2\"");
    check_refused(db, "SELECT 1; -- two\nnonsense", ASQ_WHOLE_TEXT,
                  SQLITE_MISUSE,
                  "text after the first statement: \"nonsense\"");
    check_refused(db, "SELECT 1; /", ASQ_WHOLE_TEXT, SQLITE_MISUSE,
                  "text after the first statement: \"/\"");
    check_refused(db, "SELECT 1; -", ASQ_WHOLE_TEXT, SQLITE_MISUSE,
                  "text after the first statement: \"-\"");
}

static void comments_and_semicolons_may_follow(void *fixture)
{
    static const char *const texts[] = {
        "SELECT 1;",
        "SELECT 1 ; ; \t\r\n",
        "SELECT 1; -- why",
        "SELECT 1 -- why",
        "SELECT 1; /* SELECT 2 */ ;",
        "SELECT 1; /* SELECT 2",
        MARK "SELECT 1;" MARK,
        "-- why\nSELECT 1",
        "SELECT ';'",
        "SELECT 1 AS \"--\"",
        "CREATE TEMP TRIGGER g AFTER INSERT ON main.t BEGIN SELECT 1; END;",
    };
    struct asq_db *db = &((struct fixture *)fixture)->db;

    CHECK_INT(asq_db_run(db, "CREATE TABLE t (n INTEGER)", NULL, NULL), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        asq_stmt_release(check_out(db, texts[i]));
}

static void a_zero_byte_in_the_sql_is_refused(void *fixture)
{
    static const char sql[] = "SELECT 1\0; DROP TABLE t";
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_stmt *stmt = NULL;

    check_refused(db, sql, sizeof sql - 1, SQLITE_MISUSE,
                  "a zero byte inside the SQL at byte 8");
    CHECK_INT(asq_stmt_prepare(db, "SELECT 1 and more", 8, &stmt), 0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    asq_stmt_release(stmt);
    CHECK(hit(db, "SELECT 1"));
}

static void only_plain_reads_may_share_a_transaction(void *fixture)
{
    static const struct {
        const char *sql;
        bool is_query;
    } texts[] = {
        {"SELECT * FROM t", true},
        {"WITH c AS (SELECT 1) SELECT * FROM c", true},
        {"VALUES (1), (2)", true},
        {"INSERT INTO t VALUES (1)", false},
        {"INSERT INTO t VALUES (1) RETURNING n", false},
        {"CREATE TABLE u (n INTEGER)", false},
        {"EXPLAIN SELECT 1", false},
        {"EXPLAIN QUERY PLAN SELECT 1", false},
        {"EXPLAIN PRAGMA user_version", false},
        {MARK "SELECT * FROM t", true},
        {MARK "PRAGMA user_version", false},
        {MARK "BEGIN", false},
        {"WITH c AS (SELECT 1) DELETE FROM t", false},
        {"PRAGMA user_version", false},
        {"/* c */ pragma table_info(t)", false},
        {"BEGIN", false},
        {"COMMIT", false},
        {"END", false},
        {"ROLLBACK", false},
        {"SAVEPOINT s", false},
        {"RELEASE s", false},
        {"ATTACH ':memory:' AS other", false},
        {"VACUUM", false},
    };
    struct asq_db *db = &((struct fixture *)fixture)->db;

    CHECK_INT(asq_db_run(db, "CREATE TABLE t (n INTEGER)", NULL, NULL), 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct asq_stmt *stmt = check_out(db, texts[i].sql);

        if (asq_stmt_is_query(stmt) != texts[i].is_query)
            FAIL("%s: is_query is %d", texts[i].sql, !texts[i].is_query);
        asq_stmt_release(stmt);
    }
}

static const struct test_case cases[] = {
    {.name = "the_second_use_is_a_hit", .run = the_second_use_is_a_hit},
    {.name = "what_was_not_used_for_longest_goes_first",
     .run = what_was_not_used_for_longest_goes_first},
    {.name = "more_may_be_out_than_are_kept",
     .run = more_may_be_out_than_are_kept},
    {.name = "the_same_text_nested_gets_two_statements",
     .run = the_same_text_nested_gets_two_statements},
    {.name = "given_back_is_reset_and_unbound",
     .run = given_back_is_reset_and_unbound},
    {.name = "a_pragma_is_never_kept", .run = a_pragma_is_never_kept},
    {.name = "without_a_cache_nothing_is_kept",
     .run = without_a_cache_nothing_is_kept},
    {.name = "wrong_sql_is_refused", .run = wrong_sql_is_refused},
    {.name = "no_statement_is_refused", .run = no_statement_is_refused},
    {.name = "text_after_the_statement_is_refused",
     .run = text_after_the_statement_is_refused},
    {.name = "comments_and_semicolons_may_follow",
     .run = comments_and_semicolons_may_follow},
    {.name = "a_zero_byte_in_the_sql_is_refused",
     .run = a_zero_byte_in_the_sql_is_refused},
    {.name = "only_plain_reads_may_share_a_transaction",
     .run = only_plain_reads_may_share_a_transaction},
    {0},
};

const struct test_suite test_suite = {
    .name = "cache",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
