/* ex_upsert - prices are written by name, with a transaction for each chunk
 *
 * The table; money is in cents:
 *
 *     prices  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
 *             cents INTEGER NOT NULL CHECK (cents > 0)
 *
 * Used by one thread: the connection and this function.
 */
#ifndef EX_UPSERT_H
#define EX_UPSERT_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct ex_price {
    const char *name; /* NULL: a bad row */
    int64_t cents;    /* 0 or less: a bad row */
};

/* A row that was not written. */
struct ex_bad_row {
    size_t row; /* its index, from 0 */
    int code;   /* an extended SQLITE_* code */
};

struct ex_upsert_report {
    /* set by the caller */
    struct ex_bad_row *bad; /* room for the first bad rows, or NULL */
    size_t bad_room;
    /* written by ex_upsert, whatever it returns. They tell what is in the
     * database: a chunk that was rolled back counts in none of them. */
    size_t settled;   /* the rows before this index are committed or reported;
                         the others have not been written */
    size_t bad_count; /* how many of the settled rows are bad; may exceed
                         bad_room */
    int64_t changed;  /* rows of the table that were inserted or got a
                         different price; the same price is not a change */
};

/* Writes each row to the table: a new name is inserted, a known one gets the
 * price and keeps its id. Names are compared byte by byte, and a price can be
 * any 64-bit number. A name may come twice: the rows are written in their
 * order, and each row that inserts or changes something counts as changed.
 *
 * Others can read at any time, also while a chunk is open, and can write
 * between two chunks.
 *
 * db is borrowed. It keeps its settings, and the caller's own statements stay
 * as they are. It returns extended codes (sqlite3_extended_result_codes) and
 * has no transaction open. rows are borrowed. chunk is 1 or more and may exceed
 * count: that many rows, good or bad, are one transaction; the last chunk may
 * have fewer.
 *
 * A row that a constraint refuses is reported, in order, and the other rows of
 * its chunk stay. Any other error ends the run, whether a row, BEGIN or COMMIT
 * has failed. So does a row that has rolled back the whole transaction, even if
 * a constraint was the reason. The open chunk is then rolled back; those before
 * it stay.
 *
 * Returns 0 when every row is committed or reported, or the SQLite code that
 * ended the run, unchanged. Whatever it returns, no transaction and no
 * statement of its own is open afterwards. */
int ex_upsert(sqlite3 *db,
              const struct ex_price *rows,
              size_t count,
              size_t chunk,
              struct ex_upsert_report *ret);

#endif
