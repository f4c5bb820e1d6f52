/* claims - measures the claims that lesson 13 settles
 *
 * One function for each claim; docs/claims.md quotes them. What is compared by
 * time is run in turn, several times, and every table is counted.
 * pool-exhausted is measured in lesson 10.
 *
 * Run: make claims L=13
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "13-group-commit/store.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    IN_FLIGHT = 64,
    ACKNOWLEDGED = 100, /* rows before the power cut */
    RUNS = 7
};

static const char make_sql[] = "CREATE TABLE rows (id INTEGER PRIMARY KEY)";
static const char insert_sql[] = "INSERT INTO rows DEFAULT VALUES";

/* How one connection writes on its own thread. */
struct way {
    int synchronous; /* 2 FULL, 1 NORMAL */
    long rows, in_a_commit;
};

struct app {
    struct asq_stage stage;
    struct asq_store store;
    struct asq_request requests[IN_FLIGHT];
    long submitted;
};

static void check_rows(struct app *app, long rows)
{
    if (asq_stage_look(&app->stage, "SELECT count(*) FROM rows") != rows)
        asq_stage_fail(&app->stage, "the table does not hold the rows");
}

static int write_rows(struct asq_db *db, const struct way *way)
{
    int rc = 0;

    for (long i = 0; i < way->rows && rc == 0; i++) {
        if (i % way->in_a_commit == 0)
            rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);
        if (rc == 0)
            rc = asq_db_run(db, insert_sql, NULL, NULL);
        if (rc == 0 && (i + 1) % way->in_a_commit == 0)
            rc = asq_db_run(db, "COMMIT", NULL, NULL);
    }
    return rc;
}

/* Returns how many thousand rows a second went in. */
static double measure_way(struct app *app, const struct way *way)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    uint64_t begin_ns, end_ns;
    struct asq_db db;

    asq_stage_make(&app->stage, make_sql);
    profile.synchronous = way->synchronous;
    if (asq_db_open(&db, &profile) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&db));
    begin_ns = uv_hrtime();
    if (write_rows(&db, way) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&db));
    end_ns = uv_hrtime();
    (void)asq_db_close(&db); /* every statement was released */
    check_rows(app, way->rows);
    return 1e6 * (double)way->rows / (double)(end_ns - begin_ns + 1);
}

/* "Writes: moderate (5-20K writes/sec with WAL)." */
static void one_writer(struct app *app)
{
    static const struct way ways[] = {
        {2, 100, 1}, {1, 2000, 1}, {1, 100000, 1000}};
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs[3] = {{.calm = 0}};
    double full, many; /* 1 is 20 thousand a second */

    for (int run = 0; run < RUNS && !app->stage.failed; run++)
        for (int i = 0; i < 3; i++)
            asq_claim_runs_add(&runs[i], measure_way(app, &ways[i]) / 20);
    full = asq_claim_runs_median(&runs[0]);
    many = asq_claim_runs_median(&runs[2]);
    asq_claim_set(
        claim, "one-writer", full < 0.25 || many > 1 ? "wrong" : "holds", many,
        "With FULL and a commit for each, one connection wrote %.0f "
        "rows a second;\nwith NORMAL, %.0f thousand; with %ld rows in "
        "a commit, %.0f thousand.",
        20000 * full, 20 * asq_claim_runs_median(&runs[1]), ways[2].in_a_commit,
        20 * many);
    for (int i = 0; i < 3; i++)
        asq_claim_timed(claim, &runs[i]);
}

/* Returns how many of the acknowledged rows a power cut leaves, or -1 if the
 * file is not whole. */
