/* claims - measures the claims that lesson 03 settles
 *
 * One function a claim; docs/claims.md says who made it. Each submits, turns
 * the loop until all is answered, and looks. What is compared is run in turn,
 * several times, and every answer is checked.
 *
 * Run: make claims L=03
 */
#include "common/claims.h"

#include "03-event-loop/conn.h"
#include "common/clock.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/shop.h"

#include <stdio.h>

enum {
    CLAIMS = 5,
    CONNS = 2,
    IN_FLIGHT = 64,
    RUNS = 7,     /* of the reads, in turn, after one to warm up */
    READS = 300,  /* of a run, for each request; one at a time a tenth */
    ITEMS = 1000, /* that are read: their pages stay in memory */
    WORK_MS = 50,
    RATIO_TEXT = 40
};

enum way {
    PLAIN, /* the API of SQLite, one at a time */
    ONE,   /* a conn, one in flight */
    MANY,  /* a conn, IN_FLIGHT in flight */
    APART, /* the same, but no reads share a transaction */
    WAYS
};

static const char sql[] = "SELECT id, value FROM items WHERE id = ?1";
static const char undecided[] = "not settled by this run";

struct ask {
    struct asq_request request;
    struct asq_value id;
    struct asq_conn *conn;
    uv_thread_t thread; /* of note_thread */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    uv_loop_t *loop;
    struct asq_heartbeat beats;
    struct asq_conn conns[CONNS]; /* the second shares no transactions */
    struct ask asks[IN_FLIGHT];
    struct asq_claim claims[CLAIMS];
    struct asq_latency per_s[WAYS];  /* reads of each run, and their ratio */
    struct asq_latency ratios[WAYS]; /* to PLAIN in thousandths: it sorts */
    long reads, submitted, answered; /* of one run */
    bool failed;
};

/* Tells the first failure; then no claim is reported. */
static void fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
}

/* Turns the loop until nothing is on its way. rc is what the call that sent
 * it off has returned. */
static void turn(struct app *app, int rc)
{
    if (rc != 0)
        fail(app, uv_strerror(rc));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* an idle conn does not count */
}

static int
submit(struct ask *ask, struct asq_conn *conn, long read, asq_done_cb on_done)
{
    struct asq_params params = {.values = &ask->id, .count = 1};

    ask->conn = conn;
    ask->id = asq_int64(1 + read % ITEMS);
    return asq_conn_run(conn, &ask->request, sql, &params, on_done);
}

static void take_answer(struct asq_request *request, int status)
{
    struct ask *ask = request->data;
    struct app *app = ask->conn->data;

    app->answered++;
    if (status != 0)
        fail(app, request->message);
    else if (asq_result_int64(&request->result, 0, "id") != ask->id.as.int64)
        fail(app, "a point read answered another item");
}

/* On the worker. */
static int note_thread(struct asq_db *db, struct asq_request *request)
{
    (void)db; /* nothing is asked of it */
    ((struct ask *)request->data)->thread = uv_thread_self();
    return 0;
}

/* "True async I/O (no threads)." */
static void no_threads(struct app *app, struct asq_claim *claim)
{
    uv_thread_t self = uv_thread_self();
    int threads = 0;

    for (int i = 0; i < CONNS; i++) {
        struct ask *ask = &app->asks[i];

        ask->conn = &app->conns[i];
        ask->id = asq_int64(0); /* no row is expected */
        turn(app,
             asq_conn_call(ask->conn, &ask->request, note_thread, take_answer));
        threads +=
            !uv_thread_equal(&ask->thread, &self) &&
            (i == 0 || !uv_thread_equal(&ask->thread, &app->asks[0].thread));
    }
    asq_claim_set(claim, "no-threads",
                  threads == CONNS ? "wrong"
                  : threads == 0   ? "holds"
                                   : undecided,
                  (double)threads / (double)CONNS,
                  "%d conns answered on %d threads that are not the loop's.",
                  CONNS, threads);
}

static void take_and_ask(struct asq_request *request, int status)
{
    struct ask *ask = request->data;
    struct app *app = ask->conn->data;

    take_answer(request, status);
    if (app->submitted < app->reads && !app->failed &&
        submit(ask, ask->conn, app->submitted++, take_and_ask) != 0)
        fail(app, "a request was refused");
}

