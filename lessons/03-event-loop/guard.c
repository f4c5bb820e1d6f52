/* guard - looks for cancels and deadlines, and lets other answers through */
#include "03-event-loop/guard.h"

#include <stddef.h>
#include <stdio.h>

enum {
    CLOCK_EVERY = 4
};

static const uint64_t POST_NS = 1000000; /* answers wait no longer than this */

/* Looking at all that waits takes time from the statement that runs: at most
 * one part in this many. */
static const uint64_t SWEEP_SHARE = 20;

static struct asq_request *request_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct asq_request, work);
}

static void say(struct asq_request *request, const char *text)
{
    /* Cut if it is too long. */
    (void)snprintf(request->message, sizeof request->message, "%s", text);
}

void asq__guard_look(struct asq_guard *guard)
{
    guard->now_ns = uv_hrtime();
}

static bool is_cancelled(const struct asq_guard *guard,
                         const struct asq_request *request)
{
    return atomic_load(&request->cancelled) || atomic_load(&guard->cancelled);
}

static bool is_late(const struct asq_request *request, uint64_t now_ns)
{
    return request->deadline_ns != 0 && now_ns >= request->deadline_ns;
}

bool asq__guard_is_due(const struct asq_guard *guard,
                       const struct asq_request *request,
                       uint64_t now_ns)
{
    return is_cancelled(guard, request) || is_late(request, now_ns);
}

/* Returns 0 if the request may run, or the status it gets instead. */
static int refuse(struct asq_guard *guard, struct asq_request *request)
{
    if (is_cancelled(guard, request)) {
        say(request, "cancelled before it ran");
        return UV_ECANCELED;
    }
    if (atomic_load(&guard->closing)) {
        say(request, "the connection was closed before it ran");
        return UV_ECANCELED;
    }
    if (is_late(request, guard->now_ns)) {
        request->timed_out_in = ASQ_PLACE_QUEUE;
        say(request, "the deadline passed before it ran");
        return UV_ETIMEDOUT;
    }
    if (!guard->db_is_open) {
        /* Cut if it is too long. */
        (void)snprintf(request->message, sizeof request->message,
                       "the database is not open: %.200s", guard->db->message);
        return UV_ESHUTDOWN;
    }
    return 0;
}

bool asq__guard_refuses(struct asq_guard *guard, struct asq_request *request)
{
    request->status = refuse(guard, request);
    return request->status != 0;
}

static bool leaves(struct asq_work *work, void *data)
{
    struct asq_guard *guard = data;

    return work != guard->tidy && asq__guard_refuses(guard, request_of(work));
}

/* Answers the requests that wait and will not run, in the batch and in the
 * queue. */
static void sweep(struct asq_guard *guard)
{
    uint64_t begin_ns = guard->now_ns, took_ns;
    struct asq_work_list left = {0};
    struct asq_work *work;

    asq_work_filter(&guard->rest, leaves, guard, &left);
    asq_worker_sweep(guard->worker, leaves, guard, &left);
    while ((work = asq_work_pop(&left)) != NULL)
        asq_worker_done(guard->worker, work);
    asq__guard_look(guard);
    took_ns = guard->now_ns - begin_ns;
    guard->swept_ns += took_ns;
    guard->sweep_ns =
        guard->now_ns +
        (took_ns * SWEEP_SHARE > POST_NS ? took_ns * SWEEP_SHARE : POST_NS);
}

void asq__guard_post(struct asq_guard *guard)
{
    guard->posted_ns = guard->now_ns;
    asq_worker_post(guard->worker);
}

/* Hands what is finished to the loop, if the last time was long enough ago. */
static void let_through(struct asq_guard *guard)
{
    if (guard->now_ns - guard->posted_ns < POST_NS)
        return;
    if (guard->now_ns >= guard->sweep_ns)
        sweep(guard);
    asq__guard_post(guard);
}

void asq__guard_done(struct asq_guard *guard, struct asq_request *request)
{
    asq_worker_done(guard->worker, &request->work);
    let_through(guard);
}

void asq__guard_watch(struct asq_guard *guard,
                      struct asq_request *request,
                      bool fresh)
{
    guard->running = request;
    guard->is_fresh = fresh;
    guard->stop = 0;
    guard->stopped_in = ASQ_PLACE_NONE;
}

void asq__guard_let_go(struct asq_guard *guard)
{
    guard->running = NULL;
}

/* A look at the clock takes a twentieth of the time of a short statement.
 * Without a deadline it only serves the other requests, and every fourth look
 * is enough. */
static bool can_save_the_clock(struct asq_guard *guard)
{
    const struct asq_request *request = guard->running;

    return request != NULL && request->deadline_ns == 0 &&
           !guard->db->waiting && !is_cancelled(guard, request) &&
           ++guard->asked % CLOCK_EVERY != 0;
}

int asq__guard_ask(void *data)
{
    struct asq_guard *guard = data;
    struct asq_request *request = guard->running;

    if (guard->is_fresh) {
        guard->is_fresh = false;
        return 0;
    }
    if (can_save_the_clock(guard))
        return 0;
    asq__guard_look(guard);
    let_through(guard);
    if (request == NULL)
        return 0;
    if (is_cancelled(guard, request))
        guard->stop = SQLITE_INTERRUPT;
    else if (is_late(request, guard->now_ns))
        guard->stop = UV_ETIMEDOUT;
    /* SQLite may ask again after it has given up the wait for a lock: it was in
     * the lock that the statement was stopped. */
    if (guard->stop != 0 && guard->stopped_in != ASQ_PLACE_LOCK)
        guard->stopped_in =
            guard->db->waiting ? ASQ_PLACE_LOCK : ASQ_PLACE_RUNNING;
    return guard->stop;
}

static void say_why(struct asq_guard *guard, struct asq_request *request)
{
    bool in_lock = guard->stopped_in == ASQ_PLACE_LOCK;

    if (guard->stop == UV_ETIMEDOUT)
        request->timed_out_in = guard->stopped_in;
    say(request, guard->stop == SQLITE_INTERRUPT ? "cancelled while it ran"
                 : in_lock ? "the deadline passed while it waited for a lock"
                           : "the deadline passed while it ran");
}

int asq__guard_explain(struct asq_guard *guard,
                       struct asq_request *request,
                       int rc)
{
    bool in_lock = guard->stopped_in == ASQ_PLACE_LOCK;

    if (guard->stop != 0 &&
        (rc == SQLITE_INTERRUPT || (in_lock && (rc & 0xff) == SQLITE_BUSY))) {
        rc = guard->stop;
        say_why(guard, request);
    }
    if (rc == 0 || request->message[0] != '\0')
        return rc;
    /* A function may have dealt with an error and then returned a code of its
     * own; the message of db does not belong to that code. */
    if (rc == guard->db->failed)
        say(request, guard->db->message);
    else
        say(request, rc < 0 ? uv_strerror(rc) : sqlite3_errstr(rc));
    return rc;
}
