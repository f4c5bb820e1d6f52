/* claims - measures the claims that lesson 02 settles
 *
 * One function a claim; docs/claims.md says who made it. A is the main thread,
 * B another. They share a connection through SQLite's own functions, because
 * asq_db would refuse B. In the race each thread has a connection of its own.
 *
 * Run: make claims L=02
 */
#include "common/claims.h"

#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
#include "common/clock.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/shop.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define INSERT_A "INSERT INTO notes VALUES ('a')"
#define INSERT_B "INSERT INTO notes VALUES ('b')"

enum {
    CLAIMS = 4,
    INSERTS = 50, /* of A and of B at once, for each request */
    THREADS = 2,  /* in the race */
    ROUNDS = 15,
    RACES = 6,    /* in a round: three kinds of work, by one and by two */
    BOX_MS = 5,   /* that a race takes */
    ITEMS = 1000, /* that it reads: their pages stay in memory */
    GROUP = 64    /* reads in one transaction */
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX];
    struct asq_offload offload;
    sqlite3 *shared;                /* the connection of A and B */
    struct asq_db dbs[THREADS];     /* those of the race */
    struct asq_latency done[RACES]; /* no times, but it sorts */
    double latest[RACES];           /* of these, in the latest round */
    struct asq_claim_runs runs;     /* two threads that read, to one */
    struct asq_claim claims[CLAIMS];
};

struct call {
    struct asq_job job;
    sqlite3 *db;
    const char *sql;
    long times; /* that it is run, or until it fails */
    int rc;
};

struct racer {
    struct asq_job job;
    struct asq_db *db;
    int group; /* reads in each transaction; 0: it computes */
    uint64_t end_ns;
    uint64_t done;
    uint32_t number; /* of a sequence that looks random */
    int rc;
};

/* Each returns 0, or 1 after one line on stderr. */
static int to_thread_example(struct app *app, struct asq_claim *claim);
static int not_thread_safe(struct app *app, struct asq_claim *claim);
static int lock_never_commits(struct app *app, struct asq_claim *claim);
static int per_thread_faster(struct app *app, struct asq_claim *claim);

static int fail(const char *name, const char *message)
{
    (void)fprintf(stderr, "%s: %s\n", name, message);
    return 1;
}

static void
submit(struct app *app, struct asq_job *job, asq_run_cb run, void *data)
{
    job->run_on_thread = run;
    job->data = data;
    /* It cannot fail: it has a function, and nobody stops the threads. */
    (void)asq_offload_submit(&app->offload, job, ASQ_FULL_WAITS);
}

static void run_call(struct asq_job *job, unsigned thread)
{
    struct call *call = job->data;

    (void)thread; /* the connection is the same for all */
    for (long i = 0; i < call->times && call->rc == SQLITE_OK; i++)
        call->rc = sqlite3_exec(call->db, call->sql, NULL, NULL, NULL);
}

static int call_by_a(struct app *app, const char *sql)
{
    return sqlite3_exec(app->shared, sql, NULL, NULL, NULL);
}

/* A waits until B has finished, so that the order is not left to chance. */
static int call_by_b(struct app *app, const char *sql)
{
    struct call call = {.db = app->shared, .sql = sql, .times = 1};

    submit(app, &call.job, run_call, &call);
    (void)asq_offload_wait(&app->offload, &call.job); /* it has run */
    return call.rc;
}

/* Deletes the rows of B. Returns how many there were, or -1. */
static long take_rows(struct app *app)
{
    int rc = call_by_a(app, "DELETE FROM notes WHERE text = 'b'");

    return rc == SQLITE_OK ? sqlite3_changes(app->shared) : -1;
}

/* "connect() on one thread, execute on another." */
static int to_thread_example(struct app *app, struct asq_claim *claim)
{
    long calls = 2 * app->options.requests; /* of B */
    long worked, lost = 0;
    sqlite3_int64 rowid;

    for (long i = 0; i < app->options.requests; i++) {
        if (call_by_a(app, INSERT_A) != SQLITE_OK)
            return fail(INSERT_A, sqlite3_errmsg(app->shared));
        rowid = sqlite3_last_insert_rowid(app->shared);
        (void)call_by_b(app, INSERT_B); /* the rows are counted below */
        lost += sqlite3_last_insert_rowid(app->shared) != rowid;
        (void)call_by_a(app, "SELECT mistake"); /* there is no such column */
        (void)call_by_b(app, INSERT_B);
        lost += strstr(sqlite3_errmsg(app->shared), "mistake") == NULL;
    }
    worked = take_rows(app);
    asq_claim_set(
        claim, "to-thread-example",
        worked < calls ? "wrong"
        : lost > 0     ? "holds if nobody asks for rowid or message"
                       : "holds",
        (double)lost / (double)calls,
        "A opened the connection, and %s inserts of B on it worked. When A\n"
        "then asked for its rowid or error message, %s answers were B's.",
        asq_claim_count(worked, calls).text, asq_claim_count(lost, calls).text);
    return 0;
}

