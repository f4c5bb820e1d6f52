/* ways - how a workload can be run: each way is one row of a table */
#include "ways.h"

#include "peers.h"
#include "ways_event_loop.h"
#include "ways_pool.h"
#include "ways_queue.h"
#include "ways_raw.h"
#include "ways_stream.h"
#include "ways_threads.h"
#include "ways_uv_work.h"

#include <stdlib.h>
#include <string.h>

const struct way ways[] = {
    {"raw", 1, way_raw},
    {"raw-grouped", 1, way_raw_grouped},
    {"open-per-call", 1, way_open_per_call},
    {"prepare-each", 1, way_prepare_each},
    {"threads", 8, way_threads},
    {"uv-work", 4, way_uv_work}, /* one for each thread of libuv's pool */
    {"event-loop-1", 1, way_event_loop},
    {"event-loop", 8, way_event_loop},
    {"pool-1", 1, way_pool},
    {"pool-2", 2, way_pool},
    {"pool-4", 4, way_pool},
    {"pool-8", 8, way_pool},
    {"store", 1, way_store},
    {"store-1", 2, way_store}, /* and one that reads */
    {"store-2", 3, way_store},
    {"queue", 1, way_queue},
    {"lent-per-query", 2, way_lent_per_query},
    {"stream", 1, way_stream},
    {"aiosqlite", 1, way_peer},
    {"better-sqlite3", 1, way_peer},
    {"node-sqlite3", 1, way_peer},
};

const int way_count = sizeof ways / sizeof ways[0];

_Static_assert(sizeof ways / sizeof ways[0] <= WAYS_MAX, "too many ways");

void ways_fix_pool(void)
{
    (void)setenv("UV_THREADPOOL_SIZE", "4", 1); /* no memory: it stays 4 */
}

const struct way *ways_find(const char *name)
{
    for (int i = 0; i < way_count; i++) {
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    }
    return NULL;
}
