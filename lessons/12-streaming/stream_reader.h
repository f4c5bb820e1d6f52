/* stream_reader - the worker's half of a stream: the statement, and its key
 *
 * Belongs to the loop until a request is submitted, and to the worker until it
 * is answered. Depends on stmt and result of lesson 01, and on request of
 * lesson 03. Only stream uses it.
 */
#ifndef ASQ_STREAM_READER_H
#define ASQ_STREAM_READER_H

#include "01-blocking/result.h"
#include "01-blocking/stmt.h"
#include "03-event-loop/request.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_stream_reader {
    /* set by set */
    const char *sql;
    struct asq_params params;
    size_t chunk_rows, chunk_bytes;
    const char *key; /* NULL: none */
    size_t key_param;
    struct asq_value *values; /* a copy of params', if there is a key */
    /* private: the worker's */
    struct asq_stmt *stmt;      /* NULL: it is not open */
    struct asq_result last_key; /* one cell: of the last row that was read */
    struct asq_result from_key; /* and behind which it began again */
    bool begun, exhausted;
    unsigned restarts;
};

/* Makes it ready. Fields that say what to read are set already; the others are
 * as they were zeroed, or as the last time has left them. Returns 0, UV_EINVAL
 * (the key has no parameter) or UV_ENOMEM. */
int asq__reader_set(struct asq_stream_reader *reader,
                    const char *sql,
                    const struct asq_params *params);

/* Frees everything. */
void asq__reader_destroy(struct asq_stream_reader *reader);

/* Reads the next rows into the request's result; none, once there are no more.
 * Worker thread. Returns the status; rows that came before an error are in the
 * result. */
int asq__reader_read(struct asq_stream_reader *reader,
                     struct asq_db *db,
                     struct asq_request *request);

/* Releases the statement. The next read begins again behind the last row.
 * Worker thread. */
void asq__reader_release(struct asq_stream_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
