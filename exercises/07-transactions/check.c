/* check - the tests of 07-transactions, cart checkout
 *
 * Every test has a shop in a file of its own (shop.h). Only tests 5 and 6 judge
 * whether a checkout leaves something open; the others close it. The last test
 * has two threads with a connection each.
 */
#include "buyers.h"
#include "shop.h"

#include "grader/traces.h"

/* The tests */

static void places_an_order(void *fixture)
{
    struct fixture *f = fixture;

    (void)check_out(f, 7, "cart 7", 0);
    ask(f, "orders of cart 7", "SELECT count(*) FROM orders WHERE cart = 7", 1);
    ask(f, "order lines of cart 7",
        "SELECT count(*) FROM order_lines JOIN orders ON id = order_id"
        " WHERE (cart, item) IN (VALUES (7, 1), (7, 2))",
        2);
}

/* A cart with 70 lines, and ids and numbers beyond 32 bits. */
static void large_carts(struct fixture *f)
{
    int64_t order;

    raw_do(f->other,
           "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
           " WHERE i < 70) INSERT INTO stock SELECT i * 5000000000 - 7, 'item',"
           " i * 3000000000, i + 6000000000 FROM n;"
           "INSERT INTO cart_lines SELECT -5000000007, item, 1 + (item % 2)"
           " FROM stock WHERE item > 4000000000;"
           "INSERT INTO stock VALUES (-1, 'x', 0, 6000000000),"
           " (0, 'y', 2, 4294967300);"
           "INSERT INTO cart_lines VALUES (0, -1, 6000000000),"
           " (0, 0, 4294967299);"
           "INSERT INTO orders VALUES (5000000000, 5000000000, 0)");
    order = check_out(f, INT64_C(-5000000007), "a cart with 70 lines", 0);
    ask(f, "the order's id beyond 2^32",
        "SELECT id FROM orders WHERE cart = -5000000007", order);
    ask(f, "order lines of the large cart",
        "SELECT count(*) FROM order_lines JOIN orders ON id = order_id"
        " WHERE cart = -5000000007",
        70);
    ask(f, "cents missing in the total of the large cart",
        "SELECT sum(quantity * cents) - total_cents FROM order_lines"
        " JOIN orders ON id = order_id WHERE cart = -5000000007",
        0);
    ask(f, "items whose stock fell by the right number",
        "SELECT count(*) FROM stock WHERE item > 4000000000 AND"
        " (item + 7) / 5000000000 + 6000000000 - quantity = 1 + item % 2",
        70);
    (void)check_out(f, 0, "cart 0, with 6000000000 free pieces", 0);
    ask(f, "pieces of item 0 left in stock",
        "SELECT quantity FROM stock WHERE item = 0", 1);
}

static void whole_order(void *fixture)
{
    struct fixture *f = fixture;
    int64_t cents = 100 + (int64_t)(test_seed() % 900), order;
    char text[TEXT_SIZE];

    do_sql(f->other,
           "UPDATE stock SET cents = %lld WHERE item = 1;"
           "UPDATE stock SET quantity = 3 WHERE item = 2;"
           "INSERT INTO orders VALUES (%lld, 1, 0)",
           (long long)cents, (long long)cents * 3);
    order = check_out(f, 7, "cart 7", 0);
    (void)snprintf(text, sizeof text,
                   "stock 1:8 2:0 3:1 4:1; orders 1=0 7=%lld;"
                   " lines 7/1*2@%lld 7/2*3@999;"
                   " carts 6/4*1 8/1*1 8/2*1 8/3*2 9/1*4 9/2*1; notes 0",
                   (long long)(2 * cents + 3 * 999), (long long)cents);
    expect_all(f->other, "cart 7", text);
    ask(f, "the order's id", "SELECT id FROM orders WHERE cart = 7", order);
    (void)check_out(f, 6, "cart 6", 0);
    test_cause("money stays an integer in every step, never REAL or double");
    ask(f, "the total of cart 6",
        "SELECT total_cents FROM orders WHERE cart = 6",
        INT64_C(9007199254740993));
    test_cause("ids and numbers have 64 bits, and a cart any number of lines");
    large_carts(f);
    test_cause(NULL);
}

