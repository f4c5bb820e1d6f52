/* items - the rows of the shop's items, in and out by name
 *
 * A request goes through three functions: begin prepares it, name_columns looks
 * up the names, and submit gives the finished statement to conn.
 */
#include "05-crud/items.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    WRITABLE = ASQ_ITEM_NAME | ASQ_ITEM_STATUS | ASQ_ITEM_DATA | ASQ_ITEM_VALUE,
    ALL_COLUMNS = ASQ_ITEM_ID | WRITABLE | ASQ_ITEM_KIND
};

/* Column i is bit i of a sum of ASQ_ITEM_*. */
static const struct column {
    const char *name;  /* as it comes from outside */
    const char *sql;   /* what the statement calls it */
    const char *bound; /* where its value is bound */
} list[ASQ_ITEM_COLUMNS] = {
    {"id", "id", "?"},
    {"name", "name", "?"},
    {"status", "status", "?"},
    {"data", "data", "json(?)"}, /* refuses what is not JSON */
    {"value", "value", "?"},
    {"kind", "json_extract(data, '$.kind')", "?"},
};

static const char row_sql[] = "id, name, status, data, value";
/* With json() data is an object in the object, not a text. */
static const char json_sql[] =
    "json_object('id', id, 'name', name, 'status', status, "
    "'data', json(data), 'value', value) AS json";

/* Says why, in one line whatever the name contains, and returns the code. */
static int __attribute__((format(printf, 3, 4)))
refuse(struct asq_items_request *items, int code, const char *format, ...)
{
    char *text = items->request.message;
    va_list args;

    va_start(args, format);
    /* It is cut if it is too long. */
    (void)vsnprintf(text, sizeof items->request.message, format, args);
    va_end(args);
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            *text = ' ';
    }
    return code;
}

static void add(struct asq_items_request *items, const char *text)
{
    size_t size = strlen(text) + 1;

    /* The list is short: with all its columns the text fits. */
    assert(items->length + size <= sizeof items->sql);
    memcpy(items->sql + items->length, text, size);
    items->length += size - 1;
}

/* Adds each column that was named: its name, and, unless equal is NULL, equal
 * and its value. */
static void add_columns(struct asq_items_request *items,
                        const char *between,
                        const char *equal)
{
    const char *separator = "";

    for (int i = 0; i < ASQ_ITEM_COLUMNS; i++) {
        if ((items->named & 1U << i) == 0)
            continue;
        add(items, separator);
        add(items, list[i].sql);
        if (equal != NULL) {
            add(items, equal);
            add(items, list[i].bound);
        }
        separator = between;
    }
}

static void add_values(struct asq_items_request *items)
{
    const char *separator = "";

    for (int i = 0; i < ASQ_ITEM_COLUMNS; i++) {
        if ((items->named & 1U << i) == 0)
            continue;
        add(items, separator);
        add(items, list[i].bound);
        separator = ", ";
    }
}

