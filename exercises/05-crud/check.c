/* check - the tests of 05-crud, items page by page
 *
 * Every test has 120 items in memory, with names and values of which many are
 * equal. SQLite itself says in which order they have to come, and tells what
 * it compiled and ran. Everything happens on one thread.
 */
#include "ex_page.h"

#include "grader/test.h"

#include <stdio.h>
#include <string.h>

enum {
    ITEMS = 120,
    ITEMS_MAX = 160,
    LEAST = 0,   /* an id and value before those of all items */
    MOST = 5000, /* and after them */
    WAYS = 6,    /* three columns, both directions */
    TEXT_SIZE = 200,
    SQL_SIZE = 4000
};

static const char schema[] =
    "PRAGMA encoding = 'UTF-16';" /* so that reading a text takes memory */
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " status TEXT NOT NULL, data TEXT NOT NULL, value INTEGER NOT NULL)";

/* Four names, seven values, three statuses. */
static const char rows[] =
    "DELETE FROM items; WITH RECURSIVE n (n) AS"
    " (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 119)"
    " INSERT INTO items SELECT 1000 + n * 7,"
    " 'cat''s bowl ' || ((n * 11 + %d) %% 61 %% 4),"
    " CASE n %% 3 WHEN 0 THEN 'active' WHEN 1 THEN 'won''t sell'"
    " ELSE 'draft' END, '{}', 1000 + (n * 17 + %d) %% 61 %% 7 FROM n";

struct fixture {
    sqlite3 *db;
    struct ex_page page;
    struct ex_item expected[ITEMS_MAX]; /* without names */
    size_t count;                       /* of those expected */
    size_t read;                        /* of them, up to now */
    /* of the last call: */
    char what[TEXT_SIZE];
    long compiled;         /* how often SQLite has asked while it compiled */
    char traced[SQL_SIZE]; /* what has run */
};

static void run(struct fixture *f, const char *format, int a, int b)
{
    char *sql = sqlite3_mprintf(format, a, b);

    if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(f->db));
    sqlite3_free(sql);
}

/* SQLite asks what is allowed while it compiles, and at no other time. */
static int on_compile(void *data,
                      int action,
                      const char *a,
                      const char *b,
                      const char *c,
                      const char *d)
{
    struct fixture *f = data;

    (void)action, (void)a, (void)b, (void)c, (void)d;
    f->compiled++;
    return SQLITE_OK;
}

/* Notes the text of what runs, as it was compiled. */
static int on_run(unsigned type, void *data, void *stmt, void *sql)
{
    struct fixture *f = data;
    size_t used = strlen(f->traced);

    (void)type, (void)stmt;
    (void)snprintf(f->traced + used, SQL_SIZE - used, "%s;", (char *)sql);
    return 0;
}

static void fill(struct fixture *f)
{
    run(f, rows, (int)(test_seed() % 61), (int)(test_seed() % 61));
}

static void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    CHECK_INT(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    run(f, schema, 0, 0);
    fill(f);
    CHECK_INT(sqlite3_set_authorizer(f->db, on_compile, f), SQLITE_OK);
    CHECK_INT(sqlite3_trace_v2(f->db, SQLITE_TRACE_STMT, on_run, f), SQLITE_OK);
}

