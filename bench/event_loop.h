/* event_loop - conns on one loop; the loop beats
 *
 * All requests of a round are submitted at once, in turn to each connection.
 */
#ifndef BENCH_EVENT_LOOP_H
#define BENCH_EVENT_LOOP_H

#include "work.h"

/* Main thread; outcome->connections conns. Returns 0, or -1 with
 * outcome->message. */
int run_event_loop(const struct work *work, struct outcome *outcome);

#endif
