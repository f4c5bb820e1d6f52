/* ex_page - items are filtered, sorted and read page by page
 *
 * Owns nothing. The contract is in ex_page.h.
 */
#include "ex_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* begin solution */
enum {
    SQL_SIZE = 320
};

/* Returns the name of the column, which may become part of a statement, or NULL
 * if there is no such sort key. */
static const char *find_column(const char *sort)
{
    static const char *const columns[] = {"id", "name", "value"};

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (strcmp(columns[i], sort) == 0)
            return columns[i];
    return NULL;
}

/* Binds the values of the query. Returns 0 or an SQLITE_* code. */
static int bind_values(sqlite3_stmt *stmt,
                       const struct ex_page_query *query,
                       const char *column)
{
    const struct ex_item *after = query->after;
    int rc = sqlite3_bind_text(stmt, 1, query->status, -1, SQLITE_STATIC);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 2, (int64_t)query->limit + 1);
    if (rc == SQLITE_OK && after != NULL)
        rc = sqlite3_bind_int64(stmt, 3, after->id);
    if (rc != SQLITE_OK || after == NULL)
        return rc;
    if (strcmp(column, "name") == 0)
        return sqlite3_bind_text(stmt, 4, after->name, -1, SQLITE_STATIC);
    return sqlite3_bind_int64(
        stmt, 4, strcmp(column, "id") == 0 ? after->id : after->value);
}

/* Adds the current row of the statement: id, name, value. Returns 0 or
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

/* end solution */
int ex_page_read(sqlite3 *db,
                 const struct ex_page_query *query,
                 struct ex_page *ret)
{
    /* begin solution */
    const char *column = find_column(query->sort);
    const char *order = query->descending ? "DESC" : "ASC";
    struct ex_page page = {0};
    sqlite3_stmt *stmt;
    char sql[SQL_SIZE];
    int rc;

    if (column == NULL || query->limit < 1 || query->limit > EX_PAGE_MAX)
        return UV_EINVAL;
    (void)snprintf(sql, sizeof sql,
                   "SELECT id, name, value FROM items"
                   " WHERE (?1 IS NULL OR status = ?1)"
                   " AND (?3 IS NULL OR (%s, id) %s (?4, ?3))"
                   " ORDER BY %s %s, id %s LIMIT ?2",
                   column, query->descending ? "<" : ">", column, order, order);
    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = bind_values(stmt, query, column);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    while (rc == SQLITE_ROW && page.count < query->limit) {
        rc = add_row(stmt, &page);
        if (rc == 0)
            rc = sqlite3_step(stmt);
    }
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        ex_page_free(&page);
        return rc;
    }
    page.more = rc == SQLITE_ROW;
    *ret = page;
    return 0;
    /* instead:
    return UV_ENOSYS;
    */
    /* end solution */
}

void ex_page_free(struct ex_page *page)
{
    while (page->count > 0)
        free(page->items[--page->count].name);
    page->more = false;
}
