/* main - what stands still while a query runs?
 *
 * The same queries, all ready at once, are answered one after the other on
 * the main thread: on a slow disk, where a query waits, and on the fast one,
 * where it computes. claims.c measures what the lesson says of it.
 *
 * Run:      make lesson L=01
 * Expect:   on the slow disk the main thread does nothing else for as long as
 *           all queries take together; on the fast disk nobody notices
 * See also: idea.c and its wrong twins, text_after_step.c and
 *           statement_left_open.c
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "common/clock.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/report.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "common/trace.h"

#include <stdio.h>
#include <uv.h>

enum {
    SLOW,
    FAST,
    DISKS,
    WORK_MS = 10 /* of the main thread's own, before and after the queries */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_result result; /* of the last query */
    struct asq_trace trace;   /* a lane for each disk; each begins at 0 */
    struct asq_heartbeat beats;
    struct asq_latency latency; /* on one disk, from "ready" to "answered" */
    struct asq_report_row rows[DISKS];
    uint64_t begin_ns[DISKS], end_ns[DISKS];
    int64_t value[DISKS]; /* of all baskets: equal */
};

/* What happens, in this order, all on the main thread. Those that can fail
 * return 0, or 1 after one line on stderr. */

/* Makes the data set, the slow disk, and room for what is measured. */
static int prepare(struct app *app);
/* Works, answers all requests on one disk, works again. */
static int use_disk(struct app *app, int disk);
/* Is the main thread's own work: as long as it lasts, it beats. */
static void work(struct app *app, int disk);
/* Answers one request after the other. */
static int answer_all(struct app *app, int disk, struct asq_db *db);
/* Runs one request and checks its answer. */
static int ask(struct app *app, int disk, struct asq_db *db, long request);
/* Prints what was measured, and writes the files that were asked for. */
static int report(struct app *app);

static int fail(const char *name, const char *message)
{
    (void)fprintf(stderr, "%s: %s\n", name, message);
    return 1;
}

static int prepare(struct app *app)
{
    size_t requests = (size_t)app->options.requests;
    char message[ASQ_SHOP_MESSAGE_MAX];

    if (asq_shop_make(&app->shop, app->path, message) != 0)
        return fail(app->options.program, message);
    if (asq_slow_disk_register() != 0)
        return fail(ASQ_SLOW_DISK, "it cannot be registered");
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    if (asq_trace_init(&app->trace, DISKS, requests + 2) != 0 ||
        asq_latency_init(&app->latency, requests) != 0)
        return fail(app->options.program, "out of memory");
    asq_trace_name(&app->trace, SLOW, "main, slow disk");
    asq_trace_name(&app->trace, FAST, "main, fast disk");
    return 0;
}

static int use_disk(struct app *app, int disk)
{
    struct asq_profile profile =
        asq_basket_profile(app->path, disk == SLOW ? ASQ_SLOW_DISK : NULL);
    struct asq_db db;
    int rc;

    if (asq_db_open(&db, &profile) != 0)
        return fail(app->options.program, asq_db_message(&db));
    rc = ask(app, disk, &db, app->options.requests); /* reads the schema too */
    app->begin_ns[disk] = asq_clock_now_ns();
    asq_heartbeat_start(&app->beats);
    work(app, disk); /* (1) */
    if (rc == 0)
        rc = answer_all(app, disk, &db); /* (2) */
    work(app, disk);                     /* (5) */
    app->end_ns[disk] = asq_clock_now_ns();
    app->rows[disk].stall_us = (double)asq_heartbeat_stop(&app->beats) / 1e3;
    if (asq_db_close(&db) != 0)
        rc = fail(app->path, asq_db_message(&db));
    return rc;
}

/* Keeps what the main thread did from begin_ns until now. Returns now. */
static uint64_t
add_span(struct app *app, int disk, enum asq_trace_kind kind, uint64_t begin_ns)
{
    uint64_t now = asq_clock_now_ns();
    struct asq_span span = {begin_ns - app->begin_ns[disk],
                            now - app->begin_ns[disk], kind,
                            kind == ASQ_TRACE_WAIT ? "query" : "own work"};

    asq_trace_add(&app->trace, (unsigned)disk, &span);
    return now;
}

