/* stream - the rows of a query in chunks, in little memory
 *
 * The two sides are submitted in turn, and the connection answers in order, so
 * chunks come in order, too. What the worker uses belongs to it from submit
 * until the answer; the hold keeps all other requests away from the statement.
 *
 * Loop thread, except for the two functions named _on_worker.
 */
#include "12-streaming/stream.h"

#include <stdio.h>

static int collect_on_worker(struct asq_db *db, struct asq_request *request)
{
    struct asq_stream_side *side = request->data;
    int rc = asq__reader_read(&side->stream->reader, db, request);

    side->restarts = side->stream->reader.restarts;
    return rc;
}

static int let_go_on_worker(struct asq_db *db, struct asq_request *request)
{
    struct asq_stream *stream = request->data;

    (void)db; /* the statement knows it */
    asq__reader_release(&stream->reader);
    return 0;
}

static void take_side(struct asq_request *request, int status);
static void go_on(struct asq_stream *stream);

static void fail(struct asq_stream *stream, int status, const char *message)
{
    stream->over = true;
    if (stream->status != 0)
        return;
    stream->status = status;
    (void)snprintf(stream->message, sizeof stream->message, "%s", message);
}

/* The connection is not used once the hold was ended by others: it may be gone
 * while a chunk is kept. */
static int call(struct asq_stream *stream,
                struct asq_request *request,
                asq_call_cb on_worker,
                asq_done_cb on_done)
{
    if (!asq_hold_lasts(&stream->hold))
        return UV_ESHUTDOWN;
    return asq_conn_call(stream->conn, request, on_worker, on_done);
}

static void ask(struct asq_stream_side *side)
{
    int rc = call(side->stream, &side->request, collect_on_worker, take_side);

    if (rc == 0)
        side->state = ASQ_SIDE_PENDING;
    else
        fail(side->stream, rc, "the connection is closed or was given back");
}

static void note_closed(uv_handle_t *handle)
{
    struct asq_stream *stream = handle->data;

    stream->started = false;
    stream->on_end(stream, stream->status);
}

static bool has_side(const struct asq_stream *stream, enum asq_side_state state)
{
    return stream->sides[0].state == state || stream->sides[1].state == state;
}

/* The statement has been released when this is answered. */
static void take_let_go(struct asq_request *request, int status)
{
    struct asq_stream *stream = request->data;

    if (status != 0)
        stream->reader.stmt = NULL; /* closing has released it */
    go_on(stream);
}

static bool submit_let_go(struct asq_stream *stream)
{
    return call(stream, &stream->let_go, let_go_on_worker, take_let_go) == 0;
}

/* Lists each reason not to be at the end yet. */
static void maybe_end(struct asq_stream *stream)
{
    if (!stream->over || stream->delivering || stream->later_due ||
        has_side(stream, ASQ_SIDE_PENDING) || stream->let_go.pending ||
        has_side(stream, ASQ_SIDE_KEPT) || /* rows that came before an error */
        uv_is_closing((uv_handle_t *)&stream->pin))
        return;
    if (stream->reader.stmt != NULL && submit_let_go(stream))
        return;
    asq_hold_end(&stream->hold);
    uv_close((uv_handle_t *)&stream->pin, note_closed);
}

static void free_kept(struct asq_stream *stream)
{
    for (int i = 0; i < 2; i++)
        if (stream->sides[i].state == ASQ_SIDE_KEPT)
            stream->sides[i].state = ASQ_SIDE_FREE;
}

static void note_pinned(uv_timer_t *timer)
{
    struct asq_stream *stream = timer->data;

    if (stream->key != NULL) {
        (void)submit_let_go(stream); /* else the connection closes anyway */
        return;
    }
    fail(stream, UV_ETIMEDOUT, "a chunk was kept for too long");
    free_kept(stream);
    go_on(stream);
}

/* The consumer gets the chunk. Returns whether it is ready for another. */
static bool give(struct asq_stream_side *side)
{
    struct asq_stream *stream = side->stream;
    enum asq_chunk chunk = ASQ_CHUNK_DONE;

    side->state = ASQ_SIDE_KEPT;
    stream->next = 1 - stream->next;
    stream->restarts = side->restarts;
    stream->rows += side->request.result.rows;
    stream->delivering = true;
    chunk = stream->on_chunk(stream, &side->request.result);
    stream->delivering = false;
    if (chunk == ASQ_CHUNK_KEPT && side->state == ASQ_SIDE_KEPT &&
        !stream->over) {
        uv_update_time(stream->pin.loop); /* the callback may have been slow */
        if (stream->pin_ms != 0)
            (void)uv_timer_start(&stream->pin, note_pinned, stream->pin_ms, 0);
        return false;
    }
    side->state = ASQ_SIDE_FREE;
    return true;
}

