/* holder - a connection that holds the write lock for a while
 *
 * For demonstrations of what other connections meet meanwhile. It closes itself
 * once it has given the lock back. Loop thread only. Depends on conn of lesson
 * 03.
 */
#ifndef ASQ_HOLDER_H
#define ASQ_HOLDER_H

#include "03-event-loop/conn.h"

#ifdef __cplusplus
extern "C" {
#endif

struct asq_holder;

/* The lock is held now; or status says why not, with holder->message. */
typedef void (*asq_held_cb)(struct asq_holder *holder, int status);

struct asq_holder {
    /* public */
    void *data;
    /* read-only */
    const char *message;
    /* private */
    struct asq_conn conn;
    struct asq_hold hold; /* without it the transaction would be undone */
    struct asq_request request;
    uv_timer_t timer;
    unsigned hold_ms;
    asq_held_cb on_held;
};

/* Opens path and takes the lock, which is given back hold_ms milliseconds
 * later. The memory may be freed when the loop has nothing left to do. Returns
 * 0, or a UV_E* code, after which the callback never runs. */
int asq_holder_start(struct asq_holder *holder,
                     uv_loop_t *loop,
                     const char *path,
                     unsigned hold_ms,
                     asq_held_cb on_held);

#ifdef __cplusplus
}
#endif

#endif
