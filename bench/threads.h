/* threads - a fixed set of threads with a connection each
 *
 * The main thread hands over a round of jobs and beats until the last one is
 * answered.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#include "work.h"

/* Main thread; outcome->connections threads. Returns 0, or -1 with
 * outcome->message. */
int run_threads(const struct work *work, struct outcome *outcome);

#endif
