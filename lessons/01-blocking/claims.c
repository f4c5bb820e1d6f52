/* claims - measures the claims that lesson 01 settles
 *
 * One function a claim; docs/claims.md says who made it. What is compared is
 * run in turn, several times, and every answer is checked.
 *
 * Run: make claims L=01
 */
#include "common/claims.h"

#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "common/clock.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/table.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum {
    CLAIMS = 4,
    RUNS = 7,    /* of what is compared, in turn */
    READS = 100, /* point reads of a run, for each request */
    ITEMS = 1000 /* that are read one at a time: their pages stay in memory */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_result result; /* of the last query */
    struct asq_claim claims[CLAIMS];
    double slow_busy; /* share of a query on the slow disk that computes */
};

/* How long something took, on the clock and on the processor. */
struct timing {
    uint64_t wall_ns;
    clock_t cpu; /* of the process, which is this thread */
};

/* Each returns 0, or 1 after one line on stderr. */
static int waits_in_turn(struct app *app, struct asq_claim *claim);
static int io_bound(struct app *app, struct asq_claim *claim);
static int statement_cache(struct app *app, struct asq_claim *claim);
static int named_parameters(struct app *app, struct asq_claim *claim);

static int fail(const char *name, const char *message)
{
    (void)fprintf(stderr, "%s: %s\n", name, message);
    return 1;
}

static struct timing start(void)
{
    return (struct timing){asq_clock_now_ns(), clock()};
}

static struct timing since(struct timing begin)
{
    return (struct timing){asq_clock_now_ns() - begin.wall_ns,
                           clock() - begin.cpu};
}

static double busy_share(struct timing took)
{
    return (double)took.cpu / CLOCKS_PER_SEC / ((double)took.wall_ns / 1e9);
}

static int
open_shop(struct app *app, const struct asq_profile *profile, struct asq_db *db)
{
    if (asq_db_open(db, profile) != 0)
        return fail(app->options.program, asq_db_message(db));
    return 0;
}

static int close_shop(struct app *app, struct asq_db *db, int rc)
{
    if (asq_db_close(db) != 0)
        return fail(app->path, asq_db_message(db));
    return rc;
}

/* Asks for a basket, by position or by name, and adds its value. */
static int ask(struct app *app,
               struct asq_db *db,
               long request,
               const char *const names[],
               int64_t *value)
{
    static const char by_name[] =
        "SELECT count(*) AS count, sum(value) AS value FROM items"
        " WHERE id IN (:a, :b, :c, :d, :e)";
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {ids, names, ASQ_BASKET_SIZE};

    asq_basket_fill(ids, request, app->shop.items);
    if (asq_db_run(db, names == NULL ? ASQ_BASKET_SQL : by_name, &params,
                   &app->result) != 0)
        return fail(app->path, asq_db_message(db));
    if (asq_result_int64(&app->result, 0, "count") != ASQ_BASKET_SIZE)
        return fail(app->path, "an answer is not a whole basket");
    *value += asq_result_int64(&app->result, 0, "value");
    return 0;
}

/* "A blocking query of 100 ms allows 10 requests a second." */
static int waits_in_turn(struct app *app, struct asq_claim *claim)
{
    struct asq_profile profile = asq_basket_profile(app->path, ASQ_SLOW_DISK);
    long requests = app->options.requests;
    struct asq_latency each;
    struct asq_claim_runs runs = {0};
    struct timing begin, all;
    double one_ns, predicted, measured;
    int64_t value = 0;
    struct asq_db db;
    int rc = open_shop(app, &profile, &db);

    if (rc != 0)
        return rc;
    if (asq_latency_init(&each, (size_t)requests) != 0)
        rc = fail(app->options.program, "out of memory");
    if (rc == 0)
        rc = ask(app, &db, requests, NULL, &value); /* reads the schema too */
    begin = start();
    for (long i = 0; i < requests && rc == 0; i++) {
        struct timing one = start();

        rc = ask(app, &db, i, NULL, &value);
        /* It cannot fail: there is room for all. */
        (void)asq_latency_add(&each, since(one).wall_ns);
    }
    all = since(begin);
    asq_claim_runs_add(&runs, NAN);
    app->slow_busy = busy_share(all);
    one_ns = (double)asq_latency_percentile(&each, 50);
    asq_latency_destroy(&each);
    predicted = 1e9 / one_ns;
    measured = (double)requests * 1e9 / (double)all.wall_ns;
    asq_claim_set(
        claim, "waits-in-turn",
        measured < 1.5 * predicted ? "holds if one thread uses one connection"
                                   : "wrong",
        measured / predicted,
        "One query took %.2f ms, which allows %.0f a second. One thread with "
        "one\n"
        "connection answered %.0f a second, %.0f %% of that.",
        one_ns / 1e6, predicted, measured, 100 * measured / predicted);
    asq_claim_timed(claim, &runs);
    return close_shop(app, &db, rc);
}

