/* pool_serve - which connection of a pool a loan or a run gets
 *
 * Loop thread. Depends on pool_line, pool_members and member. Only pool uses
 * it.
 */
#ifndef ASQ_POOL_SERVE_H
#define ASQ_POOL_SERVE_H

#include "10-pooling/pool_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the connection for a run that comes now: the first in their order
 * with fewer than depth pending, else the one with the least; NULL if a run
 * has to wait, as all do while the pool is paused. Connections that a loan
 * waits for are left out. */
struct asq__member *asq__pool_choose(const struct asq_pool *pool);

/* Gives connections to the loans and runs that wait, oldest first, as long as
 * there are any, and begins to open more for the rest. */
void asq__pool_serve(struct asq_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
