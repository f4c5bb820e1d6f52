/* pool - several connections to one database, shared on an event loop
 *
 * There are two ways to use it. Requests that find no connection free wait in
 * one line, first come first served:
 *
 *     asq_pool_run      runs a statement on any connection. Many may be pending
 *                       on each: the first connection with fewer than `depth`
 *                       gets it, so that reads stay together and share their
 *                       read transactions.
 *     asq_pool_acquire  lends a connection to one caller alone, a *loan*, for
 *                       a transaction, a stream, or a setting.
 *
 * Connections are opened when they are needed. The limit holds at any moment:
 * connections that are being opened or closed count. Whatever a loan leaves
 * open is undone when the connection comes back. If the loan has changed the
 * session (temporary tables, ATTACH, a PRAGMA that sets something), or has left
 * a raw blob handle open, the connection is replaced. The pool finds changes
 * out by an authorizer, so giving back normally costs no hop; a run that would
 * change the session fails with SQLITE_AUTH, and so does VACUUM, which attaches
 * a file.
 *
 * All connections of a pool are alike. A program that reads and writes has two
 * pools: one of readers, and one of a single writer, which is a queue.
 *
 * Call every function on the loop thread. No callback runs inside the call that
 * submitted or acquired. Depends on loan, pool_state and its parts, and on conn
 * of lesson 03.
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

/* Makes a pool of at most limit connections, and opens none yet. profile is
 * copied; what it points to is borrowed until on_closed. Its on_open_db runs
 * for every connection. Returns 0, or a UV_E* code, after which there is
 * nothing to close. UV_EINVAL with pool->message: limit is 0, or it is more
 * than 1 and the database is in memory or a temporary one, of which each
 * connection would have its own. */
int asq_pool_open(struct asq_pool *pool,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  unsigned limit);

/* Runs one statement on any connection, as asq_conn_run does; the deadline
 * includes the time in the line. Returns what asq_conn_run returns, UV_EINVAL
 * also if the request names a hold, and UV_ENOBUFS if the line is full. The
 * callback may also get UV_ESHUTDOWN (the pool was closed meanwhile), or the
 * code for which no connection could be opened. */
int asq_pool_run(struct asq_pool *pool,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done);

/* Sets the limit. Connections above it are closed once nobody uses them.
 * Returns 0, or UV_EINVAL as open does. */
int asq_pool_resize(struct asq_pool *pool, unsigned limit);

/* Refuses new runs and loans with UV_ESHUTDOWN; those that wait or have a
 * connection go on. Returns true if there are none. Otherwise on_drained,
 * unless it is NULL, is called once all are answered and given back; a second
 * call before that replaces it. You must still close the pool. */
bool asq_pool_refuse(struct asq_pool *pool, asq_pool_cb on_drained);

/* Refuses new runs and loans, and those that wait, with UV_ESHUTDOWN. Runs that
 * have a connection finish, and loans go on until they are released. Then
 * on_closed runs, and from then on the memory may be freed. A loan that is not
 * released does not keep the loop alive: asq_pool_report names its holder. */
void asq_pool_close(struct asq_pool *pool, asq_pool_cb on_closed);

/* For a close that must not wait: takes back every loan, whose conn becomes
 * NULL, and cancels everything that is pending. Call it after close. */
void asq_pool_cancel(struct asq_pool *pool);

/* Internal to store: for ms milliseconds from now on, or until the next call,
 * runs and loans wait in the line, and those that have a connection go on. 0:
 * they wait no longer. */
void asq__pool_pause(struct asq_pool *pool, unsigned ms);

#ifdef __cplusplus
}
#endif

#endif
