/* compare - asks one query in all ways, and judges
 *
 * The ways are: blocking; with threads; on the loop through one conn, and
 * through as many conns as there are threads. Of the last two the better one is
 * judged. Everything is measured in several short rounds, so that the verdict
 * can say how sure it is. A round in which other programs decided is measured
 * again. A query that does too much needs only one round, because that is
 * counted, not timed. A slow query is asked once in each way.
 *
 * Main's thread enters it. Depends on advise and measure.
 */
#ifndef ASQ_COMPARE_H
#define ASQ_COMPARE_H

#include "04-measure-first/advise.h"
#include "04-measure-first/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_COMPARE_WAYS = 4,
    ASQ_COMPARE_THREADS = 8,
    ASQ_COMPARE_ROUNDS = 5, /* wanted */
    ASQ_COMPARE_AGAIN = 3,  /* at most, in place of disturbed ones */
    ASQ_COMPARE_ATTEMPTS = ASQ_COMPARE_ROUNDS + ASQ_COMPARE_AGAIN
};

/* One way: medians of the rounds, except requests and first_us. */
struct asq_compare_row {
    const char *way; /* "blocking", "threads", "event-loop-1", "event-loop" */
    unsigned connections;
    size_t requests; /* of all rounds */
    double first_us; /* in the first round, until all connections were open and
                        had answered once */
    double per_s;
    double p50_us, p99_us; /* from "ready" to "answered" */
    double stall_us;
};

struct asq_compare {
    struct asq_compare_row rows[ASQ_COMPARE_WAYS];
    int count; /* of the rows: how many ways were measured */
    struct asq_advice advice;
};

/* Called when a way begins, in each round. */
typedef void (*asq_way_cb)(void *data, const char *way);

/* Measures and judges. measure is filled in as for asq_measure_blocking, but
 * its rounds are set here; limits are those of asq_advise; on_way may be NULL.
 * Returns as asq_measure_blocking, with measure->message. */
int asq_compare(struct asq_measure *measure,
                const struct asq_advise_limits *limits,
                asq_way_cb on_way,
                void *data,
                struct asq_compare *ret_compare);

#ifdef __cplusplus
}
#endif

#endif
