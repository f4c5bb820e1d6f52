/* claims - measures the claims that lesson 03 settles
 *
 * One function for each claim; docs/claims.md quotes them. What is compared by
 * time is run alternately, several times, and every answer is checked.
 *
 * Run: make claims L=03
 */
#include "03-event-loop/conn_wait.h"
#include "common/clock.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    PLAIN, /* ways to read: by the API of SQLite, one at a time */
    ONE,   /* through a conn, one in flight */
    MANY,  /* through a conn, IN_FLIGHT in flight */
    APART, /* the same, but no reads share a transaction */
    WAYS,
    CONNS = 2,
    IN_FLIGHT = 64,
    RUNS = 7,     /* of the reads, after one to warm up */
    READS = 300,  /* of a run, for each request; one at a time a tenth */
    ITEMS = 1000, /* that are read: their pages stay in memory */
    WORK_MS = 50
};

static const char sql[] = "SELECT id, value FROM items WHERE id = ?1";

struct query {
    struct asq_request request;
    struct asq_value id;
    struct asq_conn *conn;
};

struct app {
    struct asq_stage stage;
    struct asq_conn conns[CONNS]; /* the second shares no transactions */
    struct query queries[IN_FLIGHT];
    struct asq_claim_runs per_s[WAYS], ratios[WAYS]; /* to 50,000; to PLAIN */
    long wanted, submitted, answered;                /* of one run */
};

/* Turns the loop until nothing is in flight. rc is what submit returned. */
static void turn(struct app *app, int rc)
{
    asq_stage_must(&app->stage, rc);
    asq_stage_turn(&app->stage);
}

static int
submit(struct query *query, struct asq_conn *conn, long n, asq_done_cb on_done)
{
    struct asq_params params = {.values = &query->id, .count = 1};

    query->conn = conn;
    query->id = asq_int64(1 + n % ITEMS);
    return asq_conn_run(conn, &query->request, sql, &params, on_done);
}

/* Checks an answer, and submits the next read if more are wanted. */
static void take_answer(struct asq_request *request, int status)
{
    struct query *query = ASQ_CONTAINER_OF(request, struct query, request);
    struct app *app = query->conn->data;

    app->answered++;
    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    else if (asq_result_int64(&request->result, 0, "id") != query->id.as.int64)
        asq_stage_fail(&app->stage, "a point read answered another item");
    if (app->submitted < app->wanted && !app->stage.failed)
        asq_stage_must(&app->stage, submit(query, query->conn, app->submitted++,
                                           take_answer));
}

/* On the worker. */
static int note_thread(struct asq_db *db, struct asq_request *request)
{
    (void)db; /* nothing is read */
    *(uv_thread_t *)request->data = uv_thread_self();
    return 0;
}

/* "True async I/O (no threads)." */
static void no_threads(struct app *app)
{
    uv_thread_t self = uv_thread_self(), threads[CONNS] = {0};
    int count = 0;

    for (int i = 0; i < CONNS; i++) {
        struct query *query = &app->queries[i];

        query->conn = &app->conns[i];
        query->id = asq_int64(0); /* no row is expected */
        query->request.data = &threads[i];
        turn(app, asq_conn_call(query->conn, &query->request, note_thread,
                                take_answer));
        count += !uv_thread_equal(&threads[i], &self) &&
                 (i == 0 || !uv_thread_equal(&threads[i], &threads[0]));
    }
    asq_claim_set(asq_stage_claim(&app->stage), "no-threads",
                  count == CONNS ? "wrong"
                  : count == 0   ? "holds"
                                 : "not settled by this run",
                  (double)count / (double)CONNS,
                  "%d connections answered on %d threads of their own, not on "
                  "the loop's.",
                  CONNS, count);
}

/* Reads with so many in flight. Returns how many it read in a second. */
static double
read_conn(struct app *app, struct asq_conn *conn, long reads, int in_flight)
{
    uint64_t begin_ns = asq_clock_now_ns();
    int rc = 0;

    app->wanted = reads;
    app->submitted = app->answered = 0;
    for (int i = 0; i < in_flight && rc == 0; i++)
        rc = submit(&app->queries[i], conn, app->submitted++, take_answer);
    turn(app, rc);
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
            asq_stage_fail(&app->stage,
                           sqlite3_errmsg(sqlite3_db_handle(stmt)));
        (void)sqlite3_reset(stmt); /* its error is the step's */
    }
    return 1e9 * (double)reads / (double)(asq_clock_now_ns() - begin_ns);
}

static void measure_run(struct app *app, sqlite3_stmt *stmt, bool counts)
{
    long reads = READS * app->stage.options.requests;
    double per_s[WAYS];

    per_s[PLAIN] = read_plain(app, stmt, reads);
    per_s[ONE] = read_conn(app, &app->conns[0], reads / 10, 1);
    per_s[MANY] = read_conn(app, &app->conns[0], reads, IN_FLIGHT);
    per_s[APART] = read_conn(app, &app->conns[1], reads, IN_FLIGHT);
    for (int way = 0; way < WAYS && counts; way++) {
        asq_claim_runs_add(&app->per_s[way], per_s[way] / 50e3);
        asq_claim_runs_add(&app->ratios[way], per_s[way] / per_s[PLAIN]);
    }
}

/* "Better performance at scale." It names the shared transaction as the reason
 * only where that makes much of the difference. */
