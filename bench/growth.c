/* growth - how the cost of an operation grows with one number
 *
 * Each axis turns one number up (requests in flight, connections, the size of
 * a batch, rows in the table) and runs the same workload several ways at each
 * step, in turn. What is printed is the time for one operation: the median of
 * the rounds. Every answer is checked, as in bench.
 *
 * Run: make bench-growth; charts.sh draws what this writes to build/growth.
 */
#include "axes.h"
#include "box.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "progress.h"
#include "tally.h"
#include "ways.h"

#include <stdio.h>
#include <string.h>

enum {
    ROUNDS = 3,
    FEW_REQUESTS = 1000 /* below it nothing is measured, only tried */
};

struct point {
    double us[ROUNDS]; /* for one operation */
    int runs;
};

struct growth {
    struct asq_options options;
    int quick;
    int rounds;
    struct data data;
    struct box box;
    struct progress progress;
    /* of all axes */
    long steps[AXES][STEPS_MAX];
    int step_count[AXES];
    struct point points[AXES][STEPS_MAX][SERIES_MAX];
};

static void set_box(struct growth *growth,
                    const struct axis *axis,
                    const struct series *series,
                    long step)
{
    struct box *box = &growth->box;

    box->data = &growth->data;
    box->workload = series_workload(series);
    box->in_flight = box->workload->in_flight;
    box->connections = ways_find(series->way)->connections;
    box->length_ns = (growth->quick ? 40 : 100) * ASQ_NS_PER_MS;
    box->limit = growth->options.requests;
    if (axis->number == NUMBER_IN_FLIGHT)
        box->in_flight = (int)step;
    else if (axis->number == NUMBER_CONNECTIONS)
        box->connections = (int)step;
}

static int run_point(struct growth *growth,
                     const struct axis *axis,
                     const struct series *series,
                     long step,
                     struct point *point)
{
    struct box *box = &growth->box;

    set_box(growth, axis, series, step);
    progress_show(&growth->progress, axis->name, series->label);
    if (box_run(box, ways_find(series->way)->run) != 0)
        return -1;
    progress_add(&growth->progress, 0.2);
    point->us[point->runs++] =
        (double)(box->end_ns - box->begin_ns) / 1e3 / (double)box->answered;
    return 0;
}

/* Makes the table that a step of rows needs. */
static int make_table(struct growth *growth, long rows)
{
    growth->data.items = (int)rows;
    return data_make_numbers(growth->data.path[SOURCE_GROWING], rows,
                             growth->box.message);
}

/* All series at one step, in turn: round by round another one begins. */
static int run_step(struct growth *growth, int index, int step_index)
{
    const struct axis *axis = &axes[index];
    long step = growth->steps[index][step_index];
    int count = axis_series(axis);
    int rc = 0;

    if (axis->number == NUMBER_ROWS)
        rc = make_table(growth, step);
    for (int i = 0; i < growth->rounds * count && rc == 0; i++) {
        int which = (i / count + i) % count;

        rc = run_point(growth, axis, &axis->series[which], step,
                       &growth->points[index][step_index][which]);
    }
    return rc;
}

static struct spread
spread_at(const struct growth *growth, int index, int step, int series)
{
    const struct point *point = &growth->points[index][step][series];

    return tally_spread(point->us, point->runs);
}

static int print_axis(const struct growth *growth, int index)
{
    const struct axis *axis = &axes[index];
    const char *headers[SERIES_MAX + 1] = {axis->title};
    int count = axis_series(axis);
    struct asq_table table;
    char text[16];
    int rc;

    for (int i = 0; i < count; i++)
        headers[i + 1] = axis->series[i].label;
    asq_table_init(&table, headers, (size_t)count + 1);
    for (int step = 0; step < growth->step_count[index]; step++) {
        asq_table_add(&table, "%ld", growth->steps[index][step]);
        for (int i = 0; i < count; i++) {
            double us = spread_at(growth, index, step, i).median;

            asq_table_add(&table, "%s", asq_format_duration(text, us));
        }
    }
    printf("\n%s: the time for one operation\n", axis->name);
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    (void)fflush(stdout); /* asq_options_finish tells what was lost */
    return rc;
}

/* Writes what gnuplot reads: a header, then the step and the time of each
 * series in microseconds, with tabs between. It is no JSON, but it shall
 * appear whole or not at all as well. Returns 0 or a negative errno. */
