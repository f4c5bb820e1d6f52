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
    /* Your code. */
}

/* Looks for the row of each ask that waits. Then the ask is due. */
void ex_batch_answered(struct ex_batch *batch, int status)
{
    /* Your code. */
}

/* Looks at the state first. Who else waits for the statement? */
void ex_loader_cancel(struct ex_ask *ask)
{
    /* Your code. */
}

/* Gives up everybody who waits. The next turn does the rest. */
void ex_loader_close(struct ex_loader *loader, ex_loader_cb on_closed)
{
    /* Your code. */
}
