/* shop_rows - the tables and rows of the shop (private to shop)
 */
#ifndef COMMON_SHOP_ROWS_H
#define COMMON_SHOP_ROWS_H

#include "common/shop.h"

#include <sqlite3.h>

/* Makes the tables in the empty database db, fills them in one transaction, and
 * leaves the file in WAL mode. Returns 0, or an SQLITE_* code for which db has
 * the message. */
int asq__shop_fill(sqlite3 *db, const struct asq_shop *shop);

#endif
