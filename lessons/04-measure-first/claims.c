/* claims - measures the claims that lesson 04 settles
 *
 * One function a claim; docs/claims.md says who made it. Steps are counted by
 * SQLite, verdicts come from advise; what is compared by time is run in turn,
 * several times.
 *
 * Run: make claims L=04
 */
#include "common/claims.h"

#include "04-measure-first/compare.h"
#include "04-measure-first/measure_loop.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/shop.h"
#include "common/slow_disk.h"

#include <stdio.h>
#include <uv.h>

#define ANY_ITEM "(SELECT abs(random()) % 10000 + 1)"
#define ONE_ITEM "SELECT name, value FROM items WHERE id = " ANY_ITEM

enum {
    CLAIMS = 4,
    FEW_ROWS = 10,
    MANY_ROWS = 10000,
    RUNS = 7, /* of what is compared by time, in turn */
    IN_FLIGHT = 64,
    USERS = 8,
    MOST_USERS = 32, /* tried, by doubling */
    LOW = 10,        /* "< 10 simultaneous users" */
    QUERIES = 4,
    SLOW_DISK_KIB = 64, /* of cache, so that the slow disk is asked */
    MS = 1000000        /* in ns */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_claim claims[CLAIMS];
    struct asq_latency one, many, stall; /* no times: ratios in thousandths */
    unsigned asked, busy; /* verdicts of advise for one claim; too busy */
};

/* Each returns 0, or 1 after one line on stderr. */
static int when_async(struct app *app, struct asq_claim *claim);
static int low_concurrency(struct app *app, struct asq_claim *claim);
static int only_under_load(struct app *app, struct asq_claim *claim);
static int index_first(struct app *app, struct asq_claim *claim);

static int fail(const char *name, const char *message)
{
    (void)fprintf(stderr, "%s: %s\n", name, message);
    return 1;
}

static struct asq_measure measure_of(const struct app *app,
                                     const char *sql,
                                     unsigned in_flight,
                                     bool slow_disk)
{
    struct asq_measure measure = {
        .profile = asq_profile_default(app->path),
        .sql = sql,
        .in_flight = in_flight,
        .requests = 250 * (size_t)app->options.requests,
        .budget_ns = slow_disk ? 200 * MS : 40 * MS,
    };

    measure.profile.mode = ASQ_OPEN_READ;
    if (slow_disk) {
        measure.profile.vfs = ASQ_SLOW_DISK;
        measure.profile.cache_kib = SLOW_DISK_KIB;
    }
    return measure;
}

/* Says whether so many users should not ask this in blocking calls. Returns -1
 * after one line on stderr. */
static int
is_async(struct app *app, const char *sql, unsigned users, bool slow_disk)
{
    struct asq_measure measure = measure_of(app, sql, users, slow_disk);
    struct asq_compare compare;

    if (asq_compare(&measure, NULL, NULL, NULL, &compare) != 0)
        return -fail(app->options.program, measure.message);
    app->asked++;
    app->busy += compare.advice.verdict == ASQ_TOO_BUSY;
    return compare.advice.verdict == ASQ_HAND_OFF ||
           compare.advice.verdict == ASQ_EVENT_LOOP;
}

/* A claim that rests on what advise has said cannot be told where that was too
 * busy. The next claim counts anew. */
static void count_busy(struct app *app, struct asq_claim *claim)
{
    if (app->busy > 0)
        asq_claim_busy(claim, app->busy, app->asked);
    app->busy = app->asked = 0;
}

/* Counts the queries that should not be asked in blocking calls, or returns
 * -1. */
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
    int count = 0, rc = 0;

    for (int i = 0; i < QUERIES && rc >= 0; i++) {
        rc = is_async(app, queries[i], USERS, slow_disk);
        count += rc;
    }
    return rc < 0 ? rc : count;
}

/* "Most applications don't need async databases. Start with sync, measure."
 * Of four queries that most applications have, 8 users ask at once. */
