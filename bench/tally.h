/* tally - the runs of one workload one way, and what is said of them
 *
 * All that is said is a median over runs; ratios are taken round by round, so
 * that both sides had the same machine. Owns nothing. Any one thread.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "box.h"

enum {
    RUNS_MAX = 50
};

struct tally {
    const char *workload;
    const char *way;
    int runs;
    double ops_per_s[RUNS_MAX];
    double p50_us[RUNS_MAX], p99_us[RUNS_MAX];
    double stall_us[RUNS_MAX];
    double cpu_us[RUNS_MAX]; /* for each operation */
    double file_us[RUNS_MAX];
    double checkpoints[RUNS_MAX]; /* their part of the time */
};

struct spread {
    double low, median, high;
};

/* One line of the table. What does not exist is not a number. */
struct bench_row {
    const char *workload;
    const char *way;
    double ops_per_s;
    struct spread ratio; /* to raw */
    double share_of_grouped;
    double p50_us, p99_us, stall_us, cpu_us_per_op;
    double file_us;     /* of a file operation meanwhile */
    double checkpoints; /* their part of the time */
    int runs;
};

/* Adds a run that box_run has checked. Ignored beyond RUNS_MAX. */
void tally_add(struct tally *tally, struct box *box);

/* Returns the least, the middle and the greatest of count values; without
 * values they are not numbers. */
struct spread tally_spread(const double values[], int count);

/* Returns the spread of a divided by b, run by run. */
struct spread tally_ratio(const double a[], const double b[], int count);

/* Sums up a tally. raw and grouped are those of the same workload; NULL where
 * there is none. */
struct bench_row tally_row(const struct tally *tally,
                           const struct tally *raw,
                           const struct tally *grouped);

#endif
