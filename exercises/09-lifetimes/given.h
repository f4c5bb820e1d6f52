/* given - the part of the cache that is given
 *
 * Only the check includes this file, so each function exists once. Nothing is
 * decided inside a call or in the callback of a conn: they write down what has
 * happened and wake the cache. In the next turn of the loop take_turn looks at
 * the whole line, from its front, and then at whether to close.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "ex_tenants.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_turn(uv_idle_t *turn);

/* Asks for a turn. To ask more than once is harmless. */
void ex_cache_wake(struct ex_tenants *cache)
{
    (void)uv_idle_start(&cache->turn, take_turn); /* it fails for NULL only */
}

/* Returns the first slot in this state, or NULL. */
struct ex_slot *ex_cache_find_state(struct ex_tenants *cache,
                                    enum ex_slot_state state)
{
    for (size_t i = 0; i < EX_SLOTS; i++)
        if (cache->slots[i].state == state)
            return &cache->slots[i];
    return NULL;
}

/* Returns the slot of this tenant, whatever its state, or NULL. */
struct ex_slot *ex_cache_find_tenant(struct ex_tenants *cache,
                                     const char *tenant)
{
    for (size_t i = 0; i < EX_SLOTS; i++)
        if (cache->slots[i].state != EX_SLOT_FREE &&
            strcmp(cache->slots[i].tenant, tenant) == 0)
            return &cache->slots[i];
    return NULL;
}

/* Takes the ask out of the line and calls back. */
static void answer(struct ex_tenants *cache, struct ex_ask *ask)
{
    struct ex_ask **place = &cache->first;

    while (*place != ask)
        place = &(*place)->next;
    *place = ask->next;
    cache->waiting--;
    ask->on_answered(ask, ask->status);
}

void ex_slot_lend(struct ex_slot *slot, struct ex_ask *ask)
{
    slot->borrowed++;
    ask->slot = slot;
    ask->conn = slot->conn;
    answer(slot->cache, ask);
}

/* Sets the code of each ask in the line that is for this tenant (NULL: for any
 * tenant). They are answered in the next turn. */
void ex_cache_fail(struct ex_tenants *cache, const char *tenant, int code)
{
    for (struct ex_ask *ask = cache->first; ask != NULL; ask = ask->next)
        if (ask->status == 0 &&
            (tenant == NULL || strcmp(ask->tenant, tenant) == 0))
            ask->status = code;
    ex_cache_wake(cache);
}

/* Begins to open a tenant's conn in a free slot. If this fails at once, the
 * slot stays free and the asks for the tenant fail. */
void ex_slot_open(struct ex_slot *slot, const char *tenant)
{
    struct asq_profile profile = slot->cache->profile;
    struct asq_conn *conn = malloc(sizeof *conn);
    int n = snprintf(slot->path, sizeof slot->path, "%s/%s.db",
                     slot->cache->folder, tenant);
    int rc = conn == NULL ? UV_ENOMEM : 0;

    if (rc == 0 && (n < 0 || (size_t)n >= sizeof slot->path))
        rc = UV_ENAMETOOLONG;
    if (rc == 0) {
        asq_conn_init(conn);
        conn->data = slot;
        profile.path = slot->path;
        rc = asq_conn_open(conn, slot->cache->turn.loop, &profile,
                           ex_slot_opened);
    }
    if (rc != 0) {
        free(conn);
        ex_cache_fail(slot->cache, tenant, rc);
        return;
    }
    (void)snprintf(slot->tenant, sizeof slot->tenant, "%s", tenant); /* fits */
    slot->conn = conn;
    slot->borrowed = 0;
    slot->returned = ++slot->cache->clock;
    slot->state = EX_SLOT_OPENING;
}

/* Looks at the asks that are in the line now. An ask that joins it meanwhile,
 * from a callback, is left for the next turn, so that the loop can go on. */
static void take_turn(uv_idle_t *turn)
{
    struct ex_tenants *cache = turn->data;
    struct ex_ask *ask = cache->first, *next;

    (void)uv_idle_stop(turn); /* it always succeeds */
    for (size_t n = cache->waiting; n > 0; n--, ask = next) {
        next = ask->next; /* before ask may be freed */
        if (ask->status != 0)
            answer(cache, ask);
        else
            ex_cache_serve(cache, ask);
    }
    ex_cache_maybe_closed(cache);
}

void ex_tenants_init(struct ex_tenants *cache,
                     uv_loop_t *loop,
                     const char *folder)
{
    *cache = (struct ex_tenants){.folder = folder,
                                 .profile = asq_profile_default(NULL)};
    for (size_t i = 0; i < EX_SLOTS; i++)
        cache->slots[i].cache = cache;
    (void)uv_idle_init(loop, &cache->turn); /* it always succeeds */
    cache->turn.data = cache;
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < EX_TENANT_SIZE &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

int ex_tenants_ask(struct ex_tenants *cache,
                   struct ex_ask *ask,
                   const char *tenant,
                   ex_answered_cb on_answered)
{
    struct ex_ask **place = &cache->first;

    if (cache->on_closed != NULL)
        return UV_ESHUTDOWN;
    if (!is_name(tenant))
        return UV_EINVAL;
    *ask = (struct ex_ask){.data = ask->data, .on_answered = on_answered};
    (void)snprintf(ask->tenant, sizeof ask->tenant, "%s", tenant); /* fits */
    while (*place != NULL)
        place = &(*place)->next;
    *place = ask;
    cache->waiting++;
    ex_cache_wake(cache);
    return 0;
}

void ex_tenants_close(struct ex_tenants *cache, ex_tenants_cb on_closed)
{
    cache->on_closed = on_closed;
    ex_cache_fail(cache, NULL, UV_ECANCELED);
}

#endif
