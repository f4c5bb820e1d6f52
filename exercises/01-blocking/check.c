/* check - the tests of 01-blocking, order total through one statement
 *
 * Every test has a small shop in a file of its own. A second connection
 * stands for the rest of the program: it changes the shop, knows what orders
 * cost, and wants to truncate the WAL. Everything happens on one thread.
 */
#include "ex_order_total.h"

#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INSTRUCTIONS = 1000, /* of SQLite, until a query is stopped: a small part
                            of what the long order needs */
    KEPT_MAX = 64,
    TEXT_SIZE = 160,
    CODE_SIZE = 64
};

/* The orders. Those up to PLAIN have three lines with prices of the seed. */
enum {
    PLAIN = 3,
    EMPTY,   /* has no lines */
    DAMAGED, /* its second line has the quantity 0 */
    LONG,    /* has 5,000 lines */
    LARGE,   /* costs more than a double can hold */
    UNKNOWN  /* is not there */
};

static const char *const names[UNKNOWN] = {
    "", "Grace", "Ada", "Edsger", "Bjarne", "Barbara", "Niklaus", "Frances"};

static const char schema[] =
    "PRAGMA encoding = 'UTF-16';" /* so that reading a text takes memory */
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE order_lines (order_id INTEGER NOT NULL,"
    " line INTEGER NOT NULL, quantity INTEGER NOT NULL,"
    " price_cents INTEGER NOT NULL, PRIMARY KEY (order_id, line)) STRICT;"
    "INSERT INTO users VALUES (11, 'Grace'), (12, 'Ada'), (13, 'Edsger'),"
    " (14, 'Bjarne'), (15, 'Barbara'), (16, 'Niklaus'), (17, 'Frances');"
    "INSERT INTO orders SELECT id - 10, id FROM users;"
    "INSERT INTO order_lines VALUES (5, 1, 2, 500), (5, 2, 0, 500),"
    " (5, 3, 1, 500), (7, 1, 3, 300000000000000001),"
    " (7, 2, 3, 300000000000000001), (7, 3, 3, 300000000000000001);"
    "WITH RECURSIVE n (line) AS"
    " (SELECT 1 UNION ALL SELECT line + 1 FROM n WHERE line < 5000)"
    " INSERT INTO order_lines SELECT 6, line, 1, 1 FROM n;";

static const char plain_lines[] =
    "WITH n (n) AS (VALUES (1), (2), (3)) INSERT INTO order_lines"
    " SELECT a.n, b.n, b.n, 100 + (%d + a.n * 7919 + b.n * 104729) %% 10000"
    " FROM n AS a, n AS b";

struct fixture {
    sqlite3 *db;    /* of the code under test */
    sqlite3 *other; /* of everybody else */
    struct ex_order_total total;
    long compiled; /* how often SQLite has asked while it compiled on db */
};

/* What the tests do not free, because a text that is not the caller's must
 * fail the test of the text only. The leak sanitizer looks here. */
static char *kept[KEPT_MAX];
static size_t kept_count;

/* The shop */

static int64_t cost(struct fixture *f, int order)
{
    char sql[TEXT_SIZE];

    (void)snprintf(sql, sizeof sql,
                   "SELECT ifnull(sum(quantity * price_cents), 0)"
                   " FROM order_lines WHERE order_id = %d",
                   order);
    return raw_ask(f->other, sql);
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

static void open_total(struct fixture *f)
{
    if (ex_order_total_open(&f->total, f->db) != 0)
        test_wrong("ex_order_total_open returns 0", "%s",
                   sqlite3_errmsg(f->db));
}

static void set_up(void *data)
{
    struct fixture *f = data;
    const char *path;
    char sql[TEXT_SIZE * 2];

    test_alloc_install();
    path = test_path("shop.db");
    CHECK_INT(sqlite3_open(path, &f->other), SQLITE_OK);
    raw_do(f->other, schema);
    (void)snprintf(sql, sizeof sql, plain_lines, (int)(test_seed() % 10000));
    raw_do(f->other, sql);
    CHECK_INT(sqlite3_open(path, &f->db), SQLITE_OK);
    CHECK_INT(sqlite3_set_authorizer(f->db, on_compile, f), SQLITE_OK);
    open_total(f);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    ex_order_total_close(&f->total);
    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
    CHECK_INT(sqlite3_close(f->other), SQLITE_OK);
}

/* Asking */

static void keep(char *customer)
{
    CHECK(kept_count < KEPT_MAX);
    kept[kept_count++] = customer;
}

static int stop_query(void *unused)
{
    (void)unused;
    return 1;
}

/* Asks once. The long order is stopped in the middle, as by a deadline. */
static int get(struct fixture *f, int order, struct ex_order *ret)
{
    int rc;

    if (order == LONG)
        sqlite3_progress_handler(f->db, INSTRUCTIONS, stop_query, NULL);
    rc = ex_order_total_get(&f->total, order, ret);
    sqlite3_progress_handler(f->db, 0, NULL, NULL);
    return rc;
}

/* Returns the name of those codes that come here. */
static const char *describe(int rc, char text[static CODE_SIZE])
{
    static const struct {
        int code;
        const char *name;
    } codes[] = {{SQLITE_OK, "success"},
                 {SQLITE_ERROR, "SQLITE_ERROR"},
                 {SQLITE_NOMEM, "SQLITE_NOMEM"},
                 {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
                 {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
                 {SQLITE_NOTFOUND, "SQLITE_NOTFOUND"},
                 {SQLITE_MISUSE, "SQLITE_MISUSE"}};
    const char *name = sqlite3_errstr(rc);

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == rc)
            name = codes[i].name;
    (void)snprintf(text, CODE_SIZE, "%d (%s)", rc, name);
    return text;
}

static void expect_code(int order, const char *what, int rc, int expected)
{
    char text[TEXT_SIZE];
    char code[CODE_SIZE];

    if (rc == expected)
        return;
    (void)snprintf(text, sizeof text, "%s: order %d returns %s", what, order,
                   describe(expected, code));
    test_wrong(text, "%s", describe(rc, code));
}

static void expect_cents(struct fixture *f,
                         int order,
                         const char *what,
                         const struct ex_order *got)
{
    int64_t cents = cost(f, order);
    char text[TEXT_SIZE];

    if (got->cents == cents)
        return;
    (void)snprintf(text, sizeof text, "%s: order %d costs %lld cents", what,
                   order, (long long)cents);
    test_wrong(text, "%lld cents", (long long)got->cents);
}

static void expect_name(int order, const char *when, const struct ex_order *got)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "the customer of order %d is %s", order,
                   names[order]);
    if (got->customer == NULL)
        test_wrong(text, "no text (NULL) %s", when);
    if (strcmp(got->customer, names[order]) != 0)
        test_wrong(text, "another text %s", when);
}

/* Asks for an order that is there, and checks what it costs. */
static struct ex_order ask(struct fixture *f, int order, const char *what)
{
    struct ex_order got = {0};

    expect_code(order, what, get(f, order, &got), 0);
    expect_cents(f, order, what, &got);
    return got;
}

static void ask_and_keep(struct fixture *f, int order, const char *what)
{
    keep(ask(f, order, what).customer);
}

/* Checks what a call that failed has left in *ret. */
static void expect_untouched(const struct ex_order *got, const char *customer)
{
    if (got->cents == -1 && got->customer == customer)
        return;
    test_cause("*ret is written before it is known that all went well");
    test_wrong("*ret stays as it was, because the call failed",
               "%s was changed",
               got->cents != -1 ? "ret->cents" : "ret->customer");
}

/* Asks for an order in vain. */
static void
ask_in_vain(struct fixture *f, int order, const char *what, int code)
{
    char customer[] = "as it was";
    struct ex_order got = {.cents = -1, .customer = customer};

    expect_code(order, what, get(f, order, &got), code);
    expect_untouched(&got, customer);
}

/* The tests */

static void totals(void *fixture)
{
    struct fixture *f = fixture;

    ask_and_keep(f, 1, "the first call");
    test_cause("bind refuses a statement that was not reset");
    ask_and_keep(f, 2, "the second call");
    ask_and_keep(f, 3, "the third call");
    ask_and_keep(f, 1, "the fourth call");
    test_cause("an old answer was given again");
    raw_do(f->other, "UPDATE order_lines SET price_cents = price_cents + 1");
    ask_and_keep(f, 1, "after prices have changed");
}

static void large_totals(void *fixture)
{
    ask_and_keep(fixture, LARGE, "a large order");
}

static void names_are_copied(void *fixture)
{
    struct fixture *f = fixture;
    struct ex_order orders[PLAIN + 1];

    for (int i = 1; i <= PLAIN; i++)
        orders[i] = ask(f, i, "one after the other");
    for (int i = 1; i <= PLAIN; i++)
        expect_name(i, "after later calls", &orders[i]);
    ex_order_total_close(&f->total);
    for (int i = 1; i <= PLAIN; i++)
        expect_name(i, "after ex_order_total_close", &orders[i]);
    for (int i = 1; i <= PLAIN; i++)
        free(orders[i].customer);
}

static void unknown_and_empty(void *fixture)
{
    struct fixture *f = fixture;
    struct ex_order empty;

    test_cause("an order without lines has one row, with a NULL quantity");
    empty = ask(f, EMPTY, "no lines");
    if (empty.customer == NULL)
        test_wrong("a customer, also for an order without lines",
                   "no text (NULL)");
    keep(empty.customer);
    test_cause("no row at all means that there is no such order");
    ask_in_vain(f, UNKNOWN, "no such order", SQLITE_NOTFOUND);
    test_cause("the statement is not reset after an unknown order");
    ask_and_keep(f, 1, "after an unknown order");
}

static void compiled_once(void *fixture)
{
    struct fixture *f = fixture;
    long compiled = f->compiled;
    sqlite3_stmt *first;

    for (int i = 0; i < 20; i++)
        ask_and_keep(f, 1 + i % PLAIN, "20 calls");
    if (f->compiled != compiled)
        test_wrong("ex_order_total_get compiles nothing",
                   "SQL was compiled during 20 calls");
    first = sqlite3_next_stmt(f->db, NULL);
    if (sqlite3_next_stmt(f->db, first) != NULL)
        test_wrong("the connection has one statement", "several");
}

static void errors(void *fixture)
{
    struct fixture *f = fixture;

    ask_in_vain(f, LONG, "stopped in the middle", SQLITE_INTERRUPT);
    ex_order_total_close(&f->total);
    open_total(f);
    test_cause("a quantity below 1 is damage");
    ask_in_vain(f, DAMAGED, "a line with the quantity 0", SQLITE_CORRUPT);
}

/* A statement that stands on a row holds its snapshot, and so the WAL. */
static void expect_all_free(struct fixture *f, const char *when)
{
    sqlite3_stmt *stmt = NULL;
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "no statement is busy after %s", when);
    while ((stmt = sqlite3_next_stmt(f->db, stmt)) != NULL)
        if (sqlite3_stmt_busy(stmt))
            test_wrong(text, "one still stands on a row");
    raw_do(f->other, "UPDATE users SET name = name");
    (void)snprintf(text, sizeof text, "the WAL can be truncated after %s",
                   when);
    if (raw_ask(f->other, "PRAGMA wal_checkpoint(TRUNCATE)") != 0)
        test_wrong(text, "a read transaction is still open");
}

