/* ex_checkout - a cart becomes an order, or nothing happens
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
 * No constraint keeps the stock from falling below zero: this function does.
 *
 * Used by one thread: the connection and this function. Other connections, in
 * this process or another, use the same file at the same time.
 */
#ifndef EX_CHECKOUT_H
#define EX_CHECKOUT_H

#include <sqlite3.h>
#include <stdint.h>
#include <uv.h> /* for the code UV_ENOENT */

enum {
    EX_SOLD_OUT = -100001 /* below all codes of libuv */
};

/* Makes an order of what is in the cart. The quantity of each line is taken out
 * of the stock and becomes an order line, with the item's current cents for one
 * piece. total_cents is the sum of quantity times cents. The cart is then
 * empty.
 *
 * If db has no transaction open, the checkout is a transaction of its own,
 * BEGIN IMMEDIATE: from its BEGIN on, nobody else can write. If the caller has
 * one open, begun by BEGIN or by SAVEPOINT, the checkout is a savepoint in it.
 * The caller's transaction then stays open, with everything that was done in
 * it, and its COMMIT decides about the order too.
 *
 * Unless it returns 0, the checkout has changed nothing. After some errors
 * SQLite has rolled back everything by itself, the caller's transaction
 * included. Then there is nothing left to undo, and no ROLLBACK is tried.
 *
 * db is borrowed and returns extended codes (sqlite3_extended_result_codes).
 * Its settings, such as the busy timeout, and the caller's statements are left
 * alone. Ids, quantities and money can be any 64-bit number, and a cart can
 * have any number of lines.
 *
 * Returns 0 and writes the order's id to *ret_order. Otherwise *ret_order stays
 * as it was, and the result is one of these:
 * UV_ENOENT    the cart is empty, or there is no such cart
 * EX_SOLD_OUT  there is less of an item than the cart wants, or the item is not
 *              in the stock
 * SQLITE_*     the code of what failed first, unchanged. It is
 *              SQLITE_CONSTRAINT_UNIQUE for a cart that has an order already,
 *              and has new lines
 * If two of these hold, as for a cart that has an order already and new lines
 * that exceed the stock, either is right. Whatever it returns, no statement, no
 * transaction and no savepoint of its own is open. */
int ex_checkout(sqlite3 *db, int64_t cart, int64_t *ret_order);

#endif
