/* ways_uv_work - uv_queue_work for each operation, connections in a pool
 *
 * The usual way to get off the loop: libuv's own threads, which it also needs
 * for files and names.
 */
#ifndef BENCH_WAYS_UV_WORK_H
#define BENCH_WAYS_UV_WORK_H

#include "box.h"

/* box->connections connections; more threads than that must not be there. */
int way_uv_work(struct box *box);

#endif
