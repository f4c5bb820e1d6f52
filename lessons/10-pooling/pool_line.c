/* pool_line - who waits for a connection of a pool, and what they are told
 *
 * Loans and runs wait in lists of their own and share one numbering, their
 * place in the line; a run keeps its place in hold_number, for it has no hold.
 *
 * Loop thread. Depends on pool_state.
 */
#include "10-pooling/pool_line.h"

#include <stdio.h>

static const uint64_t MS = 1000000; /* nanoseconds */

/* Lists of loans */

static void push(struct asq_loan_list *list, struct asq_loan *loan)
{
    loan->next = NULL;
    loan->before = list->last;
    if (list->last == NULL)
        list->first = loan;
    else
        list->last->next = loan;
    list->last = loan;
}

static void drop(struct asq_loan_list *list, struct asq_loan *loan)
{
    if (loan->before == NULL)
        list->first = loan->next;
    else
        loan->before->next = loan->next;
    if (loan->next == NULL)
        list->last = loan->before;
    else
        loan->next->before = loan->before;
}

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

static void leave(struct asq_pool *pool, struct asq_loan *loan)
{
    drop(&pool->waiting, loan);
    pool->waiting_count--;
}

uint64_t asq__pool_now(const struct asq_pool *pool)
{
    return pool->now_ns != NULL ? pool->now_ns() : uv_hrtime();
}

/* Callbacks, which are called from the next turn of the loop on */

static void deliver_soon(struct asq_pool *pool)
{
    (void)uv_idle_start(&pool->deliver,
                        pool->run_deliver); /* it always succeeds */
}

void asq__pool_end_loan(struct asq_loan *loan, int status, const char *message)
{
    struct asq_pool *pool = loan->pool;

    leave(pool, loan);
    loan->status = status;
    loan->waited_ns = asq__pool_now(pool) - loan->since_ns;
    /* Cut if it is too long. */
    (void)snprintf(loan->message, sizeof loan->message, "%s", message);
    loan->state = ASQ_LOAN_DUE;
    push(&pool->due, loan);
    pool->due_count++;
    deliver_soon(pool);
}

void asq__pool_end_run(struct asq_pool *pool,
                       struct asq_request *request,
                       int status,
                       const char *message)
{
    request->status = status;
    (void)snprintf(request->message, sizeof request->message, "%s", message);
    asq_work_push(&pool->ended, &request->work);
    deliver_soon(pool);
}

static void deliver_loan(struct asq_pool *pool)
{
    struct asq_loan *loan = pool->due.first;

    drop(&pool->due, loan);
    pool->due_count--;
    if (loan->status == 0) {
        loan->state = ASQ_LOAN_HELD;
        loan->conn = &loan->member->conn;
        loan->since_ns = asq__pool_now(pool);
        push(&pool->held, loan);
    } else {
        loan->state = ASQ_LOAN_NONE;
    }
    loan->on_loan(loan, loan->status);
}

static void deliver_run(struct asq_pool *pool)
{
    struct asq_request *request = request_of(asq_work_pop(&pool->ended));

    request->pending = false;
    request->on_done(request, request->status);
}

void asq__pool_deliver(struct asq_pool *pool)
{
    const struct asq_work *last = pool->ended.last;

    /* What a callback adds waits for the next turn, so that others on the loop
     * are served in between. */
    for (size_t n = pool->due_count; n > 0 && pool->due.first != NULL; n--)
        deliver_loan(pool);
    for (bool more = last != NULL; more;) {
        more = pool->ended.first != last;
        deliver_run(pool);
    }
    if (pool->due.first == NULL && pool->ended.first == NULL)
        (void)uv_idle_stop(&pool->deliver); /* it always succeeds */
}

void asq__pool_push_loan(struct asq_pool *pool, struct asq_loan *loan)
{
    loan->state = ASQ_LOAN_WAITING;
    loan->place = ++pool->places;
    push(&pool->waiting, loan);
    pool->waiting_count++;
}

void asq__pool_push_run(struct asq_pool *pool, struct asq_request *request)
{
    request->hold_number = ++pool->places;
    asq_work_push(&pool->runs, &request->work);
    pool->run_count++;
}

struct asq_request *asq__pool_pop_run(struct asq_pool *pool)
{
    pool->run_count--;
    return request_of(asq_work_pop(&pool->runs));
}

