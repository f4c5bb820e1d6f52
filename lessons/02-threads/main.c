/* main - can somebody else wait for me?
 *
 * The same queries, all ready at once, on the slow disk: first the main thread
 * waits for each of them, then eight threads with a connection each wait in
 * its place. claims.c measures what the lesson says of it.
 *
 * Run:      make lesson L=02
 * Expect:   eight threads wait at once, and the main thread goes on
 * See also: idea.c and its wrong twins, if_instead_of_while.c and
 *           shared_connection.c
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
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
#include <stdlib.h>
#include <uv.h>

enum {
    BLOCKING,
    OFFLOADED,
    WAYS,
    THREADS = 8,
    CALLERS = 1 + THREADS /* 0 is the main thread */
};

struct request {
    struct asq_job job;
    struct app *app;
    long number;
    int rc;        /* 0 or an SQLITE_* code */
    int64_t value; /* of the basket */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_offload offload;
    struct asq_db dbs[CALLERS]; /* one for each caller */
    struct asq_trace trace;     /* a lane for each caller */
    struct request *requests;   /* those of the first way, then the second */
    struct asq_report_row rows[WAYS];
    uint64_t begin_ns;   /* of this way: all requests are ready */
    uint64_t longest_ns; /* of the ways so far: the scale of the pictures */
    uv_mutex_t lock;
    uv_cond_t all_answered;
    /* guarded by lock, of this way */
    struct asq_latency latency; /* from "ready" to "answered" */
    long answered;
    long by_main; /* of these: main waited for them itself */
};

/* What happens, in this order. Each int is 0, or 1 after a line on stderr. */

/* Makes the data set, room for what is measured, connections and threads. */
static int prepare(struct app *app);
/* Asks for everything in one way, beats until everything is answered. */
static int run_way(struct app *app, int way, void (*ask)(struct request *));
/* The first way: the main thread runs the query. */
static void ask_blocking(struct request *request);
/* The second way: the main thread hands the query over. */
static void ask_offloaded(struct request *request);
static void run_on_thread(struct asq_job *job, unsigned thread);
/* Runs the query and waits for it, on whatever thread. */
static void answer(struct request *request, unsigned caller);
/* Checks the answers and shows who waited for whom. */
static int show_way(struct app *app, int way);
/* Prints the table, and writes the files that were asked for. */
static int report(struct app *app);

static int fail(const char *name, const char *message)
{
    (void)fprintf(stderr, "%s: %s\n", name, message);
    return 1;
}

static int prepare(struct app *app)
{
    struct asq_profile profile = asq_basket_profile(app->path, ASQ_SLOW_DISK);
    size_t requests = (size_t)app->options.requests;
    char text[ASQ_SHOP_MESSAGE_MAX];
    int rc;

    if (asq_shop_make(&app->shop, app->path, text) != 0)
        return fail(app->options.program, text);
    if (asq_slow_disk_register() != 0)
        return fail(ASQ_SLOW_DISK, "it cannot be registered");
    app->requests = calloc(requests * WAYS, sizeof *app->requests);
    if (app->requests == NULL ||
        asq_trace_init(&app->trace, CALLERS, requests * WAYS) != 0 ||
        asq_latency_init(&app->latency, requests) != 0)
        return fail(app->options.program, "out of memory");
    for (unsigned i = 0; i < CALLERS; i++) {
        (void)snprintf(text, sizeof text, "thread %u", i); /* it fits */
        asq_trace_name(&app->trace, i, i == 0 ? "main" : text);
        if (asq_db_open(&app->dbs[i], &profile) != 0)
            return fail(app->options.program, asq_db_message(&app->dbs[i]));
        (void)asq_db_hand_over(&app->dbs[i]); /* open, no statement is out */
    }
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    rc = asq_offload_start(&app->offload, THREADS, requests);
    return rc == 0 ? 0 : fail("threads", uv_strerror(rc));
}

static int run_way(struct app *app, int way, void (*ask)(struct request *))
{
    long requests = app->options.requests;
    uint64_t reads = asq_slow_disk_count(ASQ_DISK_READ);
    struct asq_heartbeat beats;

    asq_latency_reset(&app->latency);
    app->answered = app->by_main = 0; /* the threads have nothing to do */
    app->begin_ns = asq_clock_now_ns();
    asq_heartbeat_start(&beats);
    for (long i = 0; i < requests; i++) {
        struct request *request = &app->requests[way * requests + i];

        request->app = app;
        request->number = i;
        ask(request);
    }
    uv_mutex_lock(&app->lock);
    while (app->answered < requests) { /* (5) woken or not, it looks */
        (void)uv_cond_timedwait(&app->all_answered, &app->lock, ASQ_NS_PER_MS);
        asq_heartbeat_beat(&beats);
    }
    uv_mutex_unlock(&app->lock);
    app->rows[way].stall_us = (double)asq_heartbeat_stop(&beats) / 1e3;
    app->rows[way].disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - reads;
    return show_way(app, way);
}