/* Nothing happens: no row, no setting. code 0: for either of two reasons. */
static void refuse(struct fixture *f, int64_t cart, const char *what, int code)
{
    struct test_traces before;
    int64_t order = UNTOUCHED, version;
    char text[WHAT_SIZE];
    int got;

    test_traces_look(f->other, f->db, &before);
    version = raw_ask(f->other, "PRAGMA data_version");
    if (code != 0)
        (void)check_out(f, cart, what, code);
    else {
        got = ex_checkout(f->db, cart, &order);
        if (got != EX_SOLD_OUT && got != SQLITE_CONSTRAINT_UNIQUE)
            test_wrong("EX_SOLD_OUT or SQLITE_CONSTRAINT_UNIQUE", "%s: %s",
                       what, code_name(got));
        take_away(f, false);
    }
    (void)snprintf(text, sizeof text, "when %s", what);
    test_traces_settings(f->db, &before, text);
    expect("commits of the checkout",
           raw_ask(f->other, "PRAGMA data_version") - version, 0);
}

static void refuses(void *fixture)
{
    struct fixture *f = fixture;
    char text[TEXT_SIZE];

    refuse(f, 8, "2 pots are wanted, there is 1", EX_SOLD_OUT);
    expect_all(f->other, "2 pots are wanted, there is 1", f->before);
    refuse(f, 5, "an item that is not in stock", EX_SOLD_OUT);
    expect_all(f->other, "an item that is not in stock", f->before);
    refuse(f, 99, "an unknown cart", UV_ENOENT);
    expect_all(f->other, "an unknown cart", f->before);
    (void)check_out(f, 7, "cart 7", 0);
    read_all(f->other, text);
    raw_do(f->other, "DELETE FROM cart_lines WHERE cart = 7");
    refuse(f, 7, "cart 7 again", UV_ENOENT);
    raw_do(f->other, "UPDATE stock SET quantity = 0 WHERE item = 2");
    read_all(f->other, text);
    refuse(f, 9, "other carts have bought all cups", EX_SOLD_OUT);
    expect_all(f->other, "other carts have bought all cups", text);
    raw_do(f->other, "INSERT INTO cart_lines VALUES (7, 1, 1)");
    read_all(f->other, text);
    refuse(f, 7, "a cart that has an order already", SQLITE_CONSTRAINT_UNIQUE);
    expect_all(f->other, "a cart that has an order already", text);
    raw_do(f->other, "INSERT INTO cart_lines VALUES (7, 3, 99)");
    read_all(f->other, text);
    refuse(f, 7, "an order already, and too few pots", 0);
    expect_all(f->other, "an order already, and too few pots", text);
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
    test_cause(
        "what was read before BEGIN is old if others have written since");
    ask(f, "order lines with an old price",
        "SELECT count(*) FROM order_lines AS line JOIN stock USING (item)"
        " WHERE line.cents <> stock.cents",
        0);
    ask(f, "cents missing in the total",
        "SELECT sum(quantity * cents) - total_cents FROM order_lines, orders",
        0);
    ask(f, "order lines, when one was added to the cart before BEGIN",
        "SELECT count(*) FROM order_lines", 3);
    test_cause("the stock must be checked after BEGIN, in the UPDATE itself");
    intrude(f, "UPDATE stock SET quantity = 1 WHERE item = 1");
    (void)check_out(f, 7, "the tea is sold before BEGIN", EX_SOLD_OUT);
    ask(f, "tea in stock", "SELECT quantity FROM stock WHERE item = 1", 1);
    test_cause("the code of BEGIN was not checked");
    intrude(f, NULL);
    raw_do(f->other, "BEGIN IMMEDIATE");
    (void)check_out(f, 7, "another connection is writing", SQLITE_BUSY);
    raw_do(f->other, "ROLLBACK");
    expect_all(f->other, "another connection is writing", f->before);
}

