/* case_own_query - when is it worth it, for your query on your database?
 *
 * Asks one query of yours in three or four ways, as main.c does with those of
 * the lesson, and judges. Your database is opened for reading only, or copied.
 *
 * Run:      build/04-measure-first-case_own_query --db FILE --sql "SELECT ..."
 * Expect:   a verdict, the figures that decided, and how sure it is
 * See also: own_db.c opens or copies, compare.c asks, advise.c judges
 */
#include "04-measure-first/compare.h"
#include "04-measure-first/hint.h"
#include "04-measure-first/own_db.h"
#include "04-measure-first/progress.h"
#include "common/json.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/table.h"
#include "common/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

enum {
    SPANS = 20000 /* of a lane of the trace */
};

struct app {
    struct asq_options options;
    struct asq_own_db own;
    const char *sql, *param; /* only for the help: see values */
    long concurrency;
    double seconds, timeout; /* timeout 0: none */
    int as_it_is;
    char folder[512]; /* for a copy */
    struct asq_measure measure;
    struct asq_compare compare;
    struct asq_hint hint;
    struct asq_progress progress;
    struct asq_trace trace; /* main, and a lane for each connection */
};

/* What happens, in this order. Each int is 0, or an exit status after a line
 * on stderr. */

/* Opens or copies the database. */
static int prepare(struct app *app);
/* Asks in all ways, judges, and looks for what would help. */
static int measure(struct app *app);
/* Shows the figures, the verdict and the reason. */
static int report(const struct app *app);
/* Writes --json and --trace. */
static int write_files(const struct app *app);
/* What these need is below. */
static void tell_way(void *data, const char *way);
static void tell_first(void *data, uint64_t one_ns, uint64_t least_ns);
static void keep_span(void *data, unsigned lane, uint64_t begin, uint64_t end);
static int print_table(const struct asq_compare *compare);
static int write_json(const struct app *app, const char *path);

static int fail(const struct app *app, const char *message, const char *hint)
{
    (void)fprintf(stderr, "%s: %s%s\n", app->options.program, message, hint);
    return 1;
}

static int prepare(struct app *app)
{
    (void)snprintf(app->folder, sizeof app->folder, "%s/tmp/", asq_build_dir());
    if (app->own.on_a_copy && asq_make_parents(app->folder) != 0)
        return fail(app, app->folder, ": the folder cannot be made");
    app->own.folder = app->folder;
    asq_progress_start(&app->progress, "opening");
    return asq_own_db_prepare(&app->own) == 0 ? 0
                                              : fail(app, app->own.message, "");
}

static int measure(struct app *app)
{
    struct asq_advise_limits limits = asq_advise_limits_default();
    uint64_t timeout_ns = (uint64_t)(app->timeout * 1e9);
    int rc;

    limits.as_it_is = app->as_it_is;
    app->measure = (struct asq_measure){
        .profile = app->own.profile,
        .sql = app->own.values.sql,
        .params = app->own.values.rows,
        .params_count = app->own.values.count,
        .may_write = app->own.on_a_copy,
        .in_flight = (unsigned)app->concurrency,
        .requests = (size_t)app->options.requests,
        .budget_ns = (uint64_t)(app->seconds * 1e9),
        .deadline_ns = timeout_ns > 0 ? uv_hrtime() + timeout_ns : 0,
        .on_query = app->options.trace != NULL ? keep_span : NULL,
        .on_first = tell_first,
        .data = app,
    };
    rc = asq_compare(&app->measure, &limits, tell_way, app, &app->compare);
    if (rc == 0 && app->compare.advice.verdict == ASQ_FIX_QUERY)
        asq_hint_find(&app->measure, app->compare.advice.reason, &app->hint);
    asq_progress_stop(&app->progress);
    if (rc == 0)
        return 0;
    /* Values that do not fit the query are wrong use: 2. */
    return (rc == SQLITE_RANGE) +
           fail(app, app->measure.message, asq_own_db_hint(&app->own, rc));
}

static int report(const struct app *app)
{
    const struct asq_advice *advice = &app->compare.advice;

    if (app->own.raw)
        printf("It is locked, or its folder cannot be written: what is "
               "measured is a copy of its bytes.\n");
    printf("%s\n", app->own.path);
    if (print_table(&app->compare) != 0)
        return fail(app, "out of memory", "");
    if (app->measure.kind == ASQ_MEASURE_WRITE)
        printf("Each run is undone just before its COMMIT, which is measured "
               "with it.\n");
    if (app->measure.in_flight < app->concurrency)
        printf("The time allows %u ready at once, not %ld; --seconds gives "
               "more.\n",
               app->measure.in_flight, app->concurrency);
    printf("=> %s\n   %s\n   %s\n", asq_verdict_name(advice->verdict),
           advice->why, advice->sure);
    if (app->hint.loop[0] != '\0')
        printf("   SQLite's plan: %s\n", app->hint.loop);
    if (app->hint.help[0] != '\0')
        printf("   %s\n", app->hint.help);
    printf("\n");
    return 0;
}

