/* thread_pool - a limited number of connections, lent to threads
 *
 * A thread waits for a slot, whether a connection is open in it or not, and
 * opens one in a slot that is empty. So the limit holds at any moment, and a
 * failed opening concerns one thread only. A slot is in one place: idle, empty,
 * given to a waiting thread, or held.
 */
#include "10-pooling/thread_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Coming back */

/* The lock is held. */
static void tell_when_quiet(struct asq_thread_pool *pool)
{
    if (pool->stats.lent == 0 && pool->stats.waiting == 0)
        uv_cond_broadcast(&pool->quiet);
}

/* The lock is held, and the slot is free: the oldest waiting thread gets it
 * now, so that no other can come between. */
static void pass_on(struct asq_thread_pool *pool, struct asq__slot *slot)
{
    if (asq__thread_line_serve(&pool->line, slot))
        return;
    asq__slot_push(slot->open ? &pool->idle : &pool->empty, slot);
    pool->stats.lent--;
    tell_when_quiet(pool);
}

/* The calling thread has just let it go. Once this has returned the pool may
 * be destroyed. */
static void bring_back(struct asq__slot *slot, bool abandoned)
{
    struct asq_thread_pool *pool = slot->pool;
    bool undone = asq__slot_clean(slot);

    uv_mutex_lock(&pool->lock);
    pool->stats.undone += undone;
    pool->stats.abandoned += abandoned;
    pool->stats.replaced += !slot->open;
    pool->stats.open -= !slot->open;
    pass_on(pool, slot);
    uv_mutex_unlock(&pool->lock);
}

/* The calling thread ends, and holds these. */
static void on_thread_end(void *held)
{
    struct asq__slot *slot = held;

    while (slot != NULL) {
        struct asq__slot *next = slot->next;

        bring_back(slot, true);
        slot = next;
    }
}

int asq_thread_pool_give_back(struct asq_thread_pool *pool,
                              struct asq_thread_loan *loan)
{
    struct asq__slot *slot = loan->slot;

    /* Only its holder may look at the number. */
    if (loan->db == NULL || slot->pool != pool ||
        !asq__slot_is_held(pool->held, slot) || loan->number != slot->number)
        return UV_EINVAL;
    asq__slot_let_go(pool->held, slot);
    loan->db = NULL;
    bring_back(slot, false);
    return 0;
}

/* Taking */

/* The lock is held, and nothing is free. */
static int wait_for_slot(struct asq_thread_pool *pool,
                         uint64_t deadline_ns,
                         struct asq__slot **ret)
{
    uint64_t since_ns = uv_hrtime(), waited_ns;
    int rc;

    pool->stats.waiting++;
    rc = asq__thread_line_wait(&pool->line, &pool->lock, deadline_ns, ret);
    pool->stats.waiting--;
    tell_when_quiet(pool);
    waited_ns = uv_hrtime() - since_ns;
    if (waited_ns > pool->stats.longest_wait_ns)
        pool->stats.longest_wait_ns = waited_ns;
    if (rc == 0 && *ret == NULL)
        return UV_ESHUTDOWN;
    pool->stats.waits += rc == 0;
    return rc;
}

/* The lock is held. */
static int get_slot(struct asq_thread_pool *pool,
                    uint64_t deadline_ns,
                    struct asq__slot **ret)
{
    if (pool->closing)
        return UV_ESHUTDOWN;
    *ret = asq__slot_pop(pool->idle != NULL ? &pool->idle : &pool->empty);
    if (*ret == NULL)
        return wait_for_slot(pool, deadline_ns, ret);
    pool->stats.lent++;
    return 0;
}

/* Makes the slot the calling thread's, with an open connection. */
static int occupy(struct asq__slot *slot,
                  uint64_t deadline_ns,
                  struct asq_thread_loan *loan)
{
    struct asq_thread_pool *pool = slot->pool;
    int rc = asq__slot_hold(pool->held, slot);

    if (rc != 0)
        return rc;
    rc = asq__slot_open(slot, &pool->profile, deadline_ns, loan->message);
    if (rc != 0) {
        asq__slot_let_go(pool->held, slot);
        return rc;
    }
    loan->slot = slot;
    loan->number = ++slot->number;
    loan->db = &slot->db;
    return 0;
}

