/* ways_stream - one stream for all chunks, where the others ask for each
 *
 * The statement stays open between two chunks. Two operations wait at any
 * moment, one for each half of the stream.
 */
#ifndef BENCH_WAYS_STREAM_H
#define BENCH_WAYS_STREAM_H

#include "box.h"

/* For the workload `stream`. */
int way_stream(struct box *box);

#endif
