/* loan - a connection of a pool for one caller alone
 *
 *     none -> waiting -> due -> held -> none
 *                '-- given up, or too late: due, with a status
 *
 * Loop thread. Depends on pool_state.
 */
#ifndef ASQ_LOAN_H
#define ASQ_LOAN_H

#include "10-pooling/pool_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a loan ready for its first acquire. */
void asq_loan_init(struct asq_loan *loan);

/* Asks for a connection, which on_loan brings, or why there is none. Returns 0;
 * UV_EINVAL (on_loan is NULL, or the loan waits or has a connection already),
 * UV_ENOBUFS (the line is full), or UV_ESHUTDOWN. */
int asq_pool_acquire(struct asq_pool *pool,
                     struct asq_loan *loan,
                     asq_loan_cb on_loan);

/* Leaves the line: the callback gets UV_ECANCELED, even if the connection was
 * lent and only the callback was still due. Harmless at any other time. */
void asq_loan_give_up(struct asq_loan *loan);

/* Gives the connection back. Another caller gets it once the requests that are
 * still pending on it are answered; if one of them leaves a transaction open,
 * it gets SQLITE_MISUSE. Harmless if nothing is lent. The loan may be used
 * again at once, or freed. */
void asq_loan_release(struct asq_loan *loan);

#ifdef __cplusplus
}
#endif

#endif
