/* ex_upsert - prices are written by name, with a transaction for each chunk
 *
 * The contract is in ex_upsert.h.
 */
#include "ex_upsert.h"

/* The statement that inserts or updates; ?1 is the name, ?2 the price. */
/* begin solution */
static const char sql[] =
    "INSERT INTO prices (name, cents) VALUES (?1, ?2)"
    " ON CONFLICT (name) DO UPDATE SET cents = excluded.cents"
    " WHERE cents <> excluded.cents";
/* end solution */

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
    /* begin solution */
    sqlite3 *db = sqlite3_db_handle(stmt);

    for (; got->settled < end; got->settled++) {
        int rc = run_row(stmt, &rows[got->settled]);

        if (rc == 0) {
            got->changed += sqlite3_changes(db);
            continue;
        }
        if ((rc & 0xff) != SQLITE_CONSTRAINT || sqlite3_get_autocommit(db))
            return rc;
        if (got->bad_count < got->bad_room)
            got->bad[got->bad_count] = (struct ex_bad_row){got->settled, rc};
        got->bad_count++;
    }
    return 0;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}

int ex_upsert(sqlite3 *db,
              const struct ex_price *rows,
              size_t count,
              size_t chunk,
              struct ex_upsert_report *ret)
{
    /* begin solution */
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    ret->settled = 0;
    ret->bad_count = 0;
    ret->changed = 0;
    while (rc == 0 && ret->settled < count) {
        struct ex_upsert_report got = *ret;
        size_t left = count - got.settled;
        size_t end = got.settled + (chunk < left ? chunk : left);

        rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc == 0)
            rc = run_rows(stmt, rows, end, &got);
        if (rc == 0)
            rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        if (rc == 0)
            *ret = got;
        else if (!sqlite3_get_autocommit(db)) /* rc tells what failed */
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    (void)sqlite3_finalize(stmt); /* repeats the error of a step */
    return rc;
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}
