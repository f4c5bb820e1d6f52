/* main - who waits: the loop itself, one worker, or eight?
 *
 * The same queries, all ready at once, on a slow disk: asked by blocking calls
 * on the loop's thread, through one conn, and through eight. Every way must
 * read the same. claims.c measures what the lesson says of it.
 *
 * Run:      make lesson L=03
 * Expect:   main waits in each query; one worker waits in its place and is no
 *           faster; eight workers wait at the same time
 * See also: idea.c, the same without modules, and its wrong twins
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "common/clock.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/report.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/trace.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WAYS = 3,
    CONNS = 8,
    LANES = 12 /* of the trace: main in each way, one worker, eight workers */
};

struct ask {
    struct asq_request request;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params; /* the ids */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_profile profile;
    struct ask *asks; /* one for each request */
    uv_loop_t *loop;
    struct asq_heartbeat beats;
    struct asq_latency latency; /* of one way, from "ready" to "answered" */
    struct asq_trace trace;     /* each way begins at 0 */
    struct asq_report_row rows[WAYS];
    uint64_t longest_ns; /* of the ways */
    struct asq_conn conns[CONNS];
    /* of the way that runs */
    unsigned lane; /* of main; those of the workers follow */
    uint64_t begin_ns;
    int64_t value; /* of all baskets */
    bool failed;
};

/* What happens, in this order. Each int is 0, or 1 after a line on stderr. */

/* Makes the data set, the slow disk, and room for what is measured. */
static int prepare(struct app *app);
/* Answers all requests in one way, and measures it. */
static int run_way(struct app *app, int way);
/* The first way: the loop's thread runs one query after the other. */
static void ask_here(struct app *app);
/* The others: opens conns, submits all, turns the loop, closes the conns. */
static void ask_conns(struct app *app, int conns);
/* On the loop: for each conn, for each answer, and for each conn again. */
static void note_opened(struct asq_conn *conn, int status);
static void take_answer(struct asq_request *request, int status);
static void note_closed(struct asq_conn *conn);
/* Shows who waited, and writes the files that were asked for. */
static int report(struct app *app);

/* Tells the first failure. */
static int fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
    return 1;
}

static int prepare(struct app *app)
{
    static const char *const lanes[LANES] = {
        "blocking main", "event-loop-1 main", "  worker",   "event-loop main",
        "  worker 1",    "  worker 2",        "  worker 3", "  worker 4",
        "  worker 5",    "  worker 6",        "  worker 7", "  worker 8"};
    size_t requests = (size_t)app->options.requests;
    char message[ASQ_SHOP_MESSAGE_MAX];

    if (asq_shop_make(&app->shop, app->path, message) != 0)
        return fail(app, message);
    if (asq_slow_disk_register() != 0)
        return fail(app, "the slow disk cannot be registered");
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    app->profile = asq_basket_profile(app->path, ASQ_SLOW_DISK);
    app->asks = calloc(requests, sizeof *app->asks);
    if (app->asks == NULL || asq_latency_init(&app->latency, requests) != 0 ||
        asq_trace_init(&app->trace, LANES, requests) != 0)
        return fail(app, "out of memory");
    for (unsigned i = 0; i < LANES; i++)
        asq_trace_name(&app->trace, i, lanes[i]);
    for (long i = 0; i < app->options.requests; i++) {
        struct ask *ask = &app->asks[i];

        asq_request_init(&ask->request);
        asq_basket_fill(ask->ids, i, app->shop.items);
        ask->params.values = ask->ids;
        ask->params.count = ASQ_BASKET_SIZE;
    }
    return 0;
}

static int run_way(struct app *app, int way)
{
    struct asq_report_row *row = &app->rows[way];
    uint64_t reads = asq_slow_disk_count(ASQ_DISK_READ);
    int64_t expected = app->value; /* what the way before this has read */

    asq_latency_reset(&app->latency);
    app->value = 0;
    app->begin_ns = asq_clock_now_ns();
    asq_heartbeat_start(&app->beats);
    if (way == 0)
        ask_here(app);
    else
        ask_conns(app, row->connections);
    row->stall_us = (double)asq_heartbeat_stop(&app->beats) / 1e3;
    row->disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - reads;
    row->requests = app->latency.count;
    row->throughput_per_s = 1e9 * (double)row->requests /
                            (double)asq_latency_percentile(&app->latency, 100);
    row->p50_us = (double)asq_latency_percentile(&app->latency, 50) / 1e3;
    row->p99_us = (double)asq_latency_percentile(&app->latency, 99) / 1e3;
    app->lane += way == 0 ? 1 : 1 + (unsigned)row->connections;
    if (way > 0 && app->value != expected)
        return fail(app, "the answers are not those of the blocking calls");
    return app->failed;
}

