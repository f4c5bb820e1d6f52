/* batch - one statement for many rows, a commit for each chunk of them
 *
 * A chunk is one function on the worker of a conn: all its rows share one hop,
 * one prepared statement and one transaction. Between two chunks the loop turns
 * and the connection is free: requests that others have submitted run before
 * the next chunk. With one chunk for all rows, the batch is all or nothing.
 *
 * Call every function on the loop thread. The caller owns the struct and
 * everything it points to. Depends on conn of lesson 03, stmt of lesson 01.
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

/* status is 0 when every chunk is committed (with keep_good, even if single
 * rows were refused), or says what ended the batch:
 *   UV_ECANCELED      cancelled, or the connection closes; no chunk was running
 *   SQLITE_INTERRUPT  cancelled inside a chunk, which is undone
 *   UV_ETIMEDOUT      the deadline passed; a chunk that was running is undone
 *   UV_ENOBUFS, UV_ESHUTDOWN  the next chunk was refused, see asq_conn_call
 *   SQLITE_MISUSE     sql ended the transaction, or is not a statement
 * Any other extended SQLITE_* code is that of a row, of BEGIN or of COMMIT. The
 * chunk is undone, unless request.outcome_unknown is set: see settled. */
typedef void (*asq_batch_cb)(struct asq_batch *batch, int status);

/* Called after each commit; settled and changes say how far the batch is. It
 * may submit requests, cancel the batch and close the connection, but not free
 * the batch. */
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
    const char *sql; /* run once for each row; rows that it returns are
                        dropped. A missing value is a null, and the SQL says
                        what replaces it: coalesce(?2, '{}') */
    const struct asq_value *values; /* row after row */
    size_t rows, columns;           /* columns: values in each row */
    size_t chunk;                   /* rows in a commit; 0: all */
    bool keep_good;      /* a bad row is reported and left out; false: it ends
                            the batch */
    unsigned timeout_ms; /* from start until done; 0: no deadline */
    struct asq_row_error *errors; /* room for the first bad rows, or NULL */
    size_t errors_room;
    asq_batch_chunk_cb on_chunk; /* or NULL */
    /* read-only: loop thread, in on_chunk and on_done */
    size_t settled;  /* rows before this one are committed or reported; rows
                        from this one on are not in the database. If the
                        outcome is unknown, the next chunk may be there: all of
                        it or nothing */
    int64_t changes; /* how many rows of the database these rows changed, as
                        SQLite counts */
    size_t failed;   /* how many of these rows were left out */
    size_t commits;
    size_t stopped_at; /* the row at which the batch ended; after an error of
                          COMMIT the end of the chunk */
    struct asq_request request; /* only its message, when status is not 0, and
                                   outcome_unknown */
    /* private: loop thread only */
    struct asq_conn *conn;
    asq_batch_cb on_done;
    bool active;
    uint64_t deadline_ns; /* set before the worker gets the chunk */
    /* private: the worker owns it while a chunk is in flight */
    struct {
        size_t row, end;
        int64_t changes;
        size_t failed;
    } run;
    bool savepoints; /* one for each row, since a refused row left changes */
    /* private: set by the loop, read by the worker */
    atomic_bool cancelled;
};

/* Zeroes the struct. */
void asq_batch_init(struct asq_batch *batch);

/* Frees what the request holds. Do not call it while the batch is in flight.
 * Accepts NULL. */
void asq_batch_destroy(struct asq_batch *batch);

/* Submits the first chunk. on_done runs once, when nothing of the batch is in
 * flight any more; it may start the batch again or free it. Returns 0;
 * UV_EINVAL (no sql, no on_done, columns without values, or in flight already);
 * or UV_ENOBUFS, UV_ESHUTDOWN as asq_conn_call. Unless it returns 0, on_done
 * does not run. */
int asq_batch_start(struct asq_batch *batch,
                    struct asq_conn *conn,
                    asq_batch_cb on_done);

/* Asks the batch to end. Between two chunks it ends there; a chunk that is
 * running is undone, unless its COMMIT has begun. What is settled stays.
 * Harmless when nothing is in flight. */
void asq_batch_cancel(struct asq_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
