/* work - the same work for every way of waiting, and what came of it */
#include "work.h"

#include "01-blocking/basket.h"
#include "01-blocking/value.h"
#include "common/clock.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    SPANS = 4096
};

static int read_round(struct work *work, sqlite3_stmt *stmt)
{
    struct asq_value ids[ASQ_BASKET_SIZE];

    work->expected = 0;
    for (long n = 0; n < work->requests; n++) {
        asq_basket_fill(ids, n, work->items);
        for (int i = 0; i < ASQ_BASKET_SIZE; i++) {
            int rc = sqlite3_bind_int64(stmt, i + 1, ids[i].as.int64);

            if (rc != SQLITE_OK)
                return rc;
        }
        if (sqlite3_step(stmt) != SQLITE_ROW)
            return sqlite3_reset(stmt);
        work->expected += sqlite3_column_int64(stmt, 1);
        if (sqlite3_reset(stmt) != SQLITE_OK)
            return SQLITE_ERROR;
    }
    return SQLITE_OK;
}

int work_prepare(struct work *work)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_open_v2(work->path, &db, SQLITE_OPEN_READONLY, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, ASQ_BASKET_SQL, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = read_round(work, stmt);
    if (rc != SQLITE_OK)
        (void)fprintf(stderr, "%s: %s\n", work->path, sqlite3_errmsg(db));
    (void)sqlite3_finalize(stmt); /* its error is the step's */
    (void)sqlite3_close(db);      /* nothing is open on it */
    return rc == SQLITE_OK ? 0 : -1;
}

int outcome_init(struct outcome *outcome,
                 const struct work *work,
                 const char *way,
                 int connections,
                 bool traced)
{
    *outcome = (struct outcome){
        .way = way, .connections = connections, .traced = traced};
    if (asq_latency_init(&outcome->latency, (size_t)work->requests) != 0)
        return -1;
    if (asq_trace_init(&outcome->trace, (unsigned)connections + 1, SPANS) != 0)
        return -1;
    asq_trace_name(&outcome->trace, 0, "main");
    for (int i = 1; i <= connections; i++) {
        char name[24];

        /* Small numbers fit. */
        (void)snprintf(name, sizeof name, "worker %d", i);
        asq_trace_name(&outcome->trace, (unsigned)i, name);
    }
    return 0;
}

void outcome_destroy(struct outcome *outcome)
{
    asq_latency_destroy(&outcome->latency);
    asq_trace_destroy(&outcome->trace);
}

bool outcome_begin_round(struct outcome *outcome, const struct work *work)
{
    uint64_t now = asq_clock_now_ns();

    if (outcome->rounds == 0)
        outcome->begin_ns = now;
    else if (now - outcome->begin_ns >= work->least_ns)
        return false;
    outcome->rounds++;
    outcome->round_ns = now;
    return true;
}

int outcome_add(struct outcome *outcome,
                const struct asq_result *result,
                uint64_t now_ns)
{
    if (asq_result_at(result, 0, 0).as.int64 != ASQ_BASKET_SIZE)
        return outcome_fail(outcome, "an answer is not one basket");
    outcome->value += asq_result_at(result, 0, 1).as.int64;
    if (asq_latency_add(&outcome->latency, now_ns - outcome->round_ns) != 0)
        return outcome_fail(outcome, "out of memory");
    return 0;
}

void outcome_span(struct outcome *outcome,
                  int index,
                  uint64_t begin_ns,
                  uint64_t end_ns)
{
    struct asq_span span = {begin_ns, end_ns, ASQ_TRACE_WAIT, "query"};

    if (outcome->traced)
        asq_trace_add(&outcome->trace, (unsigned)(index + 1), &span);
}

uint64_t count_disk_reads(struct asq_db *db)
{
    int misses = 0;
    int highest = 0;

    if (sqlite3_db_status(asq_db_handle(db), SQLITE_DBSTATUS_CACHE_MISS,
                          &misses, &highest, 1) != SQLITE_OK)
        return 0;
    return (uint64_t)misses;
}

int outcome_fail(struct outcome *outcome, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    /* Cut if it is too long. */
    (void)vsnprintf(outcome->message, sizeof outcome->message, format, args);
    va_end(args);
    return -1;
}

int outcome_report(struct outcome *outcome,
                   const struct work *work,
                   struct asq_report_row *row)
{
    uint64_t answers = outcome->latency.count;
    double seconds = (double)(outcome->end_ns - outcome->begin_ns) / 1e9;

    if (answers != (uint64_t)(outcome->rounds * work->requests))
        return outcome_fail(outcome, "%s: some requests got no answer",
                            outcome->way);
    if (outcome->value != outcome->rounds * work->expected)
        return outcome_fail(outcome, "%s: the answers are wrong", outcome->way);
    *row = (struct asq_report_row){
        .way = outcome->way,
        .disk = work->disk,
        .connections = outcome->connections,
        .requests = answers,
        .disk_reads = outcome->disk_reads,
        .throughput_per_s = (double)answers / seconds,
        .p50_us = (double)asq_latency_percentile(&outcome->latency, 50) / 1e3,
        .p99_us = (double)asq_latency_percentile(&outcome->latency, 99) / 1e3,
        .stall_us = (double)outcome->stall_ns / 1e3,
    };
    return 0;
}
