/* test_sql_text - kinds, tokens and statements are seen as SQLite sees them */
#include "db_fixture.h"

#include <string.h>

#define MARK "\xEF\xBB\xBF" /* the byte order mark of UTF-8 */

static const struct {
    const char *sql;
    enum asq_stmt_kind kind;
} texts[] = {
    {"SELECT 1", ASQ_KIND_OTHER},
    {"WITH c AS (SELECT 1) SELECT * FROM c", ASQ_KIND_OTHER},
    {"CREATE TABLE t (n)", ASQ_KIND_OTHER},
    {"insert into t values (1)", ASQ_KIND_CHANGE},
    {"REPLACE INTO t VALUES (1)", ASQ_KIND_CHANGE},
    {"Update t SET n = 1", ASQ_KIND_CHANGE},
    {"DELETE FROM t", ASQ_KIND_CHANGE},
    {"BEGIN", ASQ_KIND_BEGIN},
    {"begin;", ASQ_KIND_BEGIN},
    {"BEGIN/* now */IMMEDIATE", ASQ_KIND_BEGIN},
    {"SAVEPOINT s", ASQ_KIND_BEGIN},
    {"SAVEPOINT\"s\"", ASQ_KIND_BEGIN},
    {"COMMIT", ASQ_KIND_COMMIT},
    {"COMMIT-- now", ASQ_KIND_COMMIT},
    {"End Transaction", ASQ_KIND_COMMIT},
    {"RELEASE s", ASQ_KIND_COMMIT},
    {"ROLLBACK TO s", ASQ_KIND_ROLLBACK},
    {"ATTACH ':memory:' AS a", ASQ_KIND_FILE},
    {"DETACH a", ASQ_KIND_FILE},
    {"VACUUM", ASQ_KIND_FILE},
    {"EXPLAIN SELECT 1", ASQ_KIND_EXPLAIN},
    {"EXPLAIN QUERY PLAN SELECT 1", ASQ_KIND_EXPLAIN},
    {"EXPLAIN COMMIT", ASQ_KIND_EXPLAIN},
    {"PRAGMA foreign_keys = 0", ASQ_KIND_PRAGMA},
    {"EXPLAIN PRAGMA foreign_keys = 0", ASQ_KIND_PRAGMA},
    {"explain/**/query plan " MARK "pragma foreign_keys = 0", ASQ_KIND_PRAGMA},
    {" \t\n;;-- c\n/* c */PRAGMA foreign_keys", ASQ_KIND_PRAGMA},
    {MARK "PRAGMA foreign_keys", ASQ_KIND_PRAGMA},
    {MARK MARK " " MARK "COMMIT", ASQ_KIND_COMMIT},
    {" \vCOMMIT", ASQ_KIND_COMMIT},
    {"/*/ PRAGMA */COMMIT", ASQ_KIND_COMMIT},
    {"-- PRAGMA\rSELECT\nCOMMIT", ASQ_KIND_COMMIT},
    /* Words end where SQLite ends them. */
    {"COMMITX", ASQ_KIND_OTHER},
    {"ENDLESS", ASQ_KIND_OTHER},
    {"BEGIN_", ASQ_KIND_OTHER},
    {"PRAGMA1", ASQ_KIND_OTHER},
    {"PRAGMA$", ASQ_KIND_OTHER},
    {"COMMIT" MARK, ASQ_KIND_OTHER},
    {"\vCOMMIT", ASQ_KIND_OTHER},
    {"\"COMMIT\"", ASQ_KIND_OTHER},
    {"", ASQ_KIND_OTHER},
    {" ;", ASQ_KIND_OTHER},
    {"/*", ASQ_KIND_OTHER},
    {"/* COMMIT", ASQ_KIND_OTHER},
    {"-- COMMIT", ASQ_KIND_OTHER},
};

static void the_first_words_tell_the_kind(void *fixture)
{
    (void)fixture;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *sql = texts[i].sql;
        enum asq_stmt_kind kind = asq_sql_kind(sql, ASQ_WHOLE_TEXT);

        if (kind != texts[i].kind)
            FAIL("%s: kind %d, expected %d", sql, kind, texts[i].kind);
        CHECK_INT(asq_sql_kind(sql, strlen(sql)), kind);
    }
}

/* What SQLite lets run is what the kind says: a statement that begins or ends
 * a transaction, or is a PRAGMA, is never taken for anything else. */
