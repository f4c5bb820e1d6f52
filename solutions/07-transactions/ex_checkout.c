/* ex_checkout - a cart becomes an order, or nothing happens
 *
 * The contract is in ex_checkout.h.
 */
#include "ex_checkout.h"

/* The steps; ?1 is the cart, ?2 the order. */
/* begin solution */
static const char sql_order[] =
    "INSERT INTO orders (cart, total_cents)"
    " SELECT cart, sum(line.quantity * ifnull(cents, 0))"
    " FROM cart_lines AS line LEFT JOIN stock USING (item)"
    " WHERE cart = ?1 GROUP BY cart";
static const char sql_lines[] =
    "INSERT INTO order_lines (order_id, item, quantity, cents)"
    " SELECT ?2, item, line.quantity, cents"
    " FROM cart_lines AS line JOIN stock USING (item) WHERE cart = ?1";
static const char sql_take[] =
    "UPDATE stock SET quantity = stock.quantity - line.quantity"
    " FROM cart_lines AS line WHERE cart = ?1 AND line.item = stock.item"
    " AND stock.quantity >= line.quantity";
static const char sql_empty[] = "DELETE FROM cart_lines WHERE cart = ?1";
/* end solution */

/* Runs a statement to its end, and binds only the parameters that it has.
 * Returns 0 or an extended SQLITE_* code. */
static int run(sqlite3 *db, const char *sql, int64_t cart, int64_t order)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(stmt) >= 1)
        rc = sqlite3_bind_int64(stmt, 1, cart);
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(stmt) >= 2)
        rc = sqlite3_bind_int64(stmt, 2, order);
    if (rc == SQLITE_OK) {
        do
            rc = sqlite3_step(stmt);
        while (rc == SQLITE_ROW);
    }
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Makes the order, in the open transaction. Returns 0 or the code of what
 * failed; the caller then undoes what was done. */
static int make_order(sqlite3 *db, int64_t cart, int64_t *ret_order)
{
    /* begin solution */
    int taken, rc = run(db, sql_order, cart, 0);
    int64_t order = sqlite3_last_insert_rowid(db);

    if (rc == 0 && sqlite3_changes(db) == 0)
        rc = UV_ENOENT;
    if (rc == 0)
        rc = run(db, sql_lines, cart, order);
    if (rc == 0)
        rc = run(db, sql_take, cart, order);
    taken = sqlite3_changes(db);
    if (rc == 0)
        rc = run(db, sql_empty, cart, order);
    if (rc == 0 && taken < sqlite3_changes(db))
        rc = EX_SOLD_OUT;
    if (rc == 0)
        *ret_order = order;
    return rc;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}

int ex_checkout(sqlite3 *db, int64_t cart, int64_t *ret_order)
{
    /* begin solution */
    int own = sqlite3_get_autocommit(db);
    int64_t order = 0;
    int rc = run(db, own ? "BEGIN IMMEDIATE" : "SAVEPOINT checkout", 0, 0);

    if (rc != 0)
        return rc;
    rc = make_order(db, cart, &order);
    if (rc == 0)
        rc = run(db, own ? "COMMIT" : "RELEASE checkout", 0, 0);
    if (rc == 0) {
        *ret_order = order;
    } else if (!sqlite3_get_autocommit(db)) { /* rc tells what failed */
        (void)run(db, own ? "ROLLBACK" : "ROLLBACK TO checkout", 0, 0);
        if (!own)
            (void)run(db, "RELEASE checkout", 0, 0);
    }
    return rc;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}
