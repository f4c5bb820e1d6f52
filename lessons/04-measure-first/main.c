/* main - when is it worth it, for your query on your database?
 *
 * Asks one query in four ways and judges: stay sync, hand off, event loop, or
 * fix the query first. Without --db it does so for four queries of the shop,
 * each of which ends differently. A database that is given is opened for
 * reading only, or copied.
 *
 * Run:      make lesson L=04
 *           build/04-measure-first --db FILE --sql "SELECT ..."
 * Expect:   four queries, four verdicts
 * See also: compare.c asks and advise.c judges; idea.c, how a latency is
 *           measured, and its wrong twins
 */
#include "04-measure-first/compare.h"
#include "04-measure-first/hint.h"
#include "04-measure-first/own_db.h"
#include "04-measure-first/progress.h"
#include "common/json.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "common/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

#define ANY_ITEM "(SELECT abs(random()) % 10000 + 1)"
#define FIVE_ITEMS                                                             \
    "SELECT sum(value) FROM items WHERE id IN (" ANY_ITEM ", " ANY_ITEM        \
    ", " ANY_ITEM ", " ANY_ITEM ", " ANY_ITEM ")"

enum {
    CASES = 4,
    SPANS = 20000,     /* of a lane of the trace */
    SLOW_DISK_KIB = 64 /* of cache, so that the slow disk is asked */
};

/* What is measured. */
struct test {
    const char *name, *sql;
    unsigned in_flight;
    long requests; /* of each way, at most */
    bool on_slow_disk;
};

struct outcome {
    struct test test;
    struct asq_measure measure;
    struct asq_compare compare;
    struct asq_hint hint;
};

struct app {
    struct asq_options options;
    struct asq_own_db own;
    const char *sql, *param; /* only for the help: see values */
    long concurrency;
    double seconds, timeout; /* timeout 0: none */
    int as_it_is;
    char path[ASQ_SHOP_PATH_MAX]; /* of the shop, or of the copy */
    struct outcome outcomes[CASES];
    int count; /* of the outcomes */
    struct asq_progress progress;
    struct asq_trace trace; /* main, and a lane for each connection */
};

/* What happens, in this order. Each int is 0, or an exit status after a line
 * on stderr. */

/* One of the two: the queries of the lesson, or that of the reader. */
static int run_demonstration(struct app *app);
static int run_own(struct app *app);
/* Asks in all ways, judges, prints. */
static int run_test(struct app *app,
                    const struct test *test,
                    const struct asq_profile *profile);
static int print_outcome(const struct app *app, const struct outcome *outcome);
static int write_files(const struct app *app);
/* What these need is at the end. */
static int fail(const struct app *app, const char *message, const char *hint);
static struct asq_measure measure_of(struct app *app, const struct test *test);
static void tell_way(void *data, const char *way);
static int print_table(const struct asq_compare *compare);

static int run_demonstration(struct app *app)
{
    static const struct test tests[CASES] = {
        {"A  one item, one at a time, from memory",
         "SELECT name, value FROM items WHERE id = " ANY_ITEM, 1, 2000, false},
        {"B  five items, 8 ready at once, from the slow disk", FIVE_ITEMS, 8,
         128, true},
        {"C  the same, 64 ready at once", FIVE_ITEMS, 64, 320, true},
        {"D  the dearest items, 8 ready at once, from memory",
         "SELECT name, value FROM items ORDER BY value DESC LIMIT 10", 8, 128,
         false},
    };
    struct asq_shop shop = {
        .users = 1000, .items = 10000, .orders = 2000, .seed = 1};
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = 0;

    if (asq_shop_make(&shop, app->path, message) != 0)
        return fail(app, message, "");
    if (asq_slow_disk_register() != 0)
        return fail(app, "the slow disk cannot be registered", "");
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    for (int i = 0; i < CASES && rc == 0; i++) {
        struct asq_profile profile = asq_profile_default(app->path);

        profile.mode = ASQ_OPEN_READ;
        if (tests[i].on_slow_disk) {
            profile.vfs = ASQ_SLOW_DISK;
            profile.cache_kib = SLOW_DISK_KIB;
        }
        rc = run_test(app, &tests[i], &profile);
    }
    return rc;
}

