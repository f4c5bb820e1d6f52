/* pool_wait - opens a pool with all its connections, closes it, and waits
 *
 * Owns nothing. Loop thread. Depends on pool of lesson 10.
 */
#include "11-concurrent-queries/pool_wait.h"

#include <stdio.h>
#include <stdlib.h>

/* What the loans of an open have in common. */
struct opening {
    unsigned waiting; /* loans whose callback has not come */
    int status;       /* the first failure, and why */
    char message[ASQ_MESSAGE_SIZE];
};

static void note_loan(struct asq_loan *loan, int status)
{
    struct opening *opening = loan->data;

    opening->waiting--;
    if (status == 0 || opening->status != 0)
        return;
    opening->status = status;
    (void)snprintf(opening->message, sizeof opening->message, "%s",
                   loan->message); /* it fits */
}

/* Borrows all connections at once, so that the pool opens them. */
static void
borrow_all(struct asq_pool *pool, struct asq_loan *loans, struct opening *all)
{
    for (unsigned i = 0; i < pool->limit && all->status == 0; i++) {
        loans[i].data = all;
        all->status = asq_pool_acquire(pool, &loans[i], note_loan);
        all->waiting += all->status == 0;
    }
    while (all->waiting > 0)
        (void)uv_run(pool->loop, UV_RUN_ONCE); /* it returns no error */
    for (unsigned i = 0; i < pool->limit; i++)
        asq_loan_release(&loans[i]);
}

int asq_pool_open_wait(struct asq_pool *pool,
                       uv_loop_t *loop,
                       const struct asq_profile *profile,
                       unsigned limit)
{
    struct opening opening = {.status = UV_ENOMEM, .message = "out of memory"};
    struct asq_loan *loans;
    int rc = asq_pool_open(pool, loop, profile, limit);

    if (rc != 0)
        return rc;
    loans = calloc(limit, sizeof *loans);
    if (loans != NULL) {
        opening = (struct opening){0};
        borrow_all(pool, loans, &opening);
    }
    free(loans);
    if (opening.status != 0) {
        asq_pool_close_wait(pool);
        (void)snprintf(pool->message, sizeof pool->message, "%s",
                       opening.message); /* it fits */
    }
    return opening.status;
}

static void note_closed(struct asq_pool *pool)
{
    (void)pool; /* must_close is false from now on */
}

void asq_pool_close_wait(struct asq_pool *pool)
{
    uv_loop_t *loop = pool->loop;

    if (!pool->must_close)
        return;
    asq_pool_close(pool, note_closed);
    while (pool->must_close)
        (void)uv_run(loop, UV_RUN_ONCE); /* it returns no error */
}
