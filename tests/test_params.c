/* test_params - values by position and by name, and each way to get it wrong */
#include "01-blocking/params.h"
#include "01-blocking/stmt.h"
#include "grader/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct asq_db db;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(":memory:");

    CHECK_INT(asq_db_open(&f->db, &profile), 0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(f->db.open_statements, 0);
    CHECK_INT(asq_db_close(&f->db), 0);
}

/* Runs a query of one row into result. */
static void ask(struct asq_db *db,
                const char *sql,
                const struct asq_params *params,
                struct asq_result *result)
{
    if (asq_db_run(db, sql, params, result) != 0)
        FAIL("%s: %s", sql, asq_db_message(db));
    CHECK_INT(result->rows, 1);
}

static void check_refused(struct asq_db *db,
                          const char *sql,
                          const struct asq_params *params,
                          int code,
                          const char *message)
{
    CHECK_INT(asq_db_run(db, sql, params, NULL), code);
    CHECK_TEXT(asq_db_message(db), message);
}

static void each_type_arrives_as_it_was(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct {
        struct asq_value value;
        const char *type;
    } cells[] = {
        {asq_null(), "null"},
        {asq_int64(INT64_MIN), "integer"},
        {asq_int64(INT64_MAX), "integer"},
        {asq_double(0.1), "real"},
        {asq_double(2.0), "real"},
        {asq_text("w\xc3\xb6rter"), "text"},
        {asq_text(""), "text"},
        {asq_blob("a\0b", 3), "blob"},
        {asq_blob("", 0), "blob"},
    };
    struct asq_result result = {0};

    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct asq_params params = {.values = &cells[i].value, .count = 1};
        struct asq_value got;

        ask(db, "SELECT ?1 AS value, typeof(?1) AS type", &params, &result);
        CHECK_TEXT(asq_result_text(&result, 0, "type"), cells[i].type);
        got = asq_result_at(&result, 0, 0);
        CHECK(asq_value_equal(&got, &cells[i].value));
    }
    asq_result_destroy(&result);
}

/* SQLite has no NaN: it would store null in silence. */
static void nan_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value values[] = {asq_int64(1), asq_double((double)NAN)};
    struct asq_params params = {.values = values, .count = 2};
    struct asq_result result = {0};

    check_refused(db, "SELECT ?1, ?2", &params, SQLITE_MISMATCH,
                  "parameter 2: NaN would be stored as NULL");
    values[0] = asq_double(-(double)INFINITY);
    values[1] = asq_double((double)INFINITY);
    ask(db, "SELECT ?1, ?2", &params, &result);
    for (int i = 0; i < 2; i++) {
        struct asq_value got = asq_result_at(&result, 0, i);

        CHECK(asq_value_equal(&got, &values[i]));
    }
    asq_result_destroy(&result);
}

static void a_value_is_never_sql(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value hostile = asq_text("'); DROP TABLE t; --");
    struct asq_params params = {.values = &hostile, .count = 1};
    struct asq_result result = {0};

    CHECK_INT(asq_db_run(db, "CREATE TABLE t (name TEXT)", NULL, NULL), 0);
    CHECK_INT(asq_db_run(db, "INSERT INTO t VALUES (?)", &params, NULL), 0);
    ask(db, "SELECT name FROM t", NULL, &result);
    CHECK_TEXT(asq_result_text(&result, 0, "name"), "'); DROP TABLE t; --");
    asq_result_destroy(&result);
}

static void by_position_in_order(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct asq_value values[] = {asq_int64(10), asq_int64(3)};
    struct asq_params params = {.values = values, .count = 2};
    struct asq_result result = {0};

    ask(db, "SELECT ? - ?", &params, &result);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, 7);
    ask(db, "SELECT ?2 - ?1 - ?1", &params, &result);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, -17);
    ask(db, "SELECT :a - :b", &params, &result);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, 7);
    asq_result_destroy(&result);
}

static void by_name_in_any_order(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct asq_value values[] = {asq_int64(3), asq_int64(10)};
    const char *const names[] = {"less", "from"};
    struct asq_params params = {values, names, 2};
    struct asq_result result = {0};

    ask(db, "SELECT :from - :less", &params, &result);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, 7);
    ask(db, "SELECT @from - $less - :less", &params, &result);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, 4);
    asq_result_destroy(&result);
}

/* Numbers and names of parameters are SQLite's: each way to write one, among
 * texts and comments that hold what is none. */
static const char *const tokens[] = {
    ":a",  "@a", "$a",  ":b",    "?1",         "?2",
    "?3",  "#x", ":_9", "$a::b", "$a::b(c,d)", ":\xC3\xA4",
    ":a$", "@1", ":aa", ":A",    "$::a(:b)"};

