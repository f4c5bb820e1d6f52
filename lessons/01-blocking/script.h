/* script - several statements, all or none of them
 *
 * For the steps of a schema, for loading a file of SQL, for a change of
 * several tables. Rows are stepped through and dropped, so no statement is
 * left half done before the next one.
 *
 * Entered by the thread that owns the connection. Depends on stmt.
 */
#ifndef ASQ_SCRIPT_H
#define ASQ_SCRIPT_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the statements of sql, which is borrowed for the call, in a transaction
 * of its own: BEGIN IMMEDIATE to COMMIT, or a savepoint where a transaction is
 * open. On an error everything is undone. Inside a transaction that is what
 * the script has done; but what makes SQLite roll back (an interrupted write,
 * a full disk, OR ROLLBACK) ends the whole of it, as asq_db_in_transaction
 * then tells.
 *
 * Sets *ret_count (may be NULL) to the number of statements that were run; on
 * an error to the number, from 1, of the one that failed, and the message
 * begins with it: "statement 3: ..."; 0 means that it was none of them, but
 * BEGIN or COMMIT. A text without a statement is 0 and runs nothing.
 *
 * Returns 0 or an extended SQLITE_* code: those of asq_db_run, among them
 * SQLITE_INTERRUPT (the watch is asked before and during each), SQLITE_BUSY
 * (another connection writes) and SQLITE_RANGE (a parameter: none has a value
 * here). Refused with SQLITE_MISUSE, before anything has run, are statements
 * that no ROLLBACK undoes or that end the transaction: BEGIN, COMMIT and their
 * kind, savepoints, ATTACH, DETACH, VACUUM, and every PRAGMA except
 * user_version, application_id and defer_foreign_keys. */
int asq_db_script(struct asq_db *db, const char *sql, unsigned *ret_count);

#ifdef __cplusplus
}
#endif

#endif
