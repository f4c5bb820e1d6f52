/* bench_report - what was measured, for people and for programs
 *
 * Main thread. Depends on tally, machine and common.
 */
#ifndef BENCH_BENCH_REPORT_H
#define BENCH_BENCH_REPORT_H

#include "machine.h"
#include "tally.h"

/* Prints a workload's name and a table of its rows, without those of peers.
 * Returns 0 or -1. */
int bench_print(const struct bench_row rows[], int count);

/* Prints the rows of peers, and which of them are not there. Returns 0 or -1.
 */
int bench_print_peers(const struct bench_row rows[], int count);

/* Writes the head and all rows. Returns 0 or a negative errno. */
int bench_write(const struct machine *machine,
                const struct bench_row rows[],
                int count,
                const char *path);

#endif