static void inside_a_transaction(void *fixture)
{
    static const struct {
        const char *what, *begin, *end;
        int64_t cart;
        int code, orders, notes; /* in the end */
    } runs[] = {{"BEGIN, INSERT, checkout of cart 7, COMMIT", "BEGIN", "COMMIT",
                 7, 0, 1, 1},
                {"BEGIN, INSERT, checkout of cart 7, ROLLBACK", "BEGIN",
                 "ROLLBACK", 7, 0, 0, 0},
                {"BEGIN, INSERT, checkout of cart 9, COMMIT", "BEGIN", "COMMIT",
                 9, SQLITE_CONSTRAINT_TRIGGER, 0, 1},
                {"SAVEPOINT, INSERT, checkout of cart 7, RELEASE",
                 "SAVEPOINT caller", "RELEASE caller", 7, 0, 1, 1},
                {"SAVEPOINT, INSERT, checkout of cart 99, RELEASE",
                 "SAVEPOINT caller", "RELEASE caller", 99, UV_ENOENT, 0, 1}};
    struct fixture *f = fixture;

    f->strict = true;
    raw_do(f->db, "CREATE TEMP TRIGGER bad BEFORE DELETE ON main.cart_lines"
                  " WHEN old.cart = 9 BEGIN SELECT RAISE(ABORT, 'bad'); END");
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const char *what = runs[i].what;
        char text[WHAT_SIZE];

        raw_do(f->other, goods);
        raw_do(f->db, runs[i].begin);
        raw_do(f->db, "INSERT INTO notes VALUES (1)");
        (void)check_out(f, runs[i].cart, what, runs[i].code);
        expect_all(f->other, "what others see until COMMIT", f->before);
        raw_do(f->db, runs[i].end);
        (void)snprintf(text, sizeof text, "%s: orders", what);
        ask(f, text, "SELECT count(*) FROM orders", runs[i].orders);
        (void)snprintf(text, sizeof text, "%s: notes", what);
        ask(f, text, "SELECT count(*) FROM notes", runs[i].notes);
    }
    test_cause("the first write needs the lock, which another one may hold");
    raw_do(f->other, goods);
    raw_do(f->db, "BEGIN");
    raw_do(f->other, "BEGIN IMMEDIATE");
    (void)check_out(f, 7, "another connection holds the lock", SQLITE_BUSY);
    raw_do(f->other, "ROLLBACK");
    raw_do(f->db, "COMMIT");
    test_cause("the caller has read, so only the caller can begin again");
    raw_do(f->other, goods);
    raw_do(f->db, "BEGIN; SELECT * FROM notes");
    raw_do(f->other, "INSERT INTO notes VALUES (2)");
    (void)check_out(f, 7, "the caller's snapshot is old", SQLITE_BUSY_SNAPSHOT);
    raw_do(f->db, "ROLLBACK");
}

/* Makes the nth step of a checkout fail, for every n until none fails. */
static void fail_each(struct fixture *f, const struct fault *fault, bool inside)
{
    char noted[TEXT_SIZE];
    bool failed = true;

    raw_do(f->other, goods);
    for (int n = 1; failed; n++) {
        f->place = inside ? ", inside the caller's transaction" : "";
        if (inside)
            raw_do(f->db, "BEGIN; INSERT INTO notes VALUES (1)");
        read_all(f->db, noted);
        f->fault = fault;
        f->countdown = n;
        (void)check_out(f, 7, "nothing fails", 0);
        failed = has_failed(f);
        f->fault = NULL;
        if (failed)
            expect_all(f->db, f->what, fault->undone ? f->before : noted);
        if (!sqlite3_get_autocommit(f->db))
            raw_do(f->db, "ROLLBACK");
        if (n == STEPS_MAX || (!failed && n < 4))
            test_wrong("an order takes at least 4 steps", "it takes %s",
                       test_count((uint64_t)n - 1, "step", NULL));
    }
}

static int refuse_commit(void *data)
{
    (void)data;
    return 1;
}

/* The codes with which rows fail are drawn, so they are in no list. */
static void fail_all_ways(struct fixture *f)
{
    static const int kept[] = {
        SQLITE_ERROR,         SQLITE_READONLY,
        SQLITE_LOCKED,        SQLITE_BUSY_SNAPSHOT,
        SQLITE_CORRUPT_INDEX, SQLITE_MISMATCH,
        SQLITE_MISUSE,        SQLITE_CONSTRAINT | 88 << 8};
    static const int undone[] = {SQLITE_INTERRUPT, SQLITE_IOERR_WRITE,
                                 SQLITE_IOERR_FSYNC, SQLITE_IOERR | 99 << 8};
    const struct fault faults[] = {
        {"a row fails", kept[test_seed() % 8], false},
        {"a row fails and SQLite rolls back", undone[test_seed() % 4], true},
        {"a row rolls back everything", SQLITE_CONSTRAINT_TRIGGER, true},
        {"a step is not compiled", 0, false}};

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        fail_each(f, &faults[i], false);
        fail_each(f, &faults[i], true);
    }
}

/* Each allocation fails once; or the checkout is stopped after every few steps
 * of SQLite. */
