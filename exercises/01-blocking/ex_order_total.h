/* ex_order_total - what an order costs and who ordered it, by one statement
 *
 * The tables, as in the shop of the lessons; money is in cents:
 *
 *     users        id, name
 *     orders       id, user_id
 *     order_lines  order_id, line, quantity, price_cents
 *
 * Used by one thread: the connection, this statement and these functions.
 */
#ifndef EX_ORDER_TOTAL_H
#define EX_ORDER_TOTAL_H

#include <sqlite3.h>
#include <stdint.h>

struct ex_order_total {
    sqlite3_stmt *stmt; /* private */
};

struct ex_order {
    int64_t cents;  /* the sum of quantity times price; it fits 64 bits */
    char *customer; /* of any length; the caller frees it with free */
};

/* Compiles the statement, which is used until close; db is borrowed until then.
 * Returns 0, or the SQLite code of what failed; then there is nothing to
 * close. */
int ex_order_total_open(struct ex_order_total *total, sqlite3 *db);

/* Reads an order and writes it to *ret. An order without lines costs 0. The id
 * of an order can be any 64-bit number; a price below 0 is a discount.
 *
 * Returns 0, SQLITE_NOTFOUND if there is no such order, SQLITE_CORRUPT if a
 * line has a quantity below 1, SQLITE_NOMEM, or the code with which SQLite
 * failed, unchanged. Unless it returns 0, *ret stays as it was.
 *
 * Compiles nothing, and does not touch what else the connection is doing.
 * Whatever it returns, the statement is not busy afterwards (it is not left on
 * a row) and the function can be called again. */
int ex_order_total_get(struct ex_order_total *total,
                       int64_t order,
                       struct ex_order *ret);

/* Finalizes the statement. Orders that were read stay valid. */
void ex_order_total_close(struct ex_order_total *total);

#endif
