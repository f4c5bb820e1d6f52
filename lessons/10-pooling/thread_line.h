/* thread_line - threads that wait for something, first come first served
 *
 * A thread that waits has a place in the line and a condition variable of its
 * own, so that what becomes free can be given to the oldest and to no other.
 *
 * Every function is called with the lock held that the caller names; waiting
 * releases it meanwhile. Depends on libuv. Only thread_pool uses it.
 */
#ifndef ASQ_THREAD_LINE_H
#define ASQ_THREAD_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq__waiter;

/* Zeroed before its first use. */
struct asq__thread_line {
    struct asq__waiter *first, *last;
};

/* Returns the time, on uv_hrtime's clock, at which so many milliseconds are
 * over; 0: never. */
uint64_t asq__deadline_after(uint64_t now_ns, unsigned ms);

/* Waits for cond, but not beyond the deadline. Returns 0, perhaps for no
 * reason, or UV_ETIMEDOUT once the deadline has passed. */
int asq__wait_until(uv_cond_t *cond, uv_mutex_t *lock, uint64_t deadline_ns);

/* Waits at the end of the line. Returns 0, and *ret_given is what it was given;
 * UV_ETIMEDOUT, UV_ENOMEM. */
int asq__thread_line_wait(struct asq__thread_line *line,
                          uv_mutex_t *lock,
                          uint64_t deadline_ns,
                          void **ret_given);

/* Ends the wait of the oldest, which is given this. Returns false if nobody
 * waits. */
bool asq__thread_line_serve(struct asq__thread_line *line, void *given);

#ifdef __cplusplus
}
#endif

#endif
