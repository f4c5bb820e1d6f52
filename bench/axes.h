/* axes - which number grows, and what is run at each of its steps
 *
 * An axis is one row of a table, a line of its chart another one. Owns
 * nothing. Main thread. Depends on workloads and ways.
 */
#ifndef BENCH_AXES_H
#define BENCH_AXES_H

#include "workloads.h"

enum {
    AXES = 4,
    SERIES_MAX = 8,
    STEPS_MAX = 11
};

enum number {
    NUMBER_IN_FLIGHT,
    NUMBER_CONNECTIONS,
    NUMBER_ROWS /* of a table of numbers, data->items */
};

/* One line of a chart: a workload, run one way. */
struct series {
    const char *label;
    const char *way;
    const char *workload; /* of bench, or one of axes.c */
};

struct axis {
    const char *name;
    const char *title; /* of the number */
    enum number number;
    long first, last, factor;
    struct series series[SERIES_MAX]; /* ends where there is no label */
};

extern const struct axis axes[AXES];

int axis_series(const struct axis *axis);

/* Writes the steps of the axis, every second one if quick, and returns how
 * many there are. */
int axis_steps(const struct axis *axis, bool quick, long steps[STEPS_MAX]);

/* Returns the workload of a series. */
const struct workload *series_workload(const struct series *series);

#endif
