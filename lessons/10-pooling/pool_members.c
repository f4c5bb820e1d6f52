/* pool_members - the connections of a pool, from opening to closing
 *
 * Owns the members. Loop thread. Depends on pool_state and pool_line.
 */
#include "10-pooling/pool_members.h"

#include "10-pooling/pool_line.h"

#include <stdlib.h>

enum {
    RETRY_MS = 100, /* after a connection could not be opened */
    LIFE_STEPS = 8  /* those opened together end in so many steps */
};

static const uint64_t MS = 1000000; /* nanoseconds */

static void add(struct asq_pool *pool, struct asq__member *member)
{
    struct asq__member **end = &pool->members;

    while (*end != NULL)
        end = &(*end)->next;
    *end = member;
    pool->member_count++;
}

static void take_off(struct asq_pool *pool, struct asq__member *member)
{
    struct asq__member **at = &pool->members;

    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    pool->member_count--;
}

static bool is_old(const struct asq__member *member)
{
    const struct asq_pool *pool = member->pool;

    return pool->life_ms != 0 &&
           asq__pool_now(pool) - member->born_ns >= member->life_ns;
}

static void close_member(struct asq__member *member)
{
    struct asq_pool *pool = member->pool;

    pool->stats.replaced +=
        !pool->close_called &&
        (!asq__member_is_as_opened(member) || is_old(member));
    asq__member_close(member);
}

/* What a member says */

static void fail(struct asq_pool *pool, int status, const char *message)
{
    pool->stats.failed_opens++;
    pool->retry_ns = asq__pool_now(pool) + RETRY_MS * MS;
    asq__pool_tell_failure(pool, status, message);
}

static void note_open(struct asq__member *member, int status)
{
    struct asq_pool *pool = member->pool;

    pool->opening_count--;
    if (status != 0) {
        fail(pool, status, member->conn.message);
        asq__member_close(member);
    } else {
        member->state = ASQ_MEMBER_SHARED;
        member->used_ns = asq__pool_now(pool);
        pool->stats.opened++;
    }
    pool->changed(pool);
}

/* It may be set for the end of a life, which is later. */
static bool timer_is_early(const struct asq_pool *pool)
{
    return uv_is_active((const uv_handle_t *)&pool->timer) &&
           (pool->idle_ms == 0 ||
            uv_timer_get_due_in(&pool->timer) <= pool->idle_ms + UINT64_C(1));
}

static void note_idle(struct asq__member *member)
{
    struct asq_pool *pool = member->pool;

    member->used_ns = asq__pool_now(pool);
    if (pool->waiting.first != NULL || member->leaving ||
        pool->on_drained != NULL || !asq__member_is_as_opened(member) ||
        !timer_is_early(pool))
        pool->changed(pool);
}

static void note_clean(struct asq__member *member, bool undone)
{
    member->pool->stats.undone += undone;
    member->used_ns = asq__pool_now(member->pool);
    asq__pool_choose_old(member->pool); /* before somebody else gets it */
    member->pool->changed(member->pool);
}

static void note_unfit(struct asq__member *member, bool undone)
{
    member->pool->stats.undone += undone;
    close_member(member);
}

static void note_closed(struct asq__member *member)
{
    struct asq_pool *pool = member->pool;

    take_off(pool, member);
    free(member);
    pool->changed(pool);
}

static const struct asq__member_ops ops = {.on_open = note_open,
                                           .on_idle = note_idle,
                                           .on_clean = note_clean,
                                           .on_unfit = note_unfit,
                                           .on_closed = note_closed};

/* Opening */

/* So that those opened together are not replaced together. */
static uint64_t life_of(const struct asq_pool *pool, unsigned serial)
{
    uint64_t life_ns = pool->life_ms * MS;

    return life_ns - life_ns / LIFE_STEPS / LIFE_STEPS * (serial % LIFE_STEPS);
}

