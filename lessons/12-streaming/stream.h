/* stream - the rows of a query in chunks, in little memory
 *
 * A stream holds a connection and leaves a statement open on it. Two requests
 * take turns to bring the next chunk of rows, so at most two chunks are in
 * memory, however many rows there are. They are also the credit that the
 * consumer gives: while it keeps a chunk, the worker runs ahead by one more and
 * then waits. That is the back-pressure.
 *
 *     start -> chunk, chunk, chunk ... -> end
 *                 '-- kept: no more until asq_stream_more
 *
 * An open statement is a read transaction: it pins the WAL. A consumer that
 * keeps a chunk for longer than pin_ms loses it: the statement is let go, and
 * the next `more` goes on after the last row, by its key, in the database as it
 * is by then. Without a key the stream ends with UV_ETIMEDOUT.
 *
 * While it runs, the connection runs nothing else: take one of a pool.
 *
 * Every function belongs to the loop thread. Depends on stream_reader, on conn
 * of lesson 03 and on later of lesson 11.
 */
#ifndef ASQ_STREAM_H
#define ASQ_STREAM_H

#include "03-event-loop/conn.h"
#include "11-concurrent-queries/later.h"
#include "12-streaming/stream_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_stream;

enum asq_chunk {
    ASQ_CHUNK_DONE, /* the consumer is ready for the next one */
    ASQ_CHUNK_KEPT  /* nothing more comes, not even an error, until
                       asq_stream_more */
};

/* The next rows, at least one. They are borrowed: until the callback returns
 * ASQ_CHUNK_DONE, or else until asq_stream_more; asq_result_take keeps them for
 * longer. */
typedef enum asq_chunk (*asq_chunk_cb)(struct asq_stream *stream,
                                       struct asq_result *rows);

/* Last of all: status is 0 if every row has come; UV_ECANCELED after stop;
 * UV_ETIMEDOUT (a chunk was kept for too long, and there is no key);
 * UV_ESHUTDOWN (the connection was closed or given back while a chunk was
 * kept); SQLITE_MISUSE (not a query); or what stopped the query, with message.
 * The memory may be freed. */
typedef void (*asq_stream_cb)(struct asq_stream *stream, int status);

enum asq_side_state {
    ASQ_SIDE_FREE,
    ASQ_SIDE_PENDING, /* the worker fills it */
    ASQ_SIDE_FULL,    /* it waits for the consumer */
    ASQ_SIDE_KEPT
};

/* One of the two that take turns. */
struct asq_stream_side {
    struct asq_stream *stream;
    struct asq_request request;
    enum asq_side_state state;
    unsigned restarts; /* so far, when its chunk was read */
};

struct asq_stream {
    /* public: set between init and start */
    void *data;
    size_t chunk_rows;  /* most rows in a chunk: 1,000 */
    size_t chunk_bytes; /* and about how many bytes, but at least one row:
                           256 KiB */
    unsigned pin_ms;    /* how long a chunk may be kept: 1,000; 0: for ever */
    const char *key;    /* NULL: none. A column whose values are unique and not
                           NULL, and by which the query is ordered, upwards;
                           without LIMIT, which would begin anew */
    size_t key_param;   /* the parameter, from 1, that the query compares it to,
                           as in "WHERE id > ?1": its value at first is that of
                           params, later the last one that has come */
    /* read-only */
    uint64_t rows;     /* given to on_chunk */
    unsigned restarts; /* after a chunk that was kept for too long, before
                          this one was read */
    char message[ASQ_MESSAGE_SIZE]; /* valid in on_end */
    /* private: loop thread only */
    struct asq_conn *conn;
    struct asq_hold hold;
    struct asq_stream_side sides[2];
    unsigned next; /* the side whose chunk comes next */
    struct asq_request let_go;
    uv_timer_t pin;
    struct asq_later later;
    bool started, delivering, later_due;
    bool over; /* nothing more is asked for */
    int status;
    asq_chunk_cb on_chunk;
    asq_stream_cb on_end;
    struct asq_stream_reader reader; /* the worker's while one is pending */
};

/* Sets the defaults of the public fields. */
void asq_stream_init(struct asq_stream *stream);

/* Frees what the chunks hold. Not while it is started. Accepts NULL. */
void asq_stream_destroy(struct asq_stream *stream);

/* Starts it; loop is that of the connection. sql and what params points to are
 * borrowed until on_end; params may be NULL. No callback runs inside. Returns
 * 0; UV_EINVAL (it is started, a callback is missing, chunk_rows is 0, there is
 * a key and no parameter of that number, or they have names); UV_ENOMEM; or as
 * asq_hold_begin. */
int asq_stream_start(struct asq_stream *stream,
                     uv_loop_t *loop,
                     struct asq_conn *conn,
                     const char *sql,
                     const struct asq_params *params,
                     asq_chunk_cb on_chunk,
                     asq_stream_cb on_end);

/* The consumer is done with the chunk that it has kept. Harmless when there is
 * none. */
void asq_stream_more(struct asq_stream *stream);

/* Ends it early: what is running is interrupted, no further chunk comes, and
 * on_end has UV_ECANCELED, unless there is nothing left to end. Also inside
 * on_chunk. Harmless when it is not started. */
void asq_stream_stop(struct asq_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
