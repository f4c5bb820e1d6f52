/* thread_slot - the room for one connection of a thread_pool */
#include "10-pooling/thread_slot.h"

#include "01-blocking/db_tidy.h"

#include <stdio.h>

static const uint64_t MS = 1000000; /* nanoseconds */

/* Lists */

void asq__slot_push(struct asq__slot **list, struct asq__slot *slot)
{
    slot->next = *list;
    *list = slot;
}

struct asq__slot *asq__slot_pop(struct asq__slot **list)
{
    struct asq__slot *slot = *list;

    if (slot != NULL)
        *list = slot->next;
    return slot;
}

int asq__slot_hold(pthread_key_t held, struct asq__slot *slot)
{
    slot->next = pthread_getspecific(held);
    return -pthread_setspecific(held, slot);
}

bool asq__slot_is_held(pthread_key_t held, const struct asq__slot *slot)
{
    const struct asq__slot *other = pthread_getspecific(held);

    while (other != NULL && other != slot)
        other = other->next;
    return other != NULL;
}

void asq__slot_let_go(pthread_key_t held, struct asq__slot *slot)
{
    struct asq__slot *first = pthread_getspecific(held);
    struct asq__slot **at = &first;

    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    /* It cannot fail: this thread has set it before. */
    (void)pthread_setspecific(held, first);
}

/* The connection */

int asq__slot_open(struct asq__slot *slot,
                   const struct asq_profile *profile,
                   uint64_t deadline_ns,
                   char *ret_message)
{
    struct asq_profile own = *profile;
    uint64_t now_ns = uv_hrtime(), left_ms = 1;
    bool limited = false;
    int rc;

    if (slot->open)
        return 0;
    if (deadline_ns > now_ns)
        left_ms = (deadline_ns - now_ns) / MS + 1;
    if (deadline_ns != UINT64_MAX &&
        (own.open_ms == 0 || left_ms < own.open_ms)) {
        limited = true;
        own.open_ms = (unsigned)left_ms;
    }
    rc = asq_db_open(&slot->db, &own);
    slot->open = rc == 0;
    if (rc != 0) /* both messages have the same size */
        (void)snprintf(ret_message, ASQ_MESSAGE_SIZE, "%s",
                       asq_db_message(&slot->db));
    return rc == SQLITE_BUSY_TIMEOUT && limited ? UV_ETIMEDOUT : rc;
}

/* A blob or a backup that is still open cannot be undone, and after an unknown
 * outcome only a new connection can see what is in the file. */
bool asq__slot_clean(struct asq__slot *slot)
{
    struct asq_leftovers left = {0};

    if (asq__db_tidy(&slot->db, &left) != 0 || left.handles > 0 ||
        slot->db.outcome_unknown || asq_db_watch(&slot->db, NULL, NULL) != 0 ||
        asq_db_hand_over(&slot->db) != 0)
        asq__slot_close(slot);
    return left.transactions + left.statements + left.handles > 0;
}

void asq__slot_close(struct asq__slot *slot)
{
    struct asq_leftovers left;

    if (slot->open)
        asq__db_close_anyway(&slot->db, &left);
    slot->open = false;
}

/* The line */

/* On the stack of a thread that waits. */
struct asq__waiter {
    struct asq__waiter *next;
    uv_cond_t served;
    struct asq__slot *given;
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
                          struct asq__slot **ret)
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
    *ret = self.given;
    return rc;
}

bool asq__thread_line_serve(struct asq__thread_line *line,
                            struct asq__slot *slot)
{
    struct asq__waiter *oldest = line->first;

    if (oldest == NULL)
        return false;
    leave(line, oldest);
    oldest->given = slot;
    oldest->waiting = false;
    uv_cond_signal(&oldest->served);
    return true;
}
