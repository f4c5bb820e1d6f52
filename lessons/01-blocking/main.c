/* main - what stands still while a query runs?
 *
 * The same queries, all ready at once, are answered one after the other on
 * the main thread: on a slow disk, where a query waits, and on the fast one,
 * where it computes. Then the claims of the lesson are measured.
 *
 * Run:      make lesson L=01
 * Expect:   on the slow disk the main thread does nothing else for as long as
 *           all queries take together; on the fast disk nobody notices
 * See also: idea.c and its wrong twins, text_after_step.c and
 *           statement_left_open.c
 */
#include <stdio.h>
#include <time.h>
#include <uv.h>

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

enum {
    SLOW,
    FAST,
    DISKS,
    WORK_MS = 10, /* of the main thread's own, before and after the queries */
    RUNS = 7,     /* of point reads with the statement cache, and without */
    READS = 100   /* of one run, for each request */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_result result; /* of the last query */
    struct asq_trace trace;   /* a lane for each disk; each begins at 0 */
    struct asq_heartbeat beats;
    struct asq_latency latency; /* on one disk, from "ready" to "answered" */
    struct asq_latency ratios;  /* of two runs side by side, in thousandths */
    struct asq_report_row rows[DISKS];
    uint64_t begin_ns[DISKS], end_ns[DISKS];
    int64_t value[DISKS];      /* of all baskets: equal */
    double first_us;           /* the slow query that waits for no other one */
    double busy;               /* the share of slow queries on the processor */
    double read_us, read_busy; /* of a point read, in the fastest run */
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
/* Reads items one at a time, through the statement cache and without it. */
static int compare_caches(struct app *app);
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
        asq_latency_init(&app->latency, requests) != 0 ||
        asq_latency_init(&app->ratios, RUNS) != 0)
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
    clock_t cpu = clock(); /* of the process, which is this thread */
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
    if (disk == SLOW) {
        /* Who is answered first, waited for nobody else. */
        app->first_us =
            (double)asq_latency_percentile(&app->latency, 1e-6) / 1e3;
        app->busy = (double)(clock() - cpu) / CLOCKS_PER_SEC /
                    ((double)(now - ready) / 1e9);
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

/* By position on the slow disk, by name on the fast one. */
static int ask(struct app *app, int disk, struct asq_db *db, long request)
{
    static const char by_name[] =
        "SELECT count(*) AS count, sum(value) AS value FROM items"
        " WHERE id IN (:a, :b, :c, :d, :e)";
    static const char *const names[] = {"e", "d", "c", "b", "a"};
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {ids, disk == FAST ? names : NULL,
                                ASQ_BASKET_SIZE};

    asq_basket_fill(ids, request, app->shop.items);
    if (asq_db_run(db, disk == FAST ? by_name : ASQ_BASKET_SQL, &params,
                   &app->result) != 0)
        return fail(app->path, asq_db_message(db));
    if (asq_result_int64(&app->result, 0, "count") != ASQ_BASKET_SIZE)
        return fail(app->path, "an answer is not a whole basket");
    app->value[disk] += asq_result_int64(&app->result, 0, "value");
    return 0;
}

/* Reads items on a connection that keeps so many statements. The first
 * thousand items stay in its page cache. */
static int read_items(struct app *app,
                      unsigned statements,
                      uint64_t *ret_wall_ns,
                      clock_t *ret_cpu)
{
    struct asq_profile profile = asq_profile_default(app->path);
    struct asq_db db;
    uint64_t begin;
    clock_t cpu;
    int rc = 0;

    profile.mode = ASQ_OPEN_READ;
    profile.statements = statements;
    if (asq_db_open(&db, &profile) != 0)
        return fail(app->options.program, asq_db_message(&db));
    begin = asq_clock_now_ns();
    cpu = clock();
    for (long i = 0; i < READS * app->options.requests && rc == 0; i++) {
        struct asq_value id = asq_int64(1 + i % 1000);
        struct asq_params params = {.values = &id, .count = 1};

        if (asq_db_run(&db, "SELECT id, value FROM items WHERE id = ?1",
                       &params, &app->result) != 0)
            rc = fail(app->path, asq_db_message(&db));
        else if (asq_result_int64(&app->result, 0, "id") != id.as.int64)
            rc = fail(app->path, "a point read answered another item");
    }
    *ret_wall_ns = asq_clock_now_ns() - begin;
    *ret_cpu = clock() - cpu;
    (void)asq_db_close(&db); /* every statement was released */
    return rc;
}

static int compare_caches(struct app *app)
{
    double reads = READS * (double)app->options.requests;
    uint64_t with_ns, without_ns, best_ns = UINT64_MAX;
    clock_t cpu, ignored;

    for (int i = 0; i < RUNS; i++) {
        if (read_items(app, 32, &with_ns, &cpu) != 0 ||
            read_items(app, 0, &without_ns, &ignored) != 0)
            return 1;
        if (asq_latency_add(&app->ratios, 1000 * without_ns / with_ns) != 0)
            return fail(app->options.program, "out of memory");
        if (with_ns > best_ns)
            continue;
        best_ns = with_ns;
        app->read_us = (double)with_ns / 1e3 / reads;
        app->read_busy = (double)cpu / CLOCKS_PER_SEC / ((double)with_ns / 1e9);
    }
    return 0;
}

static double ratio(struct app *app, double percent)
{
    return (double)asq_latency_percentile(&app->ratios, percent) / 1e3;
}

static void print_claims(struct app *app)
{
    double predicted = 1e6 / app->first_us;
    double measured = app->rows[SLOW].throughput_per_s;
    char text[16];

    printf("\nwaits-in-turn: a query of %s allows %.0f a second; measured "
           "%.0f, which\nis %.2f of it.\n",
           asq_format_duration(text, app->first_us), predicted, measured,
           measured / predicted);
    printf("io-bound: on the slow disk %.0f %% of a query is work of the "
           "processor; of a point\nread that finds its page in memory, %s, "
           "it is %.0f %%.\n",
           100 * app->busy, asq_format_duration(text, app->read_us),
           100 * app->read_busy);
    printf("statement-cache: %.1f times as many point reads with it as without "
           "it (%.1f to %.1f\nin %d runs).\n",
           ratio(app, 50), ratio(app, 1), ratio(app, 100), RUNS);
    printf("named-parameters: all %ld queries got the same answers by name as "
           "by position.\n",
           app->options.requests);
}

static int report(struct app *app)
{
    const char *json = app->options.json;
    const char *trace = app->options.trace;
    char slow[16], fast[16];
    int rc = 0;

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
    print_claims(app);
    if (json != NULL)
        rc = asq_report_write(app->rows, DISKS, json);
    if (rc != 0)
        return fail(json, uv_strerror(rc));
    if (trace != NULL)
        rc = asq_trace_write(&app->trace, trace);
    return rc == 0 ? 0 : fail(trace, uv_strerror(rc));
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
        rc = compare_caches(&app);
    if (rc == 0)
        rc = report(&app);
    asq_result_destroy(&app.result);
    asq_trace_destroy(&app.trace);
    asq_latency_destroy(&app.latency);
    asq_latency_destroy(&app.ratios);
    return rc;
}
