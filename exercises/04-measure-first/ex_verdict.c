/* ex_verdict - is the other way worth it, and an index for one query
 *
 * Owns nothing. The contract is in ex_verdict.h.
 */
#include "ex_verdict.h"

#include <stdlib.h>
#include <string.h>

/* For qsort: returns a number below 0 if *a is less than *b, 0 if they are
 * equal, and a number above 0 if *a is greater. */
static int compare(const void *a, const void *b)
{
    /* Your code. */
    return 0;
}

int ex_percentile(const uint64_t *samples_ns,
                  size_t count,
                  unsigned percent,
                  uint64_t *ret_ns)
{
    /* Your code. */
    return UV_ENOSYS;
}

/* Finds what a way costs. Returns the same codes as ex_percentile. */
static int find_cost(const struct ex_way *way, uint64_t *ret_ns)
{
    /* Your code. */
    return UV_ENOSYS;
}

enum ex_verdict ex_verdict_of(const struct ex_way *blocking,
                              const struct ex_way *other,
                              uint64_t limit_ns)
{
    /* Your code. */
    return EX_NO_DATA;
}

int ex_index_add(sqlite3 *db)
{
    /* Your code. */
    return SQLITE_ERROR;
}