static void sqlite_agrees(void *fixture)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sqlite3 *handle = asq_db_handle(&db);
        bool begins = texts[i].kind == ASQ_KIND_BEGIN;
        bool is = begins || texts[i].kind == ASQ_KIND_COMMIT;

        if (!begins)
            CHECK_INT(sqlite3_exec(handle, "BEGIN; SAVEPOINT s", 0, 0, 0), 0);
        /* Some are not SQL, or there is no table t. */
        (void)sqlite3_exec(handle, texts[i].sql, 0, 0, 0);
        if (is && !strstr(texts[i].sql, "RELEASE") &&
            begins == (sqlite3_get_autocommit(handle) != 0))
            FAIL("%s: not for SQLite", texts[i].sql);
        if (!is && sqlite3_get_autocommit(handle) != 0)
            FAIL("%s: ends a transaction", texts[i].sql);
        if (sqlite3_get_autocommit(handle) == 0)
            CHECK_INT(sqlite3_exec(handle, "ROLLBACK", 0, 0, 0), 0);
    }
    close_db(&db);
}

/* Whatever follows the size is not looked at: it may be another's memory. */
static void the_size_is_kept(void *fixture)
{
    (void)fixture;
    CHECK_INT(asq_sql_kind("COMMITS", 6), ASQ_KIND_COMMIT);
    CHECK_INT(asq_sql_kind("COMMIT", 5), ASQ_KIND_OTHER);
    CHECK_INT(asq_sql_kind(MARK "COMMIT", 2), ASQ_KIND_OTHER);
    CHECK_INT(asq_sql_kind("COMMIT", 0), ASQ_KIND_OTHER);
    CHECK_INT(asq_sql_kind("\0COMMIT", 7), ASQ_KIND_OTHER);
    CHECK_INT(asq_sql_kind("--\0\nCOMMIT", 10), ASQ_KIND_OTHER);
}

/* Each text is two statements; the first ends where the bar is. */
static void a_text_is_cut_into_statements(void *fixture)
{
    static const char *const pairs[] = {
        "SELECT 1;| SELECT 2",
        "SELECT ';', \";\", `;`, [;];|SELECT 2",
        "SELECT 'it''s; ';|SELECT 2",
        "SELECT 1 -- ;\n;|SELECT 2",
        "SELECT 1 /* ; */ ;|SELECT 2",
        ";;SELECT 1;|;SELECT 2",
        "SELECT :a;|SELECT ?2",
        "SELECT $a::b(;);|SELECT 2",
        "BEGIN;|END",
        "CREATE TABLE trigger_ (n);|SELECT 2",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT"
        " CASE 1 WHEN 1 THEN 2 END; END;|SELECT 2",
        MARK "create temporary trigger g after insert on t begin select 1;"
             "end-- ;\n ;|SELECT 2",
        "EXPLAIN CREATE TEMP TRIGGER g DELETE ON t BEGIN DELETE FROM u; END;|x",
    };
    char sql[300];

    (void)fixture;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *bar = strchr(pairs[i], '|');
        size_t size = (size_t)(bar - pairs[i]);
        const char *end = sql + strlen(pairs[i]) - 1;

        memcpy(sql, pairs[i], size);
        strcpy(sql + size, bar + 1);
        if (asq__sql_cut(sql, end) != sql + size)
            FAIL("%s: cut after %zu bytes", pairs[i],
                 (size_t)(asq__sql_cut(sql, end) - sql));
        CHECK(asq__sql_cut(sql + size, end) == end);
    }
}

static void what_is_never_closed_goes_to_the_end(void *fixture)
{
    static const char *const open[] = {
        "SELECT 'a;",    "SELECT \"a;",  "SELECT [a;",
        "SELECT /* a;",  "SELECT -- a;", "CREATE TRIGGER g BEGIN SELECT 1; END",
        "SELECT $a(b;c",
    };

    (void)fixture;
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        const char *end = open[i] + strlen(open[i]);

        if (asq__sql_cut(open[i], end) != end)
            FAIL("%s: cut before its end", open[i]);
    }
}

static const struct test_case cases[] = {
    {.name = "the_first_words_tell_the_kind",
     .run = the_first_words_tell_the_kind},
    {.name = "sqlite_agrees", .run = sqlite_agrees},
    {.name = "the_size_is_kept", .run = the_size_is_kept},
    {.name = "a_text_is_cut_into_statements",
     .run = a_text_is_cut_into_statements},
    {.name = "what_is_never_closed_goes_to_the_end",
     .run = what_is_never_closed_goes_to_the_end},
    {0},
};

const struct test_suite test_suite = {.name = "sql_text", .cases = cases};
