/* pool_line - the loans and runs that wait for a connection of a pool
 *
 * Loop thread. Depends on pool_state. Only pool uses it.
 */
#ifndef ASQ_POOL_LINE_H
#define ASQ_POOL_LINE_H

#include "10-pooling/pool_state.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the time in nanoseconds, by the pool's own clock. */
uint64_t asq__pool_now(const struct asq_pool *pool);

/* Put a loan or a run at the end of the line. */
void asq__pool_push_loan(struct asq_pool *pool, struct asq_loan *loan);
void asq__pool_push_run(struct asq_pool *pool, struct asq_request *request);

/* Says whether a run has waited longest. */
bool asq__pool_run_is_first(const struct asq_pool *pool);

/* Takes the oldest run, of which there is one, off the line. */
struct asq_request *asq__pool_pop_run(struct asq_pool *pool);

/* Takes a loan off the line; its callback gets the status, in a later turn of
 * the loop. 0: it is lent, and loan->member is set. */
void asq__pool_end_loan(struct asq_loan *loan, int status, const char *message);

/* The same for a run that has left the line and was not run. */
void asq__pool_end_run(struct asq_pool *pool,
                       struct asq_request *request,
                       int status,
                       const char *message);

/* Takes a loan from its holder: it may be acquired again. */
void asq__pool_let_go(struct asq_loan *loan);

/* Ends the wait of the oldest in the line, or of all. */
void asq__pool_tell_failure(struct asq_pool *pool,
                            int status,
                            const char *message);
void asq__pool_refuse_all(struct asq_pool *pool);

/* Ends the waits whose time is over or that were cancelled, and calls on_slow
 * for those that have lasted too long. */
void asq__pool_look(struct asq_pool *pool);

/* Calls the callbacks that are due. */
void asq__pool_deliver(struct asq_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
