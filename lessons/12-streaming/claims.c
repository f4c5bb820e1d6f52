/* claims - measures the claims that lesson 12 settles
 *
 * One function for each claim; docs/claims.md quotes them.
 *
 * Run: make claims L=12
 */
#include "03-event-loop/conn_wait.h"
#include "12-streaming/stream.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    ROWS = 10000, /* of the shop's items */
    CHUNK = 1000,
    WRITES = 2000,
    RUNS = 7
};

static const char write_sql[] = "UPDATE items SET value = -value WHERE id = 1";

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct asq_stream stream;
    bool keeps; /* the consumer keeps its first chunk */
    struct asq_result list[ROWS / CHUNK];
    size_t listed, read; /* chunks in the list; rows that the worker has read */
};

/* On the worker, for each chunk that it has read. */
static void count_rows(struct asq_conn *conn,
                       const struct asq_request *request,
                       enum asq_event event)
{
    struct app *app = conn->data;

    if (event == ASQ_EVENT_END)
        app->read += request->result.rows;
}

static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows)
{
    struct app *app = stream->data;

    if (!app->keeps && app->listed < ROWS / CHUNK) /* those of one stream */
        asq_result_take(rows, &app->list[app->listed++]);
    return app->keeps ? ASQ_CHUNK_KEPT : ASQ_CHUNK_DONE;
}

static void note_end(struct asq_stream *stream, int status)
{
    struct app *app = stream->data;

    if (status > 0) /* it was not just ended early */
        asq_stage_fail(&app->stage, stream->message);
}

/* Ends the stream before it, and streams the rows. Returns how many were read
 * when it has ended, or when the worker waits because the consumer keeps a
 * chunk. */
static size_t stream_rows(struct app *app, bool keeps)
{
    asq_stream_stop(&app->stream); /* if it has not ended */
    asq_stage_turn(&app->stage);
    app->keeps = keeps;
    app->read = 0;
    asq_stage_must(&app->stage,
                   asq_stream_start(&app->stream, &app->stage.loop, &app->conn,
                                    "SELECT * FROM items ORDER BY id", NULL,
                                    take_chunk, note_end));
    asq_stage_turn(&app->stage);
    return app->read;
}

static double time_rows(struct app *app, size_t chunk_rows)
{
    uint64_t begin_ns = uv_hrtime();

    app->stream.chunk_rows = chunk_rows;
    (void)stream_rows(app, false);
    return (double)(uv_hrtime() - begin_ns);
}

/* fetchmany, "to avoid memory issues": what is read before a row is used? */
static void streaming_memory(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs = {0};
    size_t kept = stream_rows(app, true), listed = stream_rows(app, false);

    for (int i = 0; i < RUNS; i++)
        asq_claim_runs_add(&runs, time_rows(app, 1) / time_rows(app, CHUNK));
    asq_claim_set(claim, "streaming-memory",
                  kept == ROWS    ? "wrong"
                  : listed < ROWS ? "holds"
                                  : "holds if it waits for its consumer",
                  asq_claim_runs_median(&runs),
                  "Before a slow consumer had used a row, %zu of %d had been "
                  "read; where it\nput its chunks into a list, %zu. A hop for "
                  "each row took %.0f times as\nlong as one for %d rows (%.0f "
                  "to %.0f in %d runs).",
                  kept, ROWS, listed, asq_claim_runs_median(&runs), CHUNK,
                  asq_claim_runs_low(&runs), asq_claim_runs_high(&runs), RUNS);
    asq_claim_timed(claim, &runs);
}

/* Commits. Returns the frames that a checkpoint then could not copy. */
static int write_beside(struct app *app)
{
    int log = 0, copied = 0;
    sqlite3 *db = NULL;
    int rc = sqlite3_open(app->stage.path, &db);

    for (int i = 0; i < WRITES && rc == SQLITE_OK; i++)
        rc = sqlite3_exec(db, write_sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK ||
        sqlite3_wal_checkpoint_v2(db, NULL, 0, &log, &copied) != SQLITE_OK)
        asq_stage_fail(&app->stage, sqlite3_errmsg(db));
    (void)sqlite3_close(db); /* it has no statements */
    return log - copied;
}

/* `yield` inside `async with`: what if nobody asks for the next row? */
static void context_manager(struct app *app)
{
    int left, stopped, limited;

    (void)stream_rows(app, true);
    left = write_beside(app);
    asq_stream_stop(&app->stream);
    asq_stage_turn(&app->stage);
    stopped = write_beside(app);
    app->stream.pin_ms = 1;
    (void)stream_rows(app, true);
    limited = write_beside(app);
    asq_claim_set(asq_stage_claim(&app->stage), "context-manager",
                  stopped + limited > 0 ? "wrong"
                  : left == 0           ? "holds"
                                        : "holds if the stream is ended",
                  (double)left / (double)WRITES,
                  "After %d commits beside a stream whose consumer had left "
                  "with a chunk,\na checkpoint could not copy %d frames "
                  "of the WAL; once it was\nstopped, %d; with a limit of 1 ms "
                  "for a chunk, %d.",
                  WRITES, left, stopped, limited);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/12-streaming-claims",
        .stage.options.about = "Measures the claims that lesson 12 settles.",
        .stage.options.requests = 1};
    struct asq_profile profile = asq_profile_default(app.stage.path);
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    asq_conn_init(&app.conn);
    app.conn.data = &app;
    app.conn.observe = count_rows;
    if (asq_conn_open_wait(&app.conn, &app.stage.loop, &profile) != 0)
        asq_stage_fail(&app.stage, app.conn.message);
    asq_stream_init(&app.stream);
    app.stream.data = &app;
    app.stream.chunk_bytes = 1 << 20; /* more than 1000 rows have */
    app.stream.pin_ms = 0;            /* for ever */
    streaming_memory(&app);
    context_manager(&app);
    for (int i = 0; i < ROWS / CHUNK; i++)
        asq_result_destroy(&app.list[i]);
    asq_stream_destroy(&app.stream);
    asq_conn_close_wait(&app.conn);
    return asq_stage_close(&app.stage, 0);
}
