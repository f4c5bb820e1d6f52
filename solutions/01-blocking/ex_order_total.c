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
    /* begin solution */
    const char *name = (const char *)sqlite3_column_text(stmt, 0);
    int64_t quantity = sqlite3_column_int64(stmt, 1);

    if (order->customer == NULL && name != NULL)
        order->customer = strdup(name);
    if (order->customer == NULL)
        return SQLITE_NOMEM;
    if (sqlite3_column_type(stmt, 1) == SQLITE_NULL)
        return 0; /* the order has no lines */
    if (quantity < 1)
        return SQLITE_CORRUPT;
    order->cents += quantity * sqlite3_column_int64(stmt, 2);
    return 0;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}

int ex_order_total_get(struct ex_order_total *total,
                       int64_t order,
                       struct ex_order *ret)
{
    /* begin solution */
    sqlite3_stmt *stmt = total->stmt;
    struct ex_order got = {0};
    int rc = sqlite3_bind_int64(stmt, 1, order);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE)
        rc = SQLITE_NOTFOUND; /* not even one row */
    while (rc == SQLITE_ROW) {
        rc = add_row(stmt, &got);
        if (rc == 0)
            rc = sqlite3_step(stmt);
    }
    (void)sqlite3_reset(stmt); /* repeats the error of the step */
    if (rc != SQLITE_DONE) {
        free(got.customer);
        return rc;
    }
    *ret = got;
    return 0;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}