static const char *const gaps[] = {
    ",",      ",':q',", ",1/*:q*/,", ",1--:q\n,", ",\"t\".\":q\",",
    ",[:q],", ",`:q`,", ",x'00',",   ",a$q,",     ",1/?1,"};

enum {
    MOST = 12
};

/* Returns the value that is given to a name: a number made of its bytes. */
static int64_t value_of(const char *name)
{
    int64_t value = 7;

    for (; *name != '\0'; name++)
        value = value * 31 + (unsigned char)*name;
    return value;
}

/* Gives each name of the SQL, as SQLite tells it, its value once. Returns
 * false if a parameter has no name. */
static bool give_values(struct asq_stmt *stmt,
                        const char **names,
                        struct asq_value *values,
                        size_t *ret_count)
{
    size_t count = 0;

    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt->handle); i++) {
        const char *name = sqlite3_bind_parameter_name(stmt->handle, i);
        size_t k = 0;

        if (name == NULL || name[0] == '?')
            return false;
        while (k < count && strcmp(names[k], name + 1) != 0)
            k++;
        names[k] = name + 1;
        values[k] = asq_int64(value_of(name + 1));
        count = k == count ? count + 1 : count;
    }
    *ret_count = count;
    return true;
}

/* Writes a SELECT of parameters; used tells which columns are one. */
static void write_select(char *sql, size_t room, unsigned *seed)
{
    size_t used = (size_t)snprintf(sql, room, "SELECT 0");
    int count;

    *seed = *seed * 1664525U + 1013904223U;
    count = 1 + (int)(*seed >> 16) % MOST;
    for (int i = 0; i < count; i++) {
        const char *gap, *token;

        *seed = *seed * 1664525U + 1013904223U;
        gap = gaps[(*seed >> 8) % (sizeof gaps / sizeof gaps[0])];
        token = tokens[(*seed >> 16) % (sizeof tokens / sizeof tokens[0])];
        used += (size_t)snprintf(sql + used, room - used, "%s%s", gap, token);
    }
    (void)snprintf(sql + used, room - used,
                   " FROM (SELECT 0 AS \":q\", 0 AS a$q) AS t");
}

/* What SQLite has bound to parameter i, as text. */
static void check_bound(struct asq_stmt *stmt, const char *sql)
{
    char *expanded = sqlite3_expanded_sql(stmt->handle);
    char *expected = NULL;
    sqlite3_stmt *twin = NULL;

    CHECK_INT(sqlite3_prepare_v2(asq_db_handle(stmt->db), sql, -1, &twin, 0),
              0);
    for (int i = 1; i <= sqlite3_bind_parameter_count(twin); i++)
        CHECK_INT(
            sqlite3_bind_int64(
                twin, i, value_of(sqlite3_bind_parameter_name(twin, i) + 1)),
            0);
    expected = sqlite3_expanded_sql(twin);
    CHECK_TEXT(expanded, expected);
    sqlite3_free(expanded);
    sqlite3_free(expected);
    (void)sqlite3_finalize(twin);
}

static void parameters_are_numbered_as_sqlite_does(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    unsigned seed = (unsigned)test_seed();
    unsigned bound = 0, refused = 0;

    for (unsigned n = 0; n < test_scaled(20000); n++) {
        struct asq_stmt *stmt = NULL;
        const char *names[MOST];
        struct asq_value values[MOST];
        struct asq_params params = {.values = values, .names = names};
        char sql[600];

        write_select(sql, sizeof sql, &seed);
        if (asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt) != 0)
            FAIL("%s: %s", sql, asq_db_message(db));
        if (give_values(stmt, names, values, &params.count)) {
            if (asq_stmt_bind(stmt, &params) != 0)
                FAIL("%s: %s", sql, asq_db_message(db));
            check_bound(stmt, sql);
            bound++;
        } else {
            values[0] = asq_int64(1);
            names[0] = "a";
            params.count = 1;
            CHECK_INT(asq_stmt_bind(stmt, &params), SQLITE_RANGE);
            refused++;
        }
        asq_stmt_release(stmt);
    }
    CHECK(bound > 100 && refused > 100);
}

/* SQLite numbers no parameter in what is not an expression. */
static void what_is_no_expression_has_no_parameter(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value value = asq_int64(1);
    const char *name = "a";
    struct asq_params params = {&value, &name, 1};

    if (!sqlite3_compileoption_used("ENABLE_FTS5"))
        test_skip("SQLite has no FTS5");
    check_refused(db, "CREATE VIRTUAL TABLE t USING fts5(n, prefix=:a)",
                  &params, SQLITE_RANGE, "the SQL has no parameter \"a\"");
}

/* To look each name up among all others, and that for each, took 17 s for
 * 2,000. So it is the time limit that tells; most of what is left is SQLite,
 * which compares each name with all before it while it prepares. */