/* Reads items one at a time, on a connection that keeps so many statements. */
static int
read_items(struct app *app, unsigned statements, struct timing *ret_took)
{
    struct asq_profile profile = asq_profile_default(app->path);
    struct timing begin;
    struct asq_db db;
    int rc;

    profile.mode = ASQ_OPEN_READ;
    profile.statements = statements;
    rc = open_shop(app, &profile, &db);
    if (rc != 0)
        return rc;
    begin = start();
    for (long i = 0; i < READS * app->options.requests && rc == 0; i++) {
        struct asq_value id = asq_int64(1 + i % ITEMS);
        struct asq_params params = {.values = &id, .count = 1};

        if (asq_db_run(&db, "SELECT id, value FROM items WHERE id = ?1",
                       &params, &app->result) != 0)
            rc = fail(app->path, asq_db_message(&db));
        else if (asq_result_int64(&app->result, 0, "id") != id.as.int64)
            rc = fail(app->path, "a point read answered another item");
    }
    *ret_took = since(begin);
    return close_shop(app, &db, rc);
}

/* "Database work is I/O bound: the program mostly waits." */
static int io_bound(struct app *app, struct asq_claim *claim)
{
    struct timing best = {.wall_ns = UINT64_MAX};
    struct asq_claim_runs runs = {0};
    double busy;

    for (int run = 0; run < RUNS; run++) {
        struct timing took;

        if (read_items(app, 32, &took) != 0)
            return 1;
        if (took.wall_ns < best.wall_ns)
            best = took;
        asq_claim_runs_add(&runs, NAN);
    }
    busy = busy_share(best);
    asq_claim_set(claim, "io-bound",
                  app->slow_busy >= 0.5 ? "wrong"
                  : busy >= 0.5         ? "holds if the page is not in memory"
                                        : "holds",
                  busy,
                  "On the slow disk the processor worked for %.0f %% of a "
                  "query's time; for a\n"
                  "point read with its page in memory, it worked for %.0f %%.",
                  100 * app->slow_busy, 100 * busy);
    asq_claim_timed(claim, &runs);
    return 0;
}

/* "Repeated queries use cached statements." */
static int statement_cache(struct app *app, struct asq_claim *claim)
{
    struct asq_claim_runs runs = {0};
    double median;
    int rc = 0;

    for (int run = 0; run < RUNS && rc == 0; run++) {
        struct timing with, without;

        rc = read_items(app, 32, &with);
        if (rc == 0)
            rc = read_items(app, 0, &without);
        if (rc == 0)
            asq_claim_runs_add(&runs,
                               (double)without.wall_ns / (double)with.wall_ns);
    }
    median = asq_claim_runs_median(&runs);
    asq_claim_set(
        claim, "statement-cache", median > 1.2 ? "holds" : "wrong", median,
        "With cached statements there were %.1f times as many point reads a "
        "second as\n"
        "with each prepared anew (%.1f to %.1f in %u runs).",
        median, asq_claim_runs_low(&runs), asq_claim_runs_high(&runs),
        runs.calm);
    asq_claim_timed(claim, &runs);
    return rc;
}

/* "Named parameters are not supported." */
static int named_parameters(struct app *app, struct asq_claim *claim)
{
    static const char *const names[] = {"e", "d", "c", "b", "a"};
    struct asq_profile profile = asq_basket_profile(app->path, NULL);
    long requests = app->options.requests, same = 0;
    struct asq_db db;
    int rc = open_shop(app, &profile, &db);

    if (rc != 0)
        return rc;
    for (long i = 0; i < requests && rc == 0; i++) {
        int64_t by_position = 0, by_name = 0;

        rc = ask(app, &db, i, NULL, &by_position);
        if (rc == 0)
            rc = ask(app, &db, i, names, &by_name);
        same += by_position == by_name;
    }
    asq_claim_set(claim, "named-parameters",
                  same == requests ? "wrong" : "holds",
                  (double)same / (double)requests,
                  "By name, %s queries gave the same answer as by position.",
                  asq_claim_count(same, requests).text);
    return close_shop(app, &db, rc);
}

static int measure(struct app *app)
{
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = 0;

    if (asq_shop_make(&app->shop, app->path, message) != 0)
        return fail(app->options.program, message);
    if (asq_slow_disk_register() != 0)
        return fail(ASQ_SLOW_DISK, "it cannot be registered");
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    rc = waits_in_turn(app, &app->claims[0]);
    if (rc == 0)
        rc = io_bound(app, &app->claims[1]);
    if (rc == 0)
        rc = statement_cache(app, &app->claims[2]);
    if (rc == 0)
        rc = named_parameters(app, &app->claims[3]);
    return rc;
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/01-blocking-claims",
                    .about = "Measures the claims that lesson 01 settles.",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    rc = measure(&app);
    if (rc == 0)
        rc = asq_claims_report(app.claims, CLAIMS, &app.options);
    asq_result_destroy(&app.result);
    return asq_options_finish(&app.options, rc);
}
