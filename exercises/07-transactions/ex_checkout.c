/* ex_checkout - a cart becomes an order, or nothing happens
 *
 * The contract is in ex_checkout.h.
 */
#include "ex_checkout.h"

/* The steps; ?1 is the cart, ?2 the order. */
/* Your code. */

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
    /* Your code. */
    return SQLITE_ERROR;
}

int ex_checkout(sqlite3 *db, int64_t cart, int64_t *ret_order)
{
    /* Your code. */
    return SQLITE_ERROR;
}
