/* db_tidy - undoes what was left open on a connection
 *
 * For a module that lends a connection out and gets it back. Called on the
 * thread that owns the connection. Depends on cache and db.
 */
#ifndef ASQ_DB_TIDY_H
#define ASQ_DB_TIDY_H

#include "01-blocking/db.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Internal to the modules. Returns whether _tidy would find anything. */
bool asq__db_is_anything_open(struct asq_db *db);

/* Internal to the modules. Returns whether a transaction or a blob is open, or
 * a statement is in the middle of a run. */
bool asq__db_is_busy(struct asq_db *db);

/* Internal to the modules. Returns how many statements are in the middle of a
 * run; raw blobs are counted by themselves. */
unsigned asq__db_running(struct asq_db *db, unsigned *ret_blobs);

/* Internal to the modules. Undoes what is open: rolls back a transaction, or a
 * write that has returned only some of its rows; releases the statements that
 * are checked out; resets raw ones that run. Blobs opened through asq_db_handle
 * are counted but not touched. It looks through the statements only if one is
 * open or asq_db_handle was called before. Returns 0 and sets *ret;
 * SQLITE_MISUSE as asq__db_enter; or, with a message, the code that says why
 * the transaction could not be rolled back (no memory, an authorizer) and is
 * still open. */
int asq__db_tidy(struct asq_db *db, struct asq_leftovers *ret);

/* Internal to the modules. Closes the connection whatever is left open on it:
 * tidies, then finalizes raw statements, then closes. If a blob or a backup is
 * left (handles is at least 1), the file stays open until its owner ends it,
 * which is still allowed. The same goes for a raw statement in a file that has
 * virtual tables, because their modules keep statements of their own there,
 * which look the same. Does nothing on a thread that does not own the
 * connection. */
void asq__db_close_anyway(struct asq_db *db, struct asq_leftovers *ret);

#ifdef __cplusplus
}
#endif

#endif