/* The slot is free again if rc is not 0. */
static void note_taken(struct asq__slot *slot, bool was_open, int rc)
{
    struct asq_thread_pool *pool = slot->pool;

    uv_mutex_lock(&pool->lock);
    pool->stats.loans += rc == 0;
    if (!was_open && rc == 0) {
        pool->stats.opened++;
        pool->stats.open++;
    }
    pool->stats.failed_opens += !was_open && rc != 0;
    pool->stats.timed_out += rc == UV_ETIMEDOUT;
    if (rc != 0)
        pass_on(pool, slot);
    uv_mutex_unlock(&pool->lock);
}

int asq_thread_pool_take(struct asq_thread_pool *pool,
                         struct asq_thread_loan *loan)
{
    uint64_t since_ns = uv_hrtime();
    uint64_t deadline_ns = asq__deadline_after(since_ns, loan->timeout_ms);
    struct asq__slot *slot = NULL;
    int rc;

    if (loan->db != NULL)
        return UV_EALREADY;
    uv_mutex_lock(&pool->lock);
    rc = get_slot(pool, deadline_ns, &slot);
    pool->stats.timed_out += rc == UV_ETIMEDOUT;
    uv_mutex_unlock(&pool->lock);
    loan->waited_ns = uv_hrtime() - since_ns;
    (void)snprintf(loan->message, sizeof loan->message, "%s",
                   rc == 0 ? "" : uv_strerror(rc)); /* it fits */
    if (rc == 0) {
        bool was_open = slot->open;

        rc = occupy(slot, deadline_ns, loan);
        note_taken(slot, was_open, rc);
    }
    return rc;
}

/* Life */

/* Each connection to such a database has one of its own. */
static bool is_private(const struct asq_profile *profile)
{
    return profile->path == NULL || profile->path[0] == '\0' ||
           strcmp(profile->path, ":memory:") == 0;
}

static int init_lock(struct asq_thread_pool *pool)
{
    int rc = uv_mutex_init(&pool->lock);

    if (rc != 0)
        return rc;
    rc = uv_cond_init(&pool->quiet);
    if (rc != 0)
        uv_mutex_destroy(&pool->lock);
    return rc;
}

int asq_thread_pool_init(struct asq_thread_pool *pool,
                         const struct asq_profile *profile,
                         unsigned limit)
{
    int rc;

    *pool = (struct asq_thread_pool){.profile = *profile};
    if (limit == 0 || (limit > 1 && is_private(profile)))
        return UV_EINVAL;
    rc = -pthread_key_create(&pool->held, on_thread_end);
    if (rc != 0)
        return rc;
    pool->slots = calloc(limit, sizeof *pool->slots);
    rc = pool->slots == NULL ? UV_ENOMEM : init_lock(pool);
    if (rc != 0) {
        (void)pthread_key_delete(pool->held); /* it is there */
        free(pool->slots);
        pool->slots = NULL;
        return rc;
    }
    for (unsigned i = 0; i < limit; i++) {
        pool->slots[i].pool = pool;
        asq__slot_push(&pool->empty, &pool->slots[i]);
    }
    return 0;
}

int asq_thread_pool_close(struct asq_thread_pool *pool, unsigned timeout_ms)
{
    uint64_t deadline_ns = asq__deadline_after(uv_hrtime(), timeout_ms);
    int rc = pthread_getspecific(pool->held) == NULL ? 0 : UV_EBUSY;

    uv_mutex_lock(&pool->lock);
    pool->closing = true;
    while (asq__thread_line_serve(&pool->line, NULL))
        continue;
    while (rc == 0 && (pool->stats.lent > 0 || pool->stats.waiting > 0))
        rc = asq__wait_until(&pool->quiet, &pool->lock, deadline_ns);
    while (rc == 0 && pool->idle != NULL) {
        struct asq__slot *slot = asq__slot_pop(&pool->idle);

        asq__slot_close(slot);
        asq__slot_push(&pool->empty, slot);
        pool->stats.open--;
    }
    uv_mutex_unlock(&pool->lock);
    return rc;
}

void asq_thread_pool_destroy(struct asq_thread_pool *pool)
{
    if (pool == NULL || pool->slots == NULL)
        return;
    uv_cond_destroy(&pool->quiet);
    uv_mutex_destroy(&pool->lock);
    (void)pthread_key_delete(pool->held); /* it is there */
    free(pool->slots);
    pool->slots = NULL;
}

struct asq_thread_pool_stats
asq_thread_pool_statistics(struct asq_thread_pool *pool)
{
    struct asq_thread_pool_stats stats;

    uv_mutex_lock(&pool->lock);
    stats = pool->stats;
    uv_mutex_unlock(&pool->lock);
    return stats;
}
