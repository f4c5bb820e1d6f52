/* db_tidy - what somebody has left open on a connection is undone
 *
 * For whoever lends a connection out and gets it back. Depends on cache and
 * db. Entered by the thread that owns the connection.
 */
#ifndef ASQ_DB_TIDY_H
#define ASQ_DB_TIDY_H

#include "01-blocking/db.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Internal to the modules. Says whether _tidy would find anything. */
bool asq__db_is_anything_open(struct asq_db *db);

/* Internal to the modules. Says whether a transaction is open, a blob, or a
 * statement in the middle of a run. */
bool asq__db_is_busy(struct asq_db *db);

/* Internal to the modules. Undoes what is open: a transaction is rolled back,
 * and so is a write that has returned some of its rows; statements that are
 * checked out are released, raw ones that run are reset. Blobs opened by
 * asq_db_handle are counted and not touched. Costs nothing measurable where
 * nothing is open and asq_db_handle was never asked for. Returns 0 and *ret;
 * SQLITE_MISUSE as asq__db_enter; or the code, with its message, for which the
 * transaction could not be rolled back (no memory, an authorizer) and is still
 * open. */
int asq__db_tidy(struct asq_db *db, struct asq_leftovers *ret);

/* Internal to the modules. Closes the connection whatever is left open on it:
 * tidies, then finalizes raw statements, then closes. Where a blob or a backup
 * is left (handles is at least 1), the file stays open until its owner ends
 * it, which stays legal. The same goes for a raw statement in a file that has
 * virtual tables: their modules keep statements of their own there, and
 * nobody can tell whose is whose. Does nothing on a foreign thread. */
void asq__db_close_anyway(struct asq_db *db, struct asq_leftovers *ret);

#ifdef __cplusplus
}
#endif

#endif
