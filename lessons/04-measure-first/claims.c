/* claims - measures the claims that lesson 04 settles
 *
 * One function for each claim; docs/claims.md quotes them.
 *
 * Run: make claims L=04
 */
#include "04-measure-first/compare.h"
#include "04-measure-first/measure_loop.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>

#define ANY_ITEM "(SELECT abs(random()) % 10000 + 1)"
#define ONE_ITEM "SELECT name, value FROM items WHERE id = " ANY_ITEM

enum {
    MOST_USERS = 32, /* tried, by doubling */
    QUERIES = 4
};

struct app {
    struct asq_stage stage;
    unsigned asked, busy; /* verdicts of advise for a claim; too busy */
};

static struct asq_measure
measure_of(struct app *app, const char *sql, unsigned in_flight, bool slow_disk)
{
    struct asq_measure measure = {
        .profile = asq_profile_default(app->stage.path),
        .sql = sql,
        .in_flight = in_flight,
        .requests = 250 * (size_t)app->stage.options.requests,
        .budget_ns = slow_disk ? 200000000 : 40000000,
    };

    measure.profile.mode = ASQ_OPEN_READ;
    if (slow_disk) {
        measure.profile.vfs = ASQ_SLOW_DISK;
        measure.profile.cache_kib = 64; /* too small for the table */
    }
    return measure;
}

/* Returns whether blocking calls should not answer so many users. */
static bool
is_async(struct app *app, const char *sql, unsigned users, bool slow_disk)
{
    struct asq_measure measure = measure_of(app, sql, users, slow_disk);
    struct asq_compare compare;

    if (asq_compare(&measure, NULL, NULL, NULL, &compare) != 0)
        asq_stage_fail(&app->stage, measure.message);
    app->asked++;
    app->busy += compare.advice.verdict == ASQ_TOO_BUSY;
    return compare.advice.verdict == ASQ_HAND_OFF ||
           compare.advice.verdict == ASQ_EVENT_LOOP;
}

/* Returns how many of the queries blocking calls should not answer. */
static int count_async(struct app *app, bool slow_disk)
{
    static const char *const queries[QUERIES] = {
        ONE_ITEM,
        "SELECT id, name FROM items WHERE id > " ANY_ITEM
        " ORDER BY id LIMIT 20",
        "SELECT sum(value) FROM items WHERE id IN (" ANY_ITEM ", " ANY_ITEM
        ", " ANY_ITEM ", " ANY_ITEM ", " ANY_ITEM ")",
        "SELECT o.id, l.item_id, l.quantity FROM orders o JOIN order_lines l"
        " ON l.order_id = o.id"
        " WHERE o.user_id = (SELECT abs(random()) % 1000 + 1)",
    };
    int count = 0;

    for (int i = 0; i < QUERIES && !app->stage.failed; i++)
        count += is_async(app, queries[i], 8, slow_disk);
    return count;
}

/* "Most applications don't need async databases. Start with sync, measure." */
static void when_async(struct app *app)
{
    int fast = count_async(app, false), slow = count_async(app, true);

    asq_claim_set(asq_stage_claim(&app->stage), "when-async",
                  2 * fast >= QUERIES  ? "wrong"
                  : 2 * slow > QUERIES ? "holds if the pages are in memory"
                                       : "holds",
                  (double)(QUERIES - fast) / (double)QUERIES,
                  "4 ordinary queries, each asked by 8 users at once: blocking "
                  "calls were\nas good for %d of %d with the pages in memory, "
                  "and for %d of %d on the slow\ndisk.",
                  QUERIES - fast, QUERIES, QUERIES - slow, QUERIES);
}

/* Returns the first of 1, 2, 4 ... users who should not read one item so. */
static unsigned find_crossing(struct app *app, bool slow_disk)
{
    unsigned users = 1;

    while (users <= MOST_USERS && !is_async(app, ONE_ITEM, users, slow_disk))
        users *= 2;
    return users;
}

/* "Stick with sync when: low concurrency requirements (< 10 simultaneous
 * users)." From how many on is it worth it, by disk? */
static void low_concurrency(struct app *app)
{
    unsigned slow = find_crossing(app, true), fast = find_crossing(app, false);

    asq_claim_set(asq_stage_claim(&app->stage), "low-concurrency",
                  fast < 10   ? "wrong"
                  : slow < 10 ? "holds if the pages are in memory"
                              : "holds",
                  (double)slow / 10,
                  "On the slow disk, threads or a loop were worth it from %u "
                  "users at once on.\nWith the pages in memory, blocking calls "
                  "were as good for up to %u users\n(tried: 1 to %d).",
                  slow, fast / 2, MOST_USERS);
}

