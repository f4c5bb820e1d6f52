/* thread_line - threads that wait for something, first come first served */
#include "10-pooling/thread_line.h"

#include <stddef.h>

static const uint64_t MS = 1000000; /* nanoseconds */

/* On the stack of a thread that waits. */
struct asq__waiter {
    struct asq__waiter *next;
    uv_cond_t served;
    void *given;
    bool waiting;
};

static void join(struct asq__thread_line *line, struct asq__waiter *waiter)
{
    if (line->last == NULL)
        line->first = waiter;
    else
        line->last->next = waiter;
    line->last = waiter;
}

static void leave(struct asq__thread_line *line, struct asq__waiter *waiter)
{
    struct asq__waiter *before = NULL;

    for (struct asq__waiter *w = line->first; w != waiter; w = w->next)
        before = w;
    if (before == NULL)
        line->first = waiter->next;
    else
        before->next = waiter->next;
    if (line->last == waiter)
        line->last = before;
}

uint64_t asq__deadline_after(uint64_t now_ns, unsigned ms)
{
    return ms == 0 ? UINT64_MAX : now_ns + ms * MS;
}

int asq__wait_until(uv_cond_t *cond, uv_mutex_t *lock, uint64_t deadline_ns)
{
    uint64_t now_ns = uv_hrtime();

    if (deadline_ns == UINT64_MAX) {
        uv_cond_wait(cond, lock);
        return 0;
    }
    if (now_ns >= deadline_ns)
        return UV_ETIMEDOUT;
    /* Its result says no more than the clock does, which is looked at next. */
    (void)uv_cond_timedwait(cond, lock, deadline_ns - now_ns);
    return 0;
}

int asq__thread_line_wait(struct asq__thread_line *line,
                          uv_mutex_t *lock,
                          uint64_t deadline_ns,
                          void **ret_given)
{
    struct asq__waiter self = {.waiting = true};
    int rc = uv_cond_init(&self.served);

    if (rc != 0)
        return rc;
    join(line, &self);
    while (self.waiting && rc == 0)
        rc = asq__wait_until(&self.served, lock, deadline_ns);
    if (self.waiting)
        leave(line, &self);
    else
        rc = 0; /* it was served before it noticed that its time was over */
    uv_cond_destroy(&self.served);
    *ret_given = self.given;
    return rc;
}

bool asq__thread_line_serve(struct asq__thread_line *line, void *given)
{
    struct asq__waiter *oldest = line->first;

    if (oldest == NULL)
        return false;
    leave(line, oldest);
    oldest->given = given;
    oldest->waiting = false;
    uv_cond_signal(&oldest->served);
    return true;
}