static int find_column(const char *name)
{
    for (int i = 0; i < ASQ_ITEM_COLUMNS; i++) {
        if (strcmp(list[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* Prepares the request, unless it is pending: then the worker owns it. */
static int begin(struct asq_items_request *items,
                 enum asq_items_rows expected,
                 asq_items_cb on_done)
{
    if (items->request.pending || on_done == NULL)
        return UV_EINVAL;
    items->request.message[0] = '\0';
    items->on_done = on_done;
    items->expected = expected;
    items->named = 0;
    items->count = items->length = 0;
    return 0;
}

/* Looks up the names in params, and puts the values into the list's order. */
static int name_columns(struct asq_items_request *items,
                        const struct asq_params *params,
                        unsigned columns)
{
    size_t count = params == NULL ? 0 : params->count;

    for (size_t k = 0; k < count; k++) {
        const char *name = params->names == NULL ? "" : params->names[k];
        int i = find_column(name);

        if (i < 0 || (columns & items->columns & 1U << i) == 0)
            return refuse(items, UV_EINVAL,
                          "\"%.150s\" is not a column that may be named", name);
        if ((items->named & 1U << i) != 0)
            return refuse(items, UV_EINVAL, "column \"%s\" is given twice",
                          name);
        items->named |= 1U << i;
        items->values[i] = params->values[k];
    }
    for (int i = 0; i < ASQ_ITEM_COLUMNS; i++) {
        if ((items->named & 1U << i) != 0)
            items->values[items->count++] = items->values[i];
    }
    return 0;
}

/* Begins a request that writes these fields into one row. */
static int begin_write(struct asq_items_request *items,
                       const struct asq_params *fields,
                       asq_items_cb on_done)
{
    int rc = begin(items, ASQ_ITEMS_ONE, on_done);

    if (rc == 0)
        rc = name_columns(items, fields, WRITABLE);
    return rc == 0 && items->named == 0
               ? refuse(items, UV_EINVAL,
                        "no column is given, so there is nothing to do")
               : rc;
}

static void finish_on_loop(struct asq_request *request, int status)
{
    struct asq_items_request *items =
        ASQ_CONTAINER_OF(request, struct asq_items_request, request);
    size_t rows = request->result.rows;

    if (status == 0 && rows == 0 && items->expected == ASQ_ITEMS_ONE)
        status = refuse(items, UV_ENOENT, "expected one row, there is none");
    else if (status == 0 && rows > 1 && items->expected != ASQ_ITEMS_ALL)
        status =
            refuse(items, UV_ERANGE, "expected one row, there are %zu", rows);
    items->on_done(items, status);
}

static int submit(struct asq_conn *conn, struct asq_items_request *items)
{
    struct asq_params params = {.values = items->values, .count = items->count};

    return asq_conn_run(conn, &items->request, items->sql, &params,
                        finish_on_loop);
}

static const char *rows_sql(const struct asq_items_request *items)
{
    return items->as_json ? json_sql : row_sql;
}

static void add_id(struct asq_items_request *items, int64_t id)
{
    add(items, " WHERE id = ?");
    items->values[items->count++] = asq_int64(id);
}

static int submit_returning(struct asq_conn *conn,
                            struct asq_items_request *items)
{
    add(items, " RETURNING ");
    add(items, rows_sql(items));
    return submit(conn, items);
}

void asq_items_init(struct asq_items_request *items)
{
    *items = (struct asq_items_request){.columns = ALL_COLUMNS};
    asq_request_init(&items->request);
}

void asq_items_destroy(struct asq_items_request *items)
{
    if (items != NULL)
        asq_request_destroy(&items->request);
}

int asq_items_create(struct asq_conn *conn,
                     struct asq_items_request *items,
                     const struct asq_params *fields,
                     asq_items_cb on_done)
{
    int rc = begin_write(items, fields, on_done);

    if (rc != 0)
        return rc;
    add(items, "INSERT INTO items (");
    add_columns(items, ", ", NULL);
    add(items, ") VALUES (");
    add_values(items);
    add(items, ")");
    return submit_returning(conn, items);
}

int asq_items_read(struct asq_conn *conn,
                   struct asq_items_request *items,
                   int64_t id,
                   asq_items_cb on_done)
{
    int rc = begin(items, ASQ_ITEMS_ONE, on_done);

    if (rc != 0)
        return rc;
    add(items, "SELECT ");
    add(items, rows_sql(items));
    add(items, " FROM items");
    add_id(items, id);
    return submit(conn, items);
}

int asq_items_find(struct asq_conn *conn,
                   struct asq_items_request *items,
                   enum asq_items_rows rows,
                   const struct asq_params *where,
                   asq_items_cb on_done)
{
    int rc = begin(items, rows, on_done);

    if (rc == 0)
        rc = name_columns(items, where, ALL_COLUMNS);
    if (rc != 0)
        return rc;
    add(items, "SELECT ");
    add(items, rows_sql(items));
    add(items, items->named == 0 ? " FROM items" : " FROM items WHERE ");
    add_columns(items, " AND ", " IS ");
    add(items, " ORDER BY id");
    return submit(conn, items);
}

int asq_items_update(struct asq_conn *conn,
                     struct asq_items_request *items,
                     int64_t id,
                     const struct asq_params *fields,
                     asq_items_cb on_done)
{
    int rc = begin_write(items, fields, on_done);

    if (rc != 0)
        return rc;
    add(items, "UPDATE items SET ");
    add_columns(items, ", ", " = ");
    add_id(items, id);
    return submit_returning(conn, items);
}

int asq_items_delete(struct asq_conn *conn,
                     struct asq_items_request *items,
                     int64_t id,
                     asq_items_cb on_done)
{
    int rc = begin(items, ASQ_ITEMS_ONE, on_done);

    if (rc != 0)
        return rc;
    add(items, "DELETE FROM items");
    add_id(items, id);
    return submit_returning(conn, items);
}
