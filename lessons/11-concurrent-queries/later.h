/* later - a callback in the next turn of the loop
 *
 * For a function that has nothing to wait for, but must not call its caller
 * back inside. Internal to the modules. Loop thread. Depends on libuv.
 */
#ifndef ASQ_LATER_H
#define ASQ_LATER_H

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_later;

typedef void (*asq_later_cb)(struct asq_later *later);

struct asq_later {
    /* private */
    uv_idle_t idle;
    asq_later_cb on_turn;
};

/* Calls on_turn once, in a later turn; the memory may be freed in it. Not again
 * before that. */
void asq__later(struct asq_later *later, uv_loop_t *loop, asq_later_cb on_turn);

#ifdef __cplusplus
}
#endif

#endif
