/* check - the tests of 07-transactions, cart checkout
 *
 * Every test has a shop in a file of its own. `db` is the connection of the
 * code under test, `other` stands for everybody else. SQLite tells the test
 * what db compiles (authorizer), which statement it begins (trace) and which
 * row it writes (triggers); there a test lets it fail, or lets other write.
 * One thread does all of that. The last test has two, with a connection each.
 */
#include "ex_checkout.h"

#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    WHAT_SIZE = 128,
    TEXT_SIZE = 512,
    UNTOUCHED = -99,
    STEPS_MAX = 2000,
    THREADS = 2,
    CARTS = 200, /* each thread tries to check out each of them */
    ITEMS = 12,
    PIECES = 40 /* of each item */
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE stock (item INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " cents INTEGER NOT NULL, quantity INTEGER NOT NULL) STRICT;"
    "CREATE TABLE cart_lines (cart INTEGER NOT NULL, item INTEGER NOT NULL,"
    " quantity INTEGER NOT NULL CHECK (quantity > 0),"
    " PRIMARY KEY (cart, item)) STRICT;"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, cart INTEGER NOT NULL UNIQUE,"
    " total_cents INTEGER NOT NULL) STRICT;"
    "CREATE TABLE order_lines (order_id INTEGER NOT NULL"
    " REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,"
    " item INTEGER NOT NULL, quantity INTEGER NOT NULL,"
    " cents INTEGER NOT NULL, PRIMARY KEY (order_id, item)) STRICT;"
    "CREATE TABLE notes (note INTEGER) STRICT;" /* the caller's */;

/* Carts 7 and 6 can be had, 8 and 5 not: there is one piece of item 3, and no
 * item 50. Cart 9 wants item 2 after cart 7 has taken all of it. */
static const char goods[] =
    "DELETE FROM order_lines; DELETE FROM orders; DELETE FROM cart_lines;"
    "DELETE FROM stock; DELETE FROM notes;"
    "INSERT INTO stock VALUES (1, 'tea', 250, 10), (2, 'cup', 999, 3),"
    " (3, 'pot', 4900, 1), (4, 'shop', 9007199254740993, 1);"
    "INSERT INTO cart_lines VALUES (7, 1, 2), (7, 2, 3), (6, 4, 1),"
    " (8, 1, 1), (8, 3, 2), (8, 2, 1), (9, 1, 4), (9, 2, 1),"
    " (5, 1, 1), (5, 50, 1)";

/* All there is, in a line: item:pieces, cart=total, cart/item*pieces@cents */
static const char all[] =
    "SELECT 'stock ' || group_concat(item || ':' || quantity, ' ')"
    " || '; orders ' || ifnull((SELECT group_concat(cart || '=' ||"
    "  total_cents, ' ') FROM (SELECT * FROM orders ORDER BY cart)), '-')"
    " || '; lines ' || ifnull((SELECT group_concat(ifnull(cart, '?') || '/' ||"
    "  item || '*' || quantity || '@' || cents, ' ') FROM (SELECT * FROM"
    "  order_lines LEFT JOIN orders ON id = order_id ORDER BY cart, item)),"
    "  '-') || '; carts ' || ifnull((SELECT group_concat(cart || '/' || item"
    "  || '*' || quantity, ' ') FROM (SELECT * FROM cart_lines"
    "  WHERE cart > 5 ORDER BY cart, item)), '-')"
    " || '; notes ' || (SELECT count(*) FROM notes)"
    " FROM (SELECT * FROM stock ORDER BY item)";

/* How a step can fail. */
static const struct fault {
    const char *what;
    int code;    /* what ex_checkout returns; 0: any of SQLite */
    bool undone; /* SQLite has rolled back all */
} faults[] = {{"a row fails, number", SQLITE_ERROR, false},
              {"a row is interrupted, number", SQLITE_INTERRUPT, true},
              {"a row rolls back all, number", SQLITE_CONSTRAINT_TRIGGER, true},
              {"a step is not compiled, number", 0, false}};

struct fixture {
    sqlite3 *db;
    sqlite3 *other;
    const struct fault *fault; /* or NULL */
    int countdown;             /* steps until it happens */
    const char *intrusion;     /* what other tries to write, or NULL */
    int intrusions;            /* other has written while it was open */
    char savepoint[64];        /* the last one that db compiled */
    char before[TEXT_SIZE];
};

__attribute__((format(printf, 2, 3))) static void
do_sql(sqlite3 *db, const char *format, ...)
{
    char sql[TEXT_SIZE];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(sql, sizeof sql, format, values);
    va_end(values);
    raw_do(db, sql);
}

static void read_all(sqlite3 *db, char text[static TEXT_SIZE])
{
    sqlite3_stmt *stmt;

    CHECK_INT(sqlite3_prepare_v2(db, all, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    (void)snprintf(text, TEXT_SIZE, "%s",
                   (const char *)sqlite3_column_text(stmt, 0));
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

static void expect_all(sqlite3 *db, const char *what, const char *expected)
{
    char want[2 * TEXT_SIZE], got[TEXT_SIZE];

    read_all(db, got);
    (void)snprintf(want, sizeof want, "%s: %s", what, expected);
    if (strcmp(got, expected) != 0)
        test_wrong(want, "%s", got);
}

static void expect(const char *what, int64_t got, int64_t n)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %lld", what, (long long)n);
    if (got != n)
        test_wrong(text, "%lld", (long long)got);
}

/* The number that others read with this SQL has to be n. */
static void ask(struct fixture *f, const char *what, const char *sql, int64_t n)
{
    expect(what, raw_ask(f->other, sql), n);
}

/* Counts a step. Returns whether it is the one that fails. */
static bool fails_here(struct fixture *f)
{
    return f->countdown > 0 && --f->countdown == 0;
}

static int on_compile(void *data,
                      int action,
                      const char *operation,
                      const char *name,
                      const char *database,
                      const char *inside)
{
    struct fixture *f = data;

    (void)database;
    if (action == SQLITE_SAVEPOINT && strcmp(operation, "BEGIN") == 0)
        (void)snprintf(f->savepoint, sizeof f->savepoint, "%s", name);
    if (inside != NULL || f->fault == NULL || f->fault->code != 0)
        return SQLITE_OK; /* a trigger is the test's */
    return fails_here(f) ? SQLITE_DENY : SQLITE_OK;
}

static void on_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    int code = f->fault != NULL ? f->fault->code : 0;

    (void)argc, (void)argv;
    sqlite3_result_int(context, 0);
    if (code == 0 || !fails_here(f))
        return;
    if (code == SQLITE_CONSTRAINT_TRIGGER)
        sqlite3_result_int(context, 1); /* the trigger raises it */
    else
        sqlite3_result_error_code(context, code);
}

/* A statement of db is about to begin: other tries to write at BEGIN, and at
 * each statement of the transaction. */
static int on_statement(unsigned type, void *data, void *stmt, void *text)
{
    static const char begin[] = "BEGIN";
    struct fixture *f = data;
    const char *sql = text;
    bool open = !sqlite3_get_autocommit(f->db);

    (void)type, (void)stmt;
    sql += strspn(sql, " \n");
    if (f->intrusion == NULL ||
        (!open && sqlite3_strnicmp(sql, begin, sizeof begin - 1) != 0))
        return 0;
    if (sqlite3_exec(f->other, f->intrusion, NULL, NULL, NULL) == SQLITE_OK)
        f->intrusions += open;
    return 0;
}

static void add_trigger(sqlite3 *db, const char *event, const char *table)
{
    do_sql(db,
           "CREATE TEMP TRIGGER row_%s_%s BEFORE %s ON main.%s BEGIN"
           " SELECT CASE WHEN on_row() THEN RAISE(ROLLBACK, 'undone') END; END",
           event, table, event, table);
}

static void watch(struct fixture *f)
{
    CHECK_INT(sqlite3_create_function(f->db, "on_row", 0, SQLITE_UTF8, f,
                                      on_row, NULL, NULL),
              SQLITE_OK);
    add_trigger(f->db, "UPDATE", "stock");
    add_trigger(f->db, "INSERT", "orders");
    add_trigger(f->db, "UPDATE", "orders");
    add_trigger(f->db, "INSERT", "order_lines");
    add_trigger(f->db, "DELETE", "cart_lines");
    CHECK_INT(sqlite3_trace_v2(f->db, SQLITE_TRACE_STMT, on_statement, f),
              SQLITE_OK);
}

static sqlite3 *open_shop(int timeout)
{
    sqlite3 *db = raw_open(test_path("shop.db"));

    CHECK_INT(sqlite3_busy_timeout(db, timeout), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(db, 1), SQLITE_OK);
    raw_do(db, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON");
    return db;
}

static void set_up(void *data)
{
    struct fixture *f = data;

    f->other = open_shop(0);
    raw_do(f->other, schema);
    raw_do(f->other, goods);
    read_all(f->other, f->before);
    f->db = open_shop(0);
    watch(f);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    raw_close(f->db);
    raw_close(f->other);
}

static bool has_failed(const struct fixture *f)
{
    return f->fault != NULL && f->countdown == 0;
}

static const char *code_name(int code)
{
    if (code == 0)
        return "success";
    if (code == EX_SOLD_OUT)
        return "EX_SOLD_OUT";
    return code < 0 ? uv_err_name(code) : sqlite3_errstr(code);
}

static void expect_code(struct fixture *f, const char *what, int got, int code)
{
    char text[TEXT_SIZE];

    if (has_failed(f))
        code = f->fault->code;
    if (has_failed(f) && code == 0) {
        (void)snprintf(text, sizeof text, "%s: a code of SQLite", what);
        if (got <= 0)
            test_wrong(text, "%d, %s", got, code_name(got));
        return;
    }
    (void)snprintf(text, sizeof text, "%s: %d, %s", what, code,
                   code_name(code));
    if (got != code)
        test_wrong(text, "%d, %s", got, code_name(got));
}

/* open: the caller's transaction has to be. */
static void expect_closed(struct fixture *f, const char *what, bool open)
{
    const char *message = sqlite3_errmsg(f->db);
    char text[TEXT_SIZE];

    if (strstr(message, "no transaction is active") != NULL ||
        strstr(message, "no such savepoint") != NULL)
        test_wrong("nothing is undone that is not open", "%s: %s", what,
                   message);
    test_cause("one way out leaves past sqlite3_finalize");
    if (sqlite3_next_stmt(f->db, NULL) != NULL)
        test_wrong("no open statement", "one, after: %s", what);
    test_cause(open ? "the checkout has a savepoint: COMMIT and ROLLBACK are "
                      "the caller's"
                    : "the transaction is not ended on every way out");
    (void)snprintf(text, sizeof text, "%s: %s", what,
                   open ? "the caller's transaction is still open"
                        : "no transaction is open");
    if (!sqlite3_get_autocommit(f->db) != open)
        test_wrong(text, open ? "it is not" : "one is");
    test_cause("ROLLBACK TO leaves the savepoint open; RELEASE ends it");
    (void)snprintf(text, sizeof text, "RELEASE \"%s\"", f->savepoint);
    if (open && f->savepoint[0] != '\0' &&
        sqlite3_exec(f->db, text, NULL, NULL, NULL) == SQLITE_OK)
        test_wrong("no savepoint of the checkout is open", "%s is, after: %s",
                   f->savepoint, what);
    test_cause(NULL);
}

/* Checks a cart out, and looks at what it leaves. Returns the order's id. */
static int64_t
check_out(struct fixture *f, int64_t cart, const char *what, int code)
{
    int64_t order = UNTOUCHED;
    bool open = !sqlite3_get_autocommit(f->db);
    int got;

    f->savepoint[0] = '\0';
    CHECK_INT(sqlite3_set_authorizer(f->db, on_compile, f), SQLITE_OK);
    got = ex_checkout(f->db, cart, &order);
    CHECK_INT(sqlite3_set_authorizer(f->db, NULL, NULL), SQLITE_OK);
    expect_code(f, what, got, code);
    test_cause("the id is written before COMMIT or RELEASE has succeeded");
    if (got != 0 && order != UNTOUCHED)
        test_wrong("without success, *ret_order as it was", "%s: it is %lld",
                   what, (long long)order);
    test_cause(NULL);
    expect_closed(f, what, open && !(has_failed(f) && f->fault->undone));
    return order;
}

/* The tests */

static void places_an_order(void *fixture)
{
    struct fixture *f = fixture;
    int64_t cents = 100 + (int64_t)(test_seed() % 900), order;
    char text[TEXT_SIZE];

    do_sql(f->other,
           "UPDATE stock SET cents = %lld WHERE item = 1;"
           "INSERT INTO orders VALUES (%lld, 1, 0)",
           (long long)cents, (long long)cents * 3);
    order = check_out(f, 7, "cart 7", 0);
    (void)snprintf(text, sizeof text,
                   "stock 1:8 2:0 3:1 4:1; orders 1=0 7=%lld;"
                   " lines 7/1*2@%lld 7/2*3@999;"
                   " carts 6/4*1 8/1*1 8/2*1 8/3*2 9/1*4 9/2*1; notes 0",
                   (long long)(2 * cents + 3 * 999), (long long)cents);
    expect_all(f->other, "cart 7", text);
    expect("the order's id", order,
           raw_ask(f->other, "SELECT id FROM orders WHERE cart = 7"));
    (void)check_out(f, 6, "cart 6", 0);
    test_cause("money is an integer on all its ways, never REAL or double");
    ask(f, "the total of cart 6",
        "SELECT total_cents FROM orders WHERE cart = 6",
        INT64_C(9007199254740993));
}

static void refuses(void *fixture)
{
    struct fixture *f = fixture;
    char text[TEXT_SIZE];

    (void)check_out(f, 8, "2 pots, there is 1", EX_SOLD_OUT);
    expect_all(f->other, "2 pots, there is 1", f->before);
    (void)check_out(f, 5, "an item that is not in stock", EX_SOLD_OUT);
    expect_all(f->other, "an item that is not in stock", f->before);
    (void)check_out(f, 99, "an unknown cart", UV_ENOENT);
    expect_all(f->other, "an unknown cart", f->before);
    (void)check_out(f, 7, "cart 7", 0);
    read_all(f->other, text);
    (void)check_out(f, 7, "cart 7 again", UV_ENOENT);
    expect_all(f->other, "cart 7 again", text);
    (void)check_out(f, 9, "cart 7 has taken all cups", EX_SOLD_OUT);
    expect_all(f->other, "cart 7 has taken all cups", text);
    raw_do(f->other, "INSERT INTO cart_lines VALUES (7, 1, 1)");
    read_all(f->other, text);
    (void)check_out(f, 7, "a cart that has an order already",
                    SQLITE_CONSTRAINT_UNIQUE);
    expect_all(f->other, "a cart that has an order already", text);
}

static void intrude(struct fixture *f, const char *sql)
{
    raw_do(f->other, goods);
    f->intrusion = sql;
    f->intrusions = 0;
}

static void others_write(void *fixture)
{
    struct fixture *f = fixture;

    intrude(f, "BEGIN IMMEDIATE; UPDATE stock SET cents = cents + 1;"
               "INSERT OR IGNORE INTO cart_lines VALUES (7, 3, 1); COMMIT");
    (void)check_out(f, 7, "prices rise until BEGIN", 0);
    expect("writes of others after BEGIN", f->intrusions, 0);
    test_cause("what was read before BEGIN is old: others have written since");
    ask(f, "order lines with an old price",
        "SELECT count(*) FROM order_lines AS line JOIN stock USING (item)"
        " WHERE line.cents <> stock.cents",
        0);
    ask(f, "what is missing in the total",
        "SELECT sum(quantity * cents) - total_cents FROM order_lines, orders",
        0);
    ask(f, "order lines, one was added to the cart before BEGIN",
        "SELECT count(*) FROM order_lines", 3);
    intrude(f, "UPDATE stock SET quantity = 1 WHERE item = 1");
    (void)check_out(f, 7, "the tea is sold before BEGIN", EX_SOLD_OUT);
    ask(f, "the tea in stock", "SELECT quantity FROM stock WHERE item = 1", 1);
    test_cause("the code of BEGIN was not looked at");
    intrude(f, NULL);
    raw_do(f->other, "BEGIN IMMEDIATE");
    (void)check_out(f, 7, "somebody else writes", SQLITE_BUSY);
    raw_do(f->other, "ROLLBACK");
    expect_all(f->other, "somebody else writes", f->before);
}

static void inside_a_transaction(void *fixture)
{
    static const struct {
        const char *what, *begin, *end;
        int64_t cart;
        int code, orders, notes; /* in the end */
    } runs[] = {
        {"BEGIN, a note, cart 7, COMMIT", "BEGIN", "COMMIT", 7, 0, 1, 1},
        {"BEGIN, a note, cart 7, ROLLBACK", "BEGIN", "ROLLBACK", 7, 0, 0, 0},
        {"BEGIN, a note, cart 8, COMMIT", "BEGIN", "COMMIT", 8, EX_SOLD_OUT, 0,
         1},
        {"SAVEPOINT, a note, cart 7, RELEASE", "SAVEPOINT caller",
         "RELEASE caller", 7, 0, 1, 1},
        {"SAVEPOINT, a note, cart 99, RELEASE", "SAVEPOINT caller",
         "RELEASE caller", 99, UV_ENOENT, 0, 1}};
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const char *what = runs[i].what;
        char text[WHAT_SIZE];

        raw_do(f->other, goods);
        raw_do(f->db, runs[i].begin);
        raw_do(f->db, "INSERT INTO notes VALUES (1)");
        (void)check_out(f, runs[i].cart, what, runs[i].code);
        expect_all(f->other, "what others see before the end", f->before);
        raw_do(f->db, runs[i].end);
        (void)snprintf(text, sizeof text, "%s: orders", what);
        ask(f, text, "SELECT count(*) FROM orders", runs[i].orders);
        (void)snprintf(text, sizeof text, "%s: notes", what);
        ask(f, text, "SELECT count(*) FROM notes", runs[i].notes);
    }
    test_cause("the caller has read: only the caller can begin again");
    raw_do(f->other, goods);
    raw_do(f->db, "BEGIN; SELECT * FROM notes");
    raw_do(f->other, "INSERT INTO notes VALUES (2)");
    (void)check_out(f, 7, "the caller's snapshot is old", SQLITE_BUSY_SNAPSHOT);
    raw_do(f->db, "ROLLBACK");
}

/* Lets the Nth step of a checkout fail, for every N until none fails. */
static void fail_each(struct fixture *f, const struct fault *fault, bool inside)
{
    char what[WHAT_SIZE], noted[TEXT_SIZE];
    bool failed = true;

    raw_do(f->other, goods);
    for (int n = 1; failed; n++) {
        (void)snprintf(what, sizeof what, "%s %d%s", fault->what, n,
                       inside ? ", inside the caller's transaction" : "");
        if (inside)
            raw_do(f->db, "BEGIN; INSERT INTO notes VALUES (1)");
        read_all(f->db, noted);
        f->fault = fault;
        f->countdown = n;
        (void)check_out(f, 7, what, 0);
        failed = has_failed(f);
        f->fault = NULL;
        if (failed)
            expect_all(f->db, what, fault->undone ? f->before : noted);
        if (!sqlite3_get_autocommit(f->db))
            raw_do(f->db, "ROLLBACK");
        if (n == STEPS_MAX || (!failed && n < 4))
            test_wrong("4 steps or more, each fails once", "%s", what);
    }
}

static int refuse_commit(void *data)
{
    (void)data;
    return 1;
}

static void each_step_fails(void *fixture)
{
    struct fixture *f = fixture;

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        fail_each(f, &faults[i], false);
        fail_each(f, &faults[i], true);
    }
    raw_do(f->other, goods);
    raw_do(f->db,
           "CREATE TEMP TRIGGER bad AFTER DELETE ON main.cart_lines BEGIN"
           " INSERT INTO order_lines VALUES (-1, old.item, 1, 1); END");
    (void)check_out(f, 7, "COMMIT fails", SQLITE_CONSTRAINT_FOREIGNKEY);
    expect_all(f->other, "COMMIT fails", f->before);
    raw_do(f->db, "DROP TRIGGER bad");
    (void)sqlite3_commit_hook(f->db, refuse_commit, NULL); /* there was none */
    (void)check_out(f, 7, "COMMIT rolls back", SQLITE_CONSTRAINT_COMMITHOOK);
    expect_all(f->other, "COMMIT rolls back", f->before);
}

/* Two threads, a connection each, and the same carts. A buyer is its thread's
 * while that runs. */
static struct {
    uv_barrier_t start;
    struct buyer {
        uv_thread_t thread;
        sqlite3 *db;
        int codes[CARTS];
        int64_t orders[CARTS];
    } buyers[THREADS];
} crowd;

static void buy(void *data)
{
    struct buyer *buyer = data;

    (void)uv_barrier_wait(&crowd.start); /* who comes last does not matter */
    for (int i = 0; i < CARTS; i++)
        buyer->codes[i] = ex_checkout(buyer->db, i, &buyer->orders[i]);
}

static void fill_carts(sqlite3 *db)
{
    uint64_t random = test_seed();

    raw_do(db, "BEGIN; DELETE FROM stock; DELETE FROM cart_lines");
    for (int i = 1; i <= ITEMS; i++)
        do_sql(db, "INSERT INTO stock VALUES (%d, 'item', %d, %d)", i, i * 37,
               PIECES);
    for (int i = 0; i < CARTS * 3; i++) { /* the same item twice is one line */
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        do_sql(db, "INSERT OR IGNORE INTO cart_lines VALUES (%d, %d, %d)",
               i / 3, (int)(random >> 33) % ITEMS + 1,
               (int)(random >> 50) % 4 + 1);
    }
    raw_do(db, "COMMIT");
}

/* Each cart was had once, or by nobody. Returns how many were had. */
static int64_t expect_answers(struct fixture *f)
{
    int64_t had = 0;

    for (int i = 0; i < CARTS; i++) {
        char sql[WHAT_SIZE];
        int one = crowd.buyers[0].codes[i], two = crowd.buyers[1].codes[i];
        int64_t order = crowd.buyers[one != 0].orders[i];

        if ((one != EX_SOLD_OUT || two != EX_SOLD_OUT) &&
            (one != 0 || two != UV_ENOENT) && (one != UV_ENOENT || two != 0))
            test_wrong("a cart is had once (0 and UV_ENOENT), or twice "
                       "EX_SOLD_OUT",
                       "cart %d: codes %d and %d", i, one, two);
        if (one == EX_SOLD_OUT)
            continue;
        had++;
        (void)snprintf(sql, sizeof sql,
                       "SELECT cart FROM orders WHERE id = %lld",
                       (long long)order);
        ask(f, "the cart of the order that was returned", sql, i);
    }
    return had;
}

static void two_buyers(void *fixture)
{
    static const struct {
        const char *what, *sql;
    } invariants[] = {
        {"items with less than nothing in stock",
         "SELECT count(*) FROM stock WHERE quantity < 0"},
        {"items of which the stock and all orders are not 40 pieces",
         "SELECT count(*) FROM stock AS s WHERE quantity + (SELECT"
         " ifnull(sum(quantity), 0) FROM order_lines WHERE item = s.item)"
         " <> 40"},
        {"orders whose total is not that of their lines",
         "SELECT count(*) FROM orders WHERE total_cents IS NOT (SELECT"
         " sum(quantity * cents) FROM order_lines WHERE order_id = id)"},
        {"lines that are still in a cart that was had",
         "SELECT count(*) FROM cart_lines JOIN orders USING (cart)"},
        {"carts sold out although there is enough of all",
         "SELECT count(*) FROM (SELECT max(line.quantity > stock.quantity)"
         " AS lacks FROM cart_lines AS line JOIN stock USING (item)"
         " GROUP BY cart) WHERE NOT lacks"}};
    struct fixture *f = fixture;
    int64_t had;

    fill_carts(f->other);
    CHECK_INT(uv_barrier_init(&crowd.start, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        struct buyer *buyer = &crowd.buyers[i];

        buyer->db = open_shop(10000);
        CHECK_INT(uv_thread_create(&buyer->thread, buy, buyer), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(uv_thread_join(&crowd.buyers[i].thread), 0);
        raw_close(crowd.buyers[i].db);
    }
    uv_barrier_destroy(&crowd.start);
    had = expect_answers(f);
    ask(f, "orders", "SELECT count(*) FROM orders", had);
    for (size_t i = 0; i < sizeof invariants / sizeof invariants[0]; i++)
        ask(f, invariants[i].what, invariants[i].sql, 0);
}

static const struct test_case cases[] = {
    {.name = "places_an_order",
     .run = places_an_order,
     .title = "a cart becomes an order",
     .points = 2,
     .function = "ex_checkout",
     .cause = "a table, or a line of the cart, was left out"},
    {.name = "refuses",
     .run = refuses,
     .title = "sold out: nothing has happened",
     .points = 1,
     .needs = 1,
     .function = "ex_checkout",
     .cause = "what was done before the item that lacks was not undone"},
    {.name = "others_write",
     .run = others_write,
     .title = "others write until BEGIN, not after it",
     .points = 2,
     .needs = 1,
     .function = "ex_checkout",
     .cause = "BEGIN and an outermost SAVEPOINT are DEFERRED: others can write "
              "until the first write"},
    {.name = "inside_a_transaction",
     .run = inside_a_transaction,
     .title = "inside the caller's transaction",
     .points = 2,
     .needs = 1,
     .function = "ex_checkout",
     .cause = "more was undone, or ended, than the checkout itself"},
    {.name = "each_step_fails",
     .run = each_step_fails,
     .title = "each step fails once",
     .points = 2,
     .needs = 1,
     .function = "ex_checkout",
     .cause = "an error of this step was not looked at, or not undone"},
    {.name = "two_buyers",
     .run = two_buyers,
     .title = "two buyers, 200 carts",
     .points = 1,
     .builds = TEST_PLAIN | TEST_ADDRESS | TEST_THREAD,
     .needs = 1,
     .function = "ex_checkout",
     .cause = "the stock was read, and written later"},
    {0},
};

const struct test_suite test_suite = {
    .name = "07-transactions",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
