/* pool_serve - which connection of a pool the next in line gets
 *
 * Loop thread. Depends on pool_line, pool_members and member.
 */
#include "10-pooling/pool_serve.h"

#include "10-pooling/pool_line.h"
#include "10-pooling/pool_members.h"

static bool may_run(const struct asq__member *member)
{
    return member->state == ASQ_MEMBER_SHARED && !member->leaving &&
           asq__member_is_as_opened(member);
}

/* One that is reserved for a loan is only for what stood in the line before
 * the loan. */
static struct asq__member *choose(const struct asq_pool *pool, bool reserved)
{
    struct asq__member *least = NULL;

    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next) {
        if (!may_run(member) || (member->reserved && !reserved))
            continue;
        if (member->conn.pending < pool->depth)
            return member;
        if (least == NULL || member->conn.pending < least->conn.pending)
            least = member;
    }
    return least;
}

static bool is_paused(const struct asq_pool *pool)
{
    return pool->paused_until_ns != 0 &&
           asq__pool_now(pool) < pool->paused_until_ns;
}

struct asq__member *asq__pool_choose(const struct asq_pool *pool)
{
    return is_paused(pool) ? NULL : choose(pool, false);
}

static struct asq__member *choose_idle(const struct asq_pool *pool)
{
    struct asq__member *member = pool->members;

    while (member != NULL && !(may_run(member) && asq__pool_is_free(member)))
        member = member->next;
    return member;
}

static void count_wait(struct asq_pool *pool, uint64_t waited_ns)
{
    pool->stats.waits++;
    if (waited_ns > pool->stats.longest_wait_ns)
        pool->stats.longest_wait_ns = waited_ns;
}

static bool serve_run(struct asq_pool *pool, bool reserved)
{
    struct asq__member *member = choose(pool, reserved);
    struct asq_request *request;

    /* While others are being opened, none gets more than its depth: or the
     * first that is open would get the whole line. */
    if (member == NULL ||
        (member->conn.pending >= pool->depth && pool->opening_count > 0))
        return false;
    request = asq__pool_pop_run(pool);
    count_wait(pool, uv_hrtime() - request->submitted_ns);
    if (asq__conn_pass_on(&member->conn, request) == 0)
        pool->stats.runs++;
    else
        asq__pool_end_run(pool, request, UV_ESHUTDOWN,
                          "the connection was closed before it ran");
    return true;
}

static bool serve_loan(struct asq_pool *pool)
{
    struct asq_loan *loan = pool->waiting.first;
    struct asq__member *member = choose_idle(pool);

    if (member == NULL)
        return false;
    if (loan->has_waited)
        count_wait(pool, asq__pool_now(pool) - loan->since_ns);
    pool->stats.loans++;
    asq__member_lend(member);
    member->loan = loan;
    loan->member = member;
    asq__pool_end_loan(loan, 0, "");
    return true;
}

/* Serves the oldest in the line. */
static bool serve_first(struct asq_pool *pool)
{
    if (asq__pool_run_is_first(pool))
        return serve_run(pool, true);
    return pool->waiting.first != NULL && serve_loan(pool);
}

/* Never more are being opened than there are callers for them. */
static void grow(struct asq_pool *pool)
{
    for (;;) {
        unsigned before = pool->opening_count;
        size_t wanted = pool->waiting_count +
                        (pool->run_count + pool->depth - 1) / pool->depth;

        if (before >= wanted)
            return;
        asq__pool_open_one(pool);
        if (pool->opening_count == before)
            return; /* the limit, or a failure */
    }
}

static struct asq__member *least_pending(const struct asq_pool *pool)
{
    struct asq__member *found = NULL;

    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next)
        if (may_run(member) && !member->reserved &&
            (found == NULL || member->conn.pending < found->conn.pending))
            found = member;
    return found;
}

/* For each loan that waits one connection gets nothing new, so that it will be
 * free: those that will be soonest. */
static void reserve(struct asq_pool *pool)
{
    size_t wanted = pool->waiting_count;
    struct asq__member *member;

    for (member = pool->members; member != NULL; member = member->next) {
        member->reserved = false;
        if (wanted > 0 && (member->state == ASQ_MEMBER_OPENING ||
                           member->state == ASQ_MEMBER_RETURNING))
            wanted--;
    }
    for (; wanted > 0 && (member = least_pending(pool)) != NULL; wanted--)
        member->reserved = true;
}

void asq__pool_serve(struct asq_pool *pool)
{
    if (is_paused(pool))
        return;
    do {
        while (serve_first(pool))
            continue;
        grow(pool);
        reserve(pool);
        /* A run need not wait behind a loan that waits for a connection to
         * become free, where another one has room. */
    } while (pool->runs.first != NULL && serve_run(pool, false));
}