static void async_faster(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    const struct asq_claim_runs *manies = &app->ratios[MANY];
    const struct asq_claim_runs *aparts = &app->ratios[APART];
    double one, many, apart;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_open_v2(app->stage.path, &db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
        asq_stage_fail(&app->stage, sqlite3_errmsg(db));
    for (int run = 0; run <= RUNS && !app->stage.failed; run++)
        measure_run(app, stmt, run > 0);
    (void)sqlite3_finalize(stmt); /* its error is the step's */
    (void)sqlite3_close(db);      /* every statement is finalized */
    one = asq_claim_runs_median(&app->ratios[ONE]);
    many = asq_claim_runs_median(manies);
    apart = asq_claim_runs_median(aparts);
    asq_claim_set(claim, "async-faster",
                  many <= 1            ? "wrong"
                  : one >= 1           ? "holds"
                  : many < 1.5 * apart ? "holds if many are in flight"
                                       : "holds if many are in flight and "
                                         "reads share a transaction",
                  many,
                  "With %d requests in flight, a connection read %.1f times as "
                  "much as direct\ncalls (%.1f to %.1f in %u runs), but %.0f "
                  "%% as much without shared\ntransactions, and %.0f %% as "
                  "much with one request in flight.",
                  IN_FLIGHT, many, asq_claim_runs_low(manies),
                  asq_claim_runs_high(manies), manies->calm, 100 * apart,
                  100 * one);
    asq_claim_timed(claim, aparts);
    asq_claim_timed(claim, manies);
}

/* "Reads: good (10-50K reads/sec)." 1 is the upper figure. */
static void reads_per_second(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    double plain = asq_claim_runs_median(&app->per_s[PLAIN]);
    double many = asq_claim_runs_median(&app->per_s[MANY]);

    asq_claim_set(claim, "reads-per-second",
                  plain > 1 && many > 1        ? "wrong"
                  : plain >= 0.2 && plain <= 1 ? "holds"
                                               : "not settled by this run",
                  plain,
                  "Direct calls read %.0f thousand rows a second, and a "
                  "connection with\n%d requests in flight %.0f thousand.",
                  50 * plain, IN_FLIGHT, 50 * many);
    asq_claim_timed(claim, &app->per_s[PLAIN]);
}

/* "Database calls won't execute if you forget await." */
static void forgotten_await(struct app *app)
{
    struct asq_conn *conn = &app->conns[0];
    struct asq_result *result = &app->queries[0].request.result;
    struct asq_hold hold = {0};
    size_t early;
    int rc = asq_hold_begin(conn, &hold), again;

    app->answered = 0;
    if (rc == 0)
        rc = submit(&app->queries[0], conn, 0, take_answer);
    early = result->rows; /* no race: the hold keeps it from the worker */
    again = submit(&app->queries[0], conn, 0, take_answer);
    asq_hold_end(&hold);
    turn(app, rc);
    asq_claim_set(asq_stage_claim(&app->stage), "forgotten-await",
                  app->answered == 0 ? "holds"
                  : app->answered == 1 && early == 0 && again != 0
                      ? "wrong"
                      : "not settled by this run",
                  (double)app->answered,
                  "The query %s although nobody waited for it. Right after "
                  "submit, its\nresult had %zu of %zu rows; submitted again "
                  "meanwhile, it was refused (%s).",
                  app->answered == 1 ? "ran" : "did not run", early,
                  result->rows, again == 0 ? "no" : uv_err_name(again));
}

static void work_in_callback(struct asq_request *request, int status)
{
    pretend_to_work(WORK_MS);
    take_answer(request, status);
}

/* "Heavy CPU work in async functions blocks the event loop." */
static void cpu_in_callback(struct app *app)
{
    double stall_ms;

    asq_heartbeat_start(&app->stage.beats);
    turn(app, submit(&app->queries[0], &app->conns[0], 0, work_in_callback));
    stall_ms = (double)asq_heartbeat_stop(&app->stage.beats) / 1e6;
    asq_claim_set(asq_stage_claim(&app->stage), "cpu-in-callback",
                  stall_ms < (double)WORK_MS ? "wrong" : "holds",
                  stall_ms / (double)WORK_MS,
                  "%d ms of work in a callback stalled the loop for %.0f ms.",
                  WORK_MS, stall_ms);
}

int main(int argc, char **argv)
{
    static void (*const claims[])(struct app *) = {
        no_threads,      async_faster,    reads_per_second,
        forgotten_await, cpu_in_callback, NULL};
    static struct app app = {
        .stage.options.program = "build/03-event-loop-claims",
        .stage.options.about = "Measures the claims that lesson 03 settles.",
        .stage.options.slow_disk_ms = 1,
        .stage.options.requests = 40};
    struct asq_profile profile;
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    profile = asq_profile_default(app.stage.path);
    profile.mode = ASQ_OPEN_READ;
    for (int i = 0; i < CONNS && !app.stage.failed; i++) {
        asq_conn_init(&app.conns[i]);
        app.conns[i].data = &app;
        app.conns[i].batch_reads = i == 0;
        if (asq_conn_open_wait(&app.conns[i], &app.stage.loop, &profile) != 0)
            asq_stage_fail(&app.stage, app.conns[i].message);
    }
    for (int i = 0; claims[i] != NULL && !app.stage.failed; i++)
        claims[i](&app);
    for (int i = 0; i < CONNS; i++)
        asq_conn_close_wait(&app.conns[i]);
    for (int i = 0; i < IN_FLIGHT; i++)
        asq_request_destroy(&app.queries[i].request);
    return asq_stage_close(&app.stage, 0);
}
