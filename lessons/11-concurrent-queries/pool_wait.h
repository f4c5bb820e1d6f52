/* pool_wait - opens a pool with all its connections, closes it, and waits
 *
 * For the beginning and the end of a program, when there is nothing else to do.
 * While it waits the loop turns, so everything else on the loop goes on. Never
 * call it from a callback: a loop cannot turn inside itself.
 *
 * Loop thread. Depends on pool of lesson 10.
 */
#ifndef ASQ_POOL_WAIT_H
#define ASQ_POOL_WAIT_H

#include "10-pooling/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a pool that asq_pool_init has prepared, and waits until all limit
 * connections are open. Returns 0, or a UV_E* or SQLITE_* code with the reason
 * in pool->message; after an error there is nothing to close. */
int asq_pool_open_wait(struct asq_pool *pool,
                       uv_loop_t *loop,
                       const struct asq_profile *profile,
                       unsigned limit);

/* Closes a pool as asq_pool_close does, and waits until its memory may be
 * freed. All loans must have been released. Does nothing if the pool is not
 * open. */
void asq_pool_close_wait(struct asq_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
