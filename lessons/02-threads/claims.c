/* claims - measures the claims that lesson 02 settles
 *
 * One function for each claim; docs/claims.md quotes them. A is the main
 * thread, B another one. They share a connection through SQLite's own
 * functions, because asq_db would refuse B. In the race each thread has its own
 * connection.
 *
 * Run: make claims L=02
 */
#include "common/claims.h"
#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
#include "common/clock.h"
#include "common/stage.h"

#include <stdbool.h>
#include <string.h>

#define INSERT_A "INSERT INTO notes VALUES ('a')"
#define INSERT_B "INSERT INTO notes VALUES ('b')"
#define READ "SELECT id, value FROM items WHERE id = ?1"

enum {
    INSERTS = 50, /* by A and by B at once, for each request */
    THREADS = 2,  /* in the race */
    ROUNDS = 9,   /* of races: three kinds of work, by one thread and by two */
    BOX_MS = 40,  /* that a race takes: in 5 the system may leave both threads
                     on one processor, and they compute no more than one */
    ITEMS = 1000, /* that it reads: their pages stay in memory */
    GROUP = 64    /* reads in one transaction */
};

struct racer {
    struct asq_job job;
    struct asq_db db;
    struct asq_result result; /* of its latest read */
    unsigned group; /* reads in a transaction; 0: it computes instead */
    uint64_t end_ns;
    unsigned done;
    int rc;
};

struct app {
    struct asq_stage stage;
    struct asq_offload offload;
    struct racer racers[THREADS];
    sqlite3 *shared;    /* the connection of A and B */
    struct asq_job job; /* of B */
    long times;         /* that B inserts, or until it fails */
    int rc;             /* of its latest insert */
};

/* It cannot fail: the job has a function, and nobody stops the threads. */
static void start(struct app *app, struct asq_job *job)
{
    (void)asq_offload_submit(&app->offload, job, ASQ_FULL_WAITS);
}

static void call_by_a(struct app *app, const char *sql)
{
    if (sqlite3_exec(app->shared, sql, NULL, NULL, NULL) != SQLITE_OK)
        asq_stage_fail(&app->stage, sqlite3_errmsg(app->shared));
}

static void run_b(struct asq_job *job, unsigned thread)
{
    struct app *app = job->data;

    (void)thread; /* the connection is A's */
    app->rc = SQLITE_OK;
    for (long i = 0; i < app->times && app->rc == SQLITE_OK; i++)
        app->rc = sqlite3_exec(app->shared, INSERT_B, NULL, NULL, NULL);
}

/* A waits until B has finished, so the order is not left to chance. */
static int insert_by_b(struct app *app)
{
    app->times = 1;
    start(app, &app->job);
    (void)asq_offload_wait(&app->offload, &app->job); /* it has run */
    return app->rc;
}

/* Deletes the rows of B. Returns how many there were. */
static long take_rows(struct app *app)
{
    call_by_a(app, "DELETE FROM notes WHERE text = 'b'");
    return sqlite3_changes(app->shared);
}

/* "connect() on one thread, execute on another." */
static void to_thread_example(struct app *app)
{
    long calls = 2 * app->stage.options.requests; /* by B */
    long worked, lost = 0;
    sqlite3_int64 rowid;

    for (long i = 0; i < calls / 2; i++) {
        call_by_a(app, INSERT_A);
        rowid = sqlite3_last_insert_rowid(app->shared);
        (void)insert_by_b(app); /* the rows are counted below */
        lost += sqlite3_last_insert_rowid(app->shared) != rowid;
        (void)sqlite3_exec(app->shared, "SELECT mistake", NULL, NULL, NULL);
        (void)insert_by_b(app);
        lost += strstr(sqlite3_errmsg(app->shared), "mistake") == NULL;
    }
    worked = take_rows(app);
    asq_claim_set(
        asq_stage_claim(&app->stage), "to-thread-example",
        worked < calls ? "wrong"
        : lost > 0     ? "holds if nobody asks for rowid or message"
                       : "holds",
        (double)lost / (double)calls,
        "A opened the connection, and %s inserts of B on it worked. When A\n"
        "then asked for its rowid or error message, %s answers were B's.",
        asq_claim_count(worked, calls).text, asq_claim_count(lost, calls).text);
}

/* "Connections are not thread-safe by default." */
static void not_thread_safe(struct app *app)
{
    bool locks = sqlite3_db_mutex(app->shared) != NULL;
    long rows;

    /* Without a lock it is not tried: anything could happen. */
    app->times = locks ? INSERTS * app->stage.options.requests : 0;
    start(app, &app->job);
    for (long i = 0; i < app->times; i++)
        call_by_a(app, INSERT_B);
    (void)asq_offload_wait(&app->offload, &app->job); /* it has run */
    rows = take_rows(app);
    asq_claim_set(
        asq_stage_claim(&app->stage), "not-thread-safe",
        locks && rows == 2 * app->times ? "wrong" : "holds",
        (double)rows / (double)(2 * app->times),
        "Opened as by default, the connection has %s lock of its own, and %s\n"
        "rows that A and B inserted at once were there.",
        locks ? "a" : "no", asq_claim_count(rows, 2 * app->times).text);
}

/* "Every execute under a lock makes a shared connection safe." The connection's
 * own lock is held for each call: one more around it would change nothing. */
static void lock_never_commits(struct app *app)
{
    long requests = app->stage.options.requests, ok = 0, rows;

    for (long i = 0; i < requests; i++) {
        call_by_a(app, "BEGIN; " INSERT_A);
        ok += insert_by_b(app) == SQLITE_OK;
        call_by_a(app, "ROLLBACK");
    }
    rows = take_rows(app);
    asq_claim_set(
        asq_stage_claim(&app->stage), "lock-never-commits",
        rows == ok ? "holds" : "wrong", (double)rows / (double)requests,
        "B inserted rows while A's transaction was open, and %s succeeded.\n"
        "After A's rollbacks, %s rows were there.",
        asq_claim_count(ok, requests).text,
        asq_claim_count(rows, requests).text);
}

