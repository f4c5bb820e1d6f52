/* report - the rows that every comparison of the course prints
 *
 * One row for each way and disk: as a table for the class, as JSON for
 * programs.
 */
#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include "common/options.h"
#include "common/trace.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct asq_report_row {
    const char *way;  /* "blocking", "threads", "event-loop" ... */
    const char *disk; /* "fast" or "slow" */
    int connections;
    uint64_t requests;
    uint64_t disk_reads;
    double throughput_per_s;
    double p50_us, p99_us; /* of the latencies, from "ready" to "answered" */
    double stall_us;       /* longest gap between beats of the main thread */
};

/* Prints the rows as one table. Returns 0 or UV_ENOMEM. */
int asq_report_print(const struct asq_report_row *rows,
                     size_t count,
                     FILE *out);

/* Writes the rows as a JSON array of objects, whose keys are the names of the
 * fields. The file appears complete or not at all. Returns 0 or a negative
 * errno.
 */
int asq_report_write(const struct asq_report_row *rows,
                     size_t count,
                     const char *path);

/* Writes the rows and the trace to the files that the options name, if any.
 * Returns the exit status: 0, or 1 after one line on stderr. */
int asq_report_save(const struct asq_report_row *rows,
                    size_t count,
                    const struct asq_trace *trace,
                    const struct asq_options *options);

#endif
