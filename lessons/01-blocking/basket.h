/* basket - the query that every comparison of the course runs
 *
 * Five items far apart, so that each lies on a page of its own and a query
 * reads five pages from a disk whose pages are not in memory. On a disk of
 * 1 ms a read that is about 5 ms.
 *
 * Any thread may enter; it owns nothing. Depends on db and value.
 */
#ifndef ASQ_BASKET_H
#define ASQ_BASKET_H

#include "01-blocking/db.h"
#include "01-blocking/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Answers with one row: how many of the items exist, and their value. */
#define ASQ_BASKET_SQL                                                         \
    "SELECT count(*) AS count, sum(value) AS value FROM items"                 \
    " WHERE id IN (?1, ?2, ?3, ?4, ?5)"

enum {
    ASQ_BASKET_SIZE = 5
};

/* Returns how a program opens the shop for baskets: for reading only, with a
 * page cache so small that a basket finds nothing but the root of the table
 * in it. path and vfs (NULL: the fast disk) are borrowed. */
struct asq_profile asq_basket_profile(const char *path, const char *vfs);

/* Writes the ids of a request's basket: from 1 to items, all different, the
 * same for the same request. request counts from 0; items is at least
 * ASQ_BASKET_SIZE. */
void asq_basket_fill(struct asq_value ids[ASQ_BASKET_SIZE],
                     long request,
                     int items);

#ifdef __cplusplus
}
#endif

#endif
