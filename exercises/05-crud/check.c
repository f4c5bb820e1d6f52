/* check - the tests of 05-crud, items page by page
 *
 * Most tests have 120 items in memory, many of which have equal names or
 * values. SQLite itself tells in which order they have to come, and what it
 * compiled and ran. Everything happens on one thread.
 *
 * Each test looks at one thing only. Tests 7 and 9 judge names, and whether
 * memory is freed: the others free no page, and run without the address
 * sanitizer.
 */
#include "shop.h"

/* The tests */

static void first_page(void *fixture)
{
    struct fixture *f = fixture;
    struct ex_page_query query = sorted(0, 20);

    expect_items(f, &query);
    ask_next(f, query);
}

static void order(void *fixture)
{
    for (int way = 0; way < WAYS; way++) {
        struct ex_page_query query = sorted(way, EX_PAGE_MAX - (size_t)way);

        expect_items(fixture, &query);
        ask_next(fixture, query);
    }
}

static void pages_join(void *fixture)
{
    static const size_t limits[] = {7, 20, 1, ITEMS - 21, EX_PAGE_MAX};
    struct fixture *f = fixture;

    for (int way = 0; way < WAYS; way++)
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
            struct ex_page_query query = sorted(way, limits[i]);

            expect_items(f, &query);
            while (f->read < f->count) {
                ask_next(f, query);
                expect_more(f);
            }
        }
    ask_next(f, sorted(WAYS - 1, EX_PAGE_MAX)); /* after the last one */
    expect_more(f);
}

/* The last two are longer than a buffer usually is. */
static void filters(void *fixture)
{
    static char longs[2][1000];
    static const char *const statuses[] = {
        "active", "won't sell", "x' OR '1' = '1",
        "Active", "active ",    "draft",
        "",       "a%",         "%",
        longs[0], longs[1]};
    struct fixture *f = fixture;

    memset(longs[0], 's', sizeof longs[0] - 1);
    memset(longs[1], 's', sizeof longs[1] - 2);
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *stmt;

        CHECK_INT(sqlite3_prepare_v2(f->db,
                                     "UPDATE items SET status = ?1 WHERE id ="
                                     " (SELECT max(id) FROM items WHERE"
                                     " status = 'active')",
                                     -1, &stmt, NULL),
                  SQLITE_OK);
        (void)sqlite3_bind_text(stmt, 1, longs[i], -1, SQLITE_STATIC);
        CHECK_INT(sqlite3_step(stmt), SQLITE_DONE);
        CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    }
    run(f->db,
        "UPDATE items SET status = 'Active' WHERE id = 1000;"
        "UPDATE items SET status = '' WHERE id IN (1007, 1014)",
        0, 0);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct ex_page_query query = sorted(2 + (int)i % 2 * 3, 17);

        query.status = statuses[i];
        expect_items(f, &query);
        do
            ask_next(f, query);
        while (f->read < f->count);
    }
}

/* A visitor of another database reads its items one by one. */
static void ask_other(sqlite3 *db)
{
    static struct ex_page page;
    static struct ex_item last = {.id = -100};
    struct ex_page_query query = sorted(0, 1);

    query.after = last.id < 0 ? NULL : &last;
    CHECK_INT(ex_page_read(db, &query, &page), 0);
    test_cause(
        "something is kept between two calls, and mixes up two visitors");
    if (page.count != 1 || page.items[0].id != (last.id < 0 ? 1 : last.id + 1))
        test_wrong("a visitor of another database gets the next item there",
                   "a different item");
    test_cause(NULL);
    last = page.items[0];
}

/* Between two pages an item is inserted before all others, which must not move
 * them; or the last item that was read is deleted, or moves to the front. */
static void disturb(struct fixture *f, int way, int nth)
{
    int front = way < WAYS / 2 ? LEAST : MOST;
    int last = (int)f->expected[f->read - 1].id;

    if (nth % 3 == 0)
        run(f->db, "INSERT INTO items VALUES (%d, 'x', 'new', '{}', %d)",
            front + nth, front);
    else if (nth % 3 == 1 || way % 3 == 0)
        run(f->db, "DELETE FROM items WHERE id = %d", last, 0);
    else
        run(f->db, "UPDATE items SET value = %d WHERE id = %d", front, last);
    run(f->db,
        way < WAYS / 2 ? "UPDATE items SET name = '' WHERE value = %d"
                       : "UPDATE items SET name = 'x' WHERE value = %d",
        front, 0);
}