static int64_t cut_power(struct app *app, int synchronous)
{
    struct way way = {.rows = ACKNOWLEDGED, .in_a_commit = 1};
    struct asq_profile profile = asq_profile_default(app->stage.path);
    struct asq_db db;

    asq_stage_make(&app->stage, make_sql);
    asq_slow_disk_reset();
    asq_slow_disk_remember();
    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = synchronous;
    if (asq_db_open(&db, &profile) != 0 || write_rows(&db, &way) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&db));
    if (asq_slow_disk_power_cut() != 0)
        asq_stage_fail(&app->stage, "the disk cannot be restored");
    (void)asq_db_close(&db); /* the program has died */
    asq_slow_disk_power_on();
    return asq_stage_look(&app->stage,
                          "SELECT CASE integrity_check WHEN 'ok' THEN"
                          " (SELECT count(*) FROM rows) ELSE -1 END"
                          " FROM pragma_integrity_check");
}

/* "PRAGMA synchronous=NORMAL", as part of "WAL mode for concurrency". */
static void normal_durability(struct app *app)
{
    int64_t full = cut_power(app, 2), normal = cut_power(app, 1);

    asq_claim_set(asq_stage_claim(&app->stage), "normal-durability",
                  normal < 0              ? "wrong"
                  : normal < ACKNOWLEDGED ? "holds if commits may be lost"
                                          : "holds",
                  (double)normal / ACKNOWLEDGED,
                  "After a power cut %s acknowledged rows were there with "
                  "FULL,\nand %s with NORMAL; the file was whole %s.",
                  asq_claim_count(full, ACKNOWLEDGED).text,
                  asq_claim_count(normal, ACKNOWLEDGED).text,
                  full >= 0 && normal >= 0 ? "both times" : "not each time");
}

static void take_answer(struct asq_request *request, int status);

static void submit(struct app *app, struct asq_request *request)
{
    if (app->submitted++ < app->stage.options.requests && !app->stage.failed)
        asq_stage_must(&app->stage,
                       asq_conn_run(&app->store.conn, request, insert_sql, NULL,
                                    take_answer));
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    submit(app, request);
}

/* Returns how many thousand rows a second went in, with FULL. */
static double measure_store(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    long rows = app->stage.options.requests;
    uint64_t begin_ns, end_ns;

    asq_stage_make(&app->stage, make_sql);
    profile.synchronous = 2;
    asq_store_init(&app->store);
    if (asq_conn_open_wait(&app->store.conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->store.conn.message);
    app->submitted = 0;
    begin_ns = uv_hrtime();
    for (int i = 0; i < IN_FLIGHT; i++)
        submit(app, &app->requests[i]);
    asq_stage_turn(&app->stage); /* until all are answered */
    end_ns = uv_hrtime();
    asq_conn_close_wait(&app->store.conn);
    check_rows(app, rows);
    return 1e6 * (double)rows / (double)(end_ns - begin_ns + 1);
}

/* "Not ideal for: heavy write workloads (use PostgreSQL/MySQL)." */
static void heavy_writes(struct app *app)
{
    struct way each = {2, app->stage.options.requests, 1};
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs = {0};
    double median;

    for (int run = 0; run < RUNS && !app->stage.failed; run++)
        asq_claim_runs_add(&runs, measure_store(app) / measure_way(app, &each));
    median = asq_claim_runs_median(&runs);
    asq_claim_set(claim, "heavy-writes",
                  median > 2 ? "holds if each row has its own commit" : "holds",
                  median,
                  "With FULL, a store with %d rows in flight wrote %.0f times "
                  "as many rows a\nsecond as a connection that commits each "
                  "(%.0f to %.0f in %u runs).",
                  IN_FLIGHT, median, asq_claim_runs_low(&runs),
                  asq_claim_runs_high(&runs), runs.calm);
    asq_claim_timed(claim, &runs);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/13-group-commit-claims",
        .stage.options.about = "Measures the claims that lesson 13 settles.",
        .stage.options.requests = 320};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    for (int i = 0; i < IN_FLIGHT; i++)
        app.requests[i].data = &app;
    one_writer(&app);
    normal_durability(&app);
    heavy_writes(&app);
    for (int i = 0; i < IN_FLIGHT; i++)
        asq_request_destroy(&app.requests[i]);
    return asq_stage_close(&app.stage, 0);
}
