/* shop - the orders of the tests of 01-blocking, drawn from the seed
 *
 * The values break programs that have too little room for them: 64-bit numbers
 * of either sign, prices below 0, names with quotes, very long and empty ones.
 * If something fails that is the shop's own, the test ends.
 */
#ifndef EX_01_SHOP_H
#define EX_01_SHOP_H

#include "grader/random.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    NAME_SIZE = 600 /* the long name fills it */
};

enum order {
    SINGLE,   /* has one line */
    FEW,      /* has three lines */
    OTHER,    /* likewise; its id has the same low 32 bits as that of FEW */
    LARGE,    /* costs more than a double can hold; the largest id */
    DISCOUNT, /* has prices below 0; the smallest id */
    FREE,     /* has lines and costs 0; id 0 */
    DAMAGED,  /* has three lines, of which shop_damage damages one */
    EMPTY,    /* has no lines */
    LONG,     /* has 5,000 lines */
    ORDERS,
    UNKNOWN = ORDERS /* does not exist */
};

struct shop {
    sqlite3 *db;    /* the connection of the code under test */
    sqlite3 *other; /* the rest of the program */
    int64_t ids[ORDERS + 1];
    char names[ORDERS][NAME_SIZE];
    long compiled; /* how often SQLite has asked while it compiled on db */
    struct test_random random;
    /* for the view */
    int row, fail_at, code;
};

