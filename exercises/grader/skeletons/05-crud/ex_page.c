/* ex_page - items filtered, sorted and read page by page
 *
 * Owns nothing. The contract is in ex_page.h.
 */
#include "ex_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SQL_SIZE = 320
};

/* Returns the name of the column as it may stand in a statement, or NULL if
 * nobody may sort by this. */
static const char *find_column(const char *sort)
{
    /* Your code. */
    return NULL;
}

/* Binds the values of the query. Returns 0 or an SQLITE_* code. */
static int bind_values(sqlite3_stmt *stmt,
                       const struct ex_page_query *query,
                       const char *column)
{
    /* Your code. */
    return SQLITE_ERROR;
}

/* Adds the row on which the statement stands: id, name, value. Returns 0 or
 * SQLITE_NOMEM. */
static int add_row(sqlite3_stmt *stmt, struct ex_page *page)
{
    struct ex_item *item = &page->items[page->count];
    const char *name = (const char *)sqlite3_column_text(stmt, 1);

    item->id = sqlite3_column_int64(stmt, 0);
    item->name = name == NULL ? NULL : strdup(name);
    item->value = sqlite3_column_int64(stmt, 2);
    if (item->name == NULL)
        return SQLITE_NOMEM;
    page->count++;
    return 0;
}

int ex_page_read(sqlite3 *db,
                 const struct ex_page_query *query,
                 struct ex_page *ret)
{
    /* Your code. */
    return UV_ENOSYS;
}

void ex_page_free(struct ex_page *page)
{
    while (page->count > 0)
        free(page->items[--page->count].name);
    page->more = false;
}
