/* db_outcome - whether a commit that failed may have happened all the same
 *
 * Internal to 01: called by stmt, on the thread that owns the connection.
 * Depends on db.
 */
#ifndef ASQ_DB_OUTCOME_H
#define ASQ_DB_OUTCOME_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Call it at the beginning of a run that may commit. */
void asq__db_begin_commit(struct asq_db *db);

/* Returns whether the commit of such a run, which has just failed with code,
 * may have happened. False means that nothing of it is in the file, nor ever
 * will be. With attached files a commit is atomic across all of them only
 * outside of WAL. */
bool asq__db_is_unknown(struct asq_db *db, int code);

#ifdef __cplusplus
}
#endif

#endif
