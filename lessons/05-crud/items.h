/* items - the rows of the shop's items, in and out by name
 *
 * Names of columns come from outside: from a form, from JSON. None of them
 * ever stands in the text of a statement. Each is looked up in a list, and the
 * text is assembled from what the list says, in the list's order: there are
 * few texts, and the statement cache finds them again. Values are bound.
 *
 * Every change is one statement with RETURNING, so its answer is the row as
 * this change has left it, whatever others do before it is read.
 *
 * Every function belongs to the loop thread and keeps the contract of conn: if
 * submit returned 0, the callback runs exactly once. Nothing is allocated
 * here. Depends on conn.
 */
#ifndef ASQ_ITEMS_H
#define ASQ_ITEMS_H

#include "01-blocking/params.h"
#include "03-event-loop/conn.h"
#include "03-event-loop/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_items_request;

/* status is that of request.h, or UV_ENOENT: one row was expected and there is
 * none; or UV_ERANGE: there are several. The message says how many. */
typedef void (*asq_items_cb)(struct asq_items_request *items, int status);

/* The list. All but id and kind may be written; kind is a key of data. */
enum {
    ASQ_ITEM_ID = 1,
    ASQ_ITEM_NAME = 2,
    ASQ_ITEM_STATUS = 4,
    ASQ_ITEM_DATA = 8, /* JSON; kept in its shortest form */
    ASQ_ITEM_VALUE = 16,
    ASQ_ITEM_KIND = 32,
    ASQ_ITEM_COLUMNS = 6 /* how many there are */
};

/* How many rows an answer must have. */
enum asq_items_rows {
    ASQ_ITEMS_ALL, /* any number */
    ASQ_ITEMS_ONE,
    ASQ_ITEMS_ONE_OR_NONE
};

struct asq_items_request {
    /* public: set by the caller before submit */
    unsigned columns; /* that may be named, a sum of ASQ_ITEM_*: all */
    bool as_json;     /* a row is one text, the column "json", and not the
                         columns id, name, status, data and value: false */
    /* Its public fields are the caller's, its result and message the answer. */
    struct asq_request request;
    /* private */
    asq_items_cb on_done;
    enum asq_items_rows expected;
    unsigned named; /* the columns that were named */
    size_t count;   /* of the values, in the order of the list */
    size_t length;  /* of the text */
    struct asq_value values[ASQ_ITEM_COLUMNS];
    char sql[320];
};

/* Makes a request ready for its first submit. */
void asq_items_init(struct asq_items_request *items);

/* Frees the result. Not while the request is pending. Accepts NULL. */
void asq_items_destroy(struct asq_items_request *items);

/* In all that follow, params give columns by name; their texts and blobs are
 * borrowed until the callback begins, params and names for the call only. All
 * return 0 or what asq_conn_run returns; UV_EINVAL with a message in
 * items->request (and without one as asq_conn_run does) means: a name that is
 * not in the list or not in items->columns, one that is given twice, none
 * where one is needed. */

/* Inserts an item. The answer is its row, id included. */
int asq_items_create(struct asq_conn *conn,
                     struct asq_items_request *items,
                     const struct asq_params *fields,
                     asq_items_cb on_done);

/* Reads the item with this id; UV_ENOENT if there is none. */
int asq_items_read(struct asq_conn *conn,
                   struct asq_items_request *items,
                   int64_t id,
                   asq_items_cb on_done);

/* Reads the items whose columns are equal to where (null to null; all items if
 * it is NULL or empty), in the order of their ids. */
int asq_items_find(struct asq_conn *conn,
                   struct asq_items_request *items,
                   enum asq_items_rows rows,
                   const struct asq_params *where,
                   asq_items_cb on_done);

/* Changes the columns that are named and no others; no name at all is
 * UV_EINVAL. The answer is the row as it is then, or UV_ENOENT. */
int asq_items_update(struct asq_conn *conn,
                     struct asq_items_request *items,
                     int64_t id,
                     const struct asq_params *fields,
                     asq_items_cb on_done);

/* Deletes an item. The answer is the row as it was, or UV_ENOENT. */
int asq_items_delete(struct asq_conn *conn,
                     struct asq_items_request *items,
                     int64_t id,
                     asq_items_cb on_done);

#ifdef __cplusplus
}
#endif

#endif
