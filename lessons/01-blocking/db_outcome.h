/* db_outcome - whether a commit that failed may have happened all the same
 *
 * Internal to 01: called by stmt. Entered by the thread that owns the
 * connection. Depends on db.
 */
#ifndef ASQ_DB_OUTCOME_H
#define ASQ_DB_OUTCOME_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Notes how things are at the beginning of a run that may commit. */
void asq__db_begin_commit(struct asq_db *db);

/* Says of such a run, which has failed with code just now, whether its commit
 * may have happened. False means that nothing of it is in the file, whatever
 * happens next. Where files are attached, a commit is one for all of them
 * only outside of WAL. */
bool asq__db_is_unknown(struct asq_db *db, int code);

#ifdef __cplusplus
}
#endif

#endif
