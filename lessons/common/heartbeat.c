/* heartbeat - how long did the main thread not react?
 *
 * Owns its timer between attach and on_closed. Called only on the thread whose
 * stall is measured. Depends on clock and libuv.
 */
#include "common/heartbeat.h"

#include "common/clock.h"

#include <stddef.h>

static void on_timer(uv_timer_t *timer)
{
    struct asq_heartbeat *hb = timer->data;

    asq_heartbeat_beat(hb);
}

static void on_close(uv_handle_t *handle)
{
    struct asq_heartbeat *hb = handle->data;

    if (hb->on_closed != NULL)
        hb->on_closed(hb);
}

void asq_heartbeat_start(struct asq_heartbeat *hb)
{
    hb->beats = 1;
    hb->longest_ns = 0;
    hb->last_ns = asq_clock_now_ns();
}

void asq_heartbeat_beat(struct asq_heartbeat *hb)
{
    /* Not uv_now: the loop reads its clock once in a turn, so after a long
     * callback uv_now still returns the time when the callback began. */
    uint64_t now = asq_clock_now_ns();
    uint64_t gap = now - hb->last_ns;

    if (gap > hb->longest_ns)
        hb->longest_ns = gap;
    hb->last_ns = now;
    hb->beats++;
}

uint64_t asq_heartbeat_stop(struct asq_heartbeat *hb)
{
    asq_heartbeat_beat(hb);
    return hb->longest_ns;
}

int asq_heartbeat_attach(struct asq_heartbeat *hb, uv_loop_t *loop)
{
    int rc = uv_timer_init(loop, &hb->timer);

    if (rc != 0)
        return rc;
    hb->timer.data = hb;
    hb->on_closed = NULL;
    /* It can fail only for a timer that is closing or has no callback. */
    (void)uv_timer_start(&hb->timer, on_timer, 1, 1);
    uv_unref((uv_handle_t *)&hb->timer);
    asq_heartbeat_start(hb);
    return 0;
}

void asq_heartbeat_detach(struct asq_heartbeat *hb,
                          void (*on_closed)(struct asq_heartbeat *hb))
{
    /* For its last beat; its result stays in longest_ns. */
    (void)asq_heartbeat_stop(hb);
    hb->on_closed = on_closed;
    uv_close((uv_handle_t *)&hb->timer, on_close);
}
