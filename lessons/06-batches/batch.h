/* batch - one statement for many rows, a commit for each chunk of them
 *
 * A chunk is one function on the worker of a conn: one hop for all its rows,
 * the statement prepared once, one transaction. Between two chunks the loop
 * turns and the connection is free: whatever others have submitted runs before
 * the next chunk. With one chunk for all rows, the batch is all or nothing.
 *
 * Every function belongs to the loop thread. The caller owns the struct and
 * all that it points to. Depends on conn of lesson 03, stmt of lesson 01.
 */
#ifndef ASQ_BATCH_H
#define ASQ_BATCH_H

#include "01-blocking/atomics.h"
#include "01-blocking/value.h"
#include "03-event-loop/conn.h"
#include "03-event-loop/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_batch;

/* status is 0 when every chunk is committed (with keep_good: whatever became
 * of single rows), or what ended the batch:
 * UV_ECANCELED   cancelled, or the connection closes; no chunk was running
 * SQLITE_INTERRUPT  cancelled inside a chunk, which is undone
 * UV_ETIMEDOUT   the deadline passed; a chunk that ran is undone
 * UV_ENOBUFS, UV_ESHUTDOWN  the next chunk was refused, see asq_conn_call
 * SQLITE_MISUSE  the statement ends transactions, or is none at all
 * any other SQLITE_* extended code: of a row, of BEGIN or of COMMIT. The chunk
 * is undone, unless request.outcome_unknown is set: see settled. */
typedef void (*asq_batch_cb)(struct asq_batch *batch, int status);

/* After each commit; settled and changes say how far it is. May submit, cancel
 * the batch and close the connection; the batch's memory stays. */
typedef void (*asq_batch_chunk_cb)(struct asq_batch *batch);

enum {
    ASQ_ROW_MESSAGE_SIZE = 112
};

/* A row that was left out. */
struct asq_row_error {
    size_t row;
    int code; /* an extended SQLITE_* code */
    char message[ASQ_ROW_MESSAGE_SIZE];
};

struct asq_batch {
    /* public: set between init and start, borrowed until on_done begins */
    void *data;
    const char *sql; /* run once for each row; its rows, if any, are dropped.
                        A value that may be missing is a null, and the SQL says
                        what stands in its place: coalesce(?2, '{}') */
    const struct asq_value *values; /* row after row, columns in each */
    size_t rows, columns;
    size_t chunk;        /* rows in a commit; 0: all */
    bool keep_good;      /* a bad row is reported and left out; false: it ends
                            the batch */
    unsigned timeout_ms; /* from start until done; 0: no deadline */
    struct asq_row_error *errors; /* room for the first bad rows, or NULL */
    size_t errors_room;
    asq_batch_chunk_cb on_chunk; /* or NULL */
    /* read-only: loop thread, in on_chunk and on_done */
    size_t settled;  /* rows before this one are committed, or reported. Rows
                        from here on are not in the database; if the outcome is
                        unknown, all of the next chunk or nothing of it may be */
    int64_t changes; /* what these rows changed, as SQLite counts */
    size_t failed;   /* how many of them were left out */
    size_t commits;
    size_t stopped_at; /* the row at which status arose; at COMMIT the chunk's
                          end */
    struct asq_request request; /* its message, when status is not 0, and
                                   outcome_unknown */
    /* private: loop thread only */
    struct asq_conn *conn;
    asq_batch_cb on_done;
    bool active;
    uint64_t deadline_ns; /* set before the worker gets the chunk */
    /* private: the worker's while a chunk is under way */
    struct {
        size_t row, end;
        int64_t changes;
        size_t failed;
    } run;
    bool savepoints; /* one for each row: one left half of itself behind */
    /* private: set by the loop, read by the worker */
    atomic_bool cancelled;
};

/* Zeroes the struct. */
void asq_batch_init(struct asq_batch *batch);

/* Frees what the request holds. Not while the batch is under way. Accepts
 * NULL. */
void asq_batch_destroy(struct asq_batch *batch);

/* Submits the first chunk. on_done runs once, when nothing of the batch is
 * under way any more; the batch may be started again from there, or go.
 * Returns 0, UV_EINVAL (no sql, no on_done, columns without values, under way
 * already), or UV_ENOBUFS, UV_ESHUTDOWN as asq_conn_call: nothing is owed. */
int asq_batch_start(struct asq_batch *batch,
                    struct asq_conn *conn,
                    asq_batch_cb on_done);

/* Asks that the batch end. Between two chunks it ends there; inside a chunk,
 * the chunk is undone, unless its COMMIT has begun. What is settled stays.
 * Harmless when nothing is under way. */
void asq_batch_cancel(struct asq_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