static int write_axis(const struct growth *growth, int index)
{
    const struct axis *axis = &axes[index];
    int count = axis_series(axis);
    struct asq_json file;
    char path[ASQ_SHOP_PATH_MAX];
    int rc;

    /* Cut if the folder's path is too long; opening it then fails. */
    (void)snprintf(path, sizeof path, "%s/growth/%s.tsv", asq_build_dir(),
                   axis->name);
    rc = asq_json_open(&file, path);
    if (rc != 0)
        return rc;
    asq_json_put(&file, "%s", axis->title);
    for (int i = 0; i < count; i++)
        asq_json_put(&file, "\t%s", axis->series[i].label);
    for (int step = 0; step < growth->step_count[index]; step++) {
        asq_json_put(&file, "\n%ld", growth->steps[index][step]);
        for (int i = 0; i < count; i++) {
            asq_json_put(&file, "\t");
            asq_json_number(&file, spread_at(growth, index, step, i).median);
        }
    }
    asq_json_put(&file, "\n");
    return asq_json_close(&file);
}

static void put_point(struct asq_json *json,
                      const struct growth *growth,
                      int index,
                      int step,
                      int series)
{
    struct spread us = spread_at(growth, index, step, series);

    asq_json_put(json, "{\"axis\": \"%s\", \"value\": %ld, \"series\": ",
                 axes[index].name, growth->steps[index][step]);
    asq_json_text(json, axes[index].series[series].label);
    asq_json_put(json, ", \"us_per_op\": ");
    asq_json_number(json, us.median);
    asq_json_put(json, ", \"us_min\": ");
    asq_json_number(json, us.low);
    asq_json_put(json, ", \"us_max\": ");
    asq_json_number(json, us.high);
    asq_json_put(json, "}");
}

static int write_json(const struct growth *growth)
{
    const char *between = "[\n  ";
    struct asq_json json;
    int rc = asq_json_open(&json, growth->options.json);

    if (rc != 0)
        return rc;
    for (int index = 0; index < AXES; index++) {
        for (int step = 0; step < growth->step_count[index]; step++) {
            for (int i = 0; i < axis_series(&axes[index]); i++) {
                asq_json_put(&json, "%s", between);
                put_point(&json, growth, index, step, i);
                between = ",\n  ";
            }
        }
    }
    asq_json_put(&json, "\n]\n");
    return asq_json_close(&json);
}

static int run_axis(struct growth *growth, int index)
{
    for (int step = 0; step < growth->step_count[index]; step++) {
        if (run_step(growth, index, step) != 0) {
            progress_hide(&growth->progress);
            (void)fprintf(stderr, "%s: %s\n", axes[index].name,
                          growth->box.message);
            return 1;
        }
    }
    progress_hide(&growth->progress);
    if (print_axis(growth, index) == 0 && write_axis(growth, index) == 0)
        return 0;
    (void)fprintf(stderr, "%s: the results cannot be written\n",
                  axes[index].name);
    return 1;
}

static int run_all(struct growth *growth)
{
    int rc;

    for (int i = 0; i < AXES; i++) {
        if (run_axis(growth, i) != 0)
            return 1;
    }
    rc = write_json(growth);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", growth->options.json, strerror(-rc));
    return rc == 0 ? 0 : 1;
}

static int prepare(struct growth *growth)
{
    bool few = growth->options.requests < FEW_REQUESTS;
    int runs = 0;

    if (data_init(&growth->data, growth->options.requests,
                  growth->box.message) != 0) {
        (void)fprintf(stderr, "%s\n", growth->box.message);
        return 1;
    }
    if (asq_slow_disk_register() != 0) {
        (void)fprintf(stderr, "the slow disk cannot be set up\n");
        return 1;
    }
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(growth->options.slow_disk_ms * 1000));
    growth->rounds = growth->quick || few ? 1 : ROUNDS;
    for (int i = 0; i < AXES; i++) {
        growth->step_count[i] =
            axis_steps(&axes[i], growth->quick || few, growth->steps[i]);
        runs += growth->step_count[i] * axis_series(&axes[i]);
    }
    progress_begin(&growth->progress, runs * growth->rounds * 0.2);
    return 0;
}

int main(int argc, char **argv)
{
    static struct growth growth = {
        .options = {.program = "build/bench/growth",
                    .about = "How the cost of an operation grows.",
                    .slow_disk_ms = 1,
                    .requests = 10000000}};
    const struct asq_option more[] = {{.name = "quick",
                                       .help = "fewer steps, one round",
                                       .kind = ASQ_OPTION_FLAG,
                                       .target = &growth.quick}};
    char json[ASQ_SHOP_PATH_MAX];
    int rc;

    /* Cut if the build folder's path is too long; opening it then fails. */
    (void)snprintf(json, sizeof json, "%s/growth.json", asq_build_dir());
    growth.options.json = json;
    growth.options.more = more;
    growth.options.more_count = 1;
    rc = asq_options_parse(&growth.options, argc, argv);
    if (rc >= 0)
        return rc;
    ways_fix_pool();
    rc = prepare(&growth);
    if (rc == 0)
        rc = run_all(&growth);
    box_destroy(&growth.box);
    data_destroy(&growth.data);
    return asq_options_finish(&growth.options, rc);
}
