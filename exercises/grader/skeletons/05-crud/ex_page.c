/* ex_page - items are filtered, sorted and read page by page
 *
 * Owns nothing. The contract is in ex_page.h.
 */
#include "ex_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Your code. */
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
