/* pool_members - the connections of a pool, from opening to closing
 *
 * Loop thread. Depends on pool_state and pool_line. Only pool uses it.
 */
#ifndef ASQ_POOL_MEMBERS_H
#define ASQ_POOL_MEMBERS_H

#include "10-pooling/pool_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts to open one more connection, if the limit allows it. If that fails at
 * once, the loan or run that has waited longest is told. */
void asq__pool_open_one(struct asq_pool *pool);

/* Says whether the connection is open and nobody uses it. */
bool asq__pool_is_free(const struct asq__member *member);

/* Choose which connections to close: those above the limit, unless they are
 * lent; one that is too old; those that were not used for too long. */
void asq__pool_choose_surplus(struct asq_pool *pool);
void asq__pool_choose_old(struct asq_pool *pool);
void asq__pool_choose_unused(struct asq_pool *pool);

/* Closes the chosen ones that nobody uses, and those whose database is lost. */
void asq__pool_close_free(struct asq_pool *pool);

/* Returns when a connection will be old or unused for too long; UINT64_MAX:
 * never. */
uint64_t asq__pool_next_end(const struct asq_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
