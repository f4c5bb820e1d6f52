/* advise_round - the figures of one round, and the verdict of these alone
 *
 * Internal to advise. Depends on it only.
 */
#ifndef ASQ_ADVISE_ROUND_H
#define ASQ_ADVISE_ROUND_H

#include "04-measure-first/advise.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ__WAIT,  /* blocking: half of the users wait up to this long */
    ASQ__STILL, /* blocking: how long main stands still, as its p99 */
    ASQ__THREADS_STALL,
    ASQ__LOOP_STALL,
    ASQ__TIMES
};

enum {
    ASQ__THREADS, /* throughput, blocking being 1; 0: not measured */
    ASQ__LOOP,
    ASQ__GAINS
};

/* The figures that decide, of one round or of all. */
struct asq__figures {
    uint64_t ns[ASQ__TIMES];
    double gain[ASQ__GAINS];
    unsigned in_flight;
};

struct asq__decision {
    enum asq_verdict verdict;
    enum asq_reason reason;
};

/* Returns whether it was measured. A throughput that is infinite, 0 or not a
 * number cannot be compared. */
bool asq__is_measured(const struct asq_advise_way *way);

/* Return the figures of a round whose blocking way was measured, and the median
 * of each figure in several rounds. count is from 1 to ASQ_ADVISE_ROUNDS. */
struct asq__figures asq__figures_of(const struct asq_advise_samples *round);
struct asq__figures asq__medians(const struct asq__figures *figures,
                                 size_t count);

/* Decides which way of waiting is best. */
struct asq__decision asq__judge(const struct asq__figures *figures,
                                const struct asq_advise_limits *limits);

#ifdef __cplusplus
}
#endif

#endif
