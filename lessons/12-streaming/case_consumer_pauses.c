/* case_consumer_pauses - a consumer keeps a chunk for too long
 *
 * The consumer of a stream gets its first chunk and goes away with it. Then
 * others commit many times. A statement that stays open would keep each of
 * these commits in the WAL; but after pin_ms the stream lets go of it. When the
 * consumer is back, the stream goes on behind the last row, if it has a key, or
 * has ended with an error, if it has none.
 *
 * Run:      build/12-streaming-case_consumer_pauses
 * Expect:   a small WAL in both cases; with a key all rows come
 * See also: consumer_that_left.c; stream.h
 */
#include "03-event-loop/conn_wait.h"
#include "12-streaming/stream.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    COMMITS = 4000,
    PIN_MS = 50,
    AWAY_MS = 300 /* long enough for the worker to have let go */
};

static const char rows_sql[] =
    "SELECT id, changes FROM items WHERE id > ?1 ORDER BY id";
static const char change_sql[] = /* the last row */
    "UPDATE items SET changes = changes + 1 WHERE id = 10000";

struct app {
    struct asq_stage stage;
    struct asq_conn reader, writer;
    struct asq_stream stream;
    struct asq_request write;
    uv_timer_t away;
    int64_t last;    /* id: the next one must be the one after it */
    int64_t changes; /* of the last row, as it was read */
};

static void start(struct app *app, const char *key);
static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows);
static void let_others_commit(uv_timer_t *away);
static int commit_on_worker(struct asq_db *db, struct asq_request *write);
static void come_back(struct asq_request *write, int status);
static void note_end(struct asq_stream *stream, int status);

static void start(struct app *app, const char *key)
{
    struct asq_value first = asq_int64(0);
    struct asq_params params = {.values = &first, .count = 1};

    app->last = app->changes = 0;
    app->stream.pin_ms = PIN_MS; /* (1) */
    app->stream.key = key;       /* (2) what to go on behind, or NULL */
    app->stream.key_param = 1;
    asq_stage_must(&app->stage,
                   asq_stream_start(&app->stream, &app->stage.loop,
                                    &app->reader, rows_sql, &params, take_chunk,
                                    note_end));
    asq_stage_turn(&app->stage); /* until it has ended */
}

static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows)
{
    struct app *app = stream->data;
    bool goes_away = app->last == 0;

    for (size_t i = 0; i < rows->rows; i++) {
        if (asq_result_int64(rows, i, "id") != ++app->last)
            asq_stage_fail(&app->stage, "a row is missing, or came twice");
        app->changes = asq_result_int64(rows, i, "changes");
    }
    if (!goes_away)
        return ASQ_CHUNK_DONE;
    (void)uv_timer_start(&app->away, let_others_commit, AWAY_MS, 0);
    return ASQ_CHUNK_KEPT; /* (3) the consumer goes away */
}

static void let_others_commit(uv_timer_t *away)
{
    struct app *app = away->data;

    asq_stage_must(&app->stage, asq_conn_call(&app->writer, &app->write,
                                              commit_on_worker, come_back));
}

/* (4) Each UPDATE is a commit of one page. */
static int commit_on_worker(struct asq_db *db, struct asq_request *write)
{
    int rc = 0;

    for (int i = 0; i < COMMITS && rc == 0; i++)
        rc = asq_db_run(db, change_sql, NULL, NULL);
    return rc != 0
               ? rc
               : asq_db_run(db, "PRAGMA wal_checkpoint", NULL, &write->result);
}

static void come_back(struct asq_request *write, int status)
{
    struct app *app = write->data;
    int64_t left = asq_result_int64(&write->result, 0, "log") -
                   asq_result_int64(&write->result, 0, "checkpointed");
    char wal[sizeof app->stage.path + 8];
    struct stat file = {0};

    if (status != 0)
        asq_stage_fail(&app->stage, write->message);
    (void)snprintf(wal, sizeof wal, "%s-wal", app->stage.path); /* it fits */
    (void)stat(wal, &file);
    printf(
        "  %d commits, a WAL of %.1f MB, frames that are only in it: %" PRId64
        "\n",
        COMMITS, (double)file.st_size / 1e6, left);
    asq_stream_more(&app->stream); /* (5) the consumer is back */
}

static void note_end(struct asq_stream *stream, int status)
{
    struct app *app = stream->data;

    printf("  %" PRIu64 " rows, begun again: %u, the last row had %" PRId64
           " changes\n  %s\n",
           stream->rows, stream->restarts, app->changes,
           status == 0 ? "all rows have come" : stream->message); /* (6) */
}

/* ---- What is around it: the table and the connections -------------------- */

static void open_conns(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    asq_conn_init(&app->writer);
    if (asq_conn_open_wait(&app->writer, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->writer.message);
    profile.mode = ASQ_OPEN_READ;
    asq_conn_init(&app->reader);
    if (asq_conn_open_wait(&app->reader, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->reader.message);
}

static void run(struct app *app, const char *heading, const char *key)
{
    asq_stage_make(&app->stage,
                   "PRAGMA journal_mode = WAL;"
                   "CREATE TABLE items (id INTEGER PRIMARY KEY, changes);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                   " FROM n WHERE i < 10000) INSERT INTO items"
                   " SELECT i, 0 FROM n");
    open_conns(app);
    printf("%s:\n", heading);
    start(app, key);
    asq_conn_close_wait(&app->reader);
    asq_conn_close_wait(&app->writer);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/12-streaming-case_consumer_pauses",
        .stage.options.about = "A consumer keeps a chunk for too long.",
        .stage.options.requests = 1};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    (void)uv_timer_init(&app.stage.loop, &app.away); /* it always succeeds */
    asq_stream_init(&app.stream);
    app.away.data = app.stream.data = app.write.data = &app;
    run(&app, "with a key", "id");
    run(&app, "without a key", NULL);
    asq_stream_destroy(&app.stream);
    asq_request_destroy(&app.write);
    uv_close((uv_handle_t *)&app.away, NULL);
    return asq_stage_close(&app.stage, 0);
}
