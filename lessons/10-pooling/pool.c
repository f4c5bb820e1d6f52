/* pool - several connections to one database, shared on an event loop
 *
 * What a caller sees. Who waits is in pool_line, who gets what in pool_serve,
 * the connections are in pool_members.
 */
#include "10-pooling/pool.h"

#include "10-pooling/pool_line.h"
#include "10-pooling/pool_members.h"
#include "10-pooling/pool_serve.h"

#include <stdio.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 10 /* while somebody waits */
};

static const uint64_t MS = 1000000; /* nanoseconds */

/* After every change: serves, closes what nobody needs, sets the timer, and at
 * last ends. A change may bring another one, which is then seen to here. */

static void tick(uv_timer_t *timer);

static void start_timer(struct asq_pool *pool, uint64_t ms)
{
    (void)uv_timer_start(&pool->timer, tick, ms, 0); /* it always succeeds */
}

/* The timer keeps the loop alive while somebody waits, and looks after idle
 * connections otherwise. */
static void set_timer(struct asq_pool *pool)
{
    uv_handle_t *handle = (uv_handle_t *)&pool->timer;
    uint64_t due_ns = asq__pool_next_end(pool), now_ns = asq__pool_now(pool);

    if (pool->waiting_count + pool->run_count > 0) {
        if (!uv_has_ref(handle) || !uv_is_active(handle))
            start_timer(pool, LOOK_EVERY_MS);
        uv_ref(handle);
        return;
    }
    uv_unref(handle);
    if (due_ns == UINT64_MAX || pool->close_called)
        (void)uv_timer_stop(&pool->timer); /* it always succeeds */
    else
        start_timer(pool, due_ns <= now_ns ? 1 : (due_ns - now_ns) / MS + 1);
}

static void note_handle_closed(uv_handle_t *handle)
{
    struct asq_pool *pool = handle->data;

    if (--pool->handles > 0)
        return;
    pool->must_close = false;
    pool->on_closed(pool);
}

/* Lists each reason to wait. */
static void maybe_closed(struct asq_pool *pool)
{
    if (!pool->close_called)
        return;
    if (pool->member_count > 0)
        return;
    if (pool->due.first != NULL || pool->ended.first != NULL)
        return; /* these callbacks come first */
    uv_close((uv_handle_t *)&pool->timer, note_handle_closed);
    uv_close((uv_handle_t *)&pool->deliver, note_handle_closed);
}

/* Says whether nobody waits for a connection or has one. */
static bool is_drained(const struct asq_pool *pool)
{
    if (pool->waiting_count + pool->run_count > 0 || pool->due.first != NULL ||
        pool->ended.first != NULL || pool->held.first != NULL)
        return false;
    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next)
        if (member->conn.pending > 0)
            return false;
    return true;
}

static void note_drained(struct asq_pool *pool)
{
    if (pool->on_drained == NULL || pool->drained_due || !is_drained(pool))
        return;
    pool->drained_due = true;
    (void)uv_idle_start(&pool->deliver, pool->run_deliver); /* succeeds */
}

static void change(struct asq_pool *pool)
{
    pool->change_again = pool->changing;
    if (pool->changing || uv_is_closing((uv_handle_t *)&pool->timer))
        return;
    pool->changing = true;
    do {
        pool->change_again = false;
        asq__pool_choose_surplus(pool);
        asq__pool_serve(pool);
        asq__pool_close_free(pool);
    } while (pool->change_again);
    pool->changing = false;
    set_timer(pool);
    note_drained(pool);
    maybe_closed(pool);
}

static void tick(uv_timer_t *timer)
{
    struct asq_pool *pool = timer->data;

    asq__pool_look(pool);
    asq__pool_choose_old(pool);
    asq__pool_choose_unused(pool);
    change(pool);
}

static void deliver(uv_idle_t *idle)
{
    struct asq_pool *pool = idle->data;

    asq__pool_deliver(pool);
    if (pool->drained_due) {
        asq_pool_cb on_drained = pool->on_drained;

        pool->drained_due = false;
        pool->on_drained = NULL;
        if (on_drained != NULL)
            on_drained(pool);
    }
    change(pool);
}

/* Life */

void asq_pool_init(struct asq_pool *pool)
{
    *pool = (struct asq_pool){
        .depth = 32, .idle_ms = 60000, .slow_ms = 1000, .capacity = 10000};
}