static void stop_each(struct fixture *f, bool memory, bool inside)
{
    const char *what = memory ? "an allocation fails" : "it is interrupted";
    bool failed = true;

    raw_do(f->other, goods);
    for (int nth = 1; failed; nth++) {
        char noted[TEXT_SIZE];
        int64_t order = UNTOUCHED;
        int rc, code = memory ? SQLITE_NOMEM : SQLITE_INTERRUPT;
        bool open;

        if (inside)
            raw_do(f->db, "BEGIN; INSERT INTO notes VALUES (1)");
        read_all(f->db, noted);
        f->countdown = nth;
        if (memory)
            test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE,
                               (uint64_t)nth, 0);
        else
            sqlite3_progress_handler(f->db, 5, stop_once, f);
        rc = ex_checkout(f->db, 7, &order);
        failed = memory ? test_alloc_has_failed() : f->countdown <= 0;
        test_alloc_fail_at(0, 0, 0);
        sqlite3_progress_handler(f->db, 0, NULL, NULL);
        if ((rc != 0 || !memory) && rc != SQLITE_IOERR_NOMEM)
            expect_code(f, what, rc, failed ? code : 0);
        open = inside && !(rc != 0 && sqlite3_get_autocommit(f->db));
        if (rc != 0)
            expect_all(f->db, what, open ? noted : f->before);
        expect_closed(f, what, open);
        if (open)
            raw_do(f->db, "ROLLBACK");
        else if (rc == 0)
            raw_do(f->other, goods);
    }
}

static void each_step_fails(void *fixture)
{
    struct fixture *f = fixture;

    f->strict = true;
    fail_all_ways(f);
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
    (void)sqlite3_commit_hook(f->db, NULL, NULL); /* the one from above */
    for (int i = 0; i < 4; i++)
        stop_each(f, i % 2 == 0, i / 2 == 0);
}

static void two_buyers(void *fixture)
{
    static const struct {
        const char *what, *sql;
    } invariants[] = {
        {"items whose stock is below 0",
         "SELECT count(*) FROM stock WHERE quantity < 0"},
        {"items whose stock and orders are not 40 pieces together",
         "SELECT count(*) FROM stock AS s WHERE quantity + (SELECT"
         " ifnull(sum(quantity), 0) FROM order_lines WHERE item = s.item)"
         " <> 40"},
        {"orders whose total is not the sum of their lines",
         "SELECT count(*) FROM orders WHERE total_cents IS NOT (SELECT"
         " sum(quantity * cents) FROM order_lines WHERE order_id = id)"},
        {"lines still in a cart that was bought",
         "SELECT count(*) FROM cart_lines JOIN orders USING (cart)"},
        {"carts sold out although there is enough in stock",
         "SELECT count(*) FROM (SELECT max(line.quantity > stock.quantity)"
         " AS lacks FROM cart_lines AS line JOIN stock USING (item)"
         " GROUP BY cart) WHERE NOT lacks"}};
    struct fixture *f = fixture;
    int64_t bought;

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
    bought = expect_answers(f);
    ask(f, "orders", "SELECT count(*) FROM orders", bought);
    for (size_t i = 0; i < sizeof invariants / sizeof invariants[0]; i++)
        ask(f, invariants[i].what, invariants[i].sql, 0);
}

#define CASE_IN(builds_, title_, run_, points_, needs_, cause_)                \
    {                                                                          \
        .name = #run_, .run = run_, .title = title_, .points = points_,        \
        .needs = needs_, .builds = builds_, .seconds = 5,                      \
        .function = "ex_checkout", .cause = cause_                             \
    }
#define CASE(...) CASE_IN(TEST_PLAIN, __VA_ARGS__)
#define MEMORY_CASE(...) CASE_IN(TEST_PLAIN | TEST_ADDRESS, __VA_ARGS__)

static const struct test_case cases[] = {
    CASE("a cart becomes an order",
         places_an_order,
         1,
         0,
         "the order or one of its lines was not committed"),
    CASE("the whole order: stock, lines, total, id",
         whole_order,
         1,
         1,
         "a table, or a line of the cart, was left out"),
    CASE("sold out: nothing has happened",
         refuses,
         1,
         1,
         "what was done before the item that is sold out was not undone"),
    CASE("others can write until BEGIN, not after it",
         others_write,
         2,
         1,
         "BEGIN or SAVEPOINT alone is DEFERRED: others can still write"),
    CASE("inside a transaction of the caller",
         inside_a_transaction,
         2,
         1,
         "more than the checkout itself was undone or ended"),
    MEMORY_CASE(
        "each step fails once",
        each_step_fails,
        2,
        1,
        "this step was not checked, or what came before was not undone"),
    {.name = "two_buyers",
     .run = two_buyers,
     .title = "two buyers, 200 carts",
     .points = 1,
     .builds = TEST_PLAIN | TEST_THREAD,
     .needs = 1,
     .function = "ex_checkout",
     .cause = "the stock was read first and written later"},
    {0},
};

const struct test_suite test_suite = {
    .name = "07-transactions",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
