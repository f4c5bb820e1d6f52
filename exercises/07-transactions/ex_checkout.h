/* ex_checkout - a cart becomes an order, or nothing has happened
 *
 * The tables, STRICT; money is in cents:
 *
 *     stock        item INTEGER PRIMARY KEY, name TEXT NOT NULL,
 *                  cents INTEGER NOT NULL, quantity INTEGER NOT NULL
 *     cart_lines   cart INTEGER NOT NULL, item INTEGER NOT NULL,
 *                  quantity INTEGER NOT NULL CHECK (quantity > 0),
 *                  PRIMARY KEY (cart, item)
 *     orders       id INTEGER PRIMARY KEY, cart INTEGER NOT NULL UNIQUE,
 *                  total_cents INTEGER NOT NULL
 *     order_lines  order_id INTEGER NOT NULL REFERENCES orders (id)
 *                      DEFERRABLE INITIALLY DEFERRED,
 *                  item INTEGER NOT NULL, quantity INTEGER NOT NULL,
 *                  cents INTEGER NOT NULL, PRIMARY KEY (order_id, item)
 *
 * No constraint keeps the stock from going below zero: this function does.
 *
 * One thread uses the connection and this function. Other connections, of this
 * process or another, use the same file at the same time.
 */
#ifndef EX_CHECKOUT_H
#define EX_CHECKOUT_H

#include <sqlite3.h>
#include <stdint.h>
#include <uv.h> /* for the code UV_ENOENT */

enum {
    EX_SOLD_OUT = -100001 /* below all codes of libuv */
};

/* Makes an order of what is in the cart: each line's quantity leaves the stock
 * and becomes an order line, with the item's cents for one piece as they are
 * now. total_cents is the sum of quantity times cents. The cart is then empty.
 *
 * If db has no transaction open, the checkout is a transaction of its own,
 * BEGIN IMMEDIATE: from its BEGIN on, nobody else can write. If the caller has
 * one open, begun by BEGIN or by SAVEPOINT, the checkout is a savepoint in it.
 * The caller's transaction and what was done in it stay open and as they were;
 * its COMMIT decides on the order too.
 *
 * Unless it returns 0, the checkout has changed nothing. An error with which
 * SQLite has rolled back everything by itself has ended the caller's
 * transaction too; there is nothing left to undo then, and nothing is tried.
 *
 * db is borrowed and returns extended codes (sqlite3_extended_result_codes).
 * Its settings, the busy timeout among them, and the statements that the caller
 * has are the caller's business. Ids, quantities and money have all 64 bits, a
 * cart has any number of lines.
 *
 * Returns 0 and writes the order's id to *ret_order. Otherwise *ret_order stays
 * as it was:
 * UV_ENOENT    the cart is empty, or there is none
 * EX_SOLD_OUT  of an item there is less than the cart wants, or it is not in
 *              the stock
 * SQLITE_*     what failed first, as SQLite said it: SQLITE_CONSTRAINT_UNIQUE
 *              for a cart that has an order, and new lines
 * Where two of these hold, as for a cart that has an order, and new lines with
 * too little in stock, either is returned. Whatever it returns, no statement,
 * no transaction and no savepoint of its own is open. */
int ex_checkout(sqlite3 *db, int64_t cart, int64_t *ret_order);

#endif
