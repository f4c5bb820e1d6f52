/* shop - the data set of the course, made by itself
 *
 * Tables (all STRICT; money in cents, times as text, "2024-05-17T08:30:00Z"):
 *
 *     users        id, email (unique), name, created_at
 *     profiles     user_id, bio (NULL for about one in eight)
 *     accounts     id, user_id (unique), balance_cents
 *     items        id, name (unique), status, data (JSON), value
 *     orders       id, user_id (indexed), created_at
 *     order_lines  order_id and line (the key), item_id, quantity, price_cents
 *
 * The status of an item is active, draft, sold or archived; value is its price
 * in cents. Ids run from 1 without gaps. The same spec gives the same rows on
 * every machine. It is the only part of common that uses SQL, through the raw
 * API.
 *
 * Not for two threads at once on the same spec; two processes at once are
 * safe (written beside, then renamed).
 */
#ifndef COMMON_SHOP_H
#define COMMON_SHOP_H

#include <stddef.h>
#include <stdint.h>

struct asq_shop {
    int users;  /* one profile and one account each; at least 1 */
    int items;  /* at least 1 */
    int orders; /* with 1 to 5 lines each; 0 is allowed */
    uint64_t seed;
};

enum {
    ASQ_SHOP_PATH_MAX = 512,
    ASQ_SHOP_MESSAGE_MAX = 256
};

/* Makes sure that the data set's file exists and is whole, and writes its
 * path to ret_path. The file lies under build/data, is in WAL mode, and is
 * for reading only: a checksum beside it tells whether it was damaged or
 * written to, and then it is made again. Returns 0, or an SQLITE_* code or a
 * negative errno with one line in message. */
int asq_shop_make(const struct asq_shop *shop,
                  char ret_path[static ASQ_SHOP_PATH_MAX],
                  char message[static ASQ_SHOP_MESSAGE_MAX]);

/* Makes a private copy at path for a program that writes; -wal, -shm and
 * -journal files that lie there from an earlier run are removed. Nobody may
 * have the old file open. Errors as asq_shop_make. */
int asq_shop_copy(const struct asq_shop *shop,
                  const char *path,
                  char message[static ASQ_SHOP_MESSAGE_MAX]);

#endif
