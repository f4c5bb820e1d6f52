/* gather - several statements at once, and one callback when all are answered
 *
 * Each part is a request. The parts run on the connections of a pool, so they
 * are at work at the same time; on a single connection they run one after
 * another, and gathering them saves only hops.
 *
 * The first part that fails decides the status of the whole, and the others
 * are cancelled, unless keep_going is set. The callback comes once, and only
 * when no part is running any more: all memory may be freed in it.
 *
 * Every function belongs to the loop thread. Depends on later, on pool of
 * lesson 10, and on conn of lesson 03.
 */
#ifndef ASQ_GATHER_H
#define ASQ_GATHER_H

#include "10-pooling/pool.h"
#include "11-concurrent-queries/later.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_gather;

/* status is 0 if every part succeeded, else that of the part that failed
 * first, gather->failed. */
typedef void (*asq_gather_cb)(struct asq_gather *gather, int status);

/* One statement. Embedded by the caller; its request belongs to the gather from
 * add until the callback. */
struct asq_gather_part {
    /* public: set by add, and until start */
    struct asq_request request; /* priority and timeout_ms are the caller's */
    /* read-only: valid in the callback, with the result in request */
    int status; /* as of a request; UV_ECANCELED also if it was never started */
    /* private: loop thread only */
    struct asq_gather *gather;
    struct asq_gather_part *next;
    const char *sql;
    struct asq_params params;
};

struct asq_gather {
    /* public: set between init and start */
    void *data;
    struct asq_conn *conn; /* all parts run on this one, not on the pool */
    size_t limit;          /* parts under way at once; 0: no limit */
    bool keep_going;       /* a failure cancels nothing */
    /* read-only: valid in the callback */
    struct asq_gather_part *failed; /* first, or NULL */
    size_t count;                   /* parts */
    /* private: loop thread only */
    struct asq_pool *pool;
    struct asq_gather_part *first, *last;
    struct asq_gather_part *to_start; /* the next one; NULL: none is left */
    size_t pending;                   /* parts under way */
    bool started;
    int status;
    struct asq_later later; /* for a callback that no part brings */
    asq_gather_cb on_done;
};

/* Makes a gather without parts. */
void asq_gather_init(struct asq_gather *gather);

/* Make a part ready for its first add, and free its result. */
void asq_gather_part_init(struct asq_gather_part *part);
void asq_gather_part_destroy(struct asq_gather_part *part);

/* Adds a part; results are found in the parts, whatever the order in which
 * they come. sql and what params points to are borrowed until the callback;
 * params may be NULL. Not while the gather is started, and not a part that has
 * been added since the last callback. */
void asq_gather_add(struct asq_gather *gather,
                    struct asq_gather_part *part,
                    const char *sql,
                    const struct asq_params *params);

/* Starts all parts, or `limit` of them at once, on the pool. loop is that of
 * the pool. on_done is never called inside. A part that is refused (a full
 * line, a pool that closes) has failed with that status. Returns 0, or
 * UV_EINVAL (no callback, it is started, or neither pool nor conn is given). */
int asq_gather_start(struct asq_gather *gather,
                     uv_loop_t *loop,
                     struct asq_pool *pool,
                     asq_gather_cb on_done);

/* Cancels all parts. The callback has the status of the first that was stopped
 * or never started, or 0 if all were done already. Harmless when nothing is
 * started. */
void asq_gather_cancel(struct asq_gather *gather);

#ifdef __cplusplus
}
#endif

#endif