/* Returns what the loop makes of the throughput or stall of blocking calls. */
static double compare(struct app *app, struct asq_measure measure, bool stall)
{
    struct asq_measured blocking = {0}, loop = {0};
    struct asq_advise_way before, after;

    if (asq_measure_blocking(&measure, &blocking) != 0 ||
        asq_measure_loop(&measure, 1, &loop) != 0)
        asq_stage_fail(&app->stage, measure.message);
    before = asq_measured_way(&blocking);
    after = asq_measured_way(&loop);
    asq_measured_destroy(&blocking);
    asq_measured_destroy(&loop);
    return stall ? (double)after.stall_ns / (double)before.stall_ns
                 : after.per_s / before.per_s;
}

/* "Async benefits only appear under load." */
static void only_under_load(struct app *app)
{
    static const char long_sql[] = /* tens of milliseconds */
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 100000) SELECT sum(i) FROM n";
    struct asq_measure alone = measure_of(app, ONE_ITEM, 1, false);
    struct asq_measure loaded = measure_of(app, ONE_ITEM, 64, false);
    struct asq_measure lengthy = measure_of(app, long_sql, 1, false);
    struct asq_claim_runs ones = {0}, manies = {0}, stalls = {0};
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    double one, many, stall;

    lengthy.requests = 1;
    for (int run = 0; run < 7 && !app->stage.failed; run++) {
        asq_claim_runs_add(&ones, compare(app, alone, false));
        asq_claim_runs_add(&manies, compare(app, loaded, false));
        asq_claim_runs_add(&stalls, compare(app, lengthy, true));
    }
    one = asq_claim_runs_median(&ones);
    many = asq_claim_runs_median(&manies);
    stall = asq_claim_runs_median(&stalls);
    asq_claim_set(claim, "only-under-load",
                  one >= 1 || many <= 1 ? "wrong"
                  : stall < 0.5         ? "holds if throughput is meant"
                                        : "holds",
                  many,
                  "With 64 requests in flight, the loop read %.1f times as "
                  "much as blocking\ncalls (%.1f to %.1f), with one in flight "
                  "%.0f %% as much. While one long query\nran, it stood still "
                  "for %.0f %% of the time that blocking calls did.",
                  many, asq_claim_runs_low(&manies),
                  asq_claim_runs_high(&manies), 100 * one, 100 * stall);
    asq_claim_timed(claim, &stalls);
    asq_claim_timed(claim, &manies);
}

/* Makes another file. Returns the steps to one of its rows. */
static double count_steps(struct app *app, int rows, const char *index)
{
    struct asq_measured measured = {0};
    struct asq_measure measure =
        measure_of(app, "SELECT name FROM items WHERE value = 7", 1, false);
    char sql[320];

    (void)snprintf(sql, sizeof sql, /* it fits */
                   "CREATE TABLE items (id INTEGER PRIMARY KEY, name, value);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < %d)"
                   "INSERT INTO items SELECT i, 'item ' || i, i FROM n;%s",
                   rows, index);
    asq_stage_make(&app->stage, sql);
    if (asq_measure_blocking(&measure, &measured) != 0 ||
        measure.plan.rows != 1)
        asq_stage_fail(&app->stage, "the one row was not found");
    asq_measured_destroy(&measured);
    return (double)measure.plan.vm_steps;
}

/* "Create indexes – essential for query performance." */
static void index_first(struct app *app)
{
    static const char index[] = "CREATE INDEX items_value ON items (value)";
    double few_without = count_steps(app, 10, "");
    double few_with = count_steps(app, 10, index);
    double many_without = count_steps(app, 10000, "");
    double many_with = count_steps(app, 10000, index);

    asq_claim_set(asq_stage_claim(&app->stage), "index-first",
                  many_without < 10 * many_with ? "wrong"
                  : few_without < 10 * few_with ? "holds if the table is large"
                                                : "holds",
                  many_without / many_with,
                  "To find one of 10000 rows, SQLite took %.0f steps, with an "
                  "index %.0f;\nto find one of 10 rows, %.0f and %.0f.",
                  many_without, many_with, few_without, few_with);
}

int main(int argc, char **argv)
{
    static void (*const claims[])(struct app *) = {
        when_async, low_concurrency, only_under_load, index_first};
    struct app app = {.stage.options.program = "build/04-measure-first-claims",
                      .stage.options.about =
                          "Measures the claims that lesson 04 settles.",
                      .stage.options.slow_disk_ms = 1,
                      .stage.options.requests = 40,
                      .stage.slow_reads = true};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    for (int i = 0; i < 4 && !app.stage.failed; i++) {
        app.asked = app.busy = 0;
        claims[i](&app);
        asq_claim_busy(&app.stage.claims[i], app.busy, app.asked);
    }
    return asq_stage_close(&app.stage, 0);
}