void asq__pool_open_one(struct asq_pool *pool)
{
    struct asq__member *member;
    int rc = UV_ENOMEM;

    if (pool->member_count >= pool->limit || pool->close_called ||
        asq__pool_now(pool) < pool->retry_ns)
        return;
    member = calloc(1, sizeof *member);
    if (member != NULL) {
        member->pool = pool;
        member->ops = &ops;
        member->born_ns = asq__pool_now(pool);
        member->life_ns = life_of(pool, pool->serial++);
        rc = asq__member_open(member, pool->loop, &pool->profile);
    }
    if (rc == 0) {
        add(pool, member);
        pool->opening_count++;
    } else {
        free(member);
        fail(pool, rc, uv_strerror(rc));
    }
}

/* Going */

bool asq__pool_is_free(const struct asq__member *member)
{
    return member->state == ASQ_MEMBER_SHARED && member->conn.pending == 0;
}

static bool stays(const struct asq__member *member)
{
    return !member->leaving && member->state != ASQ_MEMBER_CLOSING;
}

static unsigned count_staying(const struct asq_pool *pool)
{
    unsigned count = 0;

    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next)
        count += stays(member);
    return count;
}

/* One that is free goes first, and one that is lent when it has come back. */
static bool goes_before(const struct asq__member *member,
                        const struct asq__member *other)
{
    return other == NULL || asq__pool_is_free(member) ||
           !asq__pool_is_free(other);
}

void asq__pool_choose_surplus(struct asq_pool *pool)
{
    while (count_staying(pool) > pool->limit) {
        struct asq__member *found = NULL;

        for (struct asq__member *member = pool->members; member != NULL;
             member = member->next)
            if (stays(member) && member->state != ASQ_MEMBER_LENT &&
                goes_before(member, found))
                found = member;
        if (found == NULL)
            return;
        found->leaving = true;
    }
}

/* Whether its life may end now; that of one that is lent ends later. */
static bool may_end(const struct asq__member *member)
{
    return stays(member) && member->state == ASQ_MEMBER_SHARED;
}

/* One at a time, so that the others can do its work meanwhile. */
static bool is_one_going(const struct asq_pool *pool)
{
    const struct asq__member *member = pool->members;

    while (member != NULL && stays(member))
        member = member->next;
    return member != NULL;
}

void asq__pool_choose_old(struct asq_pool *pool)
{
    struct asq__member *member = pool->members;

    if (is_one_going(pool))
        return;
    while (member != NULL && !(may_end(member) && is_old(member)))
        member = member->next;
    if (member != NULL)
        member->leaving = true;
}

/* The last in the order goes first: the others are the ones that are used. */
static struct asq__member *last_unused(const struct asq_pool *pool)
{
    uint64_t now_ns = asq__pool_now(pool);
    struct asq__member *found = NULL;

    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next)
        if (stays(member) && asq__pool_is_free(member) &&
            now_ns - member->used_ns >= pool->idle_ms * MS)
            found = member;
    return found;
}

void asq__pool_choose_unused(struct asq_pool *pool)
{
    struct asq__member *member;

    if (pool->idle_ms == 0 || pool->waiting_count + pool->run_count > 0)
        return;
    while (count_staying(pool) > pool->keep &&
           (member = last_unused(pool)) != NULL)
        member->leaving = true;
}

void asq__pool_close_free(struct asq_pool *pool)
{
    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next)
        if (asq__pool_is_free(member) &&
            (member->leaving || !asq__member_is_as_opened(member)))
            close_member(member);
}

static void set_earlier(uint64_t *due_ns, uint64_t candidate_ns)
{
    if (candidate_ns < *due_ns)
        *due_ns = candidate_ns;
}

uint64_t asq__pool_next_end(const struct asq_pool *pool)
{
    bool may_go = pool->idle_ms != 0 && count_staying(pool) > pool->keep;
    bool ages = pool->life_ms != 0 && !is_one_going(pool);
    uint64_t due_ns = UINT64_MAX;

    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next) {
        if (ages && may_end(member))
            set_earlier(&due_ns, member->born_ns + member->life_ns);
        if (may_go && stays(member) && asq__pool_is_free(member))
            set_earlier(&due_ns, member->used_ns + pool->idle_ms * MS);
    }
    return due_ns;
}
