/* check - the tests of 01-blocking, order total through one statement
 *
 * Every test has a small shop in a file of its own, drawn from the seed. A
 * second connection plays the rest of the program: it changes the shop, knows
 * what orders cost, and wants to truncate the WAL. One thread. A
 * test compiles a new statement each time unless it is about using one again,
 * so that a missing reset fails only the tests that are.
 */
#include "answers.h"
#include "ex_order_total.h"
#include "shop.h"

#include "grader/leaks.h"
#include "grader/random.h"
#include "grader/raw_db.h"
#include "grader/test.h"
#include "grader/traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECONDS = 5,         /* time limit of each test */
    INSTRUCTIONS = 1000, /* of SQLite, until a query is stopped: a small part
                            of what the long order needs */
    KEPT_MAX = 128,
    TEXT_SIZE = 200
};

struct fixture {
    struct shop shop, second; /* few tests open the second one */
    struct ex_order_total total;
};

/* Names that the tests do not free, so that only one of them judges that. The
 * leak sanitizer looks here. */
static char *kept[KEPT_MAX];
static size_t kept_count;

static void open_total(struct ex_order_total *total, struct shop *shop)
{
    if (ex_order_total_open(total, shop->db) != 0)
        test_wrong("ex_order_total_open returns 0", "%s",
                   sqlite3_errmsg(shop->db));
}

static void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    shop_open(&f->shop, "shop.db", 1);
    open_total(&f->total, &f->shop);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    ex_order_total_close(&f->total);
    shop_close(&f->shop);
}

/* Asking */

static void keep(char *customer)
{
    CHECK(kept_count < KEPT_MAX);
    kept[kept_count++] = customer;
}

static void open_anew(struct fixture *f)
{
    ex_order_total_close(&f->total);
    open_total(&f->total, &f->shop);
}

static int stop_query(void *unused)
{
    (void)unused;
    return 1;
}

/* Asks once. The long order is stopped halfway, as a deadline would. */
static int get(struct fixture *f, enum order order, struct ex_order *ret)
{
    int rc;

    if (order == LONG)
        sqlite3_progress_handler(f->shop.db, INSTRUCTIONS, stop_query, NULL);
    rc = ex_order_total_get(&f->total, f->shop.ids[order], ret);
    sqlite3_progress_handler(f->shop.db, 0, NULL, NULL);
    return rc;
}

/* Asks for an order that exists. */
static struct ex_order
ask(struct fixture *f, enum order order, const char *what)
{
    struct ex_order got = {.cents = -1};

    expect_code(what, get(f, order, &got), 0);
    return got;
}

/* The same through a new statement, and checks what the order costs. */
static void cost(struct fixture *f, enum order order, const char *what)
{
    struct ex_order got;

    open_anew(f);
    got = ask(f, order, what);
    expect_cents(&got, shop_cost(&f->shop, order), what);
}

/* Asks for an order, through a new statement, and expects a failure. */
static void
ask_in_vain(struct fixture *f, enum order order, const char *what, int code)
{
    char customer[] = "as it was";
    struct ex_order got = {.cents = -1, .customer = customer};

    open_anew(f);
    expect_code(what, get(f, order, &got), code);
    expect_untouched(&got, customer);
}

/* The tests */

static void one_order(void *fixture)
{
    struct ex_order got;

    test_leaks_do_not_count();
    got = ask(fixture, SINGLE, "an order that exists");
    if (got.customer == NULL)
        test_wrong("a customer in *ret", "NULL");
}

static void totals(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    test_cause("a row was not added, or not as quantity times price");
    cost(f, SINGLE, "an order of one line");
    cost(f, FEW, "an order of three lines");
    test_cause("the id of an order is an int64_t: bind it as one");
    cost(f, OTHER, "an order with a large id");
    test_cause("an int holds 32 bits, a double 53: use int64_t in every step");
    cost(f, LARGE, "a large order");
    test_cause("0 is a price, and a price below 0 is a discount");
    cost(f, DISCOUNT, "an order with prices below 0");
    cost(f, FREE, "order 0, whose lines are free of charge");
    test_cause("the answer of an earlier call was returned again");
    shop_raise(&f->shop);
    cost(f, FEW, "an order whose prices have just changed");
}

static void names_are_copied(void *fixture)
{
    struct fixture *f = fixture;
    static char names[TEST_NAMES][NAME_SIZE];
    struct ex_order orders[TEST_NAMES] = {{0}};

    for (int kind = 0; kind < TEST_NAMES; kind++) {
        shop_name(&f->shop, FEW, (enum test_name)kind);
        memcpy(names[kind], f->shop.names[FEW], NAME_SIZE);
        open_anew(f);
        orders[kind] = ask(f, FEW, "several orders, one after another");
    }
    for (int kind = 0; kind < TEST_NAMES; kind++)
        expect_name(&orders[kind], names[kind], "after later calls");
    ex_order_total_close(&f->total);
    for (int kind = 0; kind < TEST_NAMES; kind++) {
        expect_name(&orders[kind], names[kind], "after ex_order_total_close");
        memset(orders[kind].customer, 'x', strlen(names[kind]));
        free(orders[kind].customer);
    }
}

