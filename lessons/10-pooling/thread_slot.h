/* thread_slot - the room for one connection of a thread_pool
 *
 * A slot has one owner at a time: the pool, or the thread that holds it. Each
 * thread has a list of the slots that it holds, the value of a thread key, so
 * that they can be found when the thread ends. Threads that wait for a slot
 * have a line, and each has a condition variable of its own: so a slot can be
 * given to the oldest and to no other.
 *
 * Entered by the owner of a slot, and as it says below. Depends on db. Only
 * thread_pool uses it.
 */
#ifndef ASQ_THREAD_SLOT_H
#define ASQ_THREAD_SLOT_H

#include "01-blocking/db.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_thread_pool;
struct asq__waiter;

struct asq__slot {
    struct asq_thread_pool *pool;
    struct asq__slot *next; /* in the list that it is in */
    struct asq_db db;
    bool open;       /* the connection is */
    uint64_t number; /* of its loans so far */
};

/* Threads that wait, first come first served. Zeroed before its first use. */
struct asq__thread_line {
    struct asq__waiter *first, *last;
};

/* Put it into a list of free slots, and take the first one out, or NULL. */
void asq__slot_push(struct asq__slot **list, struct asq__slot *slot);
struct asq__slot *asq__slot_pop(struct asq__slot **list);

/* Puts it into the calling thread's list. Returns 0 or UV_ENOMEM. */
int asq__slot_hold(pthread_key_t held, struct asq__slot *slot);

/* Says whether it is in that list. */
bool asq__slot_is_held(pthread_key_t held, const struct asq__slot *slot);

/* Takes it out; it is in that list. */
void asq__slot_let_go(pthread_key_t held, struct asq__slot *slot);

/* Opens the connection, if it is not open. The time for it ends with the
 * deadline (UINT64_MAX: none). Returns 0; UV_ETIMEDOUT; or the code of
 * asq_db_open, with a message in ret_message, of ASQ_MESSAGE_SIZE bytes. */
int asq__slot_open(struct asq__slot *slot,
                   const struct asq_profile *profile,
                   uint64_t deadline_ns,
                   char *ret_message);

/* Undoes what is left open, and leaves the connection to the thread that uses
 * it next; closes it if it is not fit for that. Returns whether something had
 * been left open. */
bool asq__slot_clean(struct asq__slot *slot);

/* Closes the connection whatever is left open on it. */
void asq__slot_close(struct asq__slot *slot);

/* Returns the time, on uv_hrtime's clock, at which so many milliseconds are
 * over; UINT64_MAX, which is never, if ms is 0. */
uint64_t asq__deadline_after(uint64_t now_ns, unsigned ms);

/* The rest is called with the lock held that guards the line; waiting releases
 * it meanwhile. */

/* Waits for cond, but not beyond the deadline. Returns 0, perhaps for no
 * reason, or UV_ETIMEDOUT once the deadline has passed. */
int asq__wait_until(uv_cond_t *cond, uv_mutex_t *lock, uint64_t deadline_ns);

/* Waits at the end of the line. Returns 0, and *ret is what it was given;
 * UV_ETIMEDOUT, UV_ENOMEM. */
int asq__thread_line_wait(struct asq__thread_line *line,
                          uv_mutex_t *lock,
                          uint64_t deadline_ns,
                          struct asq__slot **ret);

/* Ends the wait of the oldest, which is given the slot (or NULL). Returns false
 * if nobody waits. */
bool asq__thread_line_serve(struct asq__thread_line *line,
                            struct asq__slot *slot);

#ifdef __cplusplus
}
#endif

#endif