static void meanwhile(void *fixture)
{
    struct fixture *f = fixture;
    sqlite3 *other;

    CHECK_INT(sqlite3_open(":memory:", &other), SQLITE_OK);
    run(other, schema, 0, 0);
    run(other,
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n"
        " WHERE n < 200) INSERT INTO items SELECT n, 'n', 's', '', 1 FROM n",
        0, 0);
    for (int way = 0; way < WAYS; way++) {
        struct ex_page_query query = sorted(way, 7);
        int behind = query.descending ? LEAST : MOST;

        run(f->db, different_rows, (int)(test_seed() % 60),
            (int)(test_seed() % 61));
        expect_items(f, &query);
        ask_next(f, query);
        run(f->db,
            behind == MOST
                ? "INSERT INTO items VALUES (%d, 'x', 'new', '{}', %d)"
                : "INSERT INTO items VALUES (%d, '', 'new', '{}', %d)",
            behind, behind); /* has to come, last of all */
        f->expected[f->count++] = (struct ex_item){.id = behind};
        for (int nth = 1; f->read < f->count; nth++) {
            disturb(f, way, nth);
            ask_other(other);
            ask_next(f, query);
        }
    }
    CHECK_INT(sqlite3_close(other), SQLITE_OK);
}

#define LONG                                                                   \
    "a name that is longer than thirty-two bytes, and than sixty-four: "

/* Names and numbers that nobody expects. Each page is freed. */
static void odd_items(void *fixture)
{
    static const char *const names[] = {
        "",       "cat's bowl", "Cat's bowl",   "cat's Bowl", "\"); --",
        LONG "a", LONG "b",     "m\xc3\xbcsli", "%s%n",       "  "};
    static const int64_t numbers[] = {INT64_MIN,
                                      INT64_MIN + 1,
                                      -INT64_C(4294967301),
                                      -1,
                                      0,
                                      1,
                                      2147483648,
                                      INT64_C(4294967301),
                                      INT64_C(9007199254740992),
                                      INT64_C(9007199254740993),
                                      INT64_MAX - 1,
                                      INT64_MAX};
    struct fixture *f = fixture;
    sqlite3_stmt *stmt;

    run(f->db, "DELETE FROM items", 0, 0);
    CHECK_INT(sqlite3_prepare_v2(f->db,
                                 "INSERT INTO items VALUES (?, ?, 's', '', ?)",
                                 -1, &stmt, NULL),
              SQLITE_OK);
    for (unsigned i = 0; i < 24; i++) {
        uint64_t seed = test_seed();

        (void)sqlite3_bind_int64(stmt, 1, i < 12 ? numbers[i] : 100 + i);
        (void)sqlite3_bind_text(stmt, 2, names[(i * 7 + seed) % 10], -1,
                                SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 3, numbers[(i * 5 + seed) % 12]);
        CHECK_INT(sqlite3_step(stmt), SQLITE_DONE);
        CHECK_INT(sqlite3_reset(stmt), SQLITE_OK);
    }
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    run(f->db, "BEGIN", 0, 0);
    f->others = 0;
    for (int way = 0; way < WAYS; way++) {
        struct ex_page_query query = sorted(way, 5);

        expect_items(f, &query);
        while (f->read < f->count) {
            struct ex_page before = f->page;

            ask_next(f, query);
            expect_names(f);
            ex_page_free(&before);
        }
        ex_page_free(&f->page);
        if (f->page.count > 0)
            test_wrong("a page that was freed is empty", "%s",
                       test_count(f->page.count, "item", NULL));
        ex_page_free(&f->page); /* nothing is freed any more */
    }
    test_cause("the connection and its transaction belong to the caller");
    if (sqlite3_get_autocommit(f->db) || f->others > 0)
        test_wrong("a page is read, and nothing else is done", "%s",
                   f->others > 0 ? "SQL does more than read"
                                 : "the transaction was ended");
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
                                          "Name",
                                          "status",
                                          "rowid",
                                          " id",
                                          "id ",
                                          "valu",
                                          "names",
                                          "i",
                                          "1",
                                          "",
                                          large};
    static const size_t limits[] = {0, EX_PAGE_MAX + 1, SIZE_MAX,
                                    (size_t)UINT32_MAX + 6, SIZE_MAX / 2 + 1};
    struct fixture *f = fixture;
    const size_t keys = sizeof hostile / sizeof hostile[0];

    memset(large + 2, 'd', sizeof large - 3);
    run(f->db, "DELETE FROM items WHERE id > 1300", 0, 0); /* 43 are left */
    for (size_t i = 0; i < keys + sizeof limits / sizeof limits[0]; i++) {
        struct ex_page_query query = sorted((int)i % WAYS, 7);

        if (i < keys)
            query.sort = hostile[i];
        else
            query.limit = limits[i - keys];
        expect_code(f, ask(f, &query), UV_EINVAL, " and compiles no SQL");
        if (f->compiled > 0 || f->traced[0] != '\0')
            test_wrong("no SQL is compiled for a query that is refused",
                       "some is, %s", f->what);
    }
}

