/* ex_tenants - each tenant has a database, and at most four are open
 *
 * The decisions: which ask to serve, what to evict, when the cache is closed.
 * The contract, and what is given, is in ex_tenants.h.
 */
#include "ex_tenants.h"

#include <stdlib.h>

/* Your code. */
void ex_slot_opened(struct asq_conn *conn, int status)
{
    /* Your code. */
    (void)conn;
}

void ex_cache_serve(struct ex_tenants *cache, struct ex_ask *ask)
{
    /* Your code. */
}

void ex_tenants_return(struct ex_ask *ask)
{
    /* Your code. */
}

void ex_cache_maybe_closed(struct ex_tenants *cache)
{
    /* Your code. */
}
