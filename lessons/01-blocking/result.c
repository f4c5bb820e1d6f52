/* result - the rows of one statement in one block of memory
 *
 * A text or blob is stored as its distance from the end of the block. When the
 * block grows, the bytes move to the new end and every distance stays the same.
 */
#include "01-blocking/result.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BLOCK = 128,
    KEPT_BLOCK = 64 << 10, /* a block of up to this size is always kept */
    MAY_WASTE = 16         /* how often in a row a larger one may be */
};

static bool has_bytes(const struct asq_value *value)
{
    return value->type == ASQ_TEXT || value->type == ASQ_BLOB;
}

static struct asq_value *cells_of(const struct asq_result *result)
{
    /* malloc aligns the front of the block for any type. */
    return (struct asq_value *)(void *)result->block;
}

/* Makes the block larger; out of line, because it is rare. */
static __attribute__((noinline)) int
grow(struct asq_result *result, size_t cells, size_t size)
{
    size_t front = (result->cells + cells) * sizeof(struct asq_value);
    size_t used = front + result->bytes;
    size_t capacity = result->capacity;
    char *block;

    if (size > SIZE_MAX / 2 - used)
        return SQLITE_TOOBIG;
    if (result->limit != 0 && used + size > result->limit)
        return SQLITE_TOOBIG;
    if (capacity < FIRST_BLOCK)
        capacity = FIRST_BLOCK;
    while (capacity < used + size)
        capacity *= 2;
    if (result->limit != 0 && capacity > result->limit)
        capacity = result->limit;
    block = malloc(capacity);
    if (block == NULL)
        return SQLITE_NOMEM;
    if (result->block != NULL) {
        memcpy(block, result->block, result->cells * sizeof(struct asq_value));
        memcpy(block + capacity - result->bytes,
               result->block + result->capacity - result->bytes, result->bytes);
        free(result->block);
    }
    result->block = block;
    result->capacity = capacity;
    return 0;
}

/* Makes room for more cells and size more bytes. */
static inline int reserve(struct asq_result *result, size_t cells, size_t size)
{
    size_t front = (result->cells + cells) * sizeof(struct asq_value);

    if (size <= result->capacity &&
        front + result->bytes <= result->capacity - size)
        return 0;
    return grow(result, cells, size);
}

/* Returns a stored cell with its distance turned into a pointer. */
static struct asq_value load(const struct asq_result *result, size_t index)
{
    struct asq_value value = cells_of(result)[index];

    if (has_bytes(&value))
        value.as.text = result->block + result->capacity - value.as.offset;
    return value;
}

void asq_result_init(struct asq_result *result)
{
    *result = (struct asq_result){0};
}

void asq_result_destroy(struct asq_result *result)
{
    if (result == NULL)
        return;
    free(result->block);
    asq_result_init(result);
}

static void drop_block(struct asq_result *result)
{
    free(result->block);
    result->block = NULL;
    result->capacity = 0;
    result->wasted = 0;
}

/* Frees a block that has been far too large for some time. */
static void shrink(struct asq_result *result)
{
    size_t used = asq__result_size(result);

    if (result->capacity <= KEPT_BLOCK || used >= result->capacity / 4)
        result->wasted = 0;
    else if (++result->wasted >= MAY_WASTE)
        drop_block(result);
}

void asq_result_clear(struct asq_result *result)
{
    shrink(result);
    result->columns = 0;
    result->rows = 0;
    result->changes = 0;
    result->last_insert_id = 0;
    result->cells = 0;
    result->bytes = 0;
}

void asq_result_take(struct asq_result *from, struct asq_result *ret_to)
{
    if (from == ret_to)
        return;
    asq_result_destroy(ret_to);
    *ret_to = *from;
    asq_result_init(from);
}

int asq_result_add(struct asq_result *result, const struct asq_value *value)
{
    struct asq_value cell = *value;
    size_t size = has_bytes(value) ? value->size + 1 : 0;
    int rc = reserve(result, 1, size);

    if (rc != 0)
        return rc;
    if (size != 0) {
        char *bytes;

        result->bytes += size;
        bytes = result->block + result->capacity - result->bytes;
        if (value->size != 0)
            memcpy(bytes, value->as.blob, value->size);
        bytes[value->size] = '\0';
        cell.as.offset = result->bytes;
    }
    cells_of(result)[result->cells++] = cell;
    if (result->columns > 0 &&
        result->cells == (result->rows + 2) * (size_t)result->columns)
        result->rows++; /* the first row of cells is that of the names */
    return 0;
}

