/* ways_stream - one stream for all chunks, where the others ask for each
 *
 * Everything happens in callbacks, in this order: the conn is opened, the
 * stream brings its chunks, the conn is closed. A failure goes straight to the
 * closing.
 */
#include "ways_stream.h"

#include "12-streaming/stream.h"
#include "operations.h"

#include <uv.h>

enum {
    WAITING = 2 /* operations: as many as the stream has halves */
};

struct app {
    struct box *box;
    uv_loop_t loop;
    struct asq_conn conn;
    struct asq_stream stream;
    struct op ops[WAITING]; /* they are answered in turn */
    int next;               /* which is answered next */
    int waiting;
    bool beating;
};

static void begin(struct asq_conn *conn, int status);
static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows);
static void note_end(struct asq_stream *stream, int status);
static void close_all(struct app *app);

static void begin(struct asq_conn *conn, int status)
{
    struct app *app = conn->data;
    struct box *box = app->box;
    int rc;

    if (status != 0)
        (void)box_fail(box, "%s", conn->message);
    else if (asq_heartbeat_attach(&box->heartbeat, &app->loop) != 0)
        (void)box_fail(box, "no timer could be started");
    app->beating = box->message[0] == '\0';
    box_begin(box);
    while (app->waiting < WAITING && box_ask(box, &app->ops[app->waiting]))
        app->waiting++;
    rc = asq_stream_start(&app->stream, &app->loop, conn,
                          "SELECT id, value FROM numbers ORDER BY id", NULL,
                          take_chunk, note_end);
    if (rc == 0)
        return;
    (void)box_fail(box, "no stream: %s", uv_strerror(rc));
    close_all(app);
}

static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows)
{
    struct app *app = stream->data;
    struct op *op = &app->ops[app->next];

    box_answer(app->box, op, op_answer(rows));
    app->next = (app->next + 1) % WAITING;
    if (!box_ask(app->box, op) && --app->waiting == 0)
        asq_stream_stop(stream); /* nobody wants what is left */
    return ASQ_CHUNK_DONE;
}

static void note_end(struct asq_stream *stream, int status)
{
    struct app *app = stream->data;

    if (status > 0)
        (void)box_fail(app->box, "%s", stream->message);
    else if (app->waiting > 0)
        (void)box_fail(app->box, "the stream ended after %llu rows",
                       (unsigned long long)stream->rows);
    close_all(app);
}

static void note_stopped(struct asq_heartbeat *heartbeat)
{
    (void)heartbeat; /* its memory is the box's */
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* freed when the loop has ended */
}

static void close_all(struct app *app)
{
    box_end(app->box);
    if (app->beating)
        asq_heartbeat_detach(&app->box->heartbeat, note_stopped);
    asq_conn_close(&app->conn, note_closed);
}

int way_stream(struct box *box)
{
    struct app app = {.box = box};
    struct asq_profile profile = workload_profile(box->workload, box->data);
    int rc = uv_loop_init(&app.loop);

    if (rc != 0)
        return box_fail(box, "no loop: %s", uv_strerror(rc));
    asq_conn_init(&app.conn);
    app.conn.data = &app;
    asq_stream_init(&app.stream);
    app.stream.data = &app;
    app.stream.chunk_rows = BENCH_CHUNK;
    rc = asq_conn_open(&app.conn, &app.loop, &profile, begin);
    if (rc != 0)
        (void)box_fail(box, "%s", uv_strerror(rc));
    (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until all is closed */
    asq_stream_destroy(&app.stream);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    return box->message[0] == '\0' ? 0 : -1;
}