static void unknown_and_empty(void *fixture)
{
    struct fixture *f = fixture;
    struct ex_order empty;

    test_leaks_do_not_count();
    test_cause("an order without lines has one row, with a NULL quantity");
    open_anew(f);
    empty = ask(f, EMPTY, "an order without lines");
    expect_cents(&empty, 0, "an order without lines");
    if (empty.customer == NULL)
        test_wrong("an order without lines has a customer too", "NULL");
    test_cause("if there is no row at all, there is no such order");
    ask_in_vain(f, UNKNOWN, "an order that does not exist", SQLITE_NOTFOUND);
    test_cause("the id of an order is an int64_t: bind it as one");
    f->shop.ids[UNKNOWN] = f->shop.ids[SINGLE] + (INT64_C(1) << 33);
    ask_in_vain(f, UNKNOWN, "an order that does not exist", SQLITE_NOTFOUND);
}

/* Asks two shops in turn, for one order and then for another. */
static void ask_in_two_shops(struct fixture *f)
{
    struct ex_order_total second;
    struct ex_order got = {0};

    test_cause("a static variable is shared by all statements");
    shop_open(&f->second, "second.db", 2);
    open_total(&second, &f->second);
    for (enum order order = SINGLE; order <= FEW; order++) {
        got = ask(f, order, "the first of two shops");
        expect_cents(&got, shop_cost(&f->shop, order),
                     "the first of two shops");
        expect_code("the second of two shops",
                    ex_order_total_get(&second, f->second.ids[order], &got), 0);
        expect_cents(&got, shop_cost(&f->second, order),
                     "the second of two shops");
    }
    ex_order_total_close(&second);
    shop_close(&f->second);
}

static void used_again(void *fixture)
{
    struct fixture *f = fixture;
    struct test_traces before;
    struct ex_order got;
    sqlite3_stmt *own;
    long compiled;

    test_leaks_do_not_count();
    CHECK_INT(
        sqlite3_prepare_v2(f->shop.db, "SELECT id FROM orders", -1, &own, NULL),
        SQLITE_OK);
    CHECK_INT(sqlite3_step(own), SQLITE_ROW);
    test_traces_look(f->shop.other, f->shop.db, &before);
    compiled = f->shop.compiled;
    for (int i = 0; i < 20; i++) {
        enum order order = i % 2 == 0 ? FEW : SINGLE;

        test_cause("sqlite3_bind refuses a statement that was not reset");
        got = ask(f, order, "one of 20 calls");
        test_cause("an old answer was given again, or added to");
        expect_cents(&got, shop_cost(&f->shop, order), "one of 20 calls");
    }
    if (f->shop.compiled != compiled) {
        test_cause("each call prepares the statement, instead of open alone");
        test_wrong("ex_order_total_get compiles nothing",
                   "20 calls compile SQL");
    }
    test_cause("something else than reading was done");
    test_traces_none(f->shop.other, f->shop.db, &before,
                     "when orders are read");
    if (!sqlite3_stmt_busy(own) || sqlite3_step(own) != SQLITE_ROW)
        test_wrong("other statements of the connection stay on their rows",
                   "one was reset");
    CHECK_INT(sqlite3_finalize(own), SQLITE_OK);
    test_cause("the answer of an earlier call was returned again");
    shop_raise(&f->shop);
    got = ask(f, FEW, "an order after its prices have changed");
    expect_cents(&got, shop_cost(&f->shop, FEW),
                 "an order after its prices have changed");
    ask_in_two_shops(f);
}

static void errors(void *fixture)
{
    static const int64_t bad[] = {0, -1, INT64_MIN, 5 - (INT64_C(1) << 32)};
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    ask_in_vain(f, LONG, "a query that is stopped halfway", SQLITE_INTERRUPT);
    test_cause("a quantity below 1 is damage, whichever line has it");
    for (int line = 1; line <= 3; line++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            char what[TEXT_SIZE];

            shop_damage(&f->shop, line, bad[i]);
            (void)snprintf(what, sizeof what, "line %d has the quantity %lld",
                           line, (long long)bad[i]);
            ask_in_vain(f, DAMAGED, what, SQLITE_CORRUPT);
        }
    test_cause("the code of sqlite3_step was replaced, or taken for the end");
    shop_make_view(&f->shop);
    for (int row = 1; row <= 3; row++) {
        char what[TEXT_SIZE];
        int code = shop_fail(&f->shop, row);

        (void)snprintf(what, sizeof what, "SQLite fails at row %d", row);
        ask_in_vain(f, FEW, what, code);
    }
}

