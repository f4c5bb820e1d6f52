/* compare - one query, asked in all ways, and judged */
#include "04-measure-first/compare.h"

#include "04-measure-first/measure_loop.h"
#include "04-measure-first/measure_threads.h"

enum {
    BLOCKING,
    ON_THREADS,
    ONE_CONN,
    MANY_CONNS
};

static int measure_way(struct asq_measure *measure,
                       int way,
                       struct asq_measured *ret_measured)
{
    /* Blocking is the first: then in_flight is what the time allows. */
    unsigned many = measure->in_flight < ASQ_COMPARE_THREADS
                        ? measure->in_flight
                        : ASQ_COMPARE_THREADS;

    switch (way) {
    case BLOCKING:
        return asq_measure_blocking(measure, ret_measured);
    case ON_THREADS:
        return asq_measure_threads(measure, many, ret_measured);
    case ONE_CONN:
        return asq_measure_loop(measure, 1, ret_measured);
    default:
        return asq_measure_loop(measure, many, ret_measured);
    }
}

static void fill_row(struct asq_compare_row *row,
                     const char *name,
                     const struct asq_measured *measured)
{
    struct asq_advise_way way = asq_measured_way(measured);

    *row = (struct asq_compare_row){
        .way = name,
        .connections = measured->connections,
        .requests = way.count,
        .first_us = (double)measured->first_ns / 1e3,
        .per_s = way.per_s,
        .p50_us =
            (double)asq_percentile_ns(way.samples_ns, way.count, 50) / 1e3,
        .p99_us =
            (double)asq_percentile_ns(way.samples_ns, way.count, 99) / 1e3,
        .stall_us = (double)way.stall_ns / 1e3,
    };
}

/* Judges by what has been measured so far. */
static void judge(const struct asq_measure *measure,
                  const struct asq_advise_limits *limits,
                  const struct asq_measured *measured,
                  struct asq_compare *compare)
{
    struct asq_advise_samples samples = {
        .blocking = asq_measured_way(&measured[BLOCKING]),
        .threads = asq_measured_way(&measured[ON_THREADS]),
        .loop = asq_measured_way(&measured[ONE_CONN]),
        .in_flight = measure->in_flight,
    };
    struct asq_advise_way many = asq_measured_way(&measured[MANY_CONNS]);

    if (many.count > 0 && many.per_s > samples.loop.per_s)
        samples.loop = many;
    asq_advise(&samples, &measure->plan, limits, &compare->advice);
}

/* Says whether the rest can be left out. */
static bool is_enough(const struct asq_measure *measure,
                      const struct asq_compare *compare)
{
    if (measure->slow && compare->advice.verdict == ASQ_FIX_QUERY)
        return true;
    return compare->count == MANY_CONNS && measure->in_flight == 1;
}

int asq_compare(struct asq_measure *measure,
                const struct asq_advise_limits *limits,
                asq_way_cb on_way,
                void *data,
                struct asq_compare *ret_compare)
{
    static const char *const names[] = {"blocking", "threads", "event-loop-1",
                                        "event-loop"};
    struct asq_measured measured[ASQ_COMPARE_WAYS] = {0};
    int rc = 0;

    *ret_compare = (struct asq_compare){0};
    for (int way = 0; way < ASQ_COMPARE_WAYS && rc == 0; way++) {
        if (is_enough(measure, ret_compare))
            break;
        if (on_way != NULL)
            on_way(data, names[way]);
        rc = measure_way(measure, way, &measured[way]);
        if (rc == 0) {
            fill_row(&ret_compare->rows[way], names[way], &measured[way]);
            ret_compare->count++;
            judge(measure, limits, measured, ret_compare);
        }
    }
    for (int way = 0; way < ASQ_COMPARE_WAYS; way++)
        asq_measured_destroy(&measured[way]);
    return rc;
}
