/* claims - measures the claims that lesson 11 settles
 *
 * One function for each claim; docs/claims.md quotes them.
 *
 * Run: make claims L=11
 */
#include "01-blocking/basket.h"
#include "11-concurrent-queries/gather.h"
#include "11-concurrent-queries/pool_wait.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    ROWS = 100, /* and at most as many parts */
    PAIRS = 20,
    RUNS = 7
};

struct app {
    struct asq_stage stage;
    struct asq_pool pool;
    struct asq_gather gather;
    struct asq_gather_part parts[ROWS];
    struct asq_value values[ROWS]; /* one for each part, or none is used */
};

/* With depth 1 a gather uses every connection that is free. */
static void
open_pool(struct app *app, const char *vfs, unsigned limit, unsigned depth)
{
    struct asq_profile profile = asq_basket_profile(app->stage.path, vfs);

    profile.mode = ASQ_OPEN_WRITE;
    profile.synchronous = 2; /* FULL */
    asq_pool_init(&app->pool);
    app->pool.depth = depth;
    if (asq_pool_open_wait(&app->pool, &app->stage.loop, &profile, limit) != 0)
        asq_stage_fail(&app->stage, app->pool.message);
}

static void note_done(struct asq_gather *gather, int status)
{
    (void)gather, (void)status; /* run looks at the parts */
}

/* Gathers n parts, and returns how long it took. If the last part has an SQL of
 * its own, it may fail. */
static double
run(struct app *app, int n, size_t values, const char *sql, const char *last)
{
    uint64_t begin_ns = uv_hrtime();

    for (int i = 0; i < n; i++)
        asq_gather_add(&app->gather, &app->parts[i],
                       i == n - 1 && last != NULL ? last : sql,
                       &(struct asq_params){&app->values[i], NULL, values});
    asq_stage_must(&app->stage, asq_gather_start(&app->gather, &app->stage.loop,
                                                 &app->pool, note_done));
    asq_stage_turn(&app->stage); /* until it is done */
    if (app->parts[0].status != 0 || (app->gather.failed != NULL && !last))
        asq_stage_fail(&app->stage, app->gather.failed->request.message);
    return (double)(uv_hrtime() - begin_ns);
}

/* "Run multiple queries concurrently": gather, on one connection. Counts how
 * many of three had begun before the first one ended. */
static void gather_parallel(struct app *app)
{
    int at_once[2] = {0}; /* on one connection, and on three */

    for (unsigned i = 0; i < 2; i++) {
        open_pool(app, ASQ_SLOW_DISK, 1 + 2 * i, 1);
        (void)run(app, 3, 0, "SELECT sum(quantity) FROM order_lines", NULL);
        for (int p = 0; p < 3; p++)
            at_once[i] += app->parts[p].request.started_ns <
                          app->parts[0].request.ended_ns;
        asq_pool_close_wait(&app->pool);
    }
    asq_claim_set(asq_stage_claim(&app->stage), "gather-parallel",
                  at_once[0] > 1   ? "holds"
                  : at_once[1] > 1 ? "holds if each has a connection"
                                   : "wrong",
                  at_once[0],
                  "Of three queries gathered on one connection %d ran at a "
                  "time, on three\nconnections %d.",
                  at_once[0], at_once[1]);
}

/* "Fetch multiple users in parallel": gather, with a query for each. */
static void n_plus_one(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs[2] = {0}; /* from memory, on the slow disk */
    char ids[8 * ROWS]; /* it fits: they have four digits at most */
    double fast, slow, each_ns = 1, all_ns = 1;

    for (int r = 0, at = 0; r < ROWS; r++) {
        app->values[r] = asq_int64(100 * r + 1);
        at += snprintf(&ids[at], 8, "%c%d%s", r == 0 ? '[' : ',', 100 * r + 1,
                       r == ROWS - 1 ? "]" : "");
    }
    for (int i = 0; i < 2 * RUNS && !app->stage.failed; i++) {
        open_pool(app, i % 2 == 0 ? NULL : ASQ_SLOW_DISK, 4,
                  i % 2 == 0 ? ROWS : 1);
        for (int again = 0; again < 2; again++) { /* the first warms up */
            app->values[0] = asq_int64(1);
            each_ns =
                run(app, ROWS, 1, "SELECT name FROM items WHERE id = ?1", NULL);
            app->values[0] = asq_text(ids);
            all_ns = run(app, 1, 1,
                         "SELECT name FROM items WHERE id IN"
                         " (SELECT value FROM json_each(?1))",
                         NULL);
        }
        asq_claim_runs_add(&runs[i % 2], all_ns / each_ns);
        if (app->parts[0].request.result.rows != ROWS)
            asq_stage_fail(&app->stage, "some rows were not found");
        asq_pool_close_wait(&app->pool);
    }
    fast = asq_claim_runs_median(&runs[0]);
    slow = asq_claim_runs_median(&runs[1]);
    asq_claim_set(claim, "n-plus-one",
                  slow < 1   ? "wrong"
                  : fast < 1 ? "holds if they wait on several connections"
                             : "holds",
                  fast,
                  "From memory, %d gathered queries were %.2f times as fast as "
                  "one query for\nall %d rows; on the slow disk with 4 "
                  "connections, %.2f times.",
                  ROWS, fast, ROWS, slow);
    asq_claim_timed(claim, &runs[0]);
}

/* gather(create the table, read it). A commit waits for the slow disk. */
static void gather_order(struct app *app)
{
    int found[2] = {0}; /* on one connection, on two */

    for (unsigned i = 0; i < 2 * PAIRS && !app->stage.failed; i++) {
        asq_stage_make(&app->stage, "PRAGMA journal_mode = WAL");
        open_pool(app, ASQ_SLOW_DISK, 1 + i % 2, 1);
        (void)run(app, 2, 0, "CREATE TABLE made (a INTEGER)",
                  "SELECT a FROM made");
        found[i % 2] += app->parts[1].status == 0;
        asq_pool_close_wait(&app->pool);
    }
    asq_claim_set(asq_stage_claim(&app->stage), "gather-order",
                  found[0] < PAIRS   ? "wrong"
                  : found[1] < PAIRS ? "holds if they share a connection"
                                     : "holds",
                  (double)found[1] / (double)PAIRS,
                  "On one connection the query found the new table %d of %d "
                  "times,\nthrough a pool of two %d of %d times.",
                  found[0], PAIRS, found[1], PAIRS);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/11-concurrent-queries-claims",
        .stage.options.about = "Measures the claims that lesson 11 settles.",
        .stage.options.slow_disk_ms = 1,
        .stage.options.requests = 40,
        .stage.slow_reads = true,
        .stage.slow_syncs = true};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    gather_parallel(&app);
    n_plus_one(&app);
    app.gather.keep_going = true;
    gather_order(&app);
    for (int i = 0; i < ROWS; i++)
        asq_gather_part_destroy(&app.parts[i]);
    return asq_stage_close(&app.stage, 0);
}