static int when_async(struct app *app, struct asq_claim *claim)
{
    int fast = count_async(app, false);
    int slow = fast < 0 ? fast : count_async(app, true);

    if (slow < 0)
        return 1;
    asq_claim_set(claim, "when-async",
                  2 * fast >= QUERIES  ? "wrong"
                  : 2 * slow > QUERIES ? "holds if the pages are in memory"
                                       : "holds",
                  (double)(QUERIES - fast) / (double)QUERIES,
                  "%d ordinary queries, each asked by %d users at once: "
                  "blocking calls were\nas good for %d of %d with the pages "
                  "in memory, for %d of %d on the slow disk.",
                  QUERIES, USERS, QUERIES - fast, QUERIES, QUERIES - slow,
                  QUERIES);
    count_busy(app, claim);
    return 0;
}

/* Returns from how many users on one item should not be read in blocking calls:
 * the first of 1, 2, 4 and so on, more than MOST_USERS if there is none, or
 * -1. */
static int find_crossing(struct app *app, bool slow_disk)
{
    int users = 1, rc = 0;

    while (users <= MOST_USERS && rc == 0) {
        rc = is_async(app, ONE_ITEM, (unsigned)users, slow_disk);
        users *= rc == 0 ? 2 : 1;
    }
    return rc < 0 ? rc : users;
}

/* "Stick with sync when: low concurrency requirements (< 10 simultaneous
 * users)." From how many on is it worth it, by disk? */
static int low_concurrency(struct app *app, struct asq_claim *claim)
{
    int slow = find_crossing(app, true);
    int fast = slow < 0 ? slow : find_crossing(app, false);

    if (fast < 0)
        return 1;
    asq_claim_set(claim, "low-concurrency",
                  fast < LOW   ? "wrong"
                  : slow < LOW ? "holds if the pages are in memory"
                               : "holds",
                  (double)slow / (double)LOW,
                  "On the slow disk, threads or a loop were worth it from %d "
                  "clients at once\non. With the pages in memory, blocking "
                  "calls were as good for up to %d\n(tried: 1 to %d).",
                  slow, fast / 2, MOST_USERS);
    count_busy(app, claim);
    return 0;
}

/* Measures a query both ways, and adds the ratios. */
static int add_ratios(struct asq_measure *measure,
                      struct asq_latency *gains,
                      struct asq_latency *stalls)
{
    struct asq_measured blocking = {0}, loop = {0};
    struct asq_advise_way before, after;
    int rc = asq_measure_blocking(measure, &blocking);

    if (rc == 0)
        rc = asq_measure_loop(measure, 1, &loop);
    before = asq_measured_way(&blocking);
    after = asq_measured_way(&loop);
    if (rc == 0 && gains != NULL)
        rc = asq_latency_add(gains,
                             (uint64_t)(1e3 * after.per_s / before.per_s));
    if (rc == 0 && stalls != NULL)
        rc = asq_latency_add(stalls, 1000 * after.stall_ns / before.stall_ns);
    asq_measured_destroy(&blocking);
    asq_measured_destroy(&loop);
    return rc;
}

/* Returns the median of ratios. */
static double median(struct asq_latency *ratios)
{
    return (double)asq_latency_percentile(ratios, 50) / 1e3;
}

