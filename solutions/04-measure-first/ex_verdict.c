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
    /* begin solution */
    const uint64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
    /* instead:
    return 0;
    */
    /* end solution */
}

int ex_percentile(const uint64_t *samples_ns,
                  size_t count,
                  unsigned percent,
                  uint64_t *ret_ns)
{
    /* begin solution */
    uint64_t *sorted;

    if (count == 0 || percent < 1 || percent > 100)
        return UV_EINVAL;
    sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL)
        return UV_ENOMEM;
    memcpy(sorted, samples_ns, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    *ret_ns = sorted[(count * percent + 99) / 100 - 1];
    free(sorted);
    return 0;
    /* instead:
    return UV_ENOSYS;
    */
    /* end solution */
}

/* Finds what a way costs. Returns the same codes as ex_percentile. */
static int find_cost(const struct ex_way *way, uint64_t *ret_ns)
{
    /* begin solution */
    int err = ex_percentile(way->samples_ns, way->count, 99, ret_ns);

    if (err == 0 && *ret_ns < way->stall_ns)
        *ret_ns = way->stall_ns;
    return err;
    /* instead:
    return UV_ENOSYS;
    */
    /* end solution */
}

enum ex_verdict ex_verdict_of(const struct ex_way *blocking,
                              const struct ex_way *other,
                              uint64_t limit_ns)
{
    /* begin solution */
    uint64_t before = 0, after = 0;

    if (find_cost(blocking, &before) != 0 || find_cost(other, &after) != 0)
        return EX_NO_DATA;
    if (before > after && before - after > limit_ns)
        return EX_GO_ASYNC;
    return EX_STAY_SYNC;
    /* instead:
    return EX_NO_DATA;
    */
    /* end solution */
}

int ex_index_add(sqlite3 *db)
{
    /* begin solution */
    return sqlite3_exec(db,
                        "CREATE INDEX IF NOT EXISTS orders_by_status"
                        " ON orders (status, created_at)",
                        NULL, NULL, NULL);
    /* instead:
    return SQLITE_ERROR;
    */
    /* end solution */
}