static const char shop_schema[] =
    "PRAGMA encoding = 'UTF-16';" /* so that reading a text takes memory */
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE order_lines (order_id INTEGER NOT NULL,"
    " line INTEGER NOT NULL, quantity INTEGER NOT NULL,"
    " price_cents INTEGER NOT NULL, PRIMARY KEY (order_id, line)) STRICT;";

/* Runs SQL that is formatted as by sqlite3_mprintf. */
static inline void shop_do(struct shop *shop, const char *format, ...)
{
    va_list arguments;
    char *sql;

    va_start(arguments, format);
    sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    CHECK(sql != NULL);
    raw_do(shop->other, sql);
    sqlite3_free(sql);
}

static inline void shop_add_line(struct shop *shop,
                                 enum order order,
                                 int line,
                                 int64_t quantity,
                                 int64_t cents)
{
    shop_do(shop, "INSERT INTO order_lines VALUES (%lld, %d, %lld, %lld)",
            (long long)shop->ids[order], line, (long long)quantity,
            (long long)cents);
}

static inline int64_t shop_draw(struct shop *shop, int64_t least, int64_t most)
{
    return test_random_range(&shop->random, least, most);
}

static inline void shop_draw_ids(struct shop *shop)
{
    int64_t *ids = shop->ids;

    for (int order = 0; order < ORDERS; order++)
        ids[order] = order * 1000 + shop_draw(shop, 1, 1000);
    ids[FREE] = 0;
    ids[OTHER] = ids[FEW] + (shop_draw(shop, 1, 1000) << 32);
    ids[LARGE] = INT64_MAX;
    ids[DISCOUNT] = INT64_MIN;
    ids[UNKNOWN] = 1000000;
}

/* Gives the customer of an order a new name of this kind. */
static inline void
shop_name(struct shop *shop, enum order order, enum test_name kind)
{
    char *name = shop->names[order];
    size_t size = kind == TEST_NAME_LONG ? NAME_SIZE : 32;

    shop_do(shop,
            "UPDATE users SET name = %Q WHERE id ="
            " (SELECT user_id FROM orders WHERE id = %lld)",
            test_random_name(&shop->random, kind, name, size),
            (long long)shop->ids[order]);
}

static inline void shop_add_orders(struct shop *shop)
{
    for (int order = 0; order < ORDERS; order++) {
        int64_t user = shop_draw(shop, INT64_MIN, INT64_MAX);

        shop_do(shop, "INSERT INTO users VALUES (%lld, '')", (long long)user);
        shop_do(shop, "INSERT INTO orders VALUES (%lld, %lld)",
                (long long)shop->ids[order], (long long)user);
        shop_name(shop, (enum order)order, TEST_NAME_PLAIN);
    }
}

static inline void shop_add_lines(struct shop *shop)
{
    shop_add_line(shop, SINGLE, 1, shop_draw(shop, 2, 9),
                  shop_draw(shop, 100, 999));
    for (int line = 1; line <= 3; line++) {
        shop_add_line(shop, FEW, line, shop_draw(shop, 2, 9),
                      shop_draw(shop, 100, 9999));
        shop_add_line(shop, OTHER, line, shop_draw(shop, 2, 9),
                      shop_draw(shop, 10000, 99999));
        shop_add_line(shop, LARGE, line, 3,
                      300000000000000000 + shop_draw(shop, 1, 1000));
        shop_add_line(shop, FREE, line, line, 0);
        shop_add_line(shop, DAMAGED, line, 2, 500);
    }
    shop_add_line(shop, LARGE, 4, (INT64_C(1) << 32) + 5,
                  shop_draw(shop, 1, 9));
    shop_add_line(shop, DISCOUNT, 1, 2, 500);
    shop_add_line(shop, DISCOUNT, 2, 3, -shop_draw(shop, 1000, 5000));
    shop_add_line(shop, DISCOUNT, 3, 1, -(INT64_C(1) << 60) - 1);
    shop_do(shop,
            "WITH RECURSIVE n (line) AS (SELECT 1 UNION ALL SELECT line + 1"
            " FROM n WHERE line < 5000) INSERT INTO order_lines"
            " SELECT %lld, line, 1, 1 FROM n",
            (long long)shop->ids[LONG]);
}

/* SQLite asks what is allowed while it compiles, and only then. */
static inline int shop_count_compiled(void *data,
                                      int action,
                                      const char *a,
                                      const char *b,
                                      const char *c,
                                      const char *d)
{
    struct shop *shop = data;

    (void)action, (void)a, (void)b, (void)c, (void)d;
    shop->compiled++;
    return SQLITE_OK;
}

/* Makes a shop. Shops with different salts have the same ids of orders and
 * different values. */
static inline void shop_open(struct shop *shop, const char *file, uint64_t salt)
{
    const char *path = test_path(file);

    CHECK_INT(sqlite3_open(path, &shop->other), SQLITE_OK);
    raw_do(shop->other, shop_schema);
    test_random_init(&shop->random, 1);
    shop_draw_ids(shop);
    test_random_init(&shop->random, salt);
    raw_do(shop->other, "BEGIN");
    shop_add_orders(shop);
    shop_add_lines(shop);
    raw_do(shop->other, "COMMIT");
    CHECK_INT(sqlite3_open(path, &shop->db), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(shop->db, 1), SQLITE_OK);
    CHECK_INT(sqlite3_set_authorizer(shop->db, shop_count_compiled, shop),
              SQLITE_OK);
}

static inline void shop_close(struct shop *shop)
{
    CHECK_INT(sqlite3_close(shop->db), SQLITE_OK);
    CHECK_INT(sqlite3_close(shop->other), SQLITE_OK);
}

static inline int64_t shop_cost(struct shop *shop, enum order order)
{
    char sql[160];

    (void)snprintf(sql, sizeof sql,
                   "SELECT ifnull(sum(quantity * price_cents), 0)"
                   " FROM order_lines WHERE order_id = %lld",
                   (long long)shop->ids[order]);
    return raw_ask(shop->other, sql);
}

/* Raises every price by one cent. */
static inline void shop_raise(struct shop *shop)
{
    raw_do(shop->other, "UPDATE order_lines SET price_cents = price_cents + 1"
                        " WHERE price_cents > 0");
}

/* Gives the damaged order this quantity in this line, and good ones in its
 * other lines. */
static inline void shop_damage(struct shop *shop, int line, int64_t quantity)
{
    shop_do(shop,
            "UPDATE order_lines SET quantity = CASE line WHEN %d THEN %lld"
            " ELSE 2 END WHERE order_id = %lld",
            line, (long long)quantity, (long long)shop->ids[DAMAGED]);
}

static inline void
shop_read_price(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct shop *shop = sqlite3_user_data(context);

    (void)count; /* 1 */
    if (++shop->row == shop->fail_at)
        sqlite3_result_error_code(context, shop->code);
    else
        sqlite3_result_value(context, values[0]);
}

/* From now on db reads the lines through a view in which shop_fail can make a
 * row fail: statements that are compiled later use it instead of the table. */
static inline void shop_make_view(struct shop *shop)
{
    CHECK_INT(sqlite3_create_function(shop->db, "read_price", 1, SQLITE_UTF8,
                                      shop, shop_read_price, NULL, NULL),
              SQLITE_OK);
    raw_do(shop->db, "CREATE TEMP VIEW order_lines AS SELECT order_id, line,"
                     " quantity, read_price(price_cents) AS price_cents"
                     " FROM main.order_lines");
}

/* Makes this row of the next query fail. Returns the code. */
static inline int shop_fail(struct shop *shop, int row)
{
    static const int codes[] = {SQLITE_IOERR,    SQLITE_BUSY,  SQLITE_LOCKED,
                                SQLITE_CANTOPEN, SQLITE_AUTH,  SQLITE_PROTOCOL,
                                SQLITE_FULL,     SQLITE_ERROR, SQLITE_CORRUPT};

    shop->code = codes[shop_draw(shop, 0, 8)] | (int)shop_draw(shop, 40, 90)
                                                    << 8;
    shop->row = 0;
    shop->fail_at = row;
    return shop->code;
}

#endif
