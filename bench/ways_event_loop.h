/* ways_event_loop - conns on one loop; the loop asks and takes the answers
 *
 * Clients are spread over the connections. Writes all go through the first:
 * SQLite lets one connection write at a time.
 */
#ifndef BENCH_WAYS_EVENT_LOOP_H
#define BENCH_WAYS_EVENT_LOOP_H

#include "box.h"

/* box->connections conns. */
int way_event_loop(struct box *box);

/* A store that writes, and conns that read. */
int way_store(struct box *box);

#endif