bool asq__pool_run_is_first(const struct asq_pool *pool)
{
    const struct asq_loan *loan = pool->waiting.first;
    struct asq_work *work = pool->runs.first;

    return work != NULL &&
           (loan == NULL || request_of(work)->hold_number < loan->place);
}

void asq__pool_let_go(struct asq_loan *loan)
{
    drop(&loan->pool->held, loan);
    loan->state = ASQ_LOAN_NONE;
}

void asq__pool_tell_failure(struct asq_pool *pool,
                            int status,
                            const char *message)
{
    if (asq__pool_run_is_first(pool))
        asq__pool_end_run(pool, asq__pool_pop_run(pool), status, message);
    else if (pool->waiting.first != NULL)
        asq__pool_end_loan(pool->waiting.first, status, message);
}

/* Waiting that ends by itself */

/* Runs count by the clock of requests, which is uv_hrtime. */
static bool is_over(struct asq_work *work, void *data)
{
    struct asq_request *request = request_of(work);
    const uint64_t *now_ns = data;

    if (atomic_load(&request->cancelled)) {
        request->status = UV_ECANCELED;
        return true;
    }
    request->status = UV_ETIMEDOUT;
    return request->deadline_ns != 0 && *now_ns >= request->deadline_ns;
}

static void look_at_runs(struct asq_pool *pool)
{
    uint64_t now_ns = uv_hrtime();
    struct asq_work_list over = {0};
    struct asq_work *work;

    asq_work_filter(&pool->runs, is_over, &now_ns, &over);
    while ((work = asq_work_pop(&over)) != NULL) {
        struct asq_request *request = request_of(work);
        bool late = request->status == UV_ETIMEDOUT;

        pool->run_count--;
        pool->stats.timed_out += late;
        request->timed_out_in = late ? ASQ_PLACE_QUEUE : ASQ_PLACE_NONE;
        asq__pool_end_run(
            pool, request, request->status,
            late ? "the deadline passed before there was a connection"
                 : "cancelled before it ran");
    }
}

/* Only the oldest: the others will be the oldest in their turn. */
static void tell_slow_run(struct asq_pool *pool)
{
    const struct asq_request *request;
    uint64_t waited_ns;

    if (pool->runs.first == NULL || pool->on_slow == NULL)
        return;
    request = request_of(pool->runs.first);
    waited_ns = uv_hrtime() - request->submitted_ns;
    if (request->hold_number != pool->slow_place &&
        waited_ns >= pool->slow_ms * MS) {
        pool->slow_place = request->hold_number;
        pool->on_slow(pool, NULL, waited_ns);
    }
}

/* The program may end any wait in its callback, also that of the loan it is
 * told of, which stays valid: its own callback is yet to come. */
static struct asq_loan *
tell_slow_loan(struct asq_pool *pool, struct asq_loan *loan, uint64_t waited_ns)
{
    loan->told_slow = true;
    pool->on_slow(pool, loan->who, waited_ns);
    return loan->state == ASQ_LOAN_WAITING ? loan->next : pool->waiting.first;
}

static void look_at_loans(struct asq_pool *pool)
{
    uint64_t now_ns = asq__pool_now(pool);
    struct asq_loan *loan = pool->waiting.first;

    while (loan != NULL) {
        struct asq_loan *next = loan->next;

        if (loan->deadline_ns != 0 && now_ns >= loan->deadline_ns) {
            pool->stats.timed_out++;
            asq__pool_end_loan(loan, UV_ETIMEDOUT,
                               "no connection was free in time");
        } else if (pool->on_slow != NULL && !loan->told_slow &&
                   now_ns >= loan->since_ns + pool->slow_ms * MS) {
            next = tell_slow_loan(pool, loan, now_ns - loan->since_ns);
        }
        loan = next;
    }
}

void asq__pool_look(struct asq_pool *pool)
{
    look_at_loans(pool);
    look_at_runs(pool);
    tell_slow_run(pool);
}

void asq__pool_refuse_all(struct asq_pool *pool)
{
    while (pool->waiting.first != NULL || pool->runs.first != NULL)
        asq__pool_tell_failure(pool, UV_ESHUTDOWN, "the pool is closing");
}
