/* ex_order_total - what an order costs and whose it is, by one statement
 *
 * The tables, as in the shop of the lessons; money is in cents:
 *
 *     users        id, name
 *     orders       id, user_id
 *     order_lines  order_id, line, quantity, price_cents
 *
 * One thread uses the connection, this statement and these functions.
 */
#ifndef EX_ORDER_TOTAL_H
#define EX_ORDER_TOTAL_H

#include <sqlite3.h>
#include <stdint.h>

struct ex_order_total {
    sqlite3_stmt *stmt; /* private */
};

struct ex_order {
    int64_t cents;  /* quantity times price, of all lines; fits 64 bits */
    char *customer; /* the caller's, freed with free; of any length */
};

/* Compiles the statement, which lives until close. db is borrowed until then.
 * Returns 0 or the SQLite code of what failed; nothing is open then. */
int ex_order_total_open(struct ex_order_total *total, sqlite3 *db);

/* Reads an order and writes it to *ret. An order without lines costs 0. Any
 * number of 64 bits can be an order's; a price below 0 is a discount.
 *
 * Returns 0, SQLITE_NOTFOUND when there is no such order, SQLITE_CORRUPT when
 * a line has a quantity below 1, SQLITE_NOMEM, or the code with which SQLite
 * has failed, unchanged. Unless it returns 0, *ret stays as it was.
 *
 * Compiles nothing, and leaves alone whatever else the connection does.
 * Whatever it returns, the statement is not busy afterwards and the next call
 * can be made. */
int ex_order_total_get(struct ex_order_total *total,
                       int64_t order,
                       struct ex_order *ret);

/* Gives the statement back. Orders that were read stay as they are. */
void ex_order_total_close(struct ex_order_total *total);

#endif
