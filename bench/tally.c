/* tally - the runs of one workload one way, and what is said of them */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double percentile_us(struct box *box, double percent)
{
    return (double)asq_latency_percentile(&box->latency, percent) / 1e3;
}

void tally_add(struct tally *tally, struct box *box)
{
    long rows = box->workload->rows;
    double ns = (double)(box->end_ns - box->begin_ns);
    double ops;
    int run = tally->runs;
    bool seen;

    if (run == RUNS_MAX)
        return;
    ops = (double)(box->answered * (rows > 0 ? rows : box->data->batch_rows));
    tally->ops_per_s[run] = ops * 1e9 / ns;
    /* A peer has only the time of all. */
    seen = box->latency.count > 0;
    tally->p50_us[run] = seen ? percentile_us(box, 50) : NAN;
    tally->p99_us[run] = seen ? percentile_us(box, 99) : NAN;
    tally->stall_us[run] = seen ? (double)box->stall_ns / 1e3 : NAN;
    tally->cpu_us[run] = seen ? (double)box->cpu_ns / 1e3 / ops : NAN;
    tally->file_us[run] = box->file_ns > 0 ? (double)box->file_ns / 1e3 : NAN;
    tally->checkpoints[run] =
        box->checkpoint_ns > 0 ? (double)box->checkpoint_ns / ns : NAN;
    tally->runs++;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct spread tally_spread(const double values[], int count)
{
    double sorted[RUNS_MAX];
    int middle = count / 2;
    struct spread spread = {NAN, NAN, NAN};

    if (count == 0)
        return spread;
    memcpy(sorted, values, (size_t)count * sizeof sorted[0]);
    qsort(sorted, (size_t)count, sizeof sorted[0], compare);
    spread.low = sorted[0];
    spread.high = sorted[count - 1];
    spread.median = count % 2 == 1 ? sorted[middle]
                                   : (sorted[middle - 1] + sorted[middle]) / 2;
    return spread;
}

struct spread tally_ratio(const double a[], const double b[], int count)
{
    double ratios[RUNS_MAX];

    for (int i = 0; i < count; i++)
        ratios[i] = a[i] / b[i];
    return tally_spread(ratios, count);
}

static double median(const double values[], int count)
{
    return tally_spread(values, count).median;
}

struct bench_row tally_row(const struct tally *tally,
                           const struct tally *raw,
                           const struct tally *grouped)
{
    int runs = tally->runs;
    struct bench_row row = {
        .workload = tally->workload,
        .way = tally->way,
        .ops_per_s = median(tally->ops_per_s, runs),
        .ratio = {NAN, NAN, NAN},
        .share_of_grouped = NAN,
        .p50_us = median(tally->p50_us, runs),
        .p99_us = median(tally->p99_us, runs),
        .stall_us = median(tally->stall_us, runs),
        .cpu_us_per_op = median(tally->cpu_us, runs),
        .file_us = median(tally->file_us, runs),
        .checkpoints = median(tally->checkpoints, runs),
        .runs = runs,
    };

    if (raw != NULL)
        row.ratio = tally_ratio(tally->ops_per_s, raw->ops_per_s, runs);
    if (grouped != NULL)
        row.share_of_grouped =
            tally_ratio(tally->ops_per_s, grouped->ops_per_s, runs).median;
    return row;
}
