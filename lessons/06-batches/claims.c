/* claims - measures the claims that lesson 06 settles
 *
 * One function a claim; docs/claims.md says who made it. What is compared by
 * time is run in turn, several times, and every table is counted.
 *
 * Run: make claims L=06
 */
#include "common/claims.h"

#include "01-blocking/stmt.h"
#include "04-measure-first/db_copy.h"
#include "06-batches/batch.h"
#include "common/clock.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    CLAIMS = 2,
    IDS = 4,
    RUNS = 7, /* in turn, after one to warm up */
    PATH_SIZE = 512
};

/* How rows go in. */
enum way {
    EACH_ANEW, /* a commit a row, prepared each time */
    EACH,      /* a commit a row, prepared once */
    TOGETHER,  /* all in one commit, prepared once */
    WAYS
};

struct app {
    struct asq_options options;
    char path[PATH_SIZE];
    uv_loop_t *loop;
    struct asq_conn conn;
    struct asq_batch batch;
    struct asq_claim claims[CLAIMS];
    struct asq_latency ratios[WAYS]; /* to EACH_ANEW, in thousandths */
    bool failed;
};

static void fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, conn->message);
}

static void note_done(struct asq_batch *batch, int status)
{
    if (status != 0)
        fail(batch->data, batch->request.message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app */
}

/* On the worker. */
static int make_items(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_db_run(db,
                        "CREATE TABLE items (id INTEGER PRIMARY KEY,"
                        " status TEXT) STRICT",
                        NULL, NULL);

    if (rc == 0)
        rc = asq_db_run(db, "INSERT INTO items (id) VALUES (1), (3)", NULL,
                        &request->result);
    return rc;
}

static void note_made(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0)
        fail(app, request->message);
}

/* "batch_update_status returns len(ids)." Two of the four ids are there. */
static void len_of_ids(struct app *app, struct asq_claim *claim)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_value ids[IDS];
    struct asq_request make;
    int rc;

    for (int i = 0; i < IDS; i++)
        ids[i] = asq_int64(i + 1);
    asq_request_init(&make);
    make.data = app;
    asq_conn_init(&app->conn);
    app->conn.data = app;
    asq_batch_init(&app->batch);
    app->batch.data = app;
    app->batch.sql = "UPDATE items SET status = 'sold' WHERE id = ?1";
    app->batch.values = ids;
    app->batch.rows = IDS;
    app->batch.columns = 1;
    rc = asq_conn_open(&app->conn, app->loop, &profile, note_opened);
    if (rc == 0) {
        rc = asq_conn_call(&app->conn, &make, make_items, note_made);
        if (rc == 0)
            rc = asq_batch_start(&app->batch, &app->conn, note_done);
        (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
        asq_conn_close(&app->conn, note_closed);
        (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
    }
    if (rc != 0)
        fail(app, uv_strerror(rc));
    asq_request_destroy(&make);
    asq_batch_destroy(&app->batch);
    asq_claim_set(claim, "len-of-ids",
                  app->batch.changes == IDS ? "holds" : "wrong",
                  (double)app->batch.changes / IDS,
                  "%d ids were given, %" PRId64 " rows changed, and no error "
                  "was reported.",
                  IDS, app->batch.changes);
}

static int insert_rows(struct asq_db *db, enum way way, long rows)
{
    int rc = 0;

    if (way == TOGETHER)
        rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);
    for (long i = 0; i < rows && rc == 0; i++) {
        struct asq_value id = asq_int64(i);
        struct asq_params row = {.values = &id, .count = 1};

        rc = asq_db_run(db, "INSERT INTO items VALUES (?1, 'a lamp')", &row,
                        NULL);
    }
    if (way == TOGETHER && rc == 0)
        rc = asq_db_run(db, "COMMIT", NULL, NULL);
    return rc;
}

/* Makes the table anew, and returns how many rows went in in a second. */
static double measure(struct app *app, enum way way)
{
    struct asq_profile profile = asq_profile_default(app->path);
    long rows = app->options.requests;
    struct asq_result result = {0};
    uint64_t begin_ns = 0, end_ns = 0;
    struct asq_db db;
    int rc;

    profile.statements = way == EACH_ANEW ? 0 : 32;
    rc = asq_db_open(&db, &profile);
    if (rc == 0)
        rc = asq_db_run(&db, "DROP TABLE IF EXISTS items", NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(&db,
                        "CREATE TABLE items (id INTEGER PRIMARY KEY,"
                        " name TEXT NOT NULL) STRICT",
                        NULL, NULL);
    if (rc == 0) {
        begin_ns = asq_clock_now_ns();
        rc = insert_rows(&db, way, rows);
        end_ns = asq_clock_now_ns();
    }
    if (rc == 0)
        rc = asq_db_run(&db, "SELECT count(*) AS rows FROM items", NULL,
                        &result);
    if (rc != 0)
        fail(app, asq_db_message(&db));
    else if (asq_result_int64(&result, 0, "rows") != rows)
        fail(app, "the table does not hold the rows");
    asq_result_destroy(&result);
    (void)asq_db_close(&db); /* every statement was released */
    return 1e9 * (double)rows / (double)(end_ns - begin_ns + 1);
}

static double median(struct asq_latency *ratios)
{
    return (double)asq_latency_percentile(ratios, 50) / 1e3;
}

/* "executemany is efficient": it prepares once and, in Python, opens one
 * transaction. Which of the two is it? */
static void batch_speed(struct app *app, struct asq_claim *claim)
{
    double per_s[WAYS], each, together;

    for (int run = 0; run <= RUNS && !app->failed; run++) {
        for (int way = 0; way < WAYS && !app->failed; way++) {
            per_s[way] = measure(app, (enum way)way);
            if (run > 0 &&
                asq_latency_add(&app->ratios[way],
                                (uint64_t)(1e3 * per_s[way] / per_s[0])) != 0)
                fail(app, "out of memory");
        }
    }
    each = median(&app->ratios[EACH]);
    together = median(&app->ratios[TOGETHER]);
    asq_claim_set(claim, "batch-speed",
                  together < 1.5          ? "wrong"
                  : together > 1.5 * each ? "holds if the rows share a commit"
                                          : "holds",
                  together,
                  "%ld rows prepared anew and committed one by one are 1.\n"
                  "Prepared once: %.2f. In one commit as well: %.2f (medians "
                  "of %d runs).",
                  app->options.requests, each, together, RUNS);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/06-batches-claims",
                    .about = "Measures the claims that lesson 06 settles.",
                    .slow_disk_ms = 1,
                    .requests = 400},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    (void)snprintf(app.path, sizeof app.path, "%s/tmp/batches-claims-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (app.loop == NULL || asq_make_parents(app.path) != 0) {
        fail(&app, "no memory, or no folder for the database");
    } else {
        len_of_ids(&app, &app.claims[0]);
        batch_speed(&app, &app.claims[1]);
        (void)asq_db_remove(app.path); /* what cannot be removed stays */
        (void)uv_loop_close(app.loop); /* nothing is left on it */
    }
    for (int way = 0; way < WAYS; way++)
        asq_latency_destroy(&app.ratios[way]);
    rc = app.failed ? 1 : asq_claims_report(app.claims, CLAIMS, &app.options);
    return asq_options_finish(&app.options, rc);
}
