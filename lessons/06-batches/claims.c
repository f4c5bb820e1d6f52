/* claims - measures the claims that lesson 06 settles
 *
 * One function for each claim; docs/claims.md quotes them. What is compared by
 * time is run in turn, several times, and every table is counted.
 *
 * Run: make claims L=06
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "06-batches/batch.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    IDS = 4,
    RUNS = 7 /* in turn, after one to warm up */
};

/* How rows go in. */
enum way {
    EACH_ANEW, /* a commit for each row, prepared each time */
    EACH,      /* a commit for each row, prepared once */
    TOGETHER,  /* all in one commit, prepared once */
    WAYS
};

static void note_done(struct asq_batch *batch, int status)
{
    if (status != 0)
        asq_stage_fail(batch->data, batch->request.message);
}

/* "batch_update_status returns len(ids)." Two of the four ids exist. */
static void len_of_ids(struct asq_stage *stage)
{
    const struct asq_value ids[IDS] = {asq_int64(1), asq_int64(2), asq_int64(3),
                                       asq_int64(4)};
    struct asq_profile profile = asq_profile_default(stage->path);
    struct asq_batch batch;
    struct asq_conn conn;

    asq_stage_make(stage, "CREATE TABLE items (id INTEGER PRIMARY KEY,"
                          " status TEXT) STRICT;"
                          "INSERT INTO items (id) VALUES (1), (3)");
    asq_batch_init(&batch);
    batch.data = stage;
    batch.sql = "UPDATE items SET status = 'sold' WHERE id = ?1";
    batch.values = ids;
    batch.rows = IDS;
    batch.columns = 1;
    asq_conn_init(&conn);
    if (asq_conn_open_wait(&conn, &stage->loop, &profile) != 0)
        asq_stage_fail(stage, conn.message);
    else
        asq_stage_must(stage, asq_batch_start(&batch, &conn, note_done));
    asq_stage_turn(stage); /* until it is done */
    asq_conn_close_wait(&conn);
    asq_batch_destroy(&batch);
    asq_claim_set(asq_stage_claim(stage), "len-of-ids",
                  batch.changes == IDS ? "holds" : "wrong",
                  (double)batch.changes / (double)IDS,
                  "For %d ids, %" PRId64 " rows changed, and no error was "
                  "reported.",
                  IDS, batch.changes);
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

/* Makes the table anew, and returns how many rows a second went in. */
static double measure(struct asq_stage *stage, enum way way)
{
    static const char make_sql[] = "CREATE TABLE items (id INTEGER PRIMARY KEY,"
                                   " name TEXT NOT NULL) STRICT";
    struct asq_profile profile = asq_profile_default(stage->path);
    long rows = stage->options.requests;
    uint64_t begin_ns, end_ns;
    struct asq_db db;

    asq_stage_make(stage, ""); /* an empty file */
    profile.statements = way == EACH_ANEW ? 0 : 32;
    if (asq_db_open(&db, &profile) != 0 ||
        asq_db_run(&db, make_sql, NULL, NULL) != 0)
        asq_stage_fail(stage, asq_db_message(&db));
    begin_ns = uv_hrtime();
    if (insert_rows(&db, way, rows) != 0)
        asq_stage_fail(stage, asq_db_message(&db));
    end_ns = uv_hrtime();
    (void)asq_db_close(&db); /* every statement was released */
    if (asq_stage_look(stage, "SELECT count(*) FROM items") != rows)
        asq_stage_fail(stage, "the table does not hold the rows");
    return 1e9 * (double)rows / (double)(end_ns - begin_ns + 1);
}

/* "executemany is efficient": it prepares once and, in Python, opens one
 * transaction. Which of the two is it? */
static void batch_speed(struct asq_stage *stage)
{
    struct asq_claim *claim = asq_stage_claim(stage);
    struct asq_claim_runs prepared = {0}, runs = {0}; /* to EACH_ANEW */
    double each, together;

    for (int run = 0; run <= RUNS && !stage->failed; run++) {
        double per_s[WAYS];

        for (int way = 0; way < WAYS; way++)
            per_s[way] = measure(stage, (enum way)way);
        if (run > 0) {
            asq_claim_runs_add(&prepared, per_s[EACH] / per_s[EACH_ANEW]);
            asq_claim_runs_add(&runs, per_s[TOGETHER] / per_s[EACH_ANEW]);
        }
    }
    each = asq_claim_runs_median(&prepared);
    together = asq_claim_runs_median(&runs);
    asq_claim_set(claim, "batch-speed",
                  together < 1.5          ? "wrong"
                  : together > 1.5 * each ? "holds if the rows share a commit"
                                          : "holds",
                  together,
                  "%ld rows in one commit, prepared once, went in %.0f times "
                  "as fast as prepared\nand committed one by one (%.0f to "
                  "%.0f in %u runs); prepared once but\ncommitted one by one, "
                  "%.1f times as fast.",
                  stage->options.requests, together, asq_claim_runs_low(&runs),
                  asq_claim_runs_high(&runs), runs.calm, each);
    asq_claim_timed(claim, &prepared);
    asq_claim_timed(claim, &runs);
}

int main(int argc, char **argv)
{
    struct asq_stage stage = {
        .options = {.program = "build/06-batches-claims",
                    .about = "Measures the claims that lesson 06 settles.",
                    .requests = 400}};
    int status = asq_stage_open(&stage, argc, argv);

    if (status >= 0)
        return status;
    len_of_ids(&stage);
    batch_speed(&stage);
    return asq_stage_close(&stage, 0);
}
