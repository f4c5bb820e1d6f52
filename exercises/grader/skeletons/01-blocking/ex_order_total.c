/* ex_order_total - what an order costs and who ordered it, by one statement
 *
 * Owns the statement. The contract is in ex_order_total.h.
 */
#include "ex_order_total.h"

#include <stdlib.h>
#include <string.h>

/* Returns a row for each line of the order: customer, quantity, price. An
 * order without lines has one row, whose quantity and price are NULL. */
static const char sql[] =
    "SELECT users.name, order_lines.quantity, order_lines.price_cents"
    " FROM orders JOIN users ON users.id = orders.user_id"
    " LEFT JOIN order_lines ON order_lines.order_id = orders.id"
    " WHERE orders.id = ?1";

int ex_order_total_open(struct ex_order_total *total, sqlite3 *db)
{
    return sqlite3_prepare_v2(db, sql, -1, &total->stmt, NULL);
}

void ex_order_total_close(struct ex_order_total *total)
{
    (void)sqlite3_finalize(total->stmt); /* repeats the error of a step */
    total->stmt = NULL;
}

/* Adds the current row of the statement. Returns 0 or an SQLITE_* code. */
static int add_row(sqlite3_stmt *stmt, struct ex_order *order)
{
    /* Your code. */
    return SQLITE_ERROR;
}

int ex_order_total_get(struct ex_order_total *total,
                       int64_t order,
                       struct ex_order *ret)
{
    /* Your code. */
    return SQLITE_ERROR;
}
