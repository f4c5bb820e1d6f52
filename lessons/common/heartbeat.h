/* heartbeat - how long did the main thread not react?
 *
 * The main thread beats once a millisecond while it is free: by a uv_timer if
 * there is a loop, after a timed wait if there is none. The longest gap between
 * two beats is the stall, which the whole course measures. It means the same
 * for every way of waiting.
 *
 * Call it only on the thread whose stall is measured.
 */
#ifndef COMMON_HEARTBEAT_H
#define COMMON_HEARTBEAT_H

#include <stdint.h>
#include <uv.h>

struct asq_heartbeat {
    /* read-only */
    uint64_t beats;      /* since start */
    uint64_t longest_ns; /* longest gap between two beats */
    uint64_t last_ns;    /* time of the last beat */
    /* private */
    uv_timer_t timer;
    void (*on_closed)(struct asq_heartbeat *hb);
};

/* Starts measuring: this moment counts as the first beat. */
void asq_heartbeat_start(struct asq_heartbeat *hb);

/* Records that the main thread is free now. */
void asq_heartbeat_beat(struct asq_heartbeat *hb);

/* Stops measuring: this moment counts as the last beat, so that a stall at the
 * very end is noticed. Returns the longest gap in nanoseconds. */
uint64_t asq_heartbeat_stop(struct asq_heartbeat *hb);

/* Starts measuring with a timer of 1 ms on the loop. The timer does not keep
 * the loop alive. Returns 0, or a UV_E* code, after which there is nothing to
 * detach.
 */
int asq_heartbeat_attach(struct asq_heartbeat *hb, uv_loop_t *loop);

/* Stops measuring and closes the timer. on_closed (may be NULL) then runs on
 * the loop thread; the memory may be freed from then on, not before. */
void asq_heartbeat_detach(struct asq_heartbeat *hb,
                          void (*on_closed)(struct asq_heartbeat *hb));

#endif
