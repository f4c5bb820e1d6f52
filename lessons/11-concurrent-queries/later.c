/* later - a callback in the next turn of the loop
 *
 * Owns nothing. Loop thread. Depends on libuv.
 */
#include "11-concurrent-queries/later.h"

#include "03-event-loop/work.h"

static void call(uv_handle_t *handle)
{
    struct asq_later *later = ASQ_CONTAINER_OF(handle, struct asq_later, idle);

    later->on_turn(later);
}

static void close_idle(uv_idle_t *idle)
{
    uv_close((uv_handle_t *)idle, call);
}

void asq__later(struct asq_later *later, uv_loop_t *loop, asq_later_cb on_turn)
{
    later->on_turn = on_turn;
    (void)uv_idle_init(loop, &later->idle); /* these always succeed */
    (void)uv_idle_start(&later->idle, close_idle);
}