/* "Async benefits only appear under load." */
static int only_under_load(struct app *app, struct asq_claim *claim)
{
    static const char long_sql[] = /* some ten milliseconds */
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 100000) SELECT sum(i) FROM n";
    double one, many, stall;
    int rc = 0;

    for (int run = 0; run < RUNS && rc == 0; run++) {
        struct asq_measure alone = measure_of(app, ONE_ITEM, 1, false);
        struct asq_measure loaded = measure_of(app, ONE_ITEM, IN_FLIGHT, false);
        struct asq_measure lengthy = measure_of(app, long_sql, 1, false);

        lengthy.requests = 1;
        rc = add_ratios(&alone, &app->one, NULL);
        if (rc == 0)
            rc = add_ratios(&loaded, &app->many, NULL);
        if (rc == 0)
            rc = add_ratios(&lengthy, NULL, &app->stall);
    }
    if (rc != 0)
        return fail(app->path, rc > 0 ? sqlite3_errstr(rc) : uv_strerror(rc));
    one = median(&app->one);
    many = median(&app->many);
    stall = median(&app->stall);
    asq_claim_set(claim, "only-under-load",
                  one >= 1 || many <= 1 ? "wrong"
                  : stall < 0.5         ? "holds if throughput is meant"
                                        : "holds",
                  many,
                  "Of the reads of blocking calls, the loop did %.2f with one "
                  "in flight and\n%.2f with %d. Of the stall of one long "
                  "query it left %.2f, without any load\n(medians of %d runs).",
                  one, many, IN_FLIGHT, stall, RUNS);
    return 0;
}

/* Returns the steps that SQLite takes to find one row, or -1. */
static double count_steps(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT name FROM items WHERE value = 7",
                                -1, &stmt, NULL);
    int rows = 0, steps;

    while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        rows++;
    steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    rc = sqlite3_finalize(stmt);
    return rc == SQLITE_OK && rows == 1 ? steps : -1;
}

/* Counts in a table of so many rows, without an index and with it. */
static int count_both(int rows, double *ret_without, double *ret_with)
{
    sqlite3 *db = NULL;
    char sql[320];
    int rc = sqlite3_open(":memory:", &db);

    /* It fits. */
    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE items (id INTEGER PRIMARY KEY, name, value);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < %d)"
                   "INSERT INTO items SELECT i, 'item ' || i, i FROM n",
                   rows);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK) {
        *ret_without = count_steps(db);
        rc = sqlite3_exec(db, "CREATE INDEX items_value ON items (value)", NULL,
                          NULL, NULL);
        *ret_with = count_steps(db);
    }
    if (rc == SQLITE_OK && (*ret_without <= 0 || *ret_with <= 0))
        rc = SQLITE_CORRUPT; /* not one row was found */
    (void)sqlite3_close(db); /* no statement is open */
    return rc == SQLITE_OK ? 0 : fail(":memory:", sqlite3_errstr(rc));
}

/* "Create indexes – essential for query performance." */
static int index_first(struct app *app, struct asq_claim *claim)
{
    double few_without = 0, few_with = 1, many_without = 0, many_with = 1;

    (void)app; /* it makes tables of its own */
    if (count_both(FEW_ROWS, &few_without, &few_with) != 0 ||
        count_both(MANY_ROWS, &many_without, &many_with) != 0)
        return 1;
    asq_claim_set(claim, "index-first",
                  many_without < 10 * many_with ? "wrong"
                  : few_without < 10 * few_with ? "holds if the table is large"
                                                : "holds",
                  many_without / many_with,
                  "To find one of %d rows SQLite takes %.0f steps, with an "
                  "index %.0f.\nOf %d rows: %.0f and %.0f.",
                  MANY_ROWS, many_without, many_with, FEW_ROWS, few_without,
                  few_with);
    return 0;
}

static int settle(struct app *app)
{
    char message[ASQ_SHOP_MESSAGE_MAX];

    if (asq_shop_make(&app->shop, app->path, message) != 0)
        return fail(app->options.program, message);
    if (asq_slow_disk_register() != 0)
        return fail(ASQ_SLOW_DISK, "it cannot be registered");
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    return when_async(app, &app->claims[0]) || /* || stops at a 1 */
           low_concurrency(app, &app->claims[1]) ||
           only_under_load(app, &app->claims[2]) ||
           index_first(app, &app->claims[3]);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/04-measure-first-claims",
                    .about = "Measures the claims that lesson 04 settles.",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    rc = settle(&app);
    if (rc == 0)
        rc = asq_claims_report(app.claims, CLAIMS, &app.options);
    asq_latency_destroy(&app.one);
    asq_latency_destroy(&app.many);
    asq_latency_destroy(&app.stall);
    return asq_options_finish(&app.options, rc);
}
