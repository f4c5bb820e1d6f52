/* pool - several connections to one database, shared on an event loop
 *
 * There are two ways in, and one line of those that wait, first come first
 * served:
 *
 *     asq_pool_run      runs a statement on any connection, many at once. The
 *                       first with fewer than `depth` pending gets it, so that
 *                       reads stay together and share their read transactions.
 *     asq_pool_acquire  lends a connection to one caller alone, a *loan*, for
 *                       a transaction, a stream, or a setting.
 *
 * Connections are opened when they are needed, up to the limit, which holds at
 * any moment: one that is being opened or closed counts. What a loan leaves
 * open is undone when it comes back, and a connection whose session it changed
 * (temporary tables, ATTACH, a PRAGMA that sets something) is replaced, and so
 * is one on which a raw blob handle is open. The pool sees that by an
 * authorizer, so an ordinary return costs no trip to the worker; a run that
 * would change the session fails with SQLITE_AUTH, and so does VACUUM, which
 * attaches a file.
 *
 * A pool has no kinds of connections. A program that reads and writes has two
 * pools: one of readers, and one of a single writer, which is a queue.
 *
 * Every function belongs to the loop thread, and no callback runs inside the
 * call that asked for it. Depends on pool_state and its parts,
 * and on conn of lesson 03.
 */
#ifndef ASQ_POOL_H
#define ASQ_POOL_H

#include "10-pooling/loan.h"
#include "10-pooling/pool_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the defaults of the public fields. */
void asq_pool_init(struct asq_pool *pool);

/* Makes a pool of at most limit connections; opens none yet. profile is
 * copied, what it points to is borrowed until on_closed; its on_open_db runs
 * for every connection. Returns 0, or a UV_E* code: then there is nothing to
 * close. UV_EINVAL with pool->message: limit is 0, or it is more than one and
 * the database is in memory or a temporary one, of which every connection
 * would have its own. */
int asq_pool_open(struct asq_pool *pool,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  unsigned limit);

/* Runs one statement on any connection, as asq_conn_run; the deadline counts
 * the time in the line. Returns as asq_conn_run: UV_EINVAL also with a hold,
 * UV_ENOBUFS where the line is full. The callback has UV_ESHUTDOWN where the
 * pool was closed meanwhile, or why no connection could be opened. */
int asq_pool_run(struct asq_pool *pool,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done);

/* Sets the limit. Surplus connections close when nobody has them. Returns 0 or
 * UV_EINVAL, as open. */
int asq_pool_resize(struct asq_pool *pool, unsigned limit);

/* Refuses what is new with UV_ESHUTDOWN; what waits and what is lent goes on.
 * Returns true if there is nothing of that; else on_drained (or NULL) is called
 * once, when all of it is answered and given back. Close it then. A second call
 * before that puts its on_drained in the place of the first. */
bool asq_pool_refuse(struct asq_pool *pool, asq_pool_cb on_drained);

/* Refuses what is new and answers all that wait with UV_ESHUTDOWN. Runs that
 * have a connection are finished, loans go on until they are released; then
 * on_closed, and the memory may be freed. Waiting for a loan does not keep the
 * loop alive: asq_pool_report names who holds it. */
void asq_pool_close(struct asq_pool *pool, asq_pool_cb on_closed);

/* For a close that must not wait: takes back every loan and cancels everything
 * that is pending. loan->conn becomes NULL. Only after close. */
void asq_pool_cancel(struct asq_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
