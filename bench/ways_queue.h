/* ways_queue - the queue of lesson 14, on a store
 *
 * Clients put jobs; or a worker with as many lanes as there are clients takes
 * jobs that are there and ends each. Main (loop) thread.
 */
#ifndef BENCH_WAYS_QUEUE_H
#define BENCH_WAYS_QUEUE_H

#include "box.h"

int way_queue(struct box *box);

#endif
