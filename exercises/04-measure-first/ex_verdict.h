/* ex_verdict - is the other way worth it, and an index for one query
 *
 * The first two functions look at their arguments alone. The third changes a
 * database; its connection belongs to the calling thread.
 */
#ifndef EX_VERDICT_H
#define EX_VERDICT_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h> /* for the codes: UV_EINVAL, UV_ENOMEM */

enum ex_verdict {
    EX_NO_DATA,   /* there is nothing to judge by */
    EX_STAY_SYNC, /* the simpler one: call it where you need the answer */
    EX_GO_ASYNC   /* the other way is worth it */
};

/* What was measured of one way of asking. */
struct ex_way {
    const uint64_t *samples_ns; /* what users have waited, in any order;
                                   UINT64_MAX: no answer came */
    size_t count;
    uint64_t stall_ns; /* how long the main thread has stood still */
};

/* Writes the nearest-rank percentile to *ret_ns: the smallest sample that at
 * least percent of 100 samples do not exceed. It is always one of the samples.
 * They are borrowed and stay as they are, in their order too.
 *
 * percent is a whole number from 1 to 100. Returns 0, UV_EINVAL for any other
 * percent and where there are no samples (then samples_ns may be NULL), or
 * UV_ENOMEM. Unless it returns 0, *ret_ns stays as it was. */
int ex_percentile(const uint64_t *samples_ns,
                  size_t count,
                  unsigned percent,
                  uint64_t *ret_ns);

/* Judges. A way costs its p99 or its stall, whichever is longer. The other way
 * is worth it if it costs less than blocking does by more than limit_ns; what
 * saves exactly limit_ns is a tie, and ties go to the simpler one. All values
 * of 64 bits may come.
 *
 * Returns EX_NO_DATA where ex_percentile has failed for one of them. */
enum ex_verdict ex_verdict_of(const struct ex_way *blocking,
                              const struct ex_way *other,
                              uint64_t limit_ns);

/* The orders of a status in a range of time, the oldest first. The table, in
 * which thousands of orders are made each day:
 *
 *     orders  id (the key), user_id (indexed), status, created_at, cents
 */
#define EX_QUERY                                                               \
    "SELECT id, user_id, cents FROM orders"                                    \
    " WHERE status = ?1 AND created_at >= ?2 AND created_at < ?3"              \
    " ORDER BY created_at, id"

/* Adds the one index that EX_QUERY needs: it then reads only the rows that it
 * returns, and has nothing to sort, whatever its values are. The index is in
 * the file when this returns; nothing else is changed, neither in the file nor
 * in what db is set to, and no write that was possible is refused.
 *
 * Each start of a program calls this. Where the index is there already,
 * nothing happens, and it returns 0 even while another connection writes.
 *
 * db is in no transaction, neither before nor afterwards, and has no new
 * statement. Returns 0 or the code with which SQLite has failed, unchanged:
 * SQLITE_BUSY while another connection writes and there is no index yet. */
int ex_index_add(sqlite3 *db);

#endif
