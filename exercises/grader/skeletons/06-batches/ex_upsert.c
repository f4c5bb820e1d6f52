/* ex_upsert - prices are written by name, with a transaction for each chunk
 *
 * The contract is in ex_upsert.h.
 */
#include "ex_upsert.h"

/* The statement that inserts or updates; ?1 is the name, ?2 the price. */
/* Your code. */

/* Runs the statement for a row. Returns 0 or an extended SQLITE_* code. */
static int run_row(sqlite3_stmt *stmt, const struct ex_price *row)
{
    int rc = sqlite3_bind_text(stmt, 1, row->name, -1, SQLITE_STATIC);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 2, row->cents);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt); /* repeats the error of the step */
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Runs the rows from got->settled up to end, in the open transaction, and adds
 * them to *got. Returns 0 or the code that ends the run. */
static int run_rows(sqlite3_stmt *stmt,
                    const struct ex_price *rows,
                    size_t end,
                    struct ex_upsert_report *got)
{
    /* Your code. */
    return SQLITE_ERROR;
}

int ex_upsert(sqlite3 *db,
              const struct ex_price *rows,
              size_t count,
              size_t chunk,
              struct ex_upsert_report *ret)
{
    /* Your code. */
    return SQLITE_ERROR;
}
