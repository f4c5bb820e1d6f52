/* script - several statements, all or none of them
 *
 * For the steps of a schema, for loading a file of SQL, for a change to several
 * tables. Each statement is stepped to its end, and its rows are dropped,
 * before the next one begins.
 *
 * Called on the thread that owns the connection. Depends on stmt.
 */
#ifndef ASQ_SCRIPT_H
#define ASQ_SCRIPT_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the statements of sql, which is borrowed for the call, in a transaction
 * of its own (BEGIN IMMEDIATE to COMMIT), or in a savepoint if a transaction is
 * open. On an error everything that the script did is undone. Some errors
 * (an interrupted write, a full disk, OR ROLLBACK) make SQLite roll back the
 * whole transaction around it, too: asq_db_in_transaction tells.
 *
 * Sets *ret_count (may be NULL) to the number of statements that were run. On
 * an error it is the number, from 1, of the statement that failed, with which
 * the message begins ("statement 3: ..."); 0 means that BEGIN or COMMIT failed.
 * A text without a statement returns 0 and runs nothing.
 *
 * Returns 0, or an extended SQLITE_* code as asq_db_run, such as
 * SQLITE_INTERRUPT (the watch is asked before and during each statement),
 * SQLITE_BUSY (another connection is writing) and SQLITE_RANGE (a parameter: no
 * values are given here). SQLITE_MISUSE refuses, before anything has run,
 * statements that ROLLBACK does not undo or that end the transaction: BEGIN,
 * COMMIT and their kind, savepoints, ATTACH, DETACH, VACUUM, and every PRAGMA
 * except user_version, application_id and defer_foreign_keys. */
int asq_db_script(struct asq_db *db, const char *sql, unsigned *ret_count);

#ifdef __cplusplus
}
#endif

#endif
