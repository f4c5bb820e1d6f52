/* compare - asks one query in all ways, and judges */
#include "04-measure-first/compare.h"

#include "04-measure-first/measure_loop.h"
#include "04-measure-first/measure_threads.h"

#include <stdlib.h>
#include <uv.h>

static const char *const names[] = {"blocking", "threads", "event-loop-1",
                                    "event-loop"};

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
    /* Blocking comes first; after it, in_flight is what the time allows. */
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

/* All ways of all rounds. They are measured round by round, so that a change of
 * the machine meanwhile affects all ways. */
struct rounds {
    struct asq_measured measured[ASQ_COMPARE_ATTEMPTS][ASQ_COMPARE_WAYS];
    struct asq_advise_samples samples[ASQ_COMPARE_ATTEMPTS];
    unsigned count;     /* complete ones */
    unsigned disturbed; /* of these */
};

/* Returns the median of one figure of a way over the rounds. */
static double median(const struct rounds *rounds,
                     int way,
                     double (*figure)(const struct asq_measured *measured))
{
    uint64_t values[ASQ_COMPARE_ATTEMPTS];

    /* In thousandths, so that small figures keep their digits. */
    for (unsigned i = 0; i < rounds->count; i++)
        values[i] = (uint64_t)(1e3 * figure(&rounds->measured[i][way]));
    return (double)asq_percentile_ns(values, rounds->count, 50) / 1e3;
}

static double per_s(const struct asq_measured *measured)
{
    return asq_measured_way(measured).per_s;
}

static double p50_us(const struct asq_measured *measured)
{
    return (double)asq_percentile_ns(measured->samples_ns, measured->count,
                                     50) /
           1e3;
}

static double p99_us(const struct asq_measured *measured)
{
    return (double)asq_percentile_ns(measured->samples_ns, measured->count,
                                     99) /
           1e3;
}

static double stall_us(const struct asq_measured *measured)
{
    return (double)measured->stall_ns / 1e3;
}

static void fill_row(struct asq_compare_row *row,
                     const char *name,
                     const struct rounds *rounds,
                     int way)
{
    *row = (struct asq_compare_row){
        .way = name,
        .connections = rounds->measured[0][way].connections,
        .first_us = (double)rounds->measured[0][way].first_ns / 1e3,
        .per_s = median(rounds, way, per_s),
        .p50_us = median(rounds, way, p50_us),
        .p99_us = median(rounds, way, p99_us),
        .stall_us = median(rounds, way, stall_us),
    };
    for (unsigned i = 0; i < rounds->count; i++)
        row->requests += rounds->measured[i][way].count;
}

/* Puts a round together. loop is the better one of the two ways on the loop. */
static void take_samples(const struct asq_measure *measure,
                         struct rounds *rounds,
                         unsigned round,
                         int loop)
{
    const struct asq_measured *measured = rounds->measured[round];

    rounds->samples[round] = (struct asq_advise_samples){
        .blocking = asq_measured_way(&measured[BLOCKING]),
        .threads = asq_measured_way(&measured[ON_THREADS]),
        .loop = asq_measured_way(&measured[loop]),
        .in_flight = measure->in_flight,
        .took_ns = measured[BLOCKING].took_ns,
        .lost_ns = measured[BLOCKING].lost_ns,
    };
}

/* Judges by what has been measured so far. */
static void judge(const struct asq_measure *measure,
                  const struct asq_advise_limits *limits,
                  struct rounds *rounds,
                  struct asq_advice *ret_advice)
{
    int loop = rounds->measured[0][MANY_CONNS].count > 0 &&
                       median(rounds, MANY_CONNS, per_s) >
                           median(rounds, ONE_CONN, per_s)
                   ? MANY_CONNS
                   : ONE_CONN;

    rounds->disturbed = 0;
    for (unsigned i = 0; i < rounds->count; i++) {
        take_samples(measure, rounds, i, loop);
        rounds->disturbed += asq_advise_disturbed(&rounds->samples[i], limits);
    }
    asq_advise(rounds->samples, rounds->count, &measure->plan, limits,
               ret_advice);
}

/* Returns whether one run of a slow query is enough, because it does too much.
 */
static bool is_enough(const struct asq_measure *measure,
                      const struct asq_advise_limits *limits,
                      struct rounds *rounds)
{
    struct asq_advice advice;

    rounds->count = 1;
    judge(measure, limits, rounds, &advice);
    rounds->count = 0;
    return measure->slow && advice.verdict == ASQ_FIX_QUERY;
}

/* Measures one round in all ways, and counts these. */
static int measure_round(struct asq_measure *measure,
                         const struct asq_advise_limits *limits,
                         struct rounds *rounds,
                         asq_way_cb on_way,
                         void *data,
                         int *ret_ways)
{
    struct asq_measured *measured = rounds->measured[rounds->count];
    int rc = 0, way = 0;

    while (way < ASQ_COMPARE_WAYS && rc == 0) {
        if (way == MANY_CONNS && measure->in_flight == 1)
            break;
        if (way == ON_THREADS && rounds->count == 0 &&
            is_enough(measure, limits, rounds))
            break;
        if (on_way != NULL)
            on_way(data, names[way]);
        rc = measure_way(measure, way, &measured[way]);
        way += rc == 0;
    }
    *ret_ways = way;
    rounds->count += rc == 0;
    return rc;
}

/* Returns whether enough rounds were not disturbed, or too many were. */
static bool is_done(const struct asq_measure *measure,
                    const struct rounds *rounds,
                    const struct asq_advice *advice)
{
    return rounds->count - rounds->disturbed >= measure->rounds ||
           rounds->count >= measure->rounds + ASQ_COMPARE_AGAIN ||
           measure->slow || advice->verdict == ASQ_FIX_QUERY;
}

int asq_compare(struct asq_measure *measure,
                const struct asq_advise_limits *limits,
                asq_way_cb on_way,
                void *data,
                struct asq_compare *ret_compare)
{
    struct rounds *rounds = calloc(1, sizeof *rounds);
    int rc = 0;

    *ret_compare = (struct asq_compare){0};
    if (rounds == NULL)
        return asq__measure_fail(measure, UV_ENOMEM, "out of memory");
    measure->rounds = ASQ_COMPARE_ROUNDS;
    do {
        rc = measure_round(measure, limits, rounds, on_way, data,
                           &ret_compare->count);
        if (rc == 0)
            judge(measure, limits, rounds, &ret_compare->advice);
    } while (rc == 0 && !is_done(measure, rounds, &ret_compare->advice));
    for (int way = 0; way < ret_compare->count && rc == 0; way++)
        fill_row(&ret_compare->rows[way], names[way], rounds, way);
    for (int i = 0; i < ASQ_COMPARE_ATTEMPTS; i++)
        for (int way = 0; way < ASQ_COMPARE_WAYS; way++)
            asq_measured_destroy(&rounds->measured[i][way]);
    free(rounds);
    return rc;
}
