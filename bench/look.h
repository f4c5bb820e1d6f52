/* look - a file operation of libuv's own, while queries run
 *
 * libuv runs file operations on its pool of threads. Who has filled that pool
 * with queries makes them wait. Loop thread only. Depends on libuv.
 */
#ifndef BENCH_LOOK_H
#define BENCH_LOOK_H

#include "box.h"

#include <uv.h>

struct look {
    uv_fs_t request;
    struct box *box;
    uint64_t begin_ns;
};

/* Asks for the properties of a file; box->file_ns says how long that took
 * once the loop has turned. The look's memory stays until then. Does nothing
 * for a workload that does not want it. */
void look_start(struct look *look, struct box *box, uv_loop_t *loop);

#endif