/* "Connections are not thread-safe by default." */
static int not_thread_safe(struct app *app, struct asq_claim *claim)
{
    bool locks = sqlite3_db_mutex(app->shared) != NULL;
    /* Without a lock it is not tried: anything could happen. */
    long each = locks ? INSERTS * app->options.requests : 0;
    struct call a = {
        .job.data = &a, .db = app->shared, .sql = INSERT_B, .times = each};
    struct call b = a;
    long rows;

    submit(app, &b.job, run_call, &b);
    run_call(&a.job, 0);
    (void)asq_offload_wait(&app->offload, &b.job); /* it has run */
    rows = take_rows(app);
    asq_claim_set(
        claim, "not-thread-safe", locks && rows == 2 * each ? "wrong" : "holds",
        (double)rows / (double)(2 * each),
        "Opened as by default, the connection has %s lock of its own, and %s\n"
        "rows that A and B inserted at once were there.",
        locks ? "a" : "no", asq_claim_count(rows, 2 * each).text);
    return 0;
}

/* "Every execute under a lock makes a shared connection safe." The lock of the
 * connection is held for each call: one more around it would change nothing. */
static int lock_never_commits(struct app *app, struct asq_claim *claim)
{
    long requests = app->options.requests, ok = 0, rows;

    for (long i = 0; i < requests; i++) {
        if (call_by_a(app, "BEGIN; " INSERT_A) != SQLITE_OK)
            return fail(INSERT_A, sqlite3_errmsg(app->shared));
        ok += call_by_b(app, INSERT_B) == SQLITE_OK;
        if (call_by_a(app, "ROLLBACK") != SQLITE_OK)
            return fail("ROLLBACK", sqlite3_errmsg(app->shared));
    }
    rows = take_rows(app);
    asq_claim_set(
        claim, "lock-never-commits", rows == ok ? "holds" : "wrong",
        (double)rows / (double)requests,
        "B inserted rows while A's transaction was open, and %s succeeded.\n"
        "After A's rollbacks, %s rows were there.",
        asq_claim_count(ok, requests).text,
        asq_claim_count(rows, requests).text);
    return 0;
}

static void run_racer(struct asq_job *job, unsigned thread)
{
    static const char sql[] = "SELECT id, value FROM items WHERE id = ?1";
    struct racer *racer = job->data;
    int steps = racer->group > 0 ? racer->group : 1000;
    struct asq_value id = asq_int64(0);
    struct asq_params params = {.values = &id, .count = 1};
    struct asq_result result;

    (void)thread; /* the connection is the racer's, whatever the thread */
    asq_result_init(&result);
    do { /* at least once, however late it starts */
        if (racer->group > 1)
            racer->rc = asq_db_run(racer->db, "BEGIN", NULL, NULL);
        for (int i = 0; i < steps && racer->rc == 0; i++) {
            racer->number = racer->number * 1664525 + 1013904223;
            if (racer->group == 0)
                continue;
            id.as.int64 = 1 + (racer->number >> 8) % ITEMS;
            racer->rc = asq_db_run(racer->db, sql, &params, &result);
            if (racer->rc == 0 &&
                asq_result_int64(&result, 0, "id") != id.as.int64)
                racer->rc = SQLITE_CORRUPT; /* it is another item */
        }
        if (racer->group > 1 && racer->rc == 0)
            racer->rc = asq_db_run(racer->db, "COMMIT", NULL, NULL);
        racer->done += (uint64_t)steps;
    } while (racer->rc == 0 && asq_clock_now_ns() < racer->end_ns);
    asq_result_destroy(&result);
    (void)asq_db_hand_over(racer->db); /* no statement is out */
}