static int write_files(const struct app *app)
{
    const char *json = app->options.json, *trace = app->options.trace;
    int rc = json == NULL ? 0 : write_json(app, json);

    if (rc != 0)
        return fail(app, json, uv_strerror(rc));
    rc = trace == NULL ? 0 : asq_trace_write(&app->trace, trace);
    return rc == 0 ? 0 : fail(app, trace, uv_strerror(rc));
}

/* ---- What is around it: progress, the table, the files, the options ------ */

static void keep_span(void *data, unsigned lane, uint64_t begin, uint64_t end)
{
    struct asq_span span = {begin, end, ASQ_TRACE_WAIT, "query"};
    struct app *app = data;

    asq_trace_add(&app->trace, lane, &span);
}

static void tell_way(void *data, const char *way)
{
    struct app *app = data;
    bool first = app->measure.one_ns == 0;

    asq_progress_tell(&app->progress, first ? "first run" : way,
                      first ? "the first run has taken 2 s; a query is asked "
                              "3 times or more, so this needs 6 s or more; "
                              "--timeout S ends it sooner"
                            : NULL);
}

static void tell_first(void *data, uint64_t one_ns, uint64_t least_ns)
{
    struct app *app = data;
    char one[16], least[16];

    asq_progress_tell(&app->progress, "blocking", NULL);
    if (one_ns >= UINT64_C(1000000000))
        (void)fprintf(stderr,
                      "one run took %s; the other ways may take as long each, "
                      "about %s more\n",
                      asq_format_duration(one, (double)one_ns / 1e3),
                      asq_format_duration(least, (double)least_ns / 1e3));
}

static int print_table(const struct asq_compare *compare)
{
    static const char *const headers[] = {"way",   "conns", "asked", "first",
                                          "per s", "p50",   "p99",   "stall"};
    struct asq_table table;
    char text[16];
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < compare->count; i++) {
        const struct asq_compare_row *row = &compare->rows[i];

        asq_table_add(&table, "%s", row->way);
        asq_table_add(&table, "%u", row->connections);
        asq_table_add(&table, "%zu", row->requests);
        asq_table_add(&table, "%s", asq_format_duration(text, row->first_us));
        asq_table_add(&table, "%s", asq_format_count(text, row->per_s));
        asq_table_add(&table, "%s", asq_format_duration(text, row->p50_us));
        asq_table_add(&table, "%s", asq_format_duration(text, row->p99_us));
        asq_table_add(&table, "%s", asq_format_duration(text, row->stall_us));
    }
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc;
}

static void put_text(struct asq_json *json, const char *key, const char *text)
{
    asq_json_put(json, ",\n   \"%s\": ", key);
    asq_json_text(json, text);
}

static void put_number(struct asq_json *json, const char *key, double number)
{
    asq_json_put(json, ", \"%s\": ", key);
    asq_json_number(json, number);
}

static void write_row(struct asq_json *json, const struct asq_compare_row *row)
{
    /* The names of the ways need no quoting. */
    asq_json_put(json,
                 "    {\"way\": \"%s\", \"connections\": %u, "
                 "\"requests\": %zu",
                 row->way, row->connections, row->requests);
    put_number(json, "throughput_per_s", row->per_s);
    put_number(json, "p50_us", row->p50_us);
    put_number(json, "p99_us", row->p99_us);
    put_number(json, "stall_us", row->stall_us);
    put_number(json, "first_us", row->first_us);
    asq_json_put(json, "}");
}

