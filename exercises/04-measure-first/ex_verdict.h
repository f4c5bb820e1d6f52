/* ex_verdict - is the other way worth it, and an index for one query
 *
 * The first two functions use nothing but their arguments. The third changes a
 * database, whose connection the calling thread owns.
 */
#ifndef EX_VERDICT_H
#define EX_VERDICT_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h> /* for the codes: UV_EINVAL, UV_ENOMEM */

enum ex_verdict {
    EX_NO_DATA,   /* there is nothing to judge by */
    EX_STAY_SYNC, /* the simpler way: call it where you need the answer */
    EX_GO_ASYNC   /* the other way is worth it */
};

/* What was measured with one way of running the query. */
struct ex_way {
    const uint64_t *samples_ns; /* how long users waited, in any order;
                                   UINT64_MAX: no answer came */
    size_t count;
    uint64_t stall_ns; /* the longest time that the main thread stood still */
};

/* Writes the nearest-rank percentile to *ret_ns: the smallest sample that at
 * least percent in every 100 samples do not exceed. It is always one of the
 * samples. They are borrowed and keep their values and their order.
 *
 * percent is a whole number from 1 to 100. Returns 0, UV_EINVAL for any other
 * percent or if there are no samples (samples_ns may be NULL then), or
 * UV_ENOMEM. Unless it returns 0, *ret_ns stays as it was. */
int ex_percentile(const uint64_t *samples_ns,
                  size_t count,
                  unsigned percent,
                  uint64_t *ret_ns);

/* Judges. A way costs its p99 or its stall, whichever is longer. The other way
 * is worth it if it costs less than blocking by more than limit_ns. If it saves
 * exactly limit_ns, that is a tie, and a tie goes to the simpler way, blocking.
 * Every 64-bit value is possible.
 *
 * Returns EX_NO_DATA if ex_percentile fails for one of the two ways. */
enum ex_verdict ex_verdict_of(const struct ex_way *blocking,
                              const struct ex_way *other,
                              uint64_t limit_ns);

/* The orders of a status in a range of time, the oldest first. The table, which
 * gets thousands of new orders each day:
 *
 *     orders  id (the key), user_id (indexed), status, created_at, cents
 */
#define EX_QUERY                                                               \
    "SELECT id, user_id, cents FROM orders"                                    \
    " WHERE status = ?1 AND created_at >= ?2 AND created_at < ?3"              \
    " ORDER BY created_at, id"

/* Adds the one index that EX_QUERY needs: with it the query reads only the rows
 * that it returns and has nothing to sort, whatever values are bound. When this
 * returns 0, the index is in the file. Nothing else is changed, neither in the
 * file nor in the settings of db, and every write that was possible before is
 * still possible.
 *
 * A program calls this each time it starts. If the index exists already,
 * nothing is done, and 0 is returned even while another connection writes.
 *
 * db has no transaction open, neither before nor afterwards, and no statement
 * is left on it. Returns 0 or the code with which SQLite failed, unchanged:
 * SQLITE_BUSY if another connection writes and there is no index yet. */
int ex_index_add(sqlite3 *db);

#endif