/* Lets one or two threads do the same until the time is up. */
static int run_race(struct app *app, int race)
{
    static const int groups[] = {0, 1, GROUP};
    int threads = 1 + race % 2;
    uint64_t end_ns = asq_clock_now_ns() + BOX_MS * ASQ_NS_PER_MS;
    struct racer racers[THREADS];
    uint64_t done = 0;
    int rc = 0;

    for (int i = 0; i < threads; i++) {
        racers[i] = (struct racer){
            .db = &app->dbs[i], .group = groups[race / 2], .end_ns = end_ns};
        submit(app, &racers[i].job, run_racer, &racers[i]);
    }
    for (int i = 0; i < threads; i++) {
        (void)asq_offload_wait(&app->offload, &racers[i].job); /* it has run */
        done += racers[i].done;
        rc = racers[i].rc != 0 ? racers[i].rc : rc;
    }
    app->latest[race] = (double)done;
    if (rc == 0 && asq_latency_add(&app->done[race], done) != 0)
        rc = SQLITE_NOMEM;
    return rc == 0 ? 0 : fail(app->path, sqlite3_errstr(rc));
}

/* "Prefer a connection per thread for concurrent work." */
static int per_thread_faster(struct app *app, struct asq_claim *claim)
{
    struct asq_profile profile = asq_profile_default(app->path);
    double done[RACES], compute, read, share;
    int rc = 0;

    profile.mode = ASQ_OPEN_READ;
    for (int i = 0; i < THREADS; i++) {
        if (asq_db_open(&app->dbs[i], &profile) != 0)
            return fail(app->options.program, asq_db_message(&app->dbs[i]));
        (void)asq_db_hand_over(&app->dbs[i]); /* open, no statement is out */
    }
    for (int i = 0; i < ROUNDS && rc == 0; i++) {
        for (int race = 0; race < RACES && rc == 0; race++)
            rc = run_race(app, race);
        asq_claim_runs_add(&app->runs, app->latest[3] / app->latest[2]);
    }
    for (int i = 0; i < RACES; i++)
        done[i] = (double)asq_latency_percentile(&app->done[i], 50);
    compute = done[1] / done[0];
    read = done[3] / done[2];
    share = done[4] / done[2];
    /* 2 is what a second processor could have given at most. */
    asq_claim_set(claim, "per-thread-faster",
                  share > 1.5 * (compute > 1.3 ? read : 2)
                      ? "holds if reads share a transaction"
                  : compute <= 1.3 ? "open"
                  : read > 1.3     ? "holds if a second processor is free"
                                   : "wrong",
                  read,
                  "Two threads read %.1f times as much as one (%.1f to %.1f in "
                  "%u rounds), and\n"
                  "computed %.1f times as much. With %d reads in a "
                  "transaction, one thread read\n"
                  "%.1f times as much as before, and two threads %.1f times.",
                  read, asq_claim_runs_low(&app->runs),
                  asq_claim_runs_high(&app->runs), app->runs.calm, compute,
                  GROUP, share, done[5] / done[2]);
    asq_claim_timed(claim, &app->runs);
    return rc;
}

static int measure(struct app *app)
{
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = asq_offload_start(&app->offload, THREADS, THREADS);

    if (rc != 0)
        return fail("threads", uv_strerror(rc));
    if (asq_shop_make(&app->shop, app->path, message) != 0)
        return fail(app->options.program, message);
    if (sqlite3_open(":memory:", &app->shared) != SQLITE_OK ||
        call_by_a(app, "CREATE TABLE notes (text)") != SQLITE_OK)
        return fail(":memory:", sqlite3_errmsg(app->shared));
    return to_thread_example(app, &app->claims[0]) || /* || stops at a 1 */
           not_thread_safe(app, &app->claims[1]) ||
           lock_never_commits(app, &app->claims[2]) ||
           per_thread_faster(app, &app->claims[3]);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/02-threads-claims",
                    .about = "Measures the claims that lesson 02 settles.",
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    rc = measure(&app);
    if (rc == 0)
        rc = asq_claims_report(app.claims, CLAIMS, &app.options);
    asq_offload_stop(&app.offload, ASQ_REST_RUNS);
    asq_offload_destroy(&app.offload);
    (void)sqlite3_close(app.shared); /* exec leaves no statement open */
    for (int i = 0; i < THREADS; i++)
        (void)asq_db_close(&app.dbs[i]); /* no statement is out */
    for (int i = 0; i < RACES; i++)
        asq_latency_destroy(&app.done[i]);
    return asq_options_finish(&app.options, rc);
}