static int run_test(struct app *app,
                    const struct test *test,
                    const struct asq_profile *profile)
{
    struct outcome *outcome = &app->outcomes[app->count];
    struct asq_measure *measure = &outcome->measure;
    struct asq_compare *compare = &outcome->compare;
    struct asq_advise_limits limits = asq_advise_limits_default();
    int rc;

    outcome->test = *test;
    *measure = measure_of(app, test);
    measure->profile = *profile;
    limits.as_it_is = app->as_it_is;
    rc = asq_compare(measure, &limits, tell_way, app, compare);
    if (rc == 0 && compare->advice.verdict == ASQ_FIX_QUERY)
        asq_hint_find(measure, compare->advice.reason, &outcome->hint);
    asq_progress_stop(&app->progress);
    if (rc != 0) /* values that do not fit are wrong use: 2 */
        return (rc == SQLITE_RANGE) +
               fail(app, measure->message, asq_own_db_hint(&app->own, rc));
    app->count++;
    rc = print_outcome(app, outcome);
    return rc == 0 ? 0 : fail(app, "out of memory", "");
}

/* What is around it: options, progress, files. */

static int fail(const struct app *app, const char *message, const char *hint)
{
    (void)fprintf(stderr, "%s: %s%s\n", app->options.program, message, hint);
    return 1;
}

static int run_own(struct app *app)
{
    struct asq_own_db *own = &app->own;
    const struct test test = {own->path, own->values.sql,
                              (unsigned)app->concurrency, app->options.requests,
                              false};
    int rc;

    (void)snprintf(app->path, sizeof app->path, "%s/tmp/", asq_build_dir());
    if (own->on_a_copy && asq_make_parents(app->path) != 0)
        return fail(app, app->path, ": the folder cannot be made");
    own->folder = app->path;
    asq_progress_start(&app->progress, "opening");
    rc = asq_own_db_prepare(own);
    if (rc == 0)
        rc = run_test(app, &test, &own->profile);
    else
        rc = fail(app, own->message, "");
    asq_progress_stop(&app->progress);
    return rc;
}

static void keep_span(void *data, unsigned lane, uint64_t begin, uint64_t end)
{
    struct asq_span span = {begin, end, ASQ_TRACE_WAIT, "query"};
    struct app *app = data;

    asq_trace_add(&app->trace, lane, &span);
}