/* Counts an answer; main was busy with it since begin_ns. */
static void take(struct app *app,
                 const struct asq_result *result,
                 enum asq_trace_kind kind,
                 uint64_t begin_ns)
{
    uint64_t end_ns = asq_clock_now_ns() - app->begin_ns;
    struct asq_span span = {begin_ns - app->begin_ns, end_ns, kind, "answer"};

    app->value += asq_result_int64(result, 0, "value");
    asq_trace_add(&app->trace, app->lane, &span);
    (void)asq_latency_add(&app->latency, end_ns); /* there is room for all */
    if (end_ns > app->longest_ns)
        app->longest_ns = end_ns;
}

static void ask_here(struct app *app)
{
    struct asq_db db;
    int rc = asq_db_open(&db, &app->profile);

    for (long i = 0; i < app->options.requests && rc == 0; i++) {
        struct ask *ask = &app->asks[i];
        struct asq_result *result = &ask->request.result;
        uint64_t begin_ns = asq_clock_now_ns();

        rc = asq_db_run(&db, ASQ_BASKET_SQL, &ask->params, result); /* (1) */
        take(app, result, ASQ_TRACE_WAIT, begin_ns);
    }
    if (rc != 0)
        (void)fail(app, asq_db_message(&db));
    (void)asq_db_close(&db); /* every statement was released */
}

static void ask_conns(struct app *app, int conns)
{
    int open = 0, rc = 0;

    for (; open < conns; open++) {
        struct asq_conn *conn = &app->conns[open];

        asq_conn_init(conn);
        conn->data = app;
        conn->capacity = (size_t)app->options.requests;
        rc = asq_conn_open(conn, app->loop, &app->profile,
                           note_opened); /* (2) */
        if (rc != 0)
            break;
    }
    for (long i = 0; i < app->options.requests && rc == 0; i++) {
        struct asq_request *request = &app->asks[i].request;

        request->data = &app->conns[i % conns];
        rc = asq_conn_run(request->data, request, ASQ_BASKET_SQL,
                          &app->asks[i].params, take_answer); /* (3) */
    }
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    while (open > 0)
        asq_conn_close(&app->conns[--open], note_closed); /* (5) */
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all are closed */
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fail(conn->data, conn->message);
}

static void take_answer(struct asq_request *request, int status)
{
    struct asq_conn *conn = request->data;
    struct app *app = conn->data;
    unsigned lane = app->lane + 1 + (unsigned)(conn - app->conns);
    uint64_t begin_ns = asq_clock_now_ns();
    struct asq_span query = {request->started_ns - app->begin_ns,
                             request->ended_ns - app->begin_ns, ASQ_TRACE_WAIT,
                             "query"};

    if (status != 0)
        (void)fail(app, request->message);
    /* (4) What a program does with the answer stands here. */
    take(app, &request->result, ASQ_TRACE_WORK, begin_ns);
    asq_trace_add(&app->trace, lane, &query);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app; the next way opens it again */
}

static int report(struct app *app)
{
    static const char *const says[WAYS] = {"main waited in each query",
                                           "a worker waited instead",
                                           "eight workers waited at once"};

    printf("%ld queries, all ready at once; the slow disk takes %g ms a "
           "read.\n\n",
           app->options.requests, app->options.slow_disk_ms);
    asq_trace_print(&app->trace, stdout, 0, app->longest_ns);
    printf("\n");
    for (int i = 0; i < WAYS; i++)
        printf("%s: %s, and the loop stood still for %.1f ms.\n",
               app->rows[i].way, says[i], app->rows[i].stall_us / 1e3);
    printf("\n");
    if (asq_report_print(app->rows, WAYS, stdout) != 0)
        return fail(app, "out of memory");
    return asq_report_save(app->rows, WAYS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/03-event-loop",
                    .about = "Who tells me that it is done?",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
        .rows = {{.way = "blocking", .disk = "slow", .connections = 1},
                 {.way = "event-loop-1", .disk = "slow", .connections = 1},
                 {.way = "event-loop", .disk = "slow", .connections = CONNS}},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (app.loop == NULL || asq_heartbeat_attach(&app.beats, app.loop) != 0)
        return fail(&app, "no memory or descriptor is left");
    rc = prepare(&app);
    for (int i = 0; i < WAYS && rc == 0; i++)
        rc = run_way(&app, i);
    if (rc == 0)
        rc = report(&app);
    for (long i = 0; app.asks != NULL && i < app.options.requests; i++)
        asq_request_destroy(&app.asks[i].request);
    free(app.asks);
    asq_latency_destroy(&app.latency);
    asq_trace_destroy(&app.trace);
    asq_heartbeat_detach(&app.beats, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timer is closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    return asq_options_finish(&app.options, rc);
}
