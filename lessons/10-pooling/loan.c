/* loan - a connection of a pool for one caller alone
 *
 * Owns nothing. Loop thread. Depends on pool_line and member.
 */
#include "10-pooling/loan.h"

#include "10-pooling/pool_line.h"

#include <stdio.h>

void asq_loan_init(struct asq_loan *loan)
{
    *loan = (struct asq_loan){0};
}

int asq_pool_acquire(struct asq_pool *pool,
                     struct asq_loan *loan,
                     asq_loan_cb on_loan)
{
    if (!pool->must_close || on_loan == NULL || loan->state != ASQ_LOAN_NONE)
        return UV_EINVAL;
    if (pool->refusing || pool->close_called)
        return UV_ESHUTDOWN;
    if (pool->run_count + pool->waiting_count >= pool->capacity)
        return UV_ENOBUFS;
    loan->pool = pool;
    loan->since_ns = asq__pool_now(pool);
    loan->deadline_ns = 0;
    if (loan->timeout_ms != 0)
        loan->deadline_ns =
            loan->since_ns + loan->timeout_ms * UINT64_C(1000000);
    loan->has_waited = false;
    loan->told_slow = false;
    loan->on_loan = on_loan;
    asq__pool_push_loan(pool, loan);
    pool->changed(pool);
    loan->has_waited = loan->state == ASQ_LOAN_WAITING;
    return 0;
}

/* The loan is due or held, and has a connection. */
static void take_back(struct asq_loan *loan)
{
    struct asq__member *member = loan->member;

    loan->member = NULL;
    loan->conn = NULL;
    member->loan = NULL;
    asq__member_take_back(member);
}

void asq_loan_give_up(struct asq_loan *loan)
{
    if (loan->state == ASQ_LOAN_WAITING) {
        asq__pool_end_loan(loan, UV_ECANCELED, "given up");
        loan->pool->changed(loan->pool);
    } else if (loan->state == ASQ_LOAN_DUE && loan->status == 0) {
        loan->status = UV_ECANCELED;
        (void)snprintf(loan->message, sizeof loan->message, "given up");
        take_back(loan);
    }
}

void asq_loan_release(struct asq_loan *loan)
{
    if (loan->state != ASQ_LOAN_HELD)
        return;
    asq__pool_let_go(loan);
    take_back(loan);
}