/* Keeps the bytes of a text or blob, and the cell that stands for them; there
 * is room for it and for those after it in its row. */
static inline int keep_bytes(struct asq_result *result,
                             enum asq_type type,
                             const void *from,
                             size_t size,
                             size_t cells)
{
    struct asq_value *cell;
    char *bytes;
    int rc = reserve(result, cells, size + 1);

    if (rc != 0)
        return rc;
    result->bytes += size + 1;
    bytes = result->block + result->capacity - result->bytes;
    if (size != 0)
        memcpy(bytes, from, size);
    bytes[size] = '\0';
    cell = &cells_of(result)[result->cells];
    cell->type = type;
    cell->size = size;
    cell->as.offset = result->bytes;
    return 0;
}

static inline int
add_cell(struct asq_result *result, sqlite3_value *value, size_t cells)
{
    struct asq_value *cell = &cells_of(result)[result->cells];
    const void *bytes;
    size_t size;

    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        *cell = asq_int64(sqlite3_value_int64(value));
        return 0;
    case SQLITE_FLOAT:
        *cell = asq_double(sqlite3_value_double(value));
        return 0;
    case SQLITE_TEXT:
        bytes = sqlite3_value_text(value); /* converts UTF-16 */
        if (bytes == NULL)
            return SQLITE_NOMEM;
        return keep_bytes(result, ASQ_TEXT, bytes,
                          (size_t)sqlite3_value_bytes(value), cells);
    case SQLITE_BLOB:
        /* The bytes of a zeroblob are made only now, but not its size. */
        size = (size_t)sqlite3_value_bytes(value);
        bytes = sqlite3_value_blob(value); /* NULL if it is empty */
        if (bytes == NULL && size > 0)
            return SQLITE_NOMEM;
        return keep_bytes(result, ASQ_BLOB, bytes, size, cells);
    default:
        *cell = asq_null();
        return 0;
    }
}

/* Each value is looked up once and written where it stays. The values are used
 * unprotected, which is right because the connection is this thread's. */
int asq__result_add_row(struct asq_result *result, sqlite3_stmt *stmt)
{
    size_t left = (size_t)result->columns;
    int rc = reserve(result, left, 0);

    for (int i = 0; i < result->columns && rc == 0; i++, left--) {
        rc = add_cell(result, sqlite3_column_value(stmt, i), left);
        result->cells += rc == 0;
    }
    result->rows += rc == 0;
    return rc;
}

size_t asq__result_size(const struct asq_result *result)
{
    return result->cells * sizeof(struct asq_value) + result->bytes;
}

struct asq_value
asq_result_at(const struct asq_result *result, size_t row, int column)
{
    if (row >= result->rows || column < 0 || column >= result->columns)
        return asq_null();
    return load(result, (row + 1) * (size_t)result->columns + (size_t)column);
}

const char *asq_result_name(const struct asq_result *result, int column)
{
    if (column < 0 || column >= result->columns ||
        (size_t)column >= result->cells)
        return NULL;
    return load(result, (size_t)column).as.text;
}

int asq_result_column(const struct asq_result *result, const char *name)
{
    for (int i = 0; i < result->columns; i++) {
        const char *mine = asq_result_name(result, i);

        if (mine != NULL && strcmp(mine, name) == 0)
            return i;
    }
    return -1;
}

int64_t
asq_result_int64(const struct asq_result *result, size_t row, const char *name)
{
    struct asq_value value =
        asq_result_at(result, row, asq_result_column(result, name));

    return value.type == ASQ_INT64 ? value.as.int64 : 0;
}

const char *
asq_result_text(const struct asq_result *result, size_t row, const char *name)
{
    struct asq_value value =
        asq_result_at(result, row, asq_result_column(result, name));

    return value.type == ASQ_TEXT ? value.as.text : NULL;
}
