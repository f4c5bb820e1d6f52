/* shop - the data set of the course, which makes itself
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
 * The status of an item is active, draft, sold or archived; its value is its
 * price in cents. Ids run from 1 without gaps. The same spec gives the same
 * rows on every machine.
 *
 * Two threads must not use the same spec at once. Two processes may: each
 * writes a file of its own and renames it.
 */
#ifndef COMMON_SHOP_H
#define COMMON_SHOP_H

#include <stddef.h>
#include <stdint.h>

struct asq_shop {
    int users;  /* each has a profile and an account; at least 1 */
    int items;  /* at least 1 */
    int orders; /* each has 1 to 5 lines; 0 is allowed */
    uint64_t seed;
};

enum {
    ASQ_SHOP_PATH_MAX = 512,
    ASQ_SHOP_MESSAGE_MAX = 256
};

/* Makes sure that the file of the data set exists and is intact, and writes its
 * path to ret_path. The file is in build/data, in WAL mode, and only for
 * reading: a checksum beside it tells whether it was damaged or written to, and
 * then it is made again. Returns 0, or an SQLITE_* code or a negative errno,
 * with one line in message. */
int asq_shop_make(const struct asq_shop *shop,
                  char ret_path[static ASQ_SHOP_PATH_MAX],
                  char message[static ASQ_SHOP_MESSAGE_MAX]);

/* Makes a private copy at path for a program that writes, and removes -wal,
 * -shm and -journal files of an earlier run. The old file must not be open
 * anywhere. Errors as asq_shop_make. */
int asq_shop_copy(const struct asq_shop *shop,
                  const char *path,
                  char message[static ASQ_SHOP_MESSAGE_MAX]);

#endif
