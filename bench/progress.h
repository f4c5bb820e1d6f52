/* progress - how far a measurement is, on a terminal only
 *
 * One line on stderr, written over and over. Main thread.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    /* private */
    bool shown;
    double total, done; /* seconds, as expected before */
    uint64_t begin_ns;
};

/* total is how long everything is expected to take, in seconds. */
void progress_begin(struct progress *progress, double total);

/* Shows what is being measured, and how long the rest will take. */
void progress_show(struct progress *progress,
                   const char *workload,
                   const char *way);

/* Notes that so many of the expected seconds are done. */
void progress_add(struct progress *progress, double seconds);

/* Takes the line away: before something else is printed, and at the end. */
void progress_hide(const struct progress *progress);

#endif