static void nothing_stays_open(void *fixture)
{
    static const struct {
        int order;
        const char *when;
    } ways[] = {{1, "success"},
                {EMPTY, "an order without lines"},
                {UNKNOWN, "an unknown order"},
                {LONG, "a query that was stopped"},
                {DAMAGED, "a damaged line"}};
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct ex_order got = {0};
        char what[TEXT_SIZE];

        if (get(f, ways[i].order, &got) == 0)
            keep(got.customer);
        expect_all_free(f, ways[i].when);
        (void)snprintf(what, sizeof what, "after %s", ways[i].when);
        ask_and_keep(f, 2, what);
    }
}

/* Each allocation of a call fails once, SQLite's and the code's. */
static void memory(void *fixture)
{
    struct fixture *f = fixture;
    uint64_t nth = 0;
    int failed;

    do {
        struct ex_order got = {.cents = -1};
        int rc;

        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, ++nth, 0);
        rc = get(f, 1, &got);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (failed && rc != 0) {
            expect_code(1, "memory ran out", rc, SQLITE_NOMEM);
            expect_untouched(&got, NULL);
            ask_and_keep(f, 1, "when there is memory again");
            continue;
        }
        expect_code(1, "enough memory", rc, 0);
        expect_cents(f, 1, "enough memory", &got);
        if (got.customer == NULL)
            test_wrong("a customer, because the call returned 0",
                       "no text (NULL)");
        keep(got.customer);
    } while (failed && nth < KEPT_MAX);
    if (nth == 1)
        test_wrong("the order is read from the database",
                   "a call that needs no memory");
}

