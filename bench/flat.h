/* flat - what must not grow: twice the operations, the same memory and time
 *
 * Main thread, before anything else is measured: it looks at the highest
 * memory of the process so far. Depends on box and ways.
 */
#ifndef BENCH_FLAT_H
#define BENCH_FLAT_H

#include "box.h"

/* Runs reads and commits on the loop with many operations and with twice as
 * many, in turn, and prints a line for each. Returns 0, or 1 when one has
 * grown or failed. box->data is set; box->limit is the most operations of a
 * run. */
int flat_check(struct box *box);

#endif
