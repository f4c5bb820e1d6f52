/* ways - how a workload can be run: each way is one row of a table
 *
 * A new way is a function that runs a box, a row in ways.c, and its name in
 * the rows of those workloads for which it makes sense.
 */
#ifndef BENCH_WAYS_H
#define BENCH_WAYS_H

#include "box.h"

struct way {
    const char *name;
    int connections;
    box_run_fn run;
};

enum {
    WAYS_MAX = 24
};

extern const struct way ways[];
extern const int way_count;

/* Fixes the size of libuv's pool at its default, which the way uv-work relies
 * on. Before anything uses libuv. */
void ways_fix_pool(void);

/* Returns the way of that name. */
const struct way *ways_find(const char *name);

#endif
