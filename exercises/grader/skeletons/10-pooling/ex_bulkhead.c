/* ex_bulkhead - a gate to a few places, of which reports get only some
 *
 * The decisions: which request enters next, and what leaving and giving up do.
 * The contract, and what is given, is in ex_bulkhead.h.
 */
#include "ex_bulkhead.h"

#include <stdbool.h>
#include <stddef.h>

/* Your code. */
void ex_bulkhead_serve(struct ex_bulkhead *bulkhead)
{
    /* Your code. */
}

/* Your code. */
void ex_bulkhead_leave(struct ex_request *request)
{
    /* Your code. */
}

void ex_bulkhead_give_up(struct ex_request *request, int code)
{
    /* Your code. */
}
