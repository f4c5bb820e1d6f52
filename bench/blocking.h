/* blocking - one query after the other on the main thread
 *
 * The main thread does not beat within a round, as in a callback that finds
 * all requests ready.
 */
#ifndef BENCH_BLOCKING_H
#define BENCH_BLOCKING_H

#include "work.h"

/* Main thread. Returns 0, or -1 with outcome->message. */
int run_blocking(const struct work *work, struct outcome *outcome);

#endif
