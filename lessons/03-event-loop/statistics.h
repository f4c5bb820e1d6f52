/* statistics - what a connection counts
 *
 * Loop thread. Depends on request. Only conn uses the function.
 */
#ifndef ASQ_STATISTICS_H
#define ASQ_STATISTICS_H

#include "03-event-loop/request.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counted since open. */
struct asq_conn_stats {
    uint64_t answered;  /* requests; of these: */
    uint64_t failed;    /* with an SQLITE_* code, or UV_ESHUTDOWN */
    uint64_t cancelled; /* UV_ECANCELED, SQLITE_INTERRUPT */
    uint64_t too_late;  /* UV_ETIMEDOUT */
    uint64_t longest_wait_ns, longest_run_ns; /* of those that ran */
    uint64_t read_batches; /* read transactions that several queries shared */
    uint64_t loop_wakes, worker_wakes; /* how often each was woken */
};

/* Counts a request whose callback is about to begin. */
void asq__stats_count(struct asq_conn_stats *stats,
                      const struct asq_request *request);

#ifdef __cplusplus
}
#endif

#endif