/* Two queries that differ only in their values run the same text. */
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
            test_wrong("no value is part of the SQL", "%.150s", first);
        name[8]++, status[5]++, query.limit--, after.id--, after.value--;
        expect_code(f, ask(f, &query), 0, "");
        if (first[0] == '\0' || strcmp(first, f->traced) != 0)
            test_wrong(
                "the same SQL when only values differ, the limit among them",
                "%.150s", f->traced);
    }
}

/* Each call of SQLite fails, with codes that are in no list. */
static void each_code(struct fixture *f)
{
    static char longer[3000];
    static const int codes[] = {
        SQLITE_IOERR_READ, SQLITE_BUSY_SNAPSHOT,       SQLITE_PROTOCOL,
        SQLITE_FULL,       SQLITE_CORRUPT | (77 << 8), SQLITE_LOCKED,
        SQLITE_CANTOPEN,   SQLITE_IOERR | (99 << 8),   SQLITE_NOTADB};
    struct ex_item after = {.id = 1, .name = longer, .value = 1};
    struct ex_page_query query = sorted(1, 7);

    memset(longer, 'l', sizeof longer - 1);
    for (size_t i = 0; i < 3; i++) {
        f->fails_with =
            codes[(test_seed() + i * 4) % (sizeof codes / sizeof codes[0])];
        ask_in_vain(f, &query, f->fails_with);
    }
    f->denies = true;
    ask_in_vain(f, &query, SQLITE_AUTH);
    (void)sqlite3_limit(f->db, SQLITE_LIMIT_LENGTH, 2000);
    query.status = longer;
    bind_too_much(f, &query);
    query = sorted(4, 7);
    query.after = &after;
    bind_too_much(f, &query);
}

/* Asks for a page until nothing fails any more: each time the query is stopped
 * a little later, or the next allocation fails. */
static void stop_each(struct fixture *f, bool memory)
{
    char name[] = "cat's bowl 0", status[] = "active";
    struct ex_item after = {.id = 1, .name = name, .value = 1};
    struct ex_page_query query = sorted(1, 7);
    bool failed = true;

    query.status = status;
    query.after = &after; /* it comes before all others */
    expect_items(f, &query);
    for (int nth = 1; failed; nth++) {
        int left = nth, rc;

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
                        failed ? ", as SQLite did" : "");
        expect_own(f);
        if (rc != 0)
            continue;
        f->read = 0;
        expect_page(f, &query);
        expect_more(f);
        expect_names(f);
        ex_page_free(&f->page);
    }
}

static void failures(void *fixture)
{
    begin_own(fixture);
    stop_each(fixture, false);
    stop_each(fixture, true);
    each_code(fixture);
}

#define CASE_IN(builds_, title_, run_, points_, needs_, cause_)                \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .seconds = 5, .builds = builds_,                      \
        .function = "ex_page_read", .cause = cause_                            \
    }
#define CASE(...) CASE_IN(TEST_PLAIN, __VA_ARGS__)
#define MEMORY_CASE(...) CASE_IN(TEST_PLAIN | TEST_ADDRESS, __VA_ARGS__)

static const struct test_case cases[] = {
    CASE("the first page by id",
         first_page,
         1,
         0,
         "a page has limit items, or all that are left"),
    CASE("the first page, sorted both ways",
         order,
         1,
         1,
         "equal values are ordered by their ids, which are descending if the "
         "values are"),
    CASE("the pages join to the whole list",
         pages_join,
         2,
         1,
         "a page begins after the value and the id of the last item, in the "
         "direction of the sort"),
    CASE(
        "only one status",
        filters,
        1,
        1,
        "a status must be compared unchanged, without LIKE, quotes or escapes"),
    CASE("items come and go between two pages",
         meanwhile,
         1,
         1,
         "a page begins after the value and the id in the query, not after a "
         "number of items or a row that may be gone"),
    CASE("hostile sort keys and limits are refused",
         refused,
         1,
         0,
         "a sort key is exactly one of three names, a limit is 1 to "
         "EX_PAGE_MAX; anything else is refused before there is SQL"),
    MEMORY_CASE("odd names and numbers",
                odd_items,
                1,
                1,
                "as in tests 2 and 3: names are copied, numbers have 64 bits"),
    CASE("no value is part of the SQL",
         bound,
         1,
         1,
         "a value was written into the text instead of being bound"),
    MEMORY_CASE(
        "stopped, without memory, or with any error",
        failures,
        1,
        1,
        "an error of sqlite3_step was taken for the end of the rows, or the "
        "result of a call was not checked"),
    {0},
};

const struct test_suite test_suite = {
    .name = "05-crud",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
