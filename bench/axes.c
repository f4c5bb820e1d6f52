/* axes - which number grows, and what is run at each of its steps */
#include "axes.h"

#include <assert.h>
#include <string.h>

/* Every row holds its number twice: as its key and as its value. */
static int64_t pick(const struct data *data, long n)
{
    return n * 7919L % data->items + 1;
}

static void fill_point(const struct data *data, struct op *op)
{
    op->which = 0;
    op->values[0] = asq_int64(pick(data, op->number));
    op->count = 1;
}

static int64_t expect_point(const struct data *data, long n)
{
    return pick(data, n);
}

static void fill_sum(const struct data *data, struct op *op)
{
    (void)data;
    op->which = 0;
    op->count = 0;
}

static int64_t expect_sum(const struct data *data, long n)
{
    (void)n;
    return (int64_t)data->items * (data->items + 1) / 2;
}

static const struct workload own[] = {
    {.name = "by-key",
     .in_flight = 64,
     .source = SOURCE_GROWING,
     .rows = 1,
     .sql = {"SELECT value FROM numbers WHERE id = ?1"},
     .fill = fill_point,
     .expect = expect_point},
    {.name = "without-index",
     .in_flight = 1,
     .source = SOURCE_GROWING,
     .rows = 1,
     .sql = {"SELECT id FROM numbers WHERE value = ?1"},
     .fill = fill_point,
     .expect = expect_point},
    {.name = "sum",
     .in_flight = 1,
     .source = SOURCE_GROWING,
     .rows = 1,
     .sql = {"SELECT sum(value) FROM numbers"},
     .fill = fill_sum,
     .expect = expect_sum},
};

const struct axis axes[AXES] = {
    {.name = "in-flight",
     .title = "in flight",
     .number = NUMBER_IN_FLIGHT,
     .first = 1,
     .last = 256,
     .factor = 2,
     .series = {{"raw", "raw", "read-64"},
                {"raw-grouped", "raw-grouped", "read-64"},
                {"threads", "threads", "read-64"},
                {"uv-work", "uv-work", "read-64"},
                {"event-loop-1", "event-loop-1", "read-64"},
                {"event-loop", "event-loop", "read-64"},
                {"pool of 2", "pool-2", "read-64"}}},
    {.name = "connections",
     .title = "connections",
     .number = NUMBER_CONNECTIONS,
     .first = 1,
     .last = 32,
     .factor = 2,
     .series = {{"threads", "threads", "read-64"},
                {"event-loop", "event-loop", "read-64"},
                {"threads, slow", "threads", "slow-read-64"},
                {"event-loop, slow", "event-loop", "slow-read-64"},
                {"pool", "pool-1", "read-64"},
                {"pool, slow", "pool-1", "slow-read-64"}}},
    {.name = "batch-size",
     .title = "in a transaction",
     .number = NUMBER_IN_FLIGHT,
     .first = 1,
     .last = 1024,
     .factor = 2,
     .series = {{"read", "raw-grouped", "read-64"},
                {"insert, NORMAL", "raw-grouped", "commit-64-normal"},
                {"insert, FULL", "raw-grouped", "commit-64-full"}}},
    {.name = "rows",
     .title = "rows",
     .number = NUMBER_ROWS,
     .first = 1000,
     .last = 1000000,
     .factor = 10,
     .series = {{"by key, raw", "raw", "by-key"},
                {"by key, loop", "event-loop-1", "by-key"},
                {"no index, raw", "raw", "without-index"},
                {"no index, loop", "event-loop-1", "without-index"},
                {"sum, raw", "raw", "sum"}}},
};

int axis_series(const struct axis *axis)
{
    int count = 0;

    while (count < SERIES_MAX && axis->series[count].label != NULL)
        count++;
    return count;
}

int axis_steps(const struct axis *axis, bool quick, long steps[STEPS_MAX])
{
    long factor = quick ? axis->factor * axis->factor : axis->factor;
    int count = 0;

    for (long step = axis->first; step <= axis->last && count < STEPS_MAX;
         step *= factor)
        steps[count++] = step;
    return count;
}

const struct workload *series_workload(const struct series *series)
{
    const struct workload *workload = workload_find(series->workload);

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i].name, series->workload) == 0)
            workload = &own[i];
    }
    assert(workload != NULL); /* the names in the table are right */
    return workload;
}
