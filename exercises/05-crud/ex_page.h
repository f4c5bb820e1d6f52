/* ex_page - items are filtered, sorted and read page by page
 *
 * The table, as in the shop of the lessons; money is in cents:
 *
 *     items  id (the key), name, status, data, value; none of them is NULL
 *
 * Used by one thread: the connection and these functions.
 */
#ifndef EX_PAGE_H
#define EX_PAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h> /* for the code UV_EINVAL */

enum {
    EX_PAGE_MAX = 100 /* items on a page */
};

struct ex_item {
    int64_t id;
    char *name;
    int64_t value;
};

/* What a visitor asks for. status and sort come from outside, unchecked. */
struct ex_page_query {
    const char *status; /* only items with exactly this status; NULL: all */
    const char *sort;   /* exactly "id", "name" or "value" */
    bool descending;    /* the largest first */
    size_t limit;       /* items on a page, from 1 to EX_PAGE_MAX */
    const struct ex_item *after; /* the last item of the page before; NULL:
                                    this is the first page */
};

struct ex_page {
    struct ex_item items[EX_PAGE_MAX];
    size_t count; /* of items: limit, or fewer if there are no more */
    bool more;    /* at least one item comes after the last one */
};

/* Reads a page and writes it to *ret, whose old content is neither read nor
 * freed.
 *
 * Items with equal sort values are ordered by their ids, which are descending
 * too if the query is. A page begins with the first item that comes after
 * query->after in that order, whatever was inserted, changed or deleted in the
 * meantime; query->after itself need not exist any more. Only the fields of
 * query->after count, not what the table holds for its id by now.
 *
 * The query is borrowed for the call. The page belongs to the caller, who frees
 * it with ex_page_free.
 *
 * Names and statuses may be empty and of any length, ids and values any 64-bit
 * number. The caller may have a transaction and statements of its own open on
 * db: reading a page leaves them, and everything else, as they are.
 *
 * Returns 0, UV_EINVAL for any other sort or limit, SQLITE_NOMEM, or the code
 * with which SQLite failed, unchanged. Unless it returns 0, *ret stays as it
 * was. With UV_EINVAL no SQL was compiled. Every value is bound: none is part
 * of the text of a statement. Whatever it returns, no statement of its own is
 * left. */
int ex_page_read(sqlite3 *db,
                 const struct ex_page_query *query,
                 struct ex_page *ret);

/* Frees what the page holds. It is empty then, and may be freed again. */
void ex_page_free(struct ex_page *page);

#endif
