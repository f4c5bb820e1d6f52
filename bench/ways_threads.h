/* ways_threads - a fixed set of threads with a connection each
 *
 * The main thread hands jobs over, takes the answers, and beats meanwhile.
 */
#ifndef BENCH_WAYS_THREADS_H
#define BENCH_WAYS_THREADS_H

#include "box.h"

/* box->connections threads. */
int way_threads(struct box *box);

#endif