/* A statement on a row keeps its snapshot, and with it the WAL. */
static void expect_all_free(struct fixture *f, const char *when)
{
    sqlite3_stmt *stmt = NULL;
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "no statement is busy after %s", when);
    while ((stmt = sqlite3_next_stmt(f->shop.db, stmt)) != NULL)
        if (sqlite3_stmt_busy(stmt))
            test_wrong(text, "one is still on a row");
    raw_do(f->shop.other, "UPDATE users SET name = name");
    (void)snprintf(text, sizeof text, "the WAL can be truncated after %s",
                   when);
    if (raw_ask(f->shop.other, "PRAGMA wal_checkpoint(TRUNCATE)") != 0)
        test_wrong(text, "it cannot: a read transaction is still open");
}

/* Leaks count in this test: those of calls that fail. */
static void nothing_stays_open(void *fixture)
{
    static const struct {
        enum order order;
        const char *when;
    } ways[] = {{FEW, "a success"},
                {EMPTY, "an order without lines"},
                {UNKNOWN, "an order that does not exist"},
                {LONG, "a query that was stopped"},
                {DAMAGED, "a damaged line"}};
    struct fixture *f = fixture;

    shop_damage(&f->shop, 2, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct ex_order got = {0};
        char what[TEXT_SIZE];

        open_anew(f);
        if (get(f, ways[i].order, &got) == 0)
            keep(got.customer);
        expect_all_free(f, ways[i].when);
        (void)snprintf(what, sizeof what, "the call after %s", ways[i].when);
        keep(ask(f, SINGLE, what).customer);
    }
}

static int fail_at(struct fixture *f, enum order order, uint64_t nth)
{
    struct ex_order got = {.cents = -1};
    int rc, failed;

    open_anew(f);
    test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
    rc = get(f, order, &got);
    failed = test_alloc_has_failed();
    test_alloc_fail_at(0, 0, 0);
    if (failed && rc != 0) {
        expect_code("an allocation fails", rc, SQLITE_NOMEM);
        expect_untouched(&got, NULL);
        return failed;
    }
    expect_code("enough memory", rc, 0);
    expect_name(&got, f->shop.names[order], "when the call returned 0");
    keep(got.customer);
    return failed;
}

/* Each allocation of a call fails once, whether SQLite makes it or the code. */
static void memory(void *fixture)
{
    for (enum order order = SINGLE; order <= FEW; order++) {
        uint64_t nth = 1;

        while (fail_at(fixture, order, nth) && nth < KEPT_MAX / 3)
            nth++;
        if (nth == 1)
            test_wrong("the order is read from the database",
                       "a call that allocates no memory");
    }
}

#define GET .function = "ex_order_total_get"

static const struct test_case cases[] = {
    {.name = "one_order",
     .run = one_order,
     .seconds = SECONDS,
     .title = "an order that exists has a customer",
     .points = 1,
     GET,
     .cause = "the customer was not read from the first row"},
    {.name = "totals",
     .run = totals,
     .seconds = SECONDS,
     .title = "what orders cost, whatever the values",
     .points = 2,
     .needs = 1,
     GET},
    {.name = "names_are_copied",
     .run = names_are_copied,
     .seconds = SECONDS,
     .title = "the name belongs to the caller",
     .points = 1,
     .needs = 1,
     GET,
     .cause = "the text belongs to the statement and was not copied, or not "
              "all of it"},
    {.name = "unknown_and_empty",
     .run = unknown_and_empty,
     .seconds = SECONDS,
     .title = "no such order, and an order without lines",
     .points = 1,
     .needs = 1,
     GET},
    {.name = "used_again",
     .run = used_again,
     .seconds = SECONDS,
     .title = "one statement, compiled once, used again and again",
     .points = 1,
     .needs = 1,
     GET,
     .cause = "each call prepares the statement, instead of open alone"},
    {.name = "errors",
     .run = errors,
     .seconds = SECONDS,
     .title = "errors of SQLite, and damaged lines",
     .points = 1,
     .needs = 1,
     GET,
     .cause = "an error of sqlite3_step was taken for the end of the rows"},
    {.name = "nothing_stays_open",
     .run = nothing_stays_open,
     .seconds = SECONDS,
     .title = "nothing stays open on any way out",
     .points = 2,
     .needs = 1,
     GET,
     .cause = "one way out of the function skips sqlite3_reset"},
    {.name = "memory",
     .run = memory,
     .seconds = SECONDS,
     .title = "each allocation fails once",
     .points = 1,
     .needs = 1,
     GET,
     .cause = "sqlite3_column_text or the copy was NULL and not checked"},
    {0},
};

const struct test_suite test_suite = {
    .name = "01-blocking",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
