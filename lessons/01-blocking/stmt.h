/* stmt - a statement is stepped, its rows are read or collected
 *
 * The life of a statement: asq_stmt_prepare (cache), asq_stmt_bind (params),
 * asq_stmt_step until it is done, asq_stmt_release (cache). asq_db_run does
 * all of it in one call.
 *
 * Entered by the thread that owns the connection. Depends on cache, params
 * and result.
 */
#ifndef ASQ_STMT_H
#define ASQ_STMT_H

#include "01-blocking/cache.h"
#include "01-blocking/params.h"
#include "01-blocking/result.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Runs one statement to its end and collects its rows. sql and params are
 * borrowed for the call; params may be NULL. result (may be NULL: rows are
 * dropped) is cleared first. Returns 0, or an extended SQLITE_* code with
 * asq_db_message: the errors of asq_stmt_prepare, _bind and _collect. */
int asq_db_run(struct asq_db *db,
               const char *sql,
               const struct asq_params *params,
               struct asq_result *result);

/* Takes one step. Returns SQLITE_ROW, SQLITE_DONE (again and again once it is
 * done), or an extended error code (again and again, too): SQLITE_INTERRUPT if
 * the watch has stopped it or not let it start (see asq_watch_cb). When a
 * commit (a COMMIT, or a writing statement outside a transaction) fails after
 * it has begun to write, the connection's outcome_unknown is set: only after
 * reopening can be seen whether it happened. Without outcome_unknown it is
 * certain that nothing happened, as after a read that fails, a full disk, a
 * quota, no memory. The connection is usable then, and asq_db_in_transaction
 * says whether its transaction is still open. A write that is half stepped
 * (it has returned a row) is undone by any rollback: by another statement that
 * was stopped while it wrote, too. Its next step says SQLITE_ABORT_ROLLBACK. */
int asq_stmt_step(struct asq_stmt *stmt);

/* Returns a cell of the current row. Text and blob are borrowed until the
 * next step or release: copy what must live longer. */
struct asq_value asq_stmt_value(struct asq_stmt *stmt, int column);

/* Return the number of columns, a column's name (borrowed until the next
 * step), and the first column of a name or -1. Right only after the first
 * step, which notices that another connection has changed the schema. */
int asq_stmt_columns(const struct asq_stmt *stmt);
const char *asq_stmt_name(const struct asq_stmt *stmt, int column);
int asq_stmt_column(const struct asq_stmt *stmt, const char *name);

/* Steps to the end and adds all rows to result (NULL: they are dropped), which
 * is cleared first; sets changes and last_insert_id. Returns 0 or an error as
 * _step, or SQLITE_TOOBIG. A write whose RETURNING rows do not fit is undone;
 * inside a transaction that is the whole transaction. */
int asq_stmt_collect(struct asq_stmt *stmt, struct asq_result *result);

/* Returns how many rows the statement itself has inserted, updated or deleted;
 * valid once done. What triggers and foreign keys do does not count, and all
 * other statements change 0. */
int64_t asq_stmt_changes(const struct asq_stmt *stmt);

#ifdef __cplusplus
}
#endif

#endif