/* Reads with so many in flight. Returns how many it read in a second. */
static double
read_conn(struct app *app, struct asq_conn *conn, long reads, int in_flight)
{
    uint64_t begin_ns = asq_clock_now_ns();
    int rc = 0;

    app->reads = reads;
    app->submitted = app->answered = 0;
    for (int i = 0; i < in_flight && rc == 0; i++)
        rc = submit(&app->asks[i], conn, app->submitted++, take_and_ask);
    turn(app, rc);
    if (app->answered != app->submitted)
        fail(app, "an answer is missing");
    return 1e9 * (double)reads / (double)(asq_clock_now_ns() - begin_ns);
}

/* The same through the API of SQLite, one at a time. */
static double read_plain(struct app *app, sqlite3_stmt *stmt, long reads)
{
    uint64_t begin_ns = asq_clock_now_ns();

    for (long i = 0; i < reads; i++) {
        int64_t id = 1 + i % ITEMS;

        if (sqlite3_bind_int64(stmt, 1, id) != SQLITE_OK ||
            sqlite3_step(stmt) != SQLITE_ROW ||
            sqlite3_column_int64(stmt, 0) != id)
            fail(app, sqlite3_errmsg(sqlite3_db_handle(stmt)));
        (void)sqlite3_reset(stmt); /* its error is the step's */
    }
    return 1e9 * (double)reads / (double)(asq_clock_now_ns() - begin_ns);
}

static void measure_run(struct app *app, sqlite3_stmt *stmt, bool counts)
{
    long reads = READS * app->options.requests;
    double per_s[WAYS];

    per_s[PLAIN] = read_plain(app, stmt, reads);
    per_s[ONE] = read_conn(app, &app->conns[0], reads / 10, 1);
    per_s[MANY] = read_conn(app, &app->conns[0], reads, IN_FLIGHT);
    per_s[APART] = read_conn(app, &app->conns[1], reads, IN_FLIGHT);
    for (int way = 0; way < WAYS && counts; way++) {
        double ratio = per_s[way] / per_s[PLAIN];

        if (asq_latency_add(&app->per_s[way], (uint64_t)per_s[way]) != 0 ||
            asq_latency_add(&app->ratios[way], (uint64_t)(1e3 * ratio)) != 0)
            fail(app, "out of memory");
    }
}

/* Returns the median of the runs, in thousands. */
static double median(struct asq_latency *runs)
{
    return (double)asq_latency_percentile(runs, 50) / 1e3;
}

static const char *show(char text[static RATIO_TEXT], struct asq_latency *runs)
{
    /* It fits. */
    (void)snprintf(text, RATIO_TEXT, "%.2f (%.2f to %.2f)", median(runs),
                   (double)asq_latency_percentile(runs, 1) / 1e3,
                   (double)asq_latency_percentile(runs, 100) / 1e3);
    return text;
}

/* "Better performance at scale." That it is the shared transaction that makes
 * it faster is said only where it makes much of the difference. */