static void thousands_of_names_are_bound(void *fixture)
{
    enum {
        NAMES = 8000,
        LENGTH = 16
    };
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value *values = calloc(NAMES, sizeof *values);
    const char **names = calloc(NAMES, sizeof *names);
    char *texts = calloc(NAMES, LENGTH);
    char *sql = calloc(NAMES, LENGTH + 2);
    struct asq_params params = {values, names, NAMES};
    struct asq_result result = {0};
    size_t used = 0;

    CHECK(values != NULL && names != NULL && texts != NULL && sql != NULL);
    for (int i = 0; i < NAMES; i++) {
        char *name = texts + i * LENGTH;

        (void)snprintf(name, LENGTH, "n%d", i);
        used += (size_t)sprintf(sql + used, "%s:%s",
                                i == 0 ? "SELECT count(DISTINCT column1) FROM"
                                         " (VALUES ("
                                       : "),(",
                                name);
        names[NAMES - 1 - i] = name;
        values[NAMES - 1 - i] = asq_int64(i);
    }
    (void)strcpy(sql + used, "))");
    ask(db, sql, &params, &result);
    CHECK_INT(asq_result_at(&result, 0, 0).as.int64, NAMES);
    params.count--; /* n0 */
    check_refused(db, sql, &params, SQLITE_RANGE,
                  "no value was given for parameter \"n0\"");
    asq_result_destroy(&result);
    free(values);
    free(names);
    free(texts);
    free(sql);
}

/* The table of names is made once, and goes with the statement. */
static void names_are_kept_with_the_statement(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value values[] = {asq_int64(1), asq_int64(2)};
    const char *const names[] = {"a", "b"};
    struct asq_params params = {values, names, 2};
    struct asq_stmt *stmt = NULL;
    const struct asq__names *table;

    CHECK_INT(asq_stmt_prepare(db, "SELECT :b - :a", ASQ_WHOLE_TEXT, &stmt), 0);
    CHECK(stmt->names == NULL);
    CHECK_INT(asq_stmt_bind(stmt, &params), 0);
    table = stmt->names;
    for (int i = 0; i < 3; i++) {
        values[1].as.int64 = 10 * i;
        CHECK_INT(asq_stmt_bind(stmt, &params), 0);
        CHECK(stmt->names == table);
        CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
        CHECK_INT(asq_stmt_value(stmt, 0).as.int64, 10 * i - 1);
        asq_stmt_reset(stmt);
    }
    params.count = 1; /* what was given before is forgotten */
    CHECK_INT(asq_stmt_bind(stmt, &params), SQLITE_RANGE);
    asq_stmt_release(stmt);
}

static void a_wrong_count_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct asq_value values[] = {asq_int64(1), asq_int64(2)};
    struct asq_params two = {.values = values, .count = 2};
    struct asq_params none = {.count = 0};

    check_refused(db, "SELECT ?", &two, SQLITE_RANGE,
                  "the SQL has 1 parameter, 2 values were given");
    check_refused(db, "SELECT ?, ?, ?", &two, SQLITE_RANGE,
                  "the SQL has 3 parameters, 2 values were given");
    check_refused(db, "SELECT 1", &two, SQLITE_RANGE,
                  "the SQL has 0 parameters, 2 values were given");
    check_refused(db, "SELECT ?", NULL, SQLITE_RANGE,
                  "the SQL has 1 parameter, 0 values were given");
    check_refused(db, "SELECT :name", &none, SQLITE_RANGE,
                  "the SQL has 1 parameter, 0 values were given");
    check_refused(db, "SELECT ?5", &two, SQLITE_RANGE,
                  "the SQL has 5 parameters, 2 values were given");
}

static void a_wrong_name_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct asq_value values[] = {asq_int64(1), asq_int64(2)};
    const char *const names[] = {"a", "b"};
    const char *const twice[] = {"a", "a"};
    struct asq_params two = {values, names, 2};
    struct asq_params same = {values, twice, 2};

    check_refused(db, "SELECT :a", &two, SQLITE_RANGE,
                  "the SQL has no parameter \"b\"");
    check_refused(db, "SELECT 1", &two, SQLITE_RANGE,
                  "the SQL has no parameter \"a\"");
    check_refused(db, "SELECT :a, :c", &two, SQLITE_RANGE,
                  "no value was given for parameter \"c\"");
    check_refused(db, "SELECT :a, :b, :A", &two, SQLITE_RANGE,
                  "no value was given for parameter \"A\"");
    check_refused(db, "SELECT :a, @a", &two, SQLITE_RANGE,
                  "the SQL has no parameter \"b\"");
    check_refused(db, "SELECT :a", &same, SQLITE_RANGE,
                  "two values were given for parameter \"a\"");
}