static void tear_down(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *stmt;

    ex_page_free(&f->page);
    /* Only its own test judges a statement that was left. */
    while ((stmt = sqlite3_next_stmt(f->db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* repeats the error of a step */
    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
}

/* Asking */

static struct ex_page_query sorted(int way, size_t limit)
{
    static const char *const sorts[] = {"id", "name", "value"};

    return (struct ex_page_query){
        .sort = sorts[way % 3], .descending = way >= 3, .limit = limit};
}

/* Finds what all pages together have to hold. */
static void expect_items(struct fixture *f, const struct ex_page_query *query)
{
    const char *order = query->descending ? "DESC" : "ASC";
    sqlite3_stmt *stmt;
    char sql[TEXT_SIZE];

    (void)snprintf(sql, sizeof sql,
                   "SELECT id, value FROM items"
                   " WHERE status = ifnull(?, status) ORDER BY %s %s, id %s",
                   query->sort, order, order);
    CHECK_INT(sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, query->status, -1, SQLITE_STATIC),
              SQLITE_OK);
    for (f->count = 0; sqlite3_step(stmt) == SQLITE_ROW; f->count++) {
        CHECK(f->count < ITEMS_MAX);
        f->expected[f->count].id = sqlite3_column_int64(stmt, 0);
        f->expected[f->count].value = sqlite3_column_int64(stmt, 1);
    }
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    f->read = 0;
}

/* Reads a page in the place of the one before, in which after may lie. */
static int ask(struct fixture *f, const struct ex_page_query *query)
{
    static struct ex_page page, untouched;
    int rc;

    (void)snprintf(f->what, TEXT_SIZE, "by %.40s%s, %.20s%slimit %zu",
                   query->sort, query->descending ? " descending" : "",
                   query->status != NULL ? query->status : "",
                   query->status != NULL ? ", " : "", query->limit);
    memset(&page, 'x', sizeof page);
    memset(&untouched, 'x', sizeof untouched);
    f->traced[0] = '\0';
    f->compiled = 0;
    rc = ex_page_read(f->db, query, &page);
    if (rc == 0) {
        ex_page_free(&f->page);
        f->page = page;
    } else if (memcmp(&page, &untouched, sizeof page) != 0)
        test_wrong("*ret stays as it was, because the call failed",
                   "it was changed");
    return rc;
}

static void expect_code(struct fixture *f, int rc, int code, const char *what)
{
    char text[TEXT_SIZE + 80];

    (void)snprintf(text, sizeof text, "%s: %s%s%s", f->what,
                   code < 0 ? "UV_" : "",
                   code == 0  ? "returns 0"
                   : code < 0 ? uv_err_name(code)
                              : sqlite3_errstr(code),
                   what);
    if (rc != code)
        test_wrong(text, "%d (%s%s)", rc, rc < 0 ? "UV_" : "",
                   rc < 0 ? uv_err_name(rc) : sqlite3_errstr(rc));
}

/* Checks that the page goes on where the one before has ended. */
static void expect_page(struct fixture *f, const struct ex_page_query *query)
{
    size_t left = f->count - f->read;
    size_t count = left < query->limit ? left : query->limit;
    char text[TEXT_SIZE + 80];

    for (size_t i = 0; i < count && i < f->page.count; i++) {
        const struct ex_item *item = &f->page.items[i];
        const struct ex_item *expected = &f->expected[f->read + i];

        (void)snprintf(text, sizeof text, "%s: item %zu of all has the id %d",
                       f->what, f->read + i + 1, (int)expected->id);
        if (item->id != expected->id)
            test_wrong(text, "the id %d", (int)item->id);
        if (item->value != expected->value ||
            strncmp(item->name, "cat's bowl", 10) != 0) {
            test_cause("the name belongs to the statement and was not copied");
            test_wrong("name and value of each item as they are",
                       "another name or value of the id %d", (int)item->id);
        }
    }
    (void)snprintf(text, sizeof text, "%s: %zu items, and %s", f->what, count,
                   left > count ? "more" : "no more");
    if (f->page.count != count || f->page.more != (left > count))
        test_wrong(text, "%zu items, and %s", f->page.count,
                   f->page.more ? "more" : "no more");
    f->read += count;
}

static void ask_next(struct fixture *f, struct ex_page_query query)
{
    if (f->read > 0 && f->page.count > 0)
        query.after = &f->page.items[f->page.count - 1];
    expect_code(f, ask(f, &query), 0, "");
    expect_page(f, &query);
}

static void ask_all(struct fixture *f, struct ex_page_query query)
{
    expect_items(f, &query);
    do
        ask_next(f, query);
    while (f->read < f->count);
}

/* The tests */

static void first_page(void *fixture)
{
    for (int way = 0; way < WAYS; way++) {
        struct ex_page_query query = sorted(way, 20);

        expect_items(fixture, &query);
        ask_next(fixture, query);
    }
}

static void pages_join(void *fixture)
{
    static const size_t limits[] = {7, 20, 1, ITEMS - 21, EX_PAGE_MAX};

    for (int way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
            ask_all(fixture, sorted(way, limits[i]));
    ask_next(fixture, sorted(WAYS - 1, EX_PAGE_MAX)); /* after the last one */
}

static void filters(void *fixture)
{
    static const char *const statuses[] = {
        "active", "won't sell", "x' OR '1' = '1", "Active", "draft", ""};

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        for (int way = 0; way < WAYS; way++) {
            struct ex_page_query query = sorted(way, 39 + (size_t)way % 3);

            query.status = statuses[i];
            ask_all(fixture, query);
        }
}

static void insert(struct fixture *f, int id)
{
    run(f,
        id < MOST
            ? "INSERT INTO items VALUES (%d, 'cat''s bowl', 'new', '{}', %d)"
            : "INSERT INTO items VALUES (%d, 'cat''s bowl 9', 'new', '{}', %d)",
        id, id);
}

static void meanwhile(void *fixture)
{
    struct fixture *f = fixture;

    for (int way = 0; way < WAYS; way++) {
        struct ex_page_query query = sorted(way, 7);
        int before = query.descending ? MOST : LEAST;
        int behind = query.descending ? LEAST : MOST;

        fill(f);
        expect_items(f, &query);
        ask_next(f, query);
        insert(f, behind); /* has to come, as the last one */
        f->expected[f->count++] = (struct ex_item){behind, NULL, behind};
        for (int nth = 1; f->read < f->count; nth++) {
            if (nth % 2 == 1)
                insert(f, before + nth); /* must not come, nor move others */
            else
                run(f, "DELETE FROM items WHERE id = %d",
                    (int)f->expected[f->read - 1].id, 0);
            ask_next(f, query);
        }
    }
}

static void refused(void *fixture)
{
    static char large[SQL_SIZE] = "id";
    static const char *const hostile[] = {"id; DROP TABLE items",
                                          "value = 1 OR 1",
                                          "name COLLATE NOCASE",
                                          "(SELECT 1)",
                                          "value, id",
                                          "VALUE",
                                          "status",
                                          "rowid",
                                          " id",
                                          "valu",
                                          "",
                                          large};
    static const size_t limits[] = {0, EX_PAGE_MAX + 1, SIZE_MAX};
    struct fixture *f = fixture;
    const size_t keys = sizeof hostile / sizeof hostile[0];

    memset(large + 2, 'd', sizeof large - 3);
    for (size_t i = 0; i < keys + sizeof limits / sizeof limits[0]; i++) {
        struct ex_page_query query = sorted((int)i % WAYS, 7);

        if (i < keys)
            query.sort = hostile[i];
        else
            query.limit = limits[i - keys];
        expect_code(f, ask(f, &query), UV_EINVAL, ", and no SQL");
        if (f->compiled > 0 || f->traced[0] != '\0')
            test_wrong("no SQL is compiled for what is refused", "SQL, %s",
                       f->what);
    }
}

/* Two queries whose values differ run the same text. */
static void bound(void *fixture)
{
    struct fixture *f = fixture;
    char name[] = "zebra's 1", status[] = "zany 1";
    struct ex_item after = {.id = 1234567, .name = name, .value = 7654321};

    for (int i = 0; i < WAYS * 2; i++) {
        struct ex_page_query query = sorted(i % WAYS, 53);
        char first[SQL_SIZE];

        query.status = status;
        query.after = i >= WAYS ? &after : NULL;
        expect_code(f, ask(f, &query), 0, "");
        memcpy(first, f->traced, sizeof first);
        if (strstr(first, "zany") != NULL || strstr(first, "zebra") != NULL ||
            strstr(first, "12345") != NULL || strstr(first, "76543") != NULL)
            test_wrong("no value stands in the SQL", "%.150s", first);
        name[8]++, status[5]++, query.limit--, after.id--, after.value--;
        expect_code(f, ask(f, &query), 0, "");
        if (first[0] == '\0' || strcmp(first, f->traced) != 0)
            test_wrong(
                "the same SQL when only the values differ, the limit too",
                "%.150s", f->traced);
    }
}

static int stop_query(void *left)
{
    return --*(int *)left < 0;
}

/* A page is asked for until nothing fails any more: each time the query is
 * stopped a little later, or the next allocation fails. */
static void failures(void *fixture)
{
    struct fixture *f = fixture;
    struct ex_page_query query = sorted(0, 7);

    for (int memory = 0, nth = 1; memory < 2; nth++) {
        int left = nth, rc, failed;

        if (memory)
            test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE,
                               (uint64_t)nth, 0);
        else
            sqlite3_progress_handler(f->db, 5, stop_query, &left);
        rc = ask(f, &query);
        failed = memory ? test_alloc_has_failed() : left < 0;
        test_alloc_fail_at(0, 0, 0);
        sqlite3_progress_handler(f->db, 0, NULL, NULL);
        if (rc != 0 || !memory)
            expect_code(f, rc,
                        !failed  ? 0
                        : memory ? SQLITE_NOMEM
                                 : SQLITE_INTERRUPT,
                        failed ? ", as SQLite has said" : "");
        if (sqlite3_next_stmt(f->db, NULL) != NULL)
            test_wrong("no statement is left", "one is left %s",
                       rc == 0 ? "after a page" : "after an error");
        expect_items(f, &query);
        if (rc == 0)
            expect_page(f, &query);
        if (!failed)
            memory++, nth = 0;
    }
}

#define CASE(title_, run_, points_, needs_, cause_)                            \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .function = "ex_page_read", .cause = cause_           \
    }

static const struct test_case cases[] = {
    CASE("the first page, sorted both ways",
         first_page,
         1,
         0,
         "equal values stand in the order of their ids, which is descending "
         "if the values are"),
    CASE("the pages join to the whole",
         pages_join,
         2,
         1,
         "a page begins after the value and the id of the last item, in the "
         "direction of the order; only an item beyond it shows that there "
         "are more"),
    CASE("only one status",
         filters,
         1,
         2,
         "a status is compared as it is, and nothing is made of it"),
    CASE("items come and go between two pages",
         meanwhile,
         2,
         2,
         "a page begins after a value and an id, not after a number of items"),
    CASE("what is hostile is refused",
         refused,
         2,
         1,
         "a sort key is one of three names as they are, a limit is from 1 to "
         "EX_PAGE_MAX; anything else is refused before there is SQL"),
    CASE("no value stands in the SQL",
         bound,
         1,
         1,
         "a value was made part of the text and not bound"),
    CASE("stopped, or without memory",
         failures,
         1,
         1,
         "an error of sqlite3_step was taken for the end of the rows, or one "
         "way out leaves past sqlite3_finalize"),
    {0},
};

const struct test_suite test_suite = {
    .name = "05-crud",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