/* Gives what has come, in order, and asks for more. */
static void go_on(struct asq_stream *stream)
{
    while (!stream->delivering &&
           stream->sides[stream->next].state == ASQ_SIDE_FULL) {
        struct asq_stream_side *side = &stream->sides[stream->next];
        int status = side->request.status;

        if (stream->over)
            side->state = ASQ_SIDE_FREE;
        else if (stream->sides[1 - stream->next].state == ASQ_SIDE_KEPT)
            break; /* the consumer is not ready */
        else if (side->request.result.rows > 0 && !give(side) && status == 0)
            break;
        if (status != 0)
            fail(stream, status, side->request.message);
        else if (side->state == ASQ_SIDE_FULL)
            stream->over = true; /* nothing was left to read */
        if (side->state == ASQ_SIDE_FULL)
            side->state = ASQ_SIDE_FREE;
        if (!stream->over)
            ask(side);
    }
    maybe_end(stream);
}

static void take_side(struct asq_request *request, int status)
{
    struct asq_stream_side *side = request->data;

    (void)status; /* the request keeps it */
    side->state = ASQ_SIDE_FULL;
    go_on(side->stream);
}

static void go_on_later(struct asq_later *later)
{
    struct asq_stream *stream =
        ASQ_CONTAINER_OF(later, struct asq_stream, later);

    stream->later_due = false;
    go_on(stream);
}

static void go_on_soon(struct asq_stream *stream)
{
    if (!stream->later_due && !stream->delivering)
        asq__later(&stream->later, stream->pin.loop, go_on_later);
    stream->later_due = stream->later_due || !stream->delivering;
}

/* Use */

void asq_stream_init(struct asq_stream *stream)
{
    *stream = (struct asq_stream){
        .chunk_rows = 1000, .chunk_bytes = 256 << 10, .pin_ms = 1000};
    asq_request_init(&stream->let_go);
    for (int i = 0; i < 2; i++)
        asq_request_init(&stream->sides[i].request);
}

void asq_stream_destroy(struct asq_stream *stream)
{
    if (stream == NULL)
        return;
    asq_request_destroy(&stream->let_go);
    asq__reader_destroy(&stream->reader);
    for (int i = 0; i < 2; i++)
        asq_request_destroy(&stream->sides[i].request);
}

static void forget_last_time(struct asq_stream *stream)
{
    stream->rows = 0;
    stream->restarts = 0;
    stream->message[0] = '\0';
    stream->next = 0;
    stream->delivering = stream->later_due = stream->over = false;
    stream->status = 0;
}

int asq_stream_start(struct asq_stream *stream,
                     uv_loop_t *loop,
                     struct asq_conn *conn,
                     const char *sql,
                     const struct asq_params *params,
                     asq_chunk_cb on_chunk,
                     asq_stream_cb on_end)
{
    int rc;

    if (stream->started || sql == NULL || on_chunk == NULL || on_end == NULL ||
        stream->chunk_rows == 0)
        return UV_EINVAL;
    stream->reader.chunk_rows = stream->chunk_rows;
    stream->reader.chunk_bytes = stream->chunk_bytes;
    stream->reader.key = stream->key;
    stream->reader.key_param = stream->key_param;
    rc = asq__reader_set(&stream->reader, sql, params);
    asq_hold_init(&stream->hold);
    if (rc == 0)
        rc = asq_hold_begin(conn, &stream->hold);
    if (rc != 0)
        return rc;
    forget_last_time(stream);
    stream->conn = conn;
    stream->on_chunk = on_chunk;
    stream->on_end = on_end;
    stream->started = true;
    stream->let_go.hold = &stream->hold;
    stream->let_go.data = stream;
    (void)uv_timer_init(loop, &stream->pin); /* it always succeeds */
    stream->pin.data = stream;
    for (int i = 0; i < 2; i++) {
        stream->sides[i].stream = stream;
        stream->sides[i].request.data = &stream->sides[i];
        stream->sides[i].request.hold = &stream->hold;
        stream->sides[i].state = ASQ_SIDE_FREE;
        ask(&stream->sides[i]);
    }
    if (stream->over)
        go_on_soon(stream);
    return 0;
}

void asq_stream_more(struct asq_stream *stream)
{
    struct asq_stream_side *side = &stream->sides[1 - stream->next];

    if (!stream->started || side->state != ASQ_SIDE_KEPT)
        return;
    (void)uv_timer_stop(&stream->pin); /* it always succeeds */
    side->state = ASQ_SIDE_FREE;
    if (stream->delivering)
        return; /* give sees it */
    if (!stream->over)
        ask(side);
    go_on_soon(stream);
}

void asq_stream_stop(struct asq_stream *stream)
{
    if (!stream->started)
        return;
    if (stream->over) {
        asq_stream_more(stream); /* it may be all that the end waits for */
        return;
    }
    fail(stream, UV_ECANCELED, "stopped");
    (void)uv_timer_stop(&stream->pin); /* it always succeeds */
    for (int i = 0; i < 2; i++)
        asq_request_cancel(&stream->sides[i].request);
    if (!stream->delivering)
        free_kept(stream);
    go_on_soon(stream);
}