/* Each connection to such a database has one of its own. */
static bool is_private(const struct asq_profile *profile)
{
    return profile->path == NULL || profile->path[0] == '\0' ||
           strcmp(profile->path, ":memory:") == 0;
}

static int check_limit(struct asq_pool *pool,
                       const struct asq_profile *profile,
                       unsigned limit)
{
    const char *why = NULL;

    if (limit == 0)
        why = "a pool needs a limit of at least one connection";
    else if (limit > 1 && is_private(profile))
        why = "several connections to a database in memory would each have one "
              "of their own: use a file, or a limit of 1";
    /* It fits. */
    (void)snprintf(pool->message, sizeof pool->message, "%s",
                   why == NULL ? "" : why);
    return why == NULL ? 0 : UV_EINVAL;
}

int asq_pool_open(struct asq_pool *pool,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  unsigned limit)
{
    int rc = UV_EINVAL;

    if (!pool->must_close && pool->depth > 0)
        rc = check_limit(pool, profile, limit);
    if (rc != 0)
        return rc;
    pool->loop = loop;
    pool->profile = *profile;
    pool->limit = limit;
    pool->stats = (struct asq_pool_stats){0};
    pool->refusing = pool->close_called = false;
    pool->drained_due = false;
    pool->paused_until_ns = 0;
    pool->on_drained = NULL;
    pool->retry_ns = 0;
    pool->changed = change;
    pool->run_deliver = deliver;
    (void)uv_timer_init(loop, &pool->timer); /* these always succeed */
    (void)uv_idle_init(loop, &pool->deliver);
    pool->timer.data = pool;
    pool->deliver.data = pool;
    uv_unref((uv_handle_t *)&pool->timer);
    pool->handles = 2;
    pool->must_close = true;
    return 0;
}

int asq_pool_resize(struct asq_pool *pool, unsigned limit)
{
    int rc = UV_EINVAL;

    if (pool->must_close && !pool->close_called)
        rc = check_limit(pool, &pool->profile, limit);
    if (rc != 0)
        return rc;
    pool->limit = limit;
    change(pool);
    return 0;
}

bool asq_pool_refuse(struct asq_pool *pool, asq_pool_cb on_drained)
{
    bool drained = is_drained(pool) && !pool->drained_due;

    pool->refusing = true;
    pool->on_drained = drained ? NULL : on_drained;
    return drained;
}

void asq_pool_close(struct asq_pool *pool, asq_pool_cb on_closed)
{
    if (!pool->must_close || pool->close_called)
        return;
    pool->close_called = true;
    pool->on_drained = NULL;
    pool->drained_due = false;
    pool->on_closed = on_closed;
    asq__pool_refuse_all(pool);
    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next)
        member->leaving = true;
    change(pool);
}

/* Use */

int asq_pool_run(struct asq_pool *pool,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done)
{
    struct asq_order order = {
        .task = ASQ_TASK_SQL, .sql = sql, .params = params};
    struct asq__member *member;

    if (!pool->must_close || sql == NULL || on_done == NULL ||
        request->pending || request->hold != NULL)
        return UV_EINVAL;
    if (pool->refusing || pool->close_called)
        return UV_ESHUTDOWN;
    member = pool->runs.first == NULL ? asq__pool_choose(pool) : NULL;
    if (member == NULL &&
        pool->run_count + pool->waiting_count >= pool->capacity)
        return UV_ENOBUFS;
    asq__request_begin(request, &order, on_done);
    if (member != NULL && asq__conn_pass_on(&member->conn, request) == 0) {
        pool->stats.runs++;
        if (member->conn.pending > pool->depth && pool->opening_count == 0)
            asq__pool_open_one(pool); /* all have more than they take at once */
        return 0;
    }
    asq__pool_push_run(pool, request);
    change(pool);
    return 0;
}

void asq__pool_pause(struct asq_pool *pool, unsigned ms)
{
    pool->paused_until_ns = ms == 0 ? 0 : asq__pool_now(pool) + ms * MS;
    if (ms == 0 && pool->must_close)
        change(pool);
}

void asq_pool_cancel(struct asq_pool *pool)
{
    if (!pool->close_called)
        return;
    for (struct asq__member *member = pool->members; member != NULL;
         member = member->next) {
        asq_conn_cancel(&member->conn);
        if (member->loan == NULL)
            continue;
        if (member->loan->state == ASQ_LOAN_DUE)
            asq_loan_give_up(member->loan);
        else
            asq_loan_release(member->loan);
    }
}
