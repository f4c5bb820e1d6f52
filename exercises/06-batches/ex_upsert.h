/* ex_upsert - prices go in by name, a transaction for each chunk of them
 *
 * The table; money is in cents:
 *
 *     prices  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
 *             cents INTEGER NOT NULL CHECK (cents > 0)
 *
 * One thread uses the connection and this function.
 */
#ifndef EX_UPSERT_H
#define EX_UPSERT_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct ex_price {
    const char *name; /* NULL: a bad row */
    int64_t cents;    /* 0 and below: a bad row */
};

/* A row that was left out. */
struct ex_bad_row {
    size_t row; /* its index, from 0 */
    int code;   /* an extended SQLITE_* code */
};

struct ex_upsert_report {
    /* set by the caller */
    struct ex_bad_row *bad; /* room for the first bad rows, or NULL */
    size_t bad_room;
    /* written by ex_upsert, whatever it returns: what is in the database.
     * A chunk that was undone is in none of these. */
    size_t settled;   /* rows before this one are committed or reported, rows
                         from here on are not in the database */
    size_t bad_count; /* how many of them are bad; may exceed bad_room */
    int64_t changed;  /* rows of the table that were inserted, or got another
                         price; the same price again is no change */
};

/* Writes each row to the table: a new name is inserted, a known one gets the
 * price and keeps its id. Names are compared as they are, prices have all 64
 * bits. A name may come twice: the rows are written in their order, and each of
 * them that inserts or changes something counts as changed.
 *
 * Others can read at any time, also while a chunk is open, and can write
 * between two chunks.
 *
 * db is borrowed and keeps its settings and the caller's own statements. It
 * returns extended codes (sqlite3_extended_result_codes) and has no transaction
 * open. rows are borrowed. chunk is 1 or more, also more than count: so many
 * rows, good or bad, are one transaction, the last chunk may have fewer.
 *
 * A row that a constraint refuses is reported in order, and its neighbours
 * stay. Any other error ends the run: of a row, of BEGIN or of COMMIT, and
 * that of a row which has undone the whole transaction. The open chunk is
 * then rolled back, those before it stay.
 *
 * Returns 0 when every row is committed or reported, or the SQLite code of
 * what ended the run, as SQLite gave it. Whatever it returns, no transaction
 * and no statement of its own is open afterwards. */
int ex_upsert(sqlite3 *db,
              const struct ex_price *rows,
              size_t count,
              size_t chunk,
              struct ex_upsert_report *ret);

#endif
