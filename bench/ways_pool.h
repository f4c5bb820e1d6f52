/* ways_pool - a pool on one loop; the loop asks and takes the answers
 *
 * lent-per-query is the wrong way to use one: each query borrows a connection
 * for itself.
 */
#ifndef BENCH_WAYS_POOL_H
#define BENCH_WAYS_POOL_H

#include "box.h"

/* A pool of box->connections; reads only, and no functions. */
int way_pool(struct box *box);
int way_lent_per_query(struct box *box);

#endif
