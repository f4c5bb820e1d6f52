/* workloads - the table, and what is common to its rows */
#include "workloads.h"

#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "common/slow_disk.h"
#include "operations.h"

#include <string.h>

enum {
    CACHE_KIB = 40000
};

#define READ_SQL "SELECT value FROM items WHERE id = ?1"
#define ONE_WRITER "raw raw-grouped open-per-call prepare-each "

/* Clients that each insert a row of the log and commit it. */
#define INSERT                                                                 \
    .source = SOURCE_LOG, .rows = 1, .sql = {BENCH_INSERT_SQL},                \
    .fill = fill_row, .expect = expect_row

/* What the queue of lesson 14 does, for one job: with a lease and a token. */
#define CLAIM_SQL                                                              \
    "UPDATE asq_jobs SET state = 2, attempt = attempt + 1,"                    \
    " lease_ms = 1000000000, boot = 'b', worker = 'w', started_ms = 1"         \
    " WHERE id = (SELECT id FROM asq_jobs WHERE queue = 'bench'"               \
    "  AND state = 0 ORDER BY priority DESC, id LIMIT 1)"                      \
    " RETURNING id, attempt"
#define DONE_SQL                                                               \
    "UPDATE asq_jobs SET state = 3, ended_ms = 1, error = NULL"                \
    " WHERE id = ?1 AND attempt = ?2 AND state = 2"
#define PUT_SQL                                                                \
    "INSERT INTO asq_jobs (queue, state, priority, due_ms, key, payload,"      \
    " max_attempts) VALUES ('bench', 0, ?1, NULL, NULL, x'6a6f62', 5)"
#define WORK                                                                   \
    .source = SOURCE_QUEUE, .synchronous = 2, .works = true, .rows = 1,        \
    .sql = {CLAIM_SQL, DONE_SQL}, .fill = fill_row, .expect = expect_row
#define POOL_WAYS "pool-1 pool-2 pool-4 "
#define PEER_WAYS "aiosqlite better-sqlite3 node-sqlite3"
#define INSERT_WAYS "threads uv-work event-loop-1 store"
#define GROUP_WAYS "raw raw-grouped event-loop-1 store"

const struct workload workloads[] = {
    {.name = "read-1",
     .ways = "raw open-per-call prepare-each threads uv-work event-loop-1",
     .in_flight = 1,
     .rows = 1,
     .sql = {READ_SQL},
     .fill = fill_read,
     .expect = expect_read},
    {.name = "read-64",
     .ways = ONE_WRITER "threads uv-work event-loop-1 event-loop " POOL_WAYS
                        "lent-per-query " PEER_WAYS,
     .in_flight = 64,
     .rows = 1,
     .sql = {READ_SQL},
     .fill = fill_read,
     .expect = expect_read},
    {.name = "read-256",
     .ways = "raw raw-grouped event-loop-1 " POOL_WAYS,
     .in_flight = 256,
     .rows = 1,
     .sql = {READ_SQL},
     .fill = fill_read,
     .expect = expect_read},
    {.name = "read-beside-writer",
     .ways = "raw raw-grouped event-loop-1 " POOL_WAYS,
     .in_flight = 64,
     .source = SOURCE_COPY,
     .rival = true,
     .rows = 1,
     .sql = {READ_SQL},
     .fill = fill_read_copied,
     .expect = expect_read_copied},
    {.name = "scan",
     .ways = "raw threads uv-work event-loop-1 event-loop",
     .in_flight = 8,
     .rows = 1,
     .sql = {"SELECT sum(value) FROM items WHERE data LIKE '%glass%'"},
     .fill = fill_nothing,
     .expect = expect_scan},
    {.name = "mixed",
     .ways = ONE_WRITER "threads uv-work event-loop-1 event-loop store-1"
                        " store-2",
     .in_flight = 64,
     .source = SOURCE_COPY,
     .synchronous = 1,
     .reads_wait = true,
     .rows = 1,
     .sql = {READ_SQL, "UPDATE items SET value = value + 1 WHERE id = ?1"},
     .fill = fill_mixed,
     .expect = expect_mixed},
    {.name = "mixed-reads",
     .ways = "raw raw-grouped event-loop-1 store-1 store-2",
     .in_flight = 64,
     .source = SOURCE_COPY,
     .rows = 1,
     .sql = {READ_SQL},
     .fill = fill_read_copied,
     .expect = expect_read_copied},
    {.name = "commit-1-normal",
     .ways = "raw open-per-call prepare-each " INSERT_WAYS,
     .in_flight = 1,
     .synchronous = 1,
     INSERT},
    {.name = "commit-1-full",
     .ways = "raw open-per-call prepare-each " INSERT_WAYS,
     .in_flight = 1,
     .synchronous = 2,
     INSERT},
    {.name = "commit-64-normal",
     .ways = ONE_WRITER INSERT_WAYS " " PEER_WAYS,
     .in_flight = 64,
     .synchronous = 1,
     INSERT},
    {.name = "commit-64-full",
     .ways = ONE_WRITER INSERT_WAYS,
     .in_flight = 64,
     .synchronous = 2,
     INSERT},
    {.name = "commit-256-normal",
     .ways = GROUP_WAYS,
     .in_flight = 256,
     .synchronous = 1,
     INSERT},
    {.name = "commit-1024-normal",
     .ways = GROUP_WAYS,
     .in_flight = 1024,
     .synchronous = 1,
     INSERT},
    {.name = "commit-1024-full",
     .ways = GROUP_WAYS,
     .in_flight = 1024,
     .synchronous = 2,
     INSERT},
    {.name = "slow-commit-64",
     .ways = GROUP_WAYS,
     .in_flight = 64,
     .slow = true,
     .synchronous = 2,
     INSERT},
    {.name = "queue-1", .ways = "raw queue", .in_flight = 1, WORK},
    {.name = "queue-4", .ways = "raw queue", .in_flight = 4, WORK},
    {.name = "enqueue-1000",
     .ways = "raw raw-grouped store queue",
     .in_flight = 1000,
     .source = SOURCE_QUEUE,
     .synchronous = 2,
     .rows = 1,
     .sql = {PUT_SQL},
     .fill = fill_row,
     .expect = expect_row},
    {.name = "batch",
     .ways = "raw prepare-each threads uv-work event-loop-1",
     .in_flight = 1,
     .source = SOURCE_LOG,
     .synchronous = 1,
     .whole = true,
     .fill = fill_nothing,
     .expect = expect_batch,
     .raw_call = batch_raw,
     .call = batch_call},
    {.name = "stream",
     .ways = "raw threads uv-work event-loop-1 event-loop stream " PEER_WAYS,
     .in_flight = 2, /* one is read while the next is fetched */
     .source = SOURCE_NUMBERS,
     .rows = BENCH_CHUNK,
     .whole = true,
     .sql = {"SELECT id, value FROM numbers WHERE id > ?1 AND id <= ?2"},
     .fill = fill_stream,
     .expect = expect_stream},
    {.name = "slow-read-64",
     .ways = "raw open-per-call threads uv-work event-loop-1 event-loop"
             " pool-1 pool-2 pool-8",
     .in_flight = 64,
     .slow = true,
     .rows = 1,
     .sql = {READ_SQL},
     .fill = fill_read,
     .expect = expect_read},
    {.name = "stall",
     .ways = "raw threads uv-work event-loop-1 event-loop pool-4",
     .in_flight = 4, /* as many as libuv's pool has threads */
     .slow = true,
     .rows = 1,
     .whole = true,
     .looks = true,
     .sql = {"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
             " WHERE i + 1 < ?2) SELECT sum(value) FROM n CROSS JOIN items"
             " ON items.id = ?1 + i * 331"},
     .fill = fill_stall,
     .expect = expect_stall},
};