static void work(struct app *app, int disk)
{
    uint64_t begin = asq_clock_now_ns();

    for (int i = 0; i < WORK_MS; i++) {
        asq_heartbeat_beat(&app->beats);
        pretend_to_work(1);
    }
    asq_heartbeat_beat(&app->beats);
    (void)add_span(app, disk, ASQ_TRACE_WORK, begin); /* the time is not used */
}

/* Returns how many pages the connection did not find in its cache since the
 * last call. */
static uint64_t count_disk_reads(struct asq_db *db)
{
    int misses = 0, highest = 0;

    /* It fails only for a counter that SQLite does not have. */
    (void)sqlite3_db_status(asq_db_handle(db), SQLITE_DBSTATUS_CACHE_MISS,
                            &misses, &highest, 1);
    return (uint64_t)misses;
}

static int answer_all(struct app *app, int disk, struct asq_db *db)
{
    long requests = app->options.requests;
    uint64_t ready = asq_clock_now_ns();
    uint64_t now = ready;

    asq_latency_reset(&app->latency);
    (void)count_disk_reads(db); /* what was read before does not count */
    for (long i = 0; i < requests; i++) {
        if (ask(app, disk, db, i) != 0) /* (3) */
            return 1;
        now = add_span(app, disk, ASQ_TRACE_WAIT, now);
        if (asq_latency_add(&app->latency, now - ready) != 0) /* (4) */
            return fail(app->options.program, "out of memory");
    }
    app->rows[disk] = (struct asq_report_row){
        .way = "blocking",
        .disk = disk == SLOW ? "slow" : "fast",
        .connections = 1,
        .requests = (uint64_t)requests,
        .disk_reads = count_disk_reads(db),
        .throughput_per_s = 1e9 * (double)requests / (double)(now - ready),
        .p50_us = (double)asq_latency_percentile(&app->latency, 50) / 1e3,
        .p99_us = (double)asq_latency_percentile(&app->latency, 99) / 1e3,
    };
    return 0;
}

static int ask(struct app *app, int disk, struct asq_db *db, long request)
{
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};

    asq_basket_fill(ids, request, app->shop.items);
    if (asq_db_run(db, ASQ_BASKET_SQL, &params, &app->result) != 0)
        return fail(app->path, asq_db_message(db));
    if (asq_result_int64(&app->result, 0, "count") != ASQ_BASKET_SIZE)
        return fail(app->path, "an answer is not a whole basket");
    app->value[disk] += asq_result_int64(&app->result, 0, "value");
    return 0;
}

static int report(struct app *app)
{
    char slow[16], fast[16];

    if (app->value[SLOW] != app->value[FAST])
        return fail(app->path, "the answers on the two disks differ");
    printf("%ld queries, all ready at once, on the main thread. The slow disk "
           "takes %g ms\na read.\n\n",
           app->options.requests, app->options.slow_disk_ms);
    asq_trace_print(&app->trace, stdout, 0,
                    app->end_ns[SLOW] - app->begin_ns[SLOW]);
    printf("\nThe main thread answered nothing for %s on the slow disk. On the "
           "fast one\nits longest silence was %s.\n\n",
           asq_format_duration(slow, app->rows[SLOW].stall_us),
           asq_format_duration(fast, app->rows[FAST].stall_us));
    if (asq_report_print(app->rows, DISKS, stdout) != 0)
        return fail(app->options.program, "out of memory");
    return asq_report_save(app->rows, DISKS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/01-blocking",
                    .about = "What stands still while a query runs?",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    rc = prepare(&app);
    if (rc == 0)
        rc = use_disk(&app, SLOW);
    if (rc == 0)
        rc = use_disk(&app, FAST);
    if (rc == 0)
        rc = report(&app);
    asq_result_destroy(&app.result);
    asq_trace_destroy(&app.trace);
    asq_latency_destroy(&app.latency);
    return asq_options_finish(&app.options, rc);
}