static void async_faster(struct app *app, struct asq_claim *claim)
{
    char one_text[RATIO_TEXT], many_text[RATIO_TEXT], apart_text[RATIO_TEXT];
    double one, many, apart;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_open_v2(app->path, &db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
        fail(app, sqlite3_errmsg(db));
    for (int run = 0; run <= RUNS && !app->failed; run++)
        measure_run(app, stmt, run > 0);
    (void)sqlite3_finalize(stmt); /* its error is the step's */
    (void)sqlite3_close(db);      /* every statement is finalized */
    one = median(&app->ratios[ONE]);
    many = median(&app->ratios[MANY]);
    apart = median(&app->ratios[APART]);
    asq_claim_set(claim, "async-faster",
                  many <= 1  ? "wrong"
                  : one >= 1 ? "holds"
                  : many < 1.5 * apart
                      ? "holds if many are in flight"
                      : "holds if many are in flight and reads share a "
                        "transaction",
                  many,
                  "Reads a second, the plain API being 1, in %d runs:\n"
                  "%s with %d in flight,\n"
                  "%s if they share no transactions,\n%s with one in flight.",
                  RUNS, show(many_text, &app->ratios[MANY]), IN_FLIGHT,
                  show(apart_text, &app->ratios[APART]),
                  show(one_text, &app->ratios[ONE]));
}

/* "Reads: good (10-50K reads/sec)." */
static void reads_per_second(struct app *app, struct asq_claim *claim)
{
    double plain = median(&app->per_s[PLAIN]);
    double many = median(&app->per_s[MANY]);

    asq_claim_set(claim, "reads-per-second",
                  plain > 50 && many > 50      ? "wrong"
                  : plain >= 10 && plain <= 50 ? "holds"
                                               : undecided,
                  plain / 50,
                  "The plain API reads %.0f thousand a second, a conn with %d "
                  "in flight\n%.0f thousand, with one in flight %.0f.",
                  plain, IN_FLIGHT, many, median(&app->per_s[ONE]));
}

/* "Database calls won't execute if you forget await." */
static void forgotten_await(struct app *app, struct asq_claim *claim)
{
    struct asq_conn *conn = &app->conns[0];
    struct asq_request *request = &app->asks[0].request;
    struct asq_hold hold = {0};
    size_t early;
    int rc, again;

    app->answered = 0;
    rc = asq_hold_begin(conn, &hold);
    if (rc == 0)
        rc = submit(&app->asks[0], conn, 0, take_answer);
    /* No race: the hold keeps the request from the worker. */
    early = request->result.rows;
    again = submit(&app->asks[0], conn, 0, take_answer);
    asq_hold_end(&hold);
    turn(app, rc);
    asq_claim_set(claim, "forgotten-await",
                  app->answered == 0                               ? "holds"
                  : app->answered == 1 && early == 0 && again != 0 ? "wrong"
                                                                   : undecided,
                  (double)app->answered,
                  "Submit was enough: %ld of 1 query ran. Right after submit "
                  "its result had\n%zu of %zu rows. Submitted again "
                  "meanwhile, it was refused: %s.",
                  app->answered, early, request->result.rows,
                  again == 0 ? "no" : uv_err_name(again));
}

static void work_in_callback(struct asq_request *request, int status)
{
    pretend_to_work(WORK_MS);
    take_answer(request, status);
}

/* "Heavy CPU work in async functions blocks the event loop." */
static void cpu_in_callback(struct app *app, struct asq_claim *claim)
{
    double stall_ms;

    asq_heartbeat_start(&app->beats);
    turn(app, submit(&app->asks[0], &app->conns[0], 0, work_in_callback));
    stall_ms = (double)asq_heartbeat_stop(&app->beats) / 1e6;
    asq_claim_set(claim, "cpu-in-callback",
                  stall_ms < (double)WORK_MS ? "wrong" : "holds",
                  stall_ms / (double)WORK_MS,
                  "%d ms of work in a callback made a stall of %.1f ms.",
                  WORK_MS, stall_ms);
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app */
}

/* Opens the conns, settles each claim, closes them. */
static void settle(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->path);
    int open = 0, rc = 0;

    profile.mode = ASQ_OPEN_READ;
    for (; open < CONNS; open++) {
        struct asq_conn *conn = &app->conns[open];

        asq_conn_init(conn);
        conn->data = app;
        conn->batch_reads = open == 0;
        rc = asq_conn_open(conn, app->loop, &profile, note_opened);
        if (rc != 0)
            break;
    }
    turn(app, rc);
    if (!app->failed) {
        no_threads(app, &app->claims[0]);
        async_faster(app, &app->claims[1]);
        reads_per_second(app, &app->claims[2]);
        forgotten_await(app, &app->claims[3]);
        cpu_in_callback(app, &app->claims[4]);
    }
    while (open > 0)
        asq_conn_close(&app->conns[--open], note_closed);
    turn(app, 0);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/03-event-loop-claims",
                    .about = "Measures the claims that lesson 03 settles.",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
        .loop = uv_default_loop(),
    };
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    for (int i = 0; i < IN_FLIGHT; i++) {
        asq_request_init(&app.asks[i].request);
        app.asks[i].request.data = &app.asks[i];
    }
    if (asq_shop_make(&app.shop, app.path, message) != 0) {
        fail(&app, message);
    } else if (app.loop == NULL ||
               asq_heartbeat_attach(&app.beats, app.loop) != 0) {
        fail(&app, "no memory or descriptor is left");
    } else {
        settle(&app);
        asq_heartbeat_detach(&app.beats, NULL);
        turn(&app, 0);                 /* until the timer is closed */
        (void)uv_loop_close(app.loop); /* nothing is left on it */
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        asq_request_destroy(&app.asks[i].request);
    for (int way = 0; way < WAYS; way++) {
        asq_latency_destroy(&app.per_s[way]);
        asq_latency_destroy(&app.ratios[way]);
    }
    rc = app.failed ? 1 : asq_claims_report(app.claims, CLAIMS, &app.options);
    return asq_options_finish(&app.options, rc);
}
