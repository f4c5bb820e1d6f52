/* compare - one query, asked in all ways, and judged
 *
 * Blocking; with threads; on the loop through one conn and through as many as
 * there are threads. Of the last two the better one is judged. All that in
 * several short rounds, so that the verdict can say how sure it is; a round
 * that other programs have decided is measured again. A query that does too
 * much has one round: that is counted, not timed. A slow one is asked once.
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
    ASQ_COMPARE_AGAIN = 3,  /* more at most, for those that were disturbed */
    ASQ_COMPARE_ATTEMPTS = ASQ_COMPARE_ROUNDS + ASQ_COMPARE_AGAIN
};

/* One way: medians of the rounds, but for requests and first_us. */
struct asq_compare_row {
    const char *way; /* "blocking", "threads", "event-loop-1", "event-loop" */
    unsigned connections;
    size_t requests; /* of all rounds */
    double first_us; /* until all connections were open and had answered, in
                        the first round */
    double per_s;
    double p50_us, p99_us; /* from "ready" to "answered" */
    double stall_us;
};

struct asq_compare {
    struct asq_compare_row rows[ASQ_COMPARE_WAYS];
    int count; /* of the rows: of the ways that were measured */
    struct asq_advice advice;
};

/* A way begins. */
typedef void (*asq_way_cb)(void *data, const char *way);

/* Measures and judges. measure is filled in as for asq_measure_blocking, its
 * rounds are set here; limits are those of asq_advise; on_way may be NULL.
 * Returns as that, with measure->message. */
int asq_compare(struct asq_measure *measure,
                const struct asq_advise_limits *limits,
                asq_way_cb on_way,
                void *data,
                struct asq_compare *ret_compare);

#ifdef __cplusplus
}
#endif

#endif
