/* flat - what must not grow: twice the operations, the same memory and time */
#include "flat.h"

#include "tally.h"
#include "ways.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    TURNS = 5
};

/* What needs little memory comes first: the peak of the other would hide what
 * it loses. ops are few enough for a second, and many enough that 20 bytes lost
 * by each read, or 1 KiB by each commit, are seen. */
static const struct subject {
    const char *workload;
    const char *way;
    long ops;
    int in_flight;
} subjects[] = {
    {"commit-64-normal", "event-loop-1", 2000, 64},
    {"read-64", "event-loop-1", 100000, 64},
    {"read-64", "lent-per-query", 64000, 1000}, /* a million in all turns */
};

/* What the longer run may have more. Time is the median of TURNS ratios; on a
 * shared machine it moves by a third. Where cost grows with the number of
 * operations the ratio is 2. */
static const double time_limit = 1.6;
static const double memory_limit_kib = 2048;

/* The most memory that the process had so far. */
static double peak_kib(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage); /* asked for ourselves it works */
#if defined(__APPLE__)
    return (double)usage.ru_maxrss / 1024; /* bytes there */
#else
    return (double)usage.ru_maxrss;
#endif
}

/* Returns the time of one operation in microseconds, or what is no number
 * after a line on stderr. */
static double run(struct box *box, const struct subject *subject, long ops)
{
    const struct way *way = ways_find(subject->way);

    box->in_flight = subject->in_flight;
    box->connections = way->connections;
    box->length_ns = 0;
    box->limit = ops;
    if (box_run(box, way->run) == 0)
        return (double)(box->end_ns - box->begin_ns) / 1e3 /
               (double)box->answered;
    (void)fprintf(stderr, "%s: %s: %s\n", subject->workload, subject->way,
                  box->message);
    return NAN;
}

/* After the first run memory that is kept for the next one (page caches) is
 * there. What a longer run then has more, it keeps while it runs, or loses.
 * The samples are in it, eight bytes for each operation. */
static int check(struct box *box, const struct subject *subject, long most)
{
    long ops = subject->ops < most ? subject->ops : most;
    double once[TURNS], twice[TURNS];
    double grown = 0;
    double ratio;
    bool ok;

    (void)run(box, subject, ops); /* a failure comes again below */
    grown = peak_kib();
    for (int turn = 0; turn < TURNS; turn++) {
        once[turn] = run(box, subject, ops);
        twice[turn] = run(box, subject, 2 * ops);
        if (isnan(once[turn]) || isnan(twice[turn]))
            return 1;
    }
    grown = peak_kib() - grown;
    ratio = tally_ratio(twice, once, TURNS).median;
    ok = ratio <= time_limit && grown <= memory_limit_kib;
    printf("%-6s %s, %s, %d in flight, twice the operations:\n"
           "       each takes %.2f times as long (at most %g), %.0f KiB more "
           "memory (at most %g)\n",
           ok ? "ok" : "MISSED", subject->workload, subject->way,
           subject->in_flight, ratio, time_limit, grown, memory_limit_kib);
    return ok ? 0 : 1;
}

int flat_check(struct box *box)
{
    long most = box->limit;
    int failed = 0;

    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        box->workload = workload_find(subjects[i].workload);
        failed |= check(box, &subjects[i], most);
    }
    return failed;
}
