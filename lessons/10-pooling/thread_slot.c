/* thread_slot - the room for one connection of a thread_pool */
#include "10-pooling/thread_slot.h"

#include "01-blocking/db_tidy.h"

#include <stdio.h>
#include <uv.h>

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
