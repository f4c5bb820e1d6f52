/* stmt - steps a statement, reads its rows or collects them
 *
 * The life of a statement: asq_stmt_prepare (cache), asq_stmt_bind (params),
 * asq_stmt_step until it is done, asq_stmt_release (cache). asq_db_run does
 * all of it in one call.
 *
 * Called on the thread that owns the connection. Depends on cache, params and
 * result.
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
 * borrowed for the call; params may be NULL. result is cleared first; if it is
 * NULL, the rows are dropped. Returns 0, or an extended SQLITE_* code with a
 * message: the errors of asq_stmt_prepare, _bind and _collect. */
int asq_db_run(struct asq_db *db,
               const char *sql,
               const struct asq_params *params,
               struct asq_result *result);

/* Takes one step. Returns SQLITE_ROW, SQLITE_DONE or an extended error code;
 * after the last two, every further step returns the same. SQLITE_INTERRUPT
 * means that the watch stopped the statement or did not let it start (see
 * asq_watch_cb).
 *
 * If a commit (a COMMIT, or a writing statement outside a transaction) fails
 * after it has begun to write, the connection's outcome_unknown is set: you can
 * only find out by reopening the database whether the commit happened. If
 * outcome_unknown is not set, nothing happened, for example after a failed
 * read, a full disk, a quota or lack of memory. The connection can then be
 * used, and asq_db_in_transaction tells whether its transaction is still open.
 *
 * A write that has returned a row but is not done is undone by any rollback,
 * even by that of another statement that was stopped while it wrote. Its next
 * step then returns SQLITE_ABORT_ROLLBACK. */
int asq_stmt_step(struct asq_stmt *stmt);

/* Returns a cell of the current row. Text and blob are borrowed until the next
 * step or release: copy them if you need them for longer. Where there is no
 * memory for one, it is null, and the next step says so. */
struct asq_value asq_stmt_value(struct asq_stmt *stmt, int column);

/* Return the number of columns; a column's name (borrowed until the next step);
 * and the first column of that name, or -1. They are right only after the first
 * step, which notices if another connection has changed the schema. */
int asq_stmt_columns(const struct asq_stmt *stmt);
const char *asq_stmt_name(const struct asq_stmt *stmt, int column);
int asq_stmt_column(const struct asq_stmt *stmt, const char *name);

/* Clears result, steps to the end, adds all rows to result, and sets its
 * changes and last_insert_id. If result is NULL, the rows are dropped. Returns
 * 0, an error as _step, or SQLITE_TOOBIG. A write whose RETURNING rows do not
 * fit is undone; inside a transaction, so is the whole transaction. */
int asq_stmt_collect(struct asq_stmt *stmt, struct asq_result *result);

/* Steps on and collects the next rows in result, which is cleared first: at
 * most `rows` of them, and no more once they take `bytes` bytes, but at least
 * one. *ret_more is false when the statement is done. Rows that came before
 * an error are in the result. For queries only, because a write would stay half
 * stepped. Returns 0 or an error as _step, or SQLITE_TOOBIG: a single row is
 * larger than the limit of a result. */
int asq_stmt_collect_some(struct asq_stmt *stmt,
                          struct asq_result *result,
                          size_t rows,
                          size_t bytes,
                          bool *ret_more);

/* Returns how many rows the statement itself has inserted, updated or deleted;
 * valid once it is done. Changes by triggers and foreign keys do not count.
 * Statements of other kinds return 0. */
int64_t asq_stmt_changes(const struct asq_stmt *stmt);

#ifdef __cplusplus
}
#endif

#endif
