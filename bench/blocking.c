/* blocking - one query after the other on the main thread */
#include "blocking.h"

#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "common/clock.h"
#include "common/heartbeat.h"

static int answer_round(const struct work *work,
                        struct outcome *outcome,
                        struct asq_db *db,
                        struct asq_result *result)
{
    uint64_t begin = outcome->round_ns;

    for (long n = 0; n < work->requests; n++) {
        struct asq_value ids[ASQ_BASKET_SIZE];
        struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};
        uint64_t end;

        asq_basket_fill(ids, n, work->items);
        if (asq_db_run(db, ASQ_BASKET_SQL, &params, result) != 0)
            return outcome_fail(outcome, "%s: %s", work->path,
                                asq_db_message(db));
        end = asq_clock_now_ns();
        outcome_span(outcome, -1, begin, end);
        begin = end;
        if (outcome_add(outcome, result, end) != 0)
            return -1;
    }
    return 0;
}

int run_blocking(const struct work *work, struct outcome *outcome)
{
    struct asq_profile profile = asq_basket_profile(work->path, work->vfs);
    struct asq_heartbeat heartbeat;
    struct asq_result result;
    struct asq_db db;
    int rc = 0;

    asq_result_init(&result);
    if (asq_db_open(&db, &profile) != 0)
        return outcome_fail(outcome, "%s", asq_db_message(&db));
    (void)count_disk_reads(&db); /* what opening read does not count */
    asq_heartbeat_start(&heartbeat);
    while (rc == 0 && outcome_begin_round(outcome, work)) {
        rc = answer_round(work, outcome, &db, &result);
        asq_heartbeat_beat(&heartbeat);
    }
    outcome->end_ns = asq_clock_now_ns();
    outcome->stall_ns = asq_heartbeat_stop(&heartbeat);
    outcome->disk_reads = count_disk_reads(&db);
    asq_result_destroy(&result);
    (void)asq_db_close(&db); /* every statement was released */
    return rc;
}
