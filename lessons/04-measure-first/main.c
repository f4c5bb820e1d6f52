/* main - when is it worth it?
 *
 * Four queries of the shop. Each is asked in three or four ways, and the
 * figures are judged: stay sync, hand off, event loop, or fix the query first.
 *
 * Run:      make lesson L=04
 * Expect:   four queries, four verdicts
 * See also: compare.c, which asks, and advise.c, which judges; idea.c and its
 *           wrong twins; case_own_query.c, the same for a database of yours
 */
#include "04-measure-first/compare.h"
#include "04-measure-first/hint.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>
#include <string.h>

#define ANY_ITEM "(SELECT abs(random()) % 10000 + 1)"
#define FIVE_ITEMS                                                             \
    "SELECT sum(value) FROM items WHERE id IN (" ANY_ITEM ", " ANY_ITEM        \
    ", " ANY_ITEM ", " ANY_ITEM ", " ANY_ITEM ")"

struct query {
    const char *title, *sql;
    unsigned in_flight;
    long requests; /* in each way, at most */
    bool on_slow_disk;
};

static const struct query queries[] = {
    {"A  one item, one at a time, from memory",
     "SELECT name, value FROM items WHERE id = " ANY_ITEM, 1, 2000, false},
    {"B  five items, 8 ready at once, from the slow disk", FIVE_ITEMS, 8, 128,
     true},
    {"C  the same, 64 ready at once", FIVE_ITEMS, 64, 320, true},
    {"D  the most expensive items, 8 ready at once, from memory",
     "SELECT name, value FROM items ORDER BY value DESC LIMIT 10", 8, 128,
     false},
};

struct app {
    struct asq_stage stage;
    int way;                          /* that is being measured */
    uint64_t reads_before;            /* of the slow disk */
    uint64_t reads[ASQ_COMPARE_WAYS]; /* of each way, in all rounds */
};

/* What happens, in this order. */

/* Asks a query in all ways, judges it, and looks for what would help. */
static void ask(struct app *app, const struct query *query);
/* Says how it is asked: for how long, how often, on which disk. */
static struct asq_measure measure_of(struct app *app,
                                     const struct query *query);
/* Shows the rows, the verdict and the reason. */
static void report(struct app *app,
                   const struct query *query,
                   const struct asq_compare *compare,
                   const struct asq_hint *hint);
/* What these need is at the end. */
static void note_way(void *data, const char *name);
static void note_query(void *data, unsigned lane, uint64_t begin, uint64_t end);
static void take_rows(struct app *app,
                      const struct query *query,
                      const struct asq_compare *compare);

static void ask(struct app *app, const struct query *query)
{
    struct asq_measure measure = measure_of(app, query);
    struct asq_compare compare;
    struct asq_hint hint = {.loop = ""};
    int rc = asq_compare(&measure, NULL, note_way, app, &compare); /* (1) */

    if (rc != 0) {
        asq_stage_fail(&app->stage, measure.message);
        return;
    }
    if (compare.advice.verdict == ASQ_FIX_QUERY)               /* (2) */
        asq_hint_find(&measure, compare.advice.reason, &hint); /* (3) */
    report(app, query, &compare, &hint);
}

static struct asq_measure measure_of(struct app *app, const struct query *query)
{
    long most = app->stage.options.requests;
    struct asq_measure measure = {
        .profile = asq_profile_default(app->stage.path),
        .sql = query->sql,
        .in_flight = query->in_flight,
        .requests = (size_t)(query->requests < most ? query->requests : most),
        .budget_ns = 1000000000,
        .on_query = app->stage.options.trace != NULL ? note_query : NULL,
        .data = app,
    };

    measure.profile.mode = ASQ_OPEN_READ;
    if (query->on_slow_disk) {
        measure.profile.vfs = ASQ_SLOW_DISK;
        measure.profile.cache_kib = 64; /* too small for the table */
    }
    return measure;
}

static void report(struct app *app,
                   const struct query *query,
                   const struct asq_compare *compare,
                   const struct asq_hint *hint)
{
    struct asq_stage *stage = &app->stage;
    const struct asq_report_row *first = &stage->rows[stage->row_count];
    const struct asq_advice *advice = &compare->advice;

    take_rows(app, query, compare);
    printf("%s\n", query->title);
    if (asq_report_print(first, (size_t)compare->count, stdout) != 0)
        asq_stage_fail(stage, "out of memory");
    printf("=> %s\n   %s\n   %s\n", asq_verdict_name(advice->verdict),
           advice->why, advice->sure);
    if (hint->loop[0] != '\0')
        printf("   SQLite's plan: %s\n", hint->loop);
    if (hint->help[0] != '\0')
        printf("   %s\n", hint->help);
    printf("\n");
}

/* ---- What is around it: the rows of the table, the trace ----------------- */

/* For each query, if there is to be a trace. */
static void note_query(void *data, unsigned lane, uint64_t begin, uint64_t end)
{
    struct asq_span span = {begin, end, ASQ_TRACE_WAIT, "query"};
    struct app *app = data;

    asq_trace_add(&app->stage.trace, lane, &span);
}

/* Adds the reads since the last call to the way that has just been measured. */
static void count_reads(struct app *app)
{
    uint64_t reads = asq_slow_disk_count(ASQ_DISK_READ);

    app->reads[app->way] += reads - app->reads_before;
    app->reads_before = reads;
}

/* A way begins. Each round begins with the same one. */
static void note_way(void *data, const char *name)
{
    struct app *app = data;

    count_reads(app);
    app->way = strcmp(name, "blocking") == 0 ? 0 : app->way + 1;
}

static void take_rows(struct app *app,
                      const struct query *query,
                      const struct asq_compare *compare)
{
    count_reads(app);
    for (int i = 0; i < compare->count; i++) {
        const struct asq_compare_row *from = &compare->rows[i];

        asq_stage_begin(&app->stage, from->way,
                        query->on_slow_disk ? "slow" : "fast",
                        (int)from->connections);
        app->stage.row->requests = from->requests;
        app->stage.row->disk_reads = app->reads[i];
        app->stage.row->throughput_per_s = from->per_s;
        app->stage.row->p50_us = from->p50_us;
        app->stage.row->p99_us = from->p99_us;
        app->stage.row->stall_us = from->stall_us;
    }
    memset(app->reads, 0, sizeof app->reads); /* for the next query */
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {"main",         "connection 1",
                                        "connection 2", "connection 3",
                                        "connection 4", "connection 5",
                                        "connection 6", "connection 7",
                                        "connection 8", NULL};
    struct app app = {
        .stage = {.options = {.program = "build/04-measure-first",
                              .about = "When is it worth it?",
                              .slow_disk_ms = 1,
                              .requests = 2000},
                  .slow_reads = true,
                  .lanes = lanes,
                  .spans = 10},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        if (!app.stage.failed)
            ask(&app, &queries[i]);
    return asq_stage_close(&app.stage, 0);
}
