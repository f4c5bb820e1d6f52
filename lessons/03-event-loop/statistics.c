/* statistics - what a connection counts */
#include "03-event-loop/statistics.h"

static void keep_longest(uint64_t *longest_ns, uint64_t ns)
{
    if (ns > *longest_ns)
        *longest_ns = ns;
}

void asq__stats_count(struct asq_conn_stats *stats,
                      const struct asq_request *request)
{
    stats->answered++;
    if (request->status == UV_ETIMEDOUT)
        stats->too_late++;
    else if (request->status == UV_ECANCELED ||
             request->status == SQLITE_INTERRUPT)
        stats->cancelled++;
    else if (request->status != 0)
        stats->failed++;
    stats->read_batches += request->opens_batch;
    if (request->started_ns == 0)
        return;
    keep_longest(&stats->longest_wait_ns,
                 request->started_ns - request->submitted_ns);
    keep_longest(&stats->longest_run_ns,
                 request->ended_ns - request->started_ns);
}
