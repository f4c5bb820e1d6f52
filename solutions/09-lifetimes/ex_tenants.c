/* ex_tenants - each tenant has a database, and at most four are open
 *
 * The decisions: which ask to serve, what to evict, when the cache is closed.
 * The contract, and what is given, is in ex_tenants.h.
 */
#include "ex_tenants.h"

#include <stdlib.h>

/* begin solution */
/* Runs on the loop when a conn is closed. */
static void on_conn_closed(struct asq_conn *conn)
{
    struct ex_slot *slot = conn->data;

    free(conn);
    slot->conn = NULL;
    slot->state = EX_SLOT_FREE;
    ex_cache_wake(slot->cache);
}

/* Begins to close the conn of a slot. Called once, and not while it opens. */
static void close_slot(struct ex_slot *slot)
{
    slot->state = EX_SLOT_CLOSING;
    asq_conn_close(slot->conn, on_conn_closed);
}

/* Makes room for a tenant, unless a slot is already closing. */
static void evict(struct ex_tenants *cache)
{
    struct ex_slot *oldest = NULL;

    if (ex_cache_find_state(cache, EX_SLOT_CLOSING) != NULL)
        return;
    for (size_t i = 0; i < EX_SLOTS; i++) {
        struct ex_slot *slot = &cache->slots[i];

        if (slot->state == EX_SLOT_OPEN && slot->borrowed == 0 &&
            (oldest == NULL || slot->returned < oldest->returned))
            oldest = slot;
    }
    if (oldest != NULL)
        close_slot(oldest);
}

/* Runs on the loop when the handle of the turn is closed. */
static void finish_close(uv_handle_t *handle)
{
    struct ex_tenants *cache = handle->data;

    cache->on_closed(cache);
}

/* end solution */
void ex_slot_opened(struct asq_conn *conn, int status)
{
    /* begin solution */
    struct ex_slot *slot = conn->data;

    slot->state = EX_SLOT_OPEN;
    if (status != 0) {
        ex_cache_fail(slot->cache, slot->tenant, status);
        close_slot(slot);
    }
    ex_cache_wake(slot->cache);
    /* instead:
    (void)conn;
    */
    /* end solution */
}

void ex_cache_serve(struct ex_tenants *cache, struct ex_ask *ask)
{
    /* begin solution */
    struct ex_slot *slot = ex_cache_find_tenant(cache, ask->tenant);

    if (slot != NULL) {
        if (slot->state == EX_SLOT_OPEN)
            ex_slot_lend(slot, ask);
        return;
    }
    slot = ex_cache_find_state(cache, EX_SLOT_FREE);
    if (slot != NULL)
        ex_slot_open(slot, ask->tenant);
    else
        evict(cache);
    /* end solution */
}

void ex_tenants_return(struct ex_ask *ask)
{
    /* begin solution */
    struct ex_slot *slot = ask->slot;

    slot->borrowed--;
    slot->returned = ++slot->cache->clock;
    ex_cache_wake(slot->cache);
    /* end solution */
}

void ex_cache_maybe_closed(struct ex_tenants *cache)
{
    /* begin solution */
    if (cache->on_closed == NULL)
        return;
    for (size_t i = 0; i < EX_SLOTS; i++) {
        struct ex_slot *slot = &cache->slots[i];

        if (slot->state == EX_SLOT_OPEN && slot->borrowed == 0)
            close_slot(slot);
    }
    if (cache->first != NULL)
        return; /* an ask has not been answered */
    if (ex_cache_find_state(cache, EX_SLOT_OPENING) != NULL)
        return;
    if (ex_cache_find_state(cache, EX_SLOT_OPEN) != NULL)
        return; /* somebody has borrowed it */
    if (ex_cache_find_state(cache, EX_SLOT_CLOSING) != NULL)
        return;
    uv_close((uv_handle_t *)&cache->turn, finish_close);
    /* end solution */
}