static void run_racer(struct asq_job *job, unsigned thread)
{
    struct racer *racer = job->data;
    unsigned group = racer->group;
    struct asq_value id;
    struct asq_params params = {.values = &id, .count = 1};

    (void)thread; /* the racer has its connection, whatever the thread */
    do {          /* at least once, however late it starts */
        if (group > 1 && racer->done % group == 0)
            racer->rc = asq_db_run(&racer->db, "BEGIN", NULL, NULL);
        id = asq_int64(1 + racer->done++ * 619 % ITEMS);
        if (group > 0 && racer->rc == 0)
            racer->rc = asq_db_run(&racer->db, READ, &params, &racer->result);
        if (group > 0 && racer->rc == 0 &&
            asq_result_int64(&racer->result, 0, "id") != id.as.int64)
            racer->rc = SQLITE_CORRUPT; /* it is another item */
        if (group > 1 && racer->rc == 0 && racer->done % group == 0)
            racer->rc = asq_db_run(&racer->db, "COMMIT", NULL, NULL);
    } while (racer->rc == 0 && ((group > 1 && racer->done % group != 0) ||
                                asq_clock_now_ns() < racer->end_ns));
    (void)asq_db_hand_over(&racer->db); /* no statement is out */
}

/* Lets threads do the same until the time is up. Returns how much they did. */
static double race(struct app *app, unsigned group, int threads)
{
    uint64_t end_ns = asq_clock_now_ns() + BOX_MS * ASQ_NS_PER_MS;
    double done = 0;

    for (int i = 0; i < threads; i++) {
        app->racers[i].group = group;
        app->racers[i].end_ns = end_ns;
        app->racers[i].done = 0;
        start(app, &app->racers[i].job);
    }
    for (int i = 0; i < threads; i++) {
        (void)asq_offload_wait(&app->offload, &app->racers[i].job);
        done += app->racers[i].done;
        if (app->racers[i].rc != 0)
            asq_stage_fail(&app->stage, sqlite3_errstr(app->racers[i].rc));
    }
    return done;
}

/* "Prefer a connection per thread for concurrent work." */
static void per_thread_faster(struct app *app)
{
    struct asq_claim_runs computed = {0}, two = {0}, shared = {0}, both = {0};
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    double computing, reading, share;

    for (int i = 0; i < ROUNDS && !app->stage.failed; i++) {
        double one = race(app, 0, 1);

        asq_claim_runs_add(&computed, race(app, 0, 2) / one);
        one = race(app, 1, 1);
        asq_claim_runs_add(&two, race(app, 1, 2) / one);
        asq_claim_runs_add(&shared, race(app, GROUP, 1) / one);
        asq_claim_runs_add(&both, race(app, GROUP, 2) / one);
    }
    computing = asq_claim_runs_median(&computed);
    reading = asq_claim_runs_median(&two);
    share = asq_claim_runs_median(&shared);
    /* 2 is the most that a second processor could have given. */
    asq_claim_set(
        claim, "per-thread-faster",
        share > 1.5 * (computing > 1.3 ? reading : 2)
            ? "holds if reads share a transaction"
        : computing <= 1.3 ? "open"
        : reading > 1.3    ? "holds if a second processor is free"
                           : "wrong",
        reading,
        "Two threads read %.1f times as much as one (%.1f to %.1f in %u "
        "rounds), and\nwithout SQLite did %.1f times as much. With %d reads in "
        "a transaction, one\nthread read %.1f times as much as before, and two "
        "threads %.1f times.",
        reading, asq_claim_runs_low(&two), asq_claim_runs_high(&two), two.calm,
        computing, GROUP, share, asq_claim_runs_median(&both));
    asq_claim_timed(claim, &computed);
    asq_claim_timed(claim, &shared);
    asq_claim_timed(claim, &two);
}

/* Prepares the race, and the connection of A and B. */
static void open_all(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.mode = ASQ_OPEN_READ;
    asq_stage_copy_shop(&app->stage);
    for (int i = 0; i < THREADS; i++) {
        struct racer *racer = &app->racers[i];

        racer->job =
            (struct asq_job){.run_on_thread = run_racer, .data = racer};
        if (asq_db_open(&racer->db, &profile) != 0)
            asq_stage_fail(&app->stage, asq_db_message(&racer->db));
        (void)asq_db_hand_over(&racer->db); /* to its thread */
    }
    app->job = (struct asq_job){.run_on_thread = run_b, .data = app};
    if (sqlite3_open(":memory:", &app->shared) != SQLITE_OK)
        asq_stage_fail(&app->stage, "out of memory");
    call_by_a(app, "CREATE TABLE notes (text)");
    asq_stage_must(&app->stage,
                   asq_offload_start(&app->offload, THREADS, THREADS));
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/02-threads-claims",
                              .about = "Measures the claims of lesson 02.",
                              .requests = 40}},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    open_all(&app);
    if (!app.stage.failed) {
        to_thread_example(&app);
        not_thread_safe(&app);
        lock_never_commits(&app);
        per_thread_faster(&app);
    }
    asq_offload_stop(&app.offload, ASQ_REST_RUNS);
    asq_offload_destroy(&app.offload);
    (void)sqlite3_close(app.shared); /* exec leaves no statement open */
    for (int i = 0; i < THREADS; i++) {
        (void)asq_db_close(&app.racers[i].db); /* no statement is out */
        asq_result_destroy(&app.racers[i].result);
    }
    return asq_stage_close(&app.stage, 0);
}
