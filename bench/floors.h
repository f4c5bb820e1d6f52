/* floors - what must not get worse
 *
 * Each floor is a share within one run, so that it means the same on every
 * machine. Main thread. Depends on tally.
 */
#ifndef BENCH_FLOORS_H
#define BENCH_FLOORS_H

#include "tally.h"

#include <stdbool.h>

/* Says whether a floor looks at the workload. */
bool floors_need(const char *workload);

/* Prints a line for each floor that the rows tell of. Returns 0, or 1 when one
 * is missed. */
int floors_check(const struct bench_row rows[], int count);

#endif
