/* stream_reader - the worker's half of a stream: the statement, and its key
 *
 * Owns the statement while it is open. Depends on stmt and result of lesson 01,
 * and on request of lesson 03.
 */
#include "12-streaming/stream_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key replaces one of the values, which are the caller's. */
static int copy_values(struct asq_stream_reader *reader,
                       const struct asq_params *params)
{
    size_t size;

    free(reader->values);
    reader->values = NULL;
    reader->params = params == NULL ? (struct asq_params){0} : *params;
    if (reader->key == NULL)
        return 0;
    if (reader->key_param == 0 || reader->params.names != NULL ||
        reader->key_param > reader->params.count)
        return UV_EINVAL;
    size = reader->params.count * sizeof *reader->values;
    reader->values = malloc(size);
    if (reader->values == NULL)
        return UV_ENOMEM;
    memcpy(reader->values, reader->params.values, size);
    reader->params.values = reader->values;
    return 0;
}

int asq__reader_set(struct asq_stream_reader *reader,
                    const char *sql,
                    const struct asq_params *params)
{
    reader->sql = sql;
    reader->stmt = NULL;
    reader->begun = reader->exhausted = false;
    reader->restarts = 0;
    return copy_values(reader, params);
}

void asq__reader_destroy(struct asq_stream_reader *reader)
{
    asq_result_destroy(&reader->last_key);
    asq_result_destroy(&reader->from_key);
    free(reader->values);
    reader->values = NULL; /* it may be destroyed twice, as a result may */
}

static int say(struct asq_request *request, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int say(struct asq_request *request, int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(request->message, sizeof request->message, format,
                    arguments);
    va_end(arguments);
    return status;
}

/* After a restart the query goes on behind the last row that was read. The key
 * must not change while the statement runs, so it is kept apart from that of
 * the rows to come. */
static void set_key(struct asq_stream_reader *reader)
{
    if (reader->last_key.rows > 0)
        asq_result_take(&reader->last_key, &reader->from_key);
    reader->values[reader->key_param - 1] =
        asq_result_at(&reader->from_key, 0, 0);
    reader->restarts++;
}

static int prepare(struct asq_stream_reader *reader,
                   struct asq_db *db,
                   struct asq_request *request)
{
    int rc = asq_stmt_prepare(db, reader->sql, ASQ_WHOLE_TEXT, &reader->stmt);

    if (rc == 0 && !asq_stmt_is_query(reader->stmt))
        rc = say(request, SQLITE_MISUSE,
                 "only a query can be streamed: a write would stay half done "
                 "and hold the lock");
    if (rc == 0 && reader->begun)
        set_key(reader);
    return rc == 0 ? asq_stmt_bind(reader->stmt, &reader->params) : rc;
}

static int keep_key(struct asq_stream_reader *reader,
                    struct asq_request *request)
{
    const struct asq_result *rows = &request->result;
    const struct asq_value name = asq_text("key");
    struct asq_value key;
    int column;

    if (reader->key == NULL || rows->rows == 0)
        return 0;
    column = asq_result_column(rows, reader->key);
    if (column < 0)
        return say(request, SQLITE_RANGE, "the query has no column %s",
                   reader->key);
    key = asq_result_at(rows, rows->rows - 1, column);
    asq_result_clear(&reader->last_key);
    reader->last_key.columns = 1;
    if (asq_result_add(&reader->last_key, &name) != 0 ||
        asq_result_add(&reader->last_key, &key) != 0)
        return say(request, SQLITE_NOMEM, "no memory for the key");
    return 0;
}

void asq__reader_release(struct asq_stream_reader *reader)
{
    asq_stmt_release(reader->stmt);
    reader->stmt = NULL;
}

int asq__reader_read(struct asq_stream_reader *reader,
                     struct asq_db *db,
                     struct asq_request *request)
{
    bool more = false;
    int rc = 0, kept;

    if (reader->exhausted)
        return 0;
    if (reader->stmt == NULL)
        rc = prepare(reader, db, request);
    if (rc == 0)
        rc = asq_stmt_collect_some(reader->stmt, &request->result,
                                   reader->chunk_rows, reader->chunk_bytes,
                                   &more);
    kept = keep_key(reader, request);
    reader->begun = reader->begun || request->result.rows > 0;
    if (rc == 0)
        rc = kept;
    reader->exhausted = rc != 0 || !more;
    if (reader->exhausted)
        asq__reader_release(reader);
    return rc;
}