const int workload_count = sizeof workloads / sizeof workloads[0];

const struct workload *workload_find(const char *name)
{
    for (int i = 0; i < workload_count; i++) {
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    }
    return NULL;
}

long workload_ops(const struct workload *workload, const struct data *data)
{
    if (!workload->whole)
        return 0;
    if (workload->source == SOURCE_NUMBERS)
        return data->chunks;
    return workload->in_flight;
}

bool workload_has(const struct workload *workload, const char *way)
{
    size_t length = strlen(way);
    const char *at = workload->ways;

    while ((at = strstr(at, way)) != NULL) {
        bool begins = at == workload->ways || at[-1] == ' ';

        if (begins && (at[length] == ' ' || at[length] == '\0'))
            return true;
        at += length;
    }
    return false;
}

struct asq_profile workload_profile(const struct workload *workload,
                                    const struct data *data)
{
    const char *path = data->path[workload->source];
    struct asq_profile profile = asq_profile_default(path);

    if (workload->slow && workload->synchronous == 0)
        return asq_basket_profile(path, ASQ_SLOW_DISK);
    if (workload->slow)
        profile.vfs = ASQ_SLOW_DISK;
    if (workload->synchronous == 0) {
        profile.mode = ASQ_OPEN_READ;
    } else {
        profile.mode = ASQ_OPEN_WRITE;
        profile.synchronous = workload->synchronous;
    }
    profile.cache_kib = CACHE_KIB;
    profile.busy_ms = 30000; /* eight writers stand in line for the lock */
    return profile;
}

void workload_set_disk(const struct workload *workload, double ms)
{
    uint64_t us = workload->slow ? (uint64_t)(ms * 1000) : 0;
    bool writes = workload->synchronous > 0;

    asq_slow_disk_delay(ASQ_DISK_READ, writes ? 0 : us);
    asq_slow_disk_delay(ASQ_DISK_SYNC, writes ? us : 0);
}

const char *workload_warm_sql(const struct workload *workload)
{
    if (workload->slow || workload->source == SOURCE_NUMBERS ||
        workload->source == SOURCE_GROWING || workload->source == SOURCE_LOG ||
        workload->source == SOURCE_QUEUE)
        return NULL;
    return "SELECT sum(value) FROM items";
}

bool op_writes(const struct workload *workload, const struct op *op)
{
    return workload->source == SOURCE_LOG || workload->source == SOURCE_QUEUE ||
           (workload->source == SOURCE_COPY && op->which == 1);
}

int64_t op_answer(const struct asq_result *result)
{
    int64_t sum = 0;

    if (result->columns == 0)
        return result->changes;
    for (size_t row = 0; row < result->rows; row++) {
        for (int column = 0; column < result->columns; column++)
            sum += asq_result_at(result, row, column).as.int64;
    }
    return sum;
}

int op_run(const struct workload *workload,
           const struct data *data,
           struct asq_db *db,
           const struct op *op,
           struct asq_result *result,
           int64_t *ret_answer)
{
    struct asq_params params = {.values = op->values, .count = op->count};
    int rc;

    if (workload->call != NULL) {
        rc = workload->call(db, data);
        if (rc == 0)
            *ret_answer = data->batch_rows;
        return rc;
    }
    rc = asq_db_run(db, workload->sql[op->which], &params, result);
    if (rc == 0)
        *ret_answer = op_answer(result);
    return rc;
}
