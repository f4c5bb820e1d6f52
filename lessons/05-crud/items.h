/* items - the rows of the shop's items, in and out by name
 *
 * Names of columns come from outside: from a form, from JSON. They never become
 * part of a statement. Each is looked up in a list, and the statement is built
 * from the list's own words, in the list's order. So there are few different
 * statements, and the statement cache finds them again. Values are bound.
 *
 * Every change is one statement with RETURNING, so its answer is the row as
 * this change has left it, whatever others do before the answer is read.
 *
 * Call every function on the loop thread. The contract is that of conn: if
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

/* status is that of a request (request.h); or UV_ENOENT if one row was expected
 * and there is none, UV_ERANGE if there are several. Then request.message says
 * how many. */
typedef void (*asq_items_cb)(struct asq_items_request *items, int status);

/* The list. All of it may be searched by, and all but id and kind may be
 * written. kind is not a column of the table but a key in data. */
enum {
    ASQ_ITEM_ID = 1,
    ASQ_ITEM_NAME = 2,
    ASQ_ITEM_STATUS = 4,
    ASQ_ITEM_DATA = 8, /* JSON; stored in its shortest form */
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
    /* public: set by the caller before submit; asq_items_init sets all columns
     * and false */
    unsigned columns; /* the columns that may be named, a sum of ASQ_ITEM_* */
    bool as_json;     /* each row is one text in the column "json"; otherwise
                         it has the columns id, name, status, data and value */
    /* Its public fields are yours to set; its result and message are the
     * answer. */
    struct asq_request request;
    /* private */
    asq_items_cb on_done;
    enum asq_items_rows expected;
    unsigned named; /* the columns that were named */
    size_t count;   /* of values, which are in the order of the list */
    size_t length;  /* of sql */
    struct asq_value values[ASQ_ITEM_COLUMNS];
    char sql[320];
};

/* Makes a request ready for its first submit. */
void asq_items_init(struct asq_items_request *items);

/* Frees the result. Not while the request is pending. Accepts NULL. */
void asq_items_destroy(struct asq_items_request *items);

/* The functions below take columns by name, in params. Texts and blobs are
 * borrowed until the callback begins, params itself and the names only during
 * the call. They return 0, or what asq_conn_run returns, or UV_EINVAL with a
 * message in items->request: a name is not in the list or not in
 * items->columns, it is given twice, or there is none where one is needed. */

/* Inserts an item. The answer is its row, with its id. */
int asq_items_create(struct asq_conn *conn,
                     struct asq_items_request *items,
                     const struct asq_params *fields,
                     asq_items_cb on_done);

/* Reads the item with this id; UV_ENOENT if there is none. */
int asq_items_read(struct asq_conn *conn,
                   struct asq_items_request *items,
                   int64_t id,
                   asq_items_cb on_done);

/* Reads the items whose columns are equal to those in where, in the order of
 * their ids; a null is equal to a null. If where is NULL or empty, it reads all
 * items. rows says how many there must be. */
int asq_items_find(struct asq_conn *conn,
                   struct asq_items_request *items,
                   enum asq_items_rows rows,
                   const struct asq_params *where,
                   asq_items_cb on_done);

/* Changes the columns that are named, and no others. The answer is the row as
 * the change has left it, or UV_ENOENT. */
int asq_items_update(struct asq_conn *conn,
                     struct asq_items_request *items,
                     int64_t id,
                     const struct asq_params *fields,
                     asq_items_cb on_done);

/* Deletes an item. The answer is the row as it was before, or UV_ENOENT. */
int asq_items_delete(struct asq_conn *conn,
                     struct asq_items_request *items,
                     int64_t id,
                     asq_items_cb on_done);

#ifdef __cplusplus
}
#endif

#endif
