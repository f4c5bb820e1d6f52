/* ex_loader - users by id: what is asked for in one turn is one statement
 *
 * The decisions: which asks share a statement, which row answers which ask, and
 * what cancelling and closing do. The contract, and what is given, is in
 * ex_loader.h.
 */
#include "ex_loader.h"

/* Walks along the collected asks, from the first. Which of them are for this
 * batch, and which bring a key with them? */
void ex_batch_fill(struct ex_batch *batch)
{
    /* begin solution */
    size_t limit = batch->loader->limit;
    struct ex_ask *next;

    for (struct ex_ask *ask = batch->loader->collected; ask != NULL;
         ask = next) {
        next = ask->next; /* before it is put into the other list */
        if (!ex_batch_has_key(batch, ask->id)) {
            if (limit != 0 && batch->count >= limit)
                continue;
            ex_batch_add_key(batch, ask->id);
        }
        ex_batch_add_ask(batch, ask);
    }
    /* end solution */
}

/* Looks for the row of each ask that waits. Then the ask is due. */
void ex_batch_answered(struct ex_batch *batch, int status)
{
    /* begin solution */
    const struct asq_result *result = &batch->request.result;

    while (batch->asks != NULL) {
        struct ex_ask *ask = batch->asks;

        for (size_t row = 0; row < result->rows; row++) {
            if (asq_result_int64(result, row, "id") != ask->id)
                continue;
            ask->found = true;
            ask->name = asq_result_text(result, row, "name");
        }
        ex_ask_answer(ask, status);
    }
    /* end solution */
}

/* Looks at the state first. Who else waits for the statement? */
void ex_loader_cancel(struct ex_ask *ask)
{
    /* begin solution */
    struct ex_batch *batch = ask->batch;

    if (ask->state != EX_COLLECTED && ask->state != EX_SENT)
        return;
    ex_ask_answer(ask, UV_ECANCELED);
    if (batch != NULL && batch->asks == NULL)
        asq_request_cancel(&batch->request);
    /* end solution */
}

/* Gives up everybody who waits. The next turn does the rest. */
void ex_loader_close(struct ex_loader *loader, ex_loader_cb on_closed)
{
    /* begin solution */
    loader->on_closed = on_closed;
    while (loader->collected != NULL)
        ex_loader_cancel(loader->collected);
    for (struct ex_batch *batch = loader->batches; batch != NULL;
         batch = batch->next)
        while (batch->asks != NULL)
            ex_loader_cancel(batch->asks);
    ex_loader_wake(loader);
    /* end solution */
}
