/* result - the rows of one statement in one block of memory
 *
 * Cells grow from the front of the block, the bytes of texts and blobs from its
 * back, as on a page of a database file. So a result is one allocation, however
 * many rows it has. It borrows nothing from the connection that made it, and so
 * can be handed from thread to thread as a whole.
 *
 * One thread at a time may use a result. Depends on value.
 */
#ifndef ASQ_RESULT_H
#define ASQ_RESULT_H

#include "01-blocking/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3_stmt;

struct asq_result {
    /* read-only */
    int columns;            /* 0: the statement has no columns */
    size_t rows;            /* complete rows */
    int64_t changes;        /* rows that the statement itself changed */
    int64_t last_insert_id; /* rowid of the last insert on the connection */
    /* private */
    char *block;
    size_t capacity; /* bytes of the block */
    size_t cells;    /* used at the front, the column names included */
    size_t bytes;    /* used at the back */
    size_t limit;    /* of the block, in bytes; 0: none */
    unsigned wasted; /* how many times in a row it was mostly empty */
};

/* Makes an empty result, without memory of its own. Zeroing it does the same.
 */
void asq_result_init(struct asq_result *result);

/* Frees the block. Accepts NULL, a zeroed and a destroyed result. */
void asq_result_destroy(struct asq_result *result);

/* Empties the result and keeps its block for the next use. A block of more than
 * 64 KiB is freed when less than a quarter of it was used 16 times in a row: a
 * result that is often large is not allocated each time, and one that was large
 * once does not keep its memory for ever. (asq_db_run clears twice.) */
void asq_result_clear(struct asq_result *result);

/* Moves the content of from to ret_to and frees ret_to's old block. from is
 * then empty and may be used again. Pointers into the block stay valid. */
void asq_result_take(struct asq_result *from, struct asq_result *ret_to);

/* Adds a copy of one cell. Set columns first: the first `columns` cells are the
 * column names, and rows goes up with every complete row after them. Returns 0,
 * SQLITE_TOOBIG (the limit is reached) or SQLITE_NOMEM; after an error the
 * result keeps what it had. */
int asq_result_add(struct asq_result *result, const struct asq_value *value);

/* Returns a cell. Text and blob are borrowed until the result is cleared, added
 * to or destroyed, or its request is submitted again. A row or column that does
 * not exist gives a null value, as in SQLite. */
struct asq_value
asq_result_at(const struct asq_result *result, size_t row, int column);

/* Returns the name of a column, borrowed as above; NULL if out of range. */
const char *asq_result_name(const struct asq_result *result, int column);

/* Returns the first column of that name (case matters), or -1. */
int asq_result_column(const struct asq_result *result, const char *name);

/* Shorthands for asq_result_at, by column name: a missing column, a null or a
 * value of another type reads as 0 or NULL. Nothing is converted. */
int64_t
asq_result_int64(const struct asq_result *result, size_t row, const char *name);
const char *
asq_result_text(const struct asq_result *result, size_t row, const char *name);

/* Internal to 01: adds the row on which the statement stands; columns is set,
 * and the names are there. Errors as asq_result_add, after which the result has
 * half a row that does not count. */
int asq__result_add_row(struct asq_result *result, struct sqlite3_stmt *stmt);

/* Internal to 01: returns the bytes that are in use. */
size_t asq__result_size(const struct asq_result *result);

#ifdef __cplusplus
}
#endif

#endif
