/* claims - measures the claims that lesson 01 settles
 *
 * One function for each claim; docs/claims.md quotes them. Things that are
 * compared run in turn, several times, and every answer is checked.
 *
 * Run: make claims L=01
 */
#include "common/claims.h"
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "common/clock.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <math.h>
#include <time.h>

enum {
    RUNS = 7,        /* of each thing that is compared, in turn */
    FEW_READS = 400, /* that fit into one turn on the processor */
    READS = 100,     /* point reads of a run, for each request */
    ITEMS = 1000 /* that are read one at a time: their pages stay in memory */
};

struct app {
    struct asq_stage stage;
    struct asq_db db;         /* of the claim that is being measured */
    struct asq_result result; /* of the last query */
    double slow_busy; /* the processor's share of a query on the slow disk */
};

/* How long something took, on the clock and on the processor. */
struct timing {
    uint64_t wall_ns;
    clock_t cpu; /* of the process, which is this thread */
};

/* Returns the time since then; since {0} that is the time now. */
static struct timing since(struct timing begin)
{
    return (struct timing){asq_clock_now_ns() - begin.wall_ns,
                           clock() - begin.cpu};
}

static double busy_share(struct timing took)
{
    return (double)took.cpu / CLOCKS_PER_SEC / ((double)took.wall_ns / 1e9);
}

static void open_db(struct app *app, const struct asq_profile *profile)
{
    if (asq_db_open(&app->db, profile) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->db));
}

/* Runs a query, whose answer must have this number in this column. */
static void ask(struct app *app,
                const char *sql,
                const struct asq_params *params,
                const char *column,
                int64_t number)
{
    if (app->stage.failed)
        return;
    if (asq_db_run(&app->db, sql, params, &app->result) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->db));
    else if (asq_result_int64(&app->result, 0, column) != number)
        asq_stage_fail(&app->stage, "an answer is wrong");
}

/* Asks for a basket, by position or by name. Returns its value. */
static int64_t
ask_basket(struct app *app, long request, const char *const names[])
{
    static const char by_name[] =
        "SELECT count(*) AS count, sum(value) AS value FROM items"
        " WHERE id IN (:a, :b, :c, :d, :e)";
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {ids, names, ASQ_BASKET_SIZE};

    asq_basket_fill(ids, request, app->stage.shop.items);
    ask(app, names == NULL ? ASQ_BASKET_SQL : by_name, &params, "count",
        ASQ_BASKET_SIZE);
    return asq_result_int64(&app->result, 0, "value");
}

/* "A blocking query of 100 ms allows 10 requests a second." */
static void waits_in_turn(struct app *app)
{
    struct asq_profile profile =
        asq_basket_profile(app->stage.path, ASQ_SLOW_DISK);
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    long requests = app->stage.options.requests;
    struct asq_claim_runs runs = {0};
    double allowed, measured;
    struct timing begin;

    open_db(app, &profile);
    (void)ask_basket(app, requests, NULL); /* it also reads the schema */
    asq_stage_begin(&app->stage, "blocking", "slow", 1);
    begin = since((struct timing){0});
    for (long i = 0; i < requests; i++) {
        uint64_t called_ns = asq_clock_now_ns();

        (void)ask_basket(app, i, NULL); /* checks the answer */
        asq_stage_answered(&app->stage, called_ns);
    }
    app->slow_busy = busy_share(since(begin));
    asq_stage_end(&app->stage);
    (void)asq_db_close(&app->db); /* every statement was released */
    asq_claim_runs_add(&runs, NAN);
    allowed = 1e6 / app->stage.row->p50_us;
    measured = app->stage.row->throughput_per_s;
    asq_claim_set(
        claim, "waits-in-turn",
        measured < 1.5 * allowed ? "holds if one thread uses one connection"
                                 : "wrong",
        measured / allowed,
        "One query took %.2f ms, which allows %.0f a second. One thread with "
        "one\nconnection answered %.0f a second, %.0f %% of that.",
        app->stage.row->p50_us / 1e3, allowed, measured,
        100 * measured / allowed);
    asq_claim_timed(claim, &runs);
}

/* Reads items one at a time; so many statements are kept. */
static struct timing read_items(struct app *app, unsigned cached, long reads)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    struct timing begin, took;

    profile.mode = ASQ_OPEN_READ;
    profile.statements = cached;
    open_db(app, &profile);
    begin = since((struct timing){0});
    for (long i = 0; i < reads; i++) {
        struct asq_value id = asq_int64(1 + i % ITEMS);
        struct asq_params params = {.values = &id, .count = 1};

        ask(app, "SELECT id, value FROM items WHERE id = ?1", &params, "id",
            id.as.int64);
    }
    took = since(begin);
    (void)asq_db_close(&app->db); /* every statement was released */
    return took;
}

/* "Database work is I/O bound: the program mostly waits." */
static void io_bound(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct timing best = {.wall_ns = UINT64_MAX};
    struct asq_claim_runs runs = {0};
    double busy;

    for (int run = 0; run < RUNS; run++) {
        struct timing took = read_items(app, 32, FEW_READS);

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
}

/* "Repeated queries use cached statements." */
static void statement_cache(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs = {0};
    long reads = READS * app->stage.options.requests;
    double median;

    for (int run = 0; run < RUNS; run++) {
        struct timing with = read_items(app, 32, reads);
        struct timing without = read_items(app, 0, reads);

        asq_claim_runs_add(&runs,
                           (double)without.wall_ns / (double)with.wall_ns);
    }
    median = asq_claim_runs_median(&runs);
    asq_claim_set(
        claim, "statement-cache", median > 1.2 ? "holds" : "wrong", median,
        "With cached statements there were %.1f times as many point reads a "
        "second\nas with each prepared anew (%.1f to %.1f in %u runs).",
        median, asq_claim_runs_low(&runs), asq_claim_runs_high(&runs),
        runs.calm);
    asq_claim_timed(claim, &runs);
}

/* "Named parameters are not supported." */
static void named_parameters(struct app *app)
{
    static const char *const names[] = {"e", "d", "c", "b", "a"};
    struct asq_profile profile = asq_basket_profile(app->stage.path, NULL);
    long requests = app->stage.options.requests, same = 0;

    open_db(app, &profile);
    for (long i = 0; i < requests; i++)
        same += ask_basket(app, i, NULL) == ask_basket(app, i, names);
    (void)asq_db_close(&app->db); /* every statement was released */
    asq_claim_set(asq_stage_claim(&app->stage), "named-parameters",
                  same == requests ? "wrong" : "holds",
                  (double)same / (double)requests,
                  "By name, %s queries gave the same answer as by position.",
                  asq_claim_count(same, requests).text);
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/01-blocking-claims",
                              .about = "Measures the claims of lesson 01.",
                              .slow_disk_ms = 1,
                              .requests = 40},
                  .slow_reads = true},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    waits_in_turn(&app);
    io_bound(&app);
    statement_cache(&app);
    named_parameters(&app);
    asq_result_destroy(&app.result);
    return asq_stage_close(&app.stage, 0);
}
