/* shop - the items of the tests of 05-crud, how to ask for them, and which
 * pages to expect
 *
 * Owns a database in memory. Everything happens on one thread.
 */
#ifndef SHOP_H
#define SHOP_H

#include "ex_page.h"

#include "grader/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    ITEMS = 120,
    ITEMS_MAX = 160,
    MOVED = 60,  /* items in the test in which they come and go */
    LEAST = 0,   /* an id and a value before those of all items */
    MOST = 5000, /* and after them */
    WAYS = 6,    /* three columns, both directions */
    NAME_SIZE = 96,
    TEXT_SIZE = 240,
    SQL_SIZE = 4000
};

static const char schema[] =
    "PRAGMA encoding = 'UTF-16';" /* so that reading a text takes memory */
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " status TEXT NOT NULL, data TEXT NOT NULL, value INTEGER NOT NULL)";

/* Four names, seven values, three statuses. */
static const char rows[] =
    "WITH RECURSIVE n (n) AS"
    " (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 119)"
    " INSERT INTO items SELECT 1000 + n * 7,"
    " 'cat''s bowl ' || ((n * 11 + %d) %% 61 %% 4),"
    " CASE n %% 3 WHEN 0 THEN 'active' WHEN 1 THEN 'won''t sell'"
    " ELSE 'draft' END, '{}', 1000 + (n * 17 + %d) %% 61 %% 7 FROM n";

/* 60 items, no two of which share a name or a value. */
static const char different_rows[] =
    "DELETE FROM items; WITH RECURSIVE n (n) AS"
    " (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 59)"
    " INSERT INTO items SELECT 1000 + n * 7,"
    " printf('cat''s bowl %%02d', (n * 11 + %d) %% 60),"
    " 'active', '{}', 1000 + (n * 17 + %d) %% 60 FROM n";

struct fixture {
    sqlite3 *db;
    struct ex_page page;
    struct ex_item expected[ITEMS_MAX];
    char names[ITEMS_MAX][NAME_SIZE];
    size_t count;      /* of expected items */
    size_t read;       /* how many of them so far */
    sqlite3_stmt *own; /* a statement of the caller, or NULL */
    bool denies;       /* SQLite may compile nothing */
    int fails_with;    /* the code with which reading an item fails, or 0 */
    /* about the last call: */
    char what[TEXT_SIZE];
    long others;   /* what was compiled to do something else than read */
    long compiled; /* how often SQLite has asked while it compiled */
    char traced[SQL_SIZE]; /* the SQL that ran */
};

static inline void run(sqlite3 *db, const char *format, int a, int b)
{
    char *sql = sqlite3_mprintf(format, a, b);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_free(sql);
}

/* SQLite asks what is allowed while it compiles, and only then. */
static inline int on_compile(void *data,
                             int action,
                             const char *a,
                             const char *b,
                             const char *c,
                             const char *d)
{
    struct fixture *f = data;

    (void)a, (void)b, (void)c, (void)d;
    f->compiled++;
    f->others += action != SQLITE_SELECT && action != SQLITE_READ &&
                 action != SQLITE_FUNCTION && action != SQLITE_RECURSIVE;
    return f->denies ? SQLITE_DENY : SQLITE_OK;
}

/* Notes the text of each statement that runs, as it was compiled. */
static inline int on_run(unsigned type, void *data, void *stmt, void *sql)
{
    struct fixture *f = data;
    size_t used = strlen(f->traced);

    (void)type, (void)stmt;
    (void)snprintf(f->traced + used, SQL_SIZE - used, "%s;", (char *)sql);
    return 0;
}

static inline void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    CHECK_INT(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(f->db, 1), SQLITE_OK);
    run(f->db, schema, 0, 0);
    run(f->db, rows, (int)(test_seed() % 61), (int)(test_seed() % 61));
    CHECK_INT(sqlite3_set_authorizer(f->db, on_compile, f), SQLITE_OK);
    CHECK_INT(sqlite3_trace_v2(f->db, SQLITE_TRACE_STMT, on_run, f), SQLITE_OK);
}