static void tell_way(void *data, const char *way)
{
    struct app *app = data;
    bool first = app->outcomes[app->count].measure.one_ns == 0;

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

static struct asq_measure measure_of(struct app *app, const struct test *test)
{
    long most = app->options.requests;
    uint64_t timeout_ns = (uint64_t)(app->timeout * 1e9);

    return (struct asq_measure){
        .sql = test->sql,
        .params = app->own.values.rows,
        .params_count = app->own.values.count,
        .may_write = app->own.on_a_copy,
        .in_flight = test->in_flight,
        .requests = (size_t)(test->requests < most ? test->requests : most),
        .budget_ns = (uint64_t)(app->seconds * 1e9),
        .deadline_ns = timeout_ns > 0 ? uv_hrtime() + timeout_ns : 0,
        .on_query = app->options.trace != NULL ? keep_span : NULL,
        .on_first = tell_first,
        .data = app,
    };
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

static int print_outcome(const struct app *app, const struct outcome *outcome)
{
    const struct asq_measure *measure = &outcome->measure;
    const struct asq_advice *advice = &outcome->compare.advice;
    int rc;

    if (app->own.raw)
        printf("It is locked, or its folder cannot be written: what is "
               "measured is a copy of its bytes.\n");
    printf("%s\n", outcome->test.name);
    rc = print_table(&outcome->compare);
    if (measure->kind == ASQ_MEASURE_WRITE)
        printf("Each run is undone just before its COMMIT, which is measured "
               "with it.\n");
    if (measure->in_flight < outcome->test.in_flight)
        printf("The time allows %u ready at once, not %u; --seconds gives "
               "more.\n",
               measure->in_flight, outcome->test.in_flight);
    printf("=> %s\n   %s\n   %s\n", asq_verdict_name(advice->verdict),
           advice->why, advice->sure);
    if (outcome->hint.loop[0] != '\0')
        printf("   SQLite's plan: %s\n", outcome->hint.loop);
    if (outcome->hint.help[0] != '\0')
        printf("   %s\n", outcome->hint.help);
    printf("\n");
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

static void write_outcome(struct asq_json *json, const struct outcome *outcome)
{
    const struct asq_advise_plan *plan = &outcome->measure.plan;
    const struct asq_advice *advice = &outcome->compare.advice;

    asq_json_put(json, "  {\"in_flight\": %u", outcome->measure.in_flight);
    put_text(json, "name", outcome->test.name);
    put_text(json, "sql", outcome->test.sql);
    put_text(json, "verdict", asq_verdict_name(advice->verdict));
    put_text(json, "reason", advice->why);
    put_text(json, "sure", advice->sure);
    put_text(json, "loop", outcome->hint.loop);
    put_text(json, "help", outcome->hint.help);
    asq_json_put(json,
                 ",\n   \"rounds\": %u, \"agreed\": %u, \"disturbed\": %u,\n"
                 "   \"plan\": {\"scan_steps\": %" PRIu64
                 ", \"sorts\": %" PRIu64 ", \"auto_index\": %" PRIu64
                 ", \"vm_steps\": %" PRIu64 ", \"rows\": %" PRIu64 "},\n"
                 "   \"rows\": [",
                 advice->rounds, advice->agreed, advice->disturbed,
                 plan->scan_steps, plan->sorts, plan->auto_index,
                 plan->vm_steps, plan->rows);
    for (int i = 0; i < outcome->compare.count; i++) {
        asq_json_put(json, "%s\n", i == 0 ? "" : ",");
        write_row(json, &outcome->compare.rows[i]);
    }
    asq_json_put(json, "]}");
}

static int write_json(const struct app *app, const char *path)
{
    struct asq_json json;
    int rc = asq_json_open(&json, path);

    if (rc != 0)
        return rc;
    asq_json_put(&json, app->own.path == NULL ? "[\n" : "");
    for (int i = 0; i < app->count; i++) {
        asq_json_put(&json, "%s", i == 0 ? "" : ",\n");
        write_outcome(&json, &app->outcomes[i]);
    }
    asq_json_put(&json, app->own.path == NULL ? "\n]\n" : "\n");
    return asq_json_close(&json);
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
    int rc;

    app.options =
        (struct asq_options){.program = "build/04-measure-first",
                             .about = "When is it worth it?",
                             .more = more,
                             .more_count = sizeof more / sizeof more[0],
                             .slow_disk_ms = 1,
                             .requests = 10000};
    asq_values_take(&app.own.values, &argc, argv);
    rc = asq_options_parse(&app.options, argc, argv);
    if (rc < 0) {
        rc = asq_own_db_check(&app.own) == 0
                 ? 0
                 : 1 + fail(&app, app.own.message, "");
        if (rc == 0 && app.options.trace != NULL)
            rc = init_trace(&app);
        if (rc == 0)
            rc = app.own.path == NULL ? run_demonstration(&app) : run_own(&app);
        if (rc == 0)
            rc = write_files(&app);
        asq_trace_destroy(&app.trace);
        rc = asq_options_finish(&app.options, rc);
    }
    asq_own_db_clean_up(&app.own);
    return rc;
}
