/* ask - questions to an SQLite database in memory
 *
 * The questions are constants, so one that cannot be asked is a mistake of
 * this program, which then ends. SQL functions: shown(text), without control
 * characters; masked(text), with '#' for each number. One thread enters.
 */
#ifndef CLASS_ASK_H
#define CLASS_ASK_H

#include <sqlite3.h>
#include <stdbool.h>

/* Opens the database; closed with sqlite3_close. Returns 0 or an SQLITE_*. */
int class_ask_open(sqlite3 **ret_db);

/* Prepares a statement; the first parameter is n, if there is one. */
sqlite3_stmt *class_ask(sqlite3 *db, const char *sql, sqlite3_int64 n);

/* Steps to the next row. Returns whether there is one; at the end the statement
 * is gone. */
bool class_ask_next(sqlite3_stmt *statement);

/* Returns a column of the row; never NULL. */
const char *class_ask_text(sqlite3_stmt *statement, int column);

#endif
