/* progress - how far a measurement is, on a terminal only */
#include "progress.h"

#include "common/clock.h"

#include <stdio.h>
#include <unistd.h>

enum {
    WIDTH = 24
};

void progress_begin(struct progress *progress, double total)
{
    *progress = (struct progress){.shown = isatty(STDERR_FILENO) == 1,
                                  .total = total,
                                  .begin_ns = asq_clock_now_ns()};
}

void progress_show(struct progress *progress,
                   const char *workload,
                   const char *way)
{
    static const char hashes[] = "########################"; /* WIDTH */
    double share = progress->total > 0 ? progress->done / progress->total : 0;
    double took = (double)(asq_clock_now_ns() - progress->begin_ns) / 1e9;
    double left = progress->total - progress->done;
    int full = (int)(share * (double)WIDTH);

    if (!progress->shown)
        return;
    /* What was expected is put right by what it has taken so far. */
    if (progress->done > 1)
        left *= took / progress->done;
    full = full > WIDTH ? WIDTH : full;
    (void)fprintf(stderr, "\r[%-*.*s] %3.0f s left  %-16s %-14s", WIDTH, full,
                  hashes, left, workload, way);
}

void progress_add(struct progress *progress, double seconds)
{
    progress->done += seconds;
}

void progress_hide(const struct progress *progress)
{
    if (progress->shown)
        (void)fprintf(stderr, "\r%72s\r", "");
}