static void write_all(struct asq_json *json, const struct app *app)
{
    const struct asq_advise_plan *plan = &app->measure.plan;
    const struct asq_advice *advice = &app->compare.advice;

    asq_json_put(json, "  {\"in_flight\": %u", app->measure.in_flight);
    put_text(json, "name", app->own.path);
    put_text(json, "sql", app->measure.sql);
    put_text(json, "verdict", asq_verdict_name(advice->verdict));
    put_text(json, "reason", advice->why);
    put_text(json, "sure", advice->sure);
    put_text(json, "loop", app->hint.loop);
    put_text(json, "help", app->hint.help);
    asq_json_put(json,
                 ",\n   \"rounds\": %u, \"agreed\": %u, \"disturbed\": %u,\n"
                 "   \"plan\": {\"scan_steps\": %" PRIu64
                 ", \"sorts\": %" PRIu64 ", \"auto_index\": %" PRIu64
                 ", \"vm_steps\": %" PRIu64 ", \"rows\": %" PRIu64 "},\n"
                 "   \"rows\": [",
                 advice->rounds, advice->agreed, advice->disturbed,
                 plan->scan_steps, plan->sorts, plan->auto_index,
                 plan->vm_steps, plan->rows);
    for (int i = 0; i < app->compare.count; i++) {
        asq_json_put(json, "%s\n", i == 0 ? "" : ",");
        write_row(json, &app->compare.rows[i]);
    }
    asq_json_put(json, "]}");
}

static int write_json(const struct app *app, const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    write_all(&json, app);
    asq_json_put(&json, "\n");
    return asq_json_close(&json);
}

static int init_trace(struct app *app)
{
    char name[24];

    if (asq_trace_init(&app->trace, 1 + ASQ_COMPARE_THREADS, SPANS) != 0)
        return fail(app, "out of memory", "");
    asq_trace_name(&app->trace, 0, "main");
    for (unsigned i = 1; i <= ASQ_COMPARE_THREADS; i++) {
        (void)snprintf(name, sizeof name, "connection %u", i); /* it fits */
        asq_trace_name(&app->trace, i, name);
    }
    return 0;
}

static int run(struct app *app)
{
    int rc;

    if (asq_own_db_check(&app->own) != 0)
        return 1 + fail(app, app->own.message, "");
    if (app->own.path == NULL)
        return 1 + fail(app, "--db and --sql are missing; try --help", "");
    rc = app->options.trace == NULL ? 0 : init_trace(app);
    if (rc == 0)
        rc = prepare(app);
    if (rc == 0)
        rc = measure(app);
    if (rc == 0)
        rc = report(app);
    if (rc == 0)
        rc = write_files(app);
    asq_progress_stop(&app->progress);
    asq_trace_destroy(&app->trace);
    return rc;
}

int main(int argc, char **argv)
{
    struct app app = {.concurrency = 8, .seconds = 1};
    const struct asq_option more[] = {
        {"db", "FILE", "measure this database; it is only read",
         ASQ_OPTION_TEXT, &app.own.path, 0, 0},
        {"sql", "TEXT", "the query to measure", ASQ_OPTION_TEXT, &app.sql, 0,
         0},
        {"sql-file", "FILE", "the same, from a file", ASQ_OPTION_TEXT,
         &app.own.sql_file, 0, 0},
        {"param", "VALUE",
         "one for each ? in order; 12 and 1.5 are numbers, 007 a text",
         ASQ_OPTION_TEXT, &app.param, 0, 0},
        {"params-from", "FILE",
         "values used in turn: a line for each run, tabs between",
         ASQ_OPTION_TEXT, &app.own.rows_file, 0, 0},
        {"concurrency", "N", "queries ready at once", ASQ_OPTION_LONG,
         &app.concurrency, 1, 1000},
        {"seconds", "S", "time for each way; what has begun is finished",
         ASQ_OPTION_DOUBLE, &app.seconds, 0.01, 3600},
        {"timeout", "S", "end it after so long; 0: never", ASQ_OPTION_DOUBLE,
         &app.timeout, 0, 86400},
        {"on-a-copy", NULL, "measure a copy, so that SQL may write",
         ASQ_OPTION_FLAG, &app.own.on_a_copy, 0, 0},
        {"load", "FILE", "load this extension first, on a copy",
         ASQ_OPTION_TEXT, &app.own.extension, 0, 0},
        {"as-it-is", NULL, "judge the waiting, even where the query is bad",
         ASQ_OPTION_FLAG, &app.as_it_is, 0, 0},
    };
    char option[] = "--help", *help[] = {argv[0], option};
    int rc;

    app.options =
        (struct asq_options){.program = "build/04-measure-first-case_own_query",
                             .about = "When is it worth it, for your query?",
                             .more = more,
                             .more_count = sizeof more / sizeof more[0],
                             .slow_disk_ms = 1,
                             .requests = 10000};
    asq_values_take(&app.own.values, &argc, argv);
    rc = argc == 1 && app.own.values.sql == NULL && app.own.values.count == 0
             ? asq_options_parse(&app.options, 2, help)
             : asq_options_parse(&app.options, argc, argv);
    if (rc < 0)
        rc = asq_options_finish(&app.options, run(&app));
    asq_own_db_clean_up(&app.own);
    return rc;
}