static const struct test_case cases[] = {
    {.name = "totals",
     .run = totals,
     .title = "orders and what they cost",
     .points = 1,
     .function = "ex_order_total_get",
     .cause = "not every row of the order was added"},
    {.name = "large_totals",
     .run = large_totals,
     .title = "totals beyond int and double",
     .points = 1,
     .needs = 1,
     .function = "ex_order_total_get",
     .cause = "an int holds 32 bits, a double 53: read and add as int64_t"},
    {.name = "names_are_copied",
     .run = names_are_copied,
     .title = "the name belongs to the caller",
     .points = 2,
     .needs = 1,
     .function = "ex_order_total_get",
     .cause = "the text belonged to the statement and was not copied"},
    {.name = "unknown_and_empty",
     .run = unknown_and_empty,
     .title = "an unknown and an empty order",
     .points = 1,
     .needs = 1,
     .function = "ex_order_total_get"},
    {.name = "compiled_once",
     .run = compiled_once,
     .title = "one statement, compiled once",
     .points = 1,
     .needs = 1,
     .function = "ex_order_total_get",
     .cause = "the statement is prepared in each call instead of in open"},
    {.name = "errors",
     .run = errors,
     .title = "a stopped query, a damaged line",
     .points = 1,
     .needs = 1,
     .function = "ex_order_total_get",
     .cause = "an error of sqlite3_step was taken for the end of the rows"},
    {.name = "nothing_stays_open",
     .run = nothing_stays_open,
     .title = "nothing stays open on any way out",
     .points = 2,
     .needs = 1,
     .function = "ex_order_total_get",
     .cause = "one way out leaves past sqlite3_reset"},
    {.name = "memory",
     .run = memory,
     .title = "each allocation fails once",
     .points = 1,
     .needs = 1,
     .function = "ex_order_total_get",
     .cause = "what sqlite3_column_text or the copy returns can be NULL"},
    {0},
};

const struct test_suite test_suite = {
    .name = "01-blocking",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
