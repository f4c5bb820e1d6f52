/* ways_raw - the SQLite C API on the main thread, blocking
 *
 * The main thread looks at its other work (beats) when it has answered each
 * client once, as in a callback that finds all requests ready.
 */
#ifndef BENCH_WAYS_RAW_H
#define BENCH_WAYS_RAW_H

#include "box.h"

/* Statements are prepared once; one operation after the other. */
int way_raw(struct box *box);

/* The same, all clients in one transaction: what disk and SQLite allow. */
int way_raw_grouped(struct box *box);

/* Each operation prepares its statement. */
int way_prepare_each(struct box *box);

/* Each operation opens the database. */
int way_open_per_call(struct box *box);

#endif
