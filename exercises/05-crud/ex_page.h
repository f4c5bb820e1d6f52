/* ex_page - items filtered, sorted and read page by page
 *
 * The table, as in the shop of the lessons; money is in cents:
 *
 *     items  id (the key), name, status, data, value; none of them is NULL
 *
 * One thread uses the connection and these functions.
 */
#ifndef EX_PAGE_H
#define EX_PAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h> /* for the code UV_EINVAL */

enum {
    EX_PAGE_MAX = 100 /* items of a page */
};

struct ex_item {
    int64_t id;
    char *name;
    int64_t value;
};

/* What somebody asks for. status and sort come from outside, as they are. */
struct ex_page_query {
    const char *status; /* only the items with this status; NULL: all */
    const char *sort;   /* "id", "name" or "value", in these letters */
    bool descending;    /* the largest first */
    size_t limit;       /* items of a page, from 1 to EX_PAGE_MAX */
    const struct ex_item *after; /* the last item of the page before; NULL: the
                                    first page is read */
};

struct ex_page {
    struct ex_item items[EX_PAGE_MAX];
    size_t count; /* of the items: limit, or fewer if there are no more */
    bool more;    /* at least one item follows the last one */
};

/* Reads a page and writes it to *ret, whose old content is not looked at.
 *
 * Items whose sort values are equal are in the order of their ids, which is
 * descending too if the query is. A page begins with the first item that comes
 * after query->after in that order, whatever was inserted or deleted in the
 * meantime; query->after itself need not exist any more.
 *
 * The query is borrowed for the call. The page is the caller's, freed with
 * ex_page_free.
 *
 * Names and statuses may be empty and of any length, ids and values any 64-bit
 * number. The caller may have a transaction and statements of its own open on
 * db: reading a page leaves them, and everything else, as they are.
 *
 * Returns 0, UV_EINVAL for any other sort and any other limit, SQLITE_NOMEM, or
 * the code of what failed as SQLite gave it. Unless it returns 0, *ret stays as
 * it was. With UV_EINVAL no SQL was compiled. Each value is bound: none stands
 * in the text of a statement. Whatever it returns, no statement of its own is
 * left. */
int ex_page_read(sqlite3 *db,
                 const struct ex_page_query *query,
                 struct ex_page *ret);

/* Frees what the page holds; it is empty then, and may be freed again. */
void ex_page_free(struct ex_page *page);

#endif