static void ask_blocking(struct request *request)
{
    answer(request, 0); /* (1) */
}

static void ask_offloaded(struct request *request)
{
    request->job.run_on_thread = run_on_thread;
    request->job.data = request;
    /* It cannot fail: there is room for all, and nobody stops the threads. */
    (void)asq_offload_submit(&request->app->offload, &request->job,
                             ASQ_FULL_FAILS); /* (2) */
}

static void run_on_thread(struct asq_job *job, unsigned thread)
{
    answer(job->data, 1 + thread); /* (3) */
}

static void answer(struct request *request, unsigned caller)
{
    struct app *app = request->app;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};
    struct asq_span span = {asq_clock_now_ns(), 0, ASQ_TRACE_WAIT, "query"};
    struct asq_result result;

    asq_result_init(&result);
    asq_basket_fill(ids, request->number, app->shop.items);
    request->rc =
        asq_db_run(&app->dbs[caller], ASQ_BASKET_SQL, &params, &result);
    if (asq_result_int64(&result, 0, "count") == ASQ_BASKET_SIZE)
        request->value = asq_result_int64(&result, 0, "value");
    asq_result_destroy(&result);
    /* Main closes it in the end. No statement is out: it cannot fail. */
    (void)asq_db_hand_over(&app->dbs[caller]);
    span.end_ns = asq_clock_now_ns();
    asq_trace_add(&app->trace, caller, &span);

    uv_mutex_lock(&app->lock);
    /* It cannot fail: there is room for all. */
    (void)asq_latency_add(&app->latency, span.end_ns - app->begin_ns);
    app->by_main += caller == 0;
    if (++app->answered == app->options.requests)
        uv_cond_signal(&app->all_answered); /* (4) */
    uv_mutex_unlock(&app->lock);
}

static int show_way(struct app *app, int way)
{
    long requests = app->options.requests;
    uint64_t took_ns = asq_latency_percentile(&app->latency, 100);
    struct asq_report_row *row = &app->rows[way];
    char stall[16];

    for (long i = 0; i < requests; i++) {
        struct request *request = &app->requests[way * requests + i];

        if (request->rc != 0)
            return fail(app->path, sqlite3_errstr(request->rc));
        if (request->value == 0 || request->value != app->requests[i].value)
            return fail(app->path, "an answer is wrong");
    }
    row->requests = (uint64_t)requests;
    row->throughput_per_s = 1e9 * (double)requests / (double)took_ns;
    row->p50_us = (double)asq_latency_percentile(&app->latency, 50) / 1e3;
    row->p99_us = (double)asq_latency_percentile(&app->latency, 99) / 1e3;
    printf("%s: %ld queries, all ready at once; a read takes %g ms\n\n",
           row->way, requests, app->options.slow_disk_ms);
    app->longest_ns = took_ns > app->longest_ns ? took_ns : app->longest_ns;
    asq_trace_print(&app->trace, stdout, app->begin_ns,
                    app->begin_ns + app->longest_ns);
    printf("\nThe main thread waited for %ld of %ld queries itself, and "
           "answered nothing for\n%s at most.\n\n",
           app->by_main, requests, asq_format_duration(stall, row->stall_us));
    return 0;
}

static int report(struct app *app)
{
    if (asq_report_print(app->rows, WAYS, stdout) != 0)
        return fail(app->options.program, "out of memory");
    return asq_report_save(app->rows, WAYS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/02-threads",
                    .about = "Can somebody else wait for me?",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
        .rows = {{.way = "blocking", .disk = "slow", .connections = 1},
                 {.way = "threads", .disk = "slow", .connections = THREADS}},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (uv_mutex_init(&app.lock) != 0 || uv_cond_init(&app.all_answered) != 0)
        return fail(app.options.program, "out of memory");
    rc = prepare(&app);
    if (rc == 0)
        rc = run_way(&app, BLOCKING, ask_blocking);
    if (rc == 0)
        rc = run_way(&app, OFFLOADED, ask_offloaded);
    if (rc == 0)
        rc = report(&app);
    asq_offload_stop(&app.offload, ASQ_REST_RUNS);
    asq_offload_destroy(&app.offload);
    for (int i = 0; i < CALLERS; i++)
        (void)asq_db_close(&app.dbs[i]); /* no statement is out */
    asq_latency_destroy(&app.latency);
    asq_trace_destroy(&app.trace);
    free(app.requests);
    uv_cond_destroy(&app.all_answered);
    uv_mutex_destroy(&app.lock);
    return asq_options_finish(&app.options, rc);
}