static inline void tear_down(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *stmt;

    /* Only the last test judges a statement that was left. */
    while ((stmt = sqlite3_next_stmt(f->db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* repeats the error of a step */
    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
}

/* Asking */

static inline struct ex_page_query sorted(int way, size_t limit)
{
    static const char *const sorts[] = {"id", "name", "value"};

    return (struct ex_page_query){
        .sort = sorts[way % 3], .descending = way >= 3, .limit = limit};
}

/* Finds out what all pages together must hold. */
static inline void expect_items(struct fixture *f,
                                const struct ex_page_query *query)
{
    const char *order = query->descending ? "DESC" : "ASC";
    sqlite3_stmt *stmt;
    char sql[TEXT_SIZE];

    (void)snprintf(sql, sizeof sql,
                   "SELECT id, value, name FROM items"
                   " WHERE status = ifnull(?, status) ORDER BY %s %s, id %s",
                   query->sort, order, order);
    CHECK_INT(sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, query->status, -1, SQLITE_STATIC),
              SQLITE_OK);
    for (f->count = 0; sqlite3_step(stmt) == SQLITE_ROW; f->count++) {
        CHECK(f->count < ITEMS_MAX);
        f->expected[f->count].id = sqlite3_column_int64(stmt, 0);
        f->expected[f->count].value = sqlite3_column_int64(stmt, 1);
        f->expected[f->count].name = f->names[f->count];
        (void)snprintf(f->names[f->count], NAME_SIZE, "%s",
                       (const char *)sqlite3_column_text(stmt, 2));
    }
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    f->read = 0;
}

static inline void describe(struct fixture *f,
                            const struct ex_page_query *query)
{
    (void)snprintf(f->what, TEXT_SIZE, "sort by %.40s%s, %s%.20s%slimit %zu%s",
                   query->sort, query->descending ? " descending" : "",
                   query->status != NULL ? "status \"" : "",
                   query->status != NULL ? query->status : "",
                   query->status != NULL ? "\", " : "", query->limit,
                   query->after != NULL ? ", after an item" : "");
}

static inline int ask(struct fixture *f, const struct ex_page_query *query)
{
    static struct ex_page page, untouched;
    int rc;

    describe(f, query);
    memset(&page, 'x', sizeof page);
    memset(&untouched, 'x', sizeof untouched);
    f->traced[0] = '\0';
    f->compiled = 0;
    rc = ex_page_read(f->db, query, &page);
    if (rc == 0)
        f->page = page;
    else if (memcmp(&page, &untouched, sizeof page) != 0)
        test_wrong("*ret stays as it was, because the call failed",
                   "it was changed: %s", f->what);
    return rc;
}

static inline void
expect_code(struct fixture *f, int rc, int code, const char *what)
{
    char text[2 * TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: ex_page_read returns %s%s", f->what,
                   test_code(code), what);
    if (rc != code)
        test_wrong(text, "%s", test_code(rc));
}

/* Checks that the page has the items that come next. */
static inline void expect_page(struct fixture *f,
                               const struct ex_page_query *query)
{
    size_t left = f->count - f->read;
    size_t count = left < query->limit ? left : query->limit;
    char text[2 * TEXT_SIZE];

    for (size_t i = 0; i < count && i < f->page.count; i++) {
        (void)snprintf(text, sizeof text, "%s: item %zu has the id %lld",
                       f->what, f->read + i + 1,
                       (long long)f->expected[f->read + i].id);
        if (f->page.items[i].id != f->expected[f->read + i].id)
            test_wrong(text, "the id %lld", (long long)f->page.items[i].id);
    }
    (void)snprintf(text, sizeof text, "%s: %s", f->what,
                   test_count(count, "item", NULL));
    if (f->page.count != count)
        test_wrong(text, "%s", test_count(f->page.count, "item", NULL));
    f->read += count;
}

static inline void expect_more(struct fixture *f)
{
    bool more = f->count > f->read;
    char text[2 * TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s, and more is %s", f->what,
                   test_count(f->page.count, "item", NULL),
                   more ? "true" : "false");
    test_cause("only an item beyond the page shows that there are more");
    if (f->page.more != more)
        test_wrong(text, "more is %s", more ? "false" : "true");
    test_cause(NULL);
}

static inline void expect_names(struct fixture *f)
{
    size_t first = f->read - f->page.count;
    char text[2 * TEXT_SIZE];

    for (size_t i = 0; i < f->page.count; i++) {
        const struct ex_item *want = &f->expected[first + i];
        const struct ex_item *item = &f->page.items[i];

        (void)snprintf(text, sizeof text, "%s: value %lld, name \"%s\"",
                       f->what, (long long)want->value, want->name);
        test_cause("the name belongs to the statement and was not copied");
        if (item->name == NULL)
            test_wrong(text, "the name is NULL");
        if (strcmp(item->name, want->name) != 0)
            test_wrong(text, "the name is \"%.40s\"", item->name);
        test_cause("ids and values are 64 bits wide");
        if (item->value != want->value)
            test_wrong(text, "value %lld", (long long)item->value);
    }
    test_cause(NULL);
}

/* Reads the next page: the query goes on after the page before. */
static inline void ask_next(struct fixture *f, struct ex_page_query query)
{
    struct ex_page before = f->page;

    if (f->read > 0 && before.count > 0)
        query.after = &before.items[before.count - 1];
    expect_code(f, ask(f, &query), 0, "");
    expect_page(f, &query);
}

/* When something fails */

static inline void
on_item(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)argc, (void)argv;
    sqlite3_result_int(context, 1);
    if (f->fails_with != 0)
        sqlite3_result_error_code(context, f->fails_with);
}

static inline int stop_query(void *left)
{
    return --*(int *)left < 0;
}

/* From now on the caller has a statement of its own open. */
static inline void begin_own(struct fixture *f)
{
    CHECK_INT(sqlite3_create_function(f->db, "on_item", 0, SQLITE_UTF8, f,
                                      on_item, NULL, NULL),
              SQLITE_OK);
    run(f->db,
        "ALTER TABLE items RENAME TO stored; CREATE VIEW items AS SELECT * FROM"
        " stored WHERE on_item()",
        0, 0);
    CHECK_INT(
        sqlite3_prepare_v2(f->db, "SELECT 1 FROM stored", -1, &f->own, NULL),
        SQLITE_OK);
    CHECK_INT(sqlite3_step(f->own), SQLITE_ROW);
}

static inline void expect_own(struct fixture *f)
{
    size_t statements = 0;

    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(f->db, s)) != NULL;)
        statements++;
    test_cause("one way out of the function skips sqlite3_finalize");
    if (statements > 1)
        test_wrong("no statement is left", "one is, %s", f->what);
    test_cause("the caller may have statements of its own");
    if (statements < 1 || !sqlite3_stmt_busy(f->own))
        test_wrong("the caller's statement is left alone",
                   "it was reset or finalized, %s", f->what);
    test_cause(NULL);
}

static inline void
ask_in_vain(struct fixture *f, const struct ex_page_query *query, int code)
{
    int rc = ask(f, query);

    f->denies = false;
    f->fails_with = 0;
    expect_code(f, rc, code, ", as SQLite did");
    expect_own(f);
}

/* A text that is longer than the connection allows cannot be bound. A solution
 * that does not need to bind it returns the right page. */
static inline void bind_too_much(struct fixture *f,
                                 const struct ex_page_query *query)
{
    int rc = ask(f, query);

    f->count = 0;
    if (query->status == NULL)
        expect_items(f, query);
    f->read = 0;
    test_cause("sqlite3_bind can fail as well");
    if (rc == 0)
        expect_page(f, query);
    else
        expect_code(f, rc, SQLITE_TOOBIG, ", as SQLite did");
    expect_own(f);
}

#endif