static void a_parameter_without_a_name_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    const struct asq_value values[] = {asq_int64(1), asq_int64(2)};
    const char *const names[] = {"a", "2"};
    struct asq_params params = {values, names, 2};

    check_refused(db, "SELECT :a, ?", &params, SQLITE_RANGE,
                  "parameter 2 has no name in the SQL");
    check_refused(db, "SELECT :a, ?2", &params, SQLITE_RANGE,
                  "parameter 2 has no name in the SQL");
}

static void a_zero_byte_inside_text_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value values[] = {asq_int64(1), asq_text_n("a\0b", 3)};
    struct asq_params params = {.values = values, .count = 2};

    check_refused(db, "SELECT ?, ?", &params, SQLITE_MISMATCH,
                  "parameter 2: a zero byte inside the text; bind it as a "
                  "blob");
    values[1] = asq_text_n("ab\0", 3); /* one too many is inside as well */
    check_refused(db, "SELECT ?, ?", &params, SQLITE_MISMATCH,
                  "parameter 2: a zero byte inside the text; bind it as a "
                  "blob");
    values[1] = asq_text_n("ab\0", 2);
    CHECK_INT(asq_db_run(db, "SELECT ?, ?", &params, NULL), 0);
}

static void what_is_too_big_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    static const char bytes[200];
    struct asq_value values[] = {asq_blob(bytes, 100), asq_blob(bytes, 101)};
    struct asq_params params = {.values = values, .count = 2};

    (void)sqlite3_limit(asq_db_handle(db), SQLITE_LIMIT_LENGTH, 100);
    check_refused(db, "SELECT ?, ?", &params, SQLITE_TOOBIG,
                  "string or blob too big");
    params.count = 1;
    CHECK_INT(asq_db_run(db, "SELECT length(?)", &params, NULL), 0);
}

/* Parameters belong to the whole run. */
static void binding_between_steps_is_refused(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value value = asq_int64(1);
    struct asq_params params = {.values = &value, .count = 1};
    struct asq_stmt *stmt = NULL;

    CHECK_INT(asq_stmt_prepare(db, "SELECT ?", ASQ_WHOLE_TEXT, &stmt), 0);
    CHECK_INT(asq_stmt_bind(stmt, &params), 0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_bind(stmt, &params), SQLITE_MISUSE);
    CHECK_INT(asq_stmt_value(stmt, 0).as.int64, 1);
    asq_stmt_release(stmt);
}

/* What was bound before the error is forgotten with the statement. */
static void a_refused_bind_leaves_nothing(void *fixture)
{
    struct asq_db *db = &((struct fixture *)fixture)->db;
    struct asq_value values[] = {asq_int64(1), asq_text_n("\0", 1)};
    struct asq_params params = {.values = values, .count = 2};
    struct asq_stmt *stmt = NULL;

    check_refused(db, "SELECT ?1, ?2", &params, SQLITE_MISMATCH,
                  "parameter 2: a zero byte inside the text; bind it as a "
                  "blob");
    CHECK_INT(asq_stmt_prepare(db, "SELECT ?1, ?2", ASQ_WHOLE_TEXT, &stmt), 0);
    CHECK_INT(db->cache.hits, 1);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    CHECK_INT(asq_stmt_value(stmt, 0).type, ASQ_NULL);
    asq_stmt_release(stmt);
}

static const struct test_case cases[] = {
    {.name = "each_type_arrives_as_it_was", .run = each_type_arrives_as_it_was},
    {.name = "nan_is_refused", .run = nan_is_refused},
    {.name = "a_value_is_never_sql", .run = a_value_is_never_sql},
    {.name = "by_position_in_order", .run = by_position_in_order},
    {.name = "by_name_in_any_order", .run = by_name_in_any_order},
    {.name = "parameters_are_numbered_as_sqlite_does",
     .run = parameters_are_numbered_as_sqlite_does},
    {.name = "what_is_no_expression_has_no_parameter",
     .run = what_is_no_expression_has_no_parameter},
    {.name = "thousands_of_names_are_bound",
     .run = thousands_of_names_are_bound},
    {.name = "names_are_kept_with_the_statement",
     .run = names_are_kept_with_the_statement},
    {.name = "a_wrong_count_is_refused", .run = a_wrong_count_is_refused},
    {.name = "a_wrong_name_is_refused", .run = a_wrong_name_is_refused},
    {.name = "a_parameter_without_a_name_is_refused",
     .run = a_parameter_without_a_name_is_refused},
    {.name = "a_zero_byte_inside_text_is_refused",
     .run = a_zero_byte_inside_text_is_refused},
    {.name = "what_is_too_big_is_refused", .run = what_is_too_big_is_refused},
    {.name = "binding_between_steps_is_refused",
     .run = binding_between_steps_is_refused},
    {.name = "a_refused_bind_leaves_nothing",
     .run = a_refused_bind_leaves_nothing},
    {0},
};

const struct test_suite test_suite = {
    .name = "params",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
