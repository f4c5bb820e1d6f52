/* basket - the query that every comparison of the course runs
 *
 * It asks for five items that are far apart, so each is on a page of its own,
 * and a query whose pages are not in memory reads five pages from the disk. On
 * a disk that takes 1 ms a read, that is about 5 ms.
 *
 * Any thread may call its functions. Owns nothing. Depends on db and value.
 */
#ifndef ASQ_BASKET_H
#define ASQ_BASKET_H

#include "01-blocking/db.h"
#include "01-blocking/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns one row: how many of the items exist, and their total value. */
#define ASQ_BASKET_SQL                                                         \
    "SELECT count(*) AS count, sum(value) AS value FROM items"                 \
    " WHERE id IN (?1, ?2, ?3, ?4, ?5)"

enum {
    ASQ_BASKET_SIZE = 5
};

/* Returns the profile with which programs open the shop for baskets: read-only,
 * and with a page cache so small that a basket finds only the root page of the
 * table in it. path and vfs (NULL: the fast disk) are borrowed. */
struct asq_profile asq_basket_profile(const char *path, const char *vfs);

/* Writes the ids of a request's basket: all different, from 1 to items, and
 * always the same for the same request. request counts from 0; items is at
 * least ASQ_BASKET_SIZE. */
void asq_basket_fill(struct asq_value ids[ASQ_BASKET_SIZE],
                     long request,
                     int items);

#ifdef __cplusplus
}
#endif

#endif
