/* gather - several statements at once, and one callback when all are answered
 *
 * Each part is a request. Parts that are on different connections of a pool run
 * at the same time. On one connection they run one after another, and gathering
 * them saves only hops. A pool sends a part to another connection only when the
 * first one has `depth` requests pending: set the pool's depth to 1 if the
 * queries are long, and leave it as it is if they are short.
 *
 * The parts share no snapshot: a commit may come between the beginnings of two
 * of them. Where they must agree, use snapshot.
 *
 * The first part that fails decides the status of the whole, and the others are
 * cancelled, unless keep_going is set. The callback is called once, when no
 * part is running any more: all memory may be freed in it.
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

/* status is 0 if every part succeeded; otherwise it is that of the part that
 * failed first, gather->failed. */
typedef void (*asq_gather_cb)(struct asq_gather *gather, int status);

/* One statement. Embedded by the caller; its request belongs to the gather from
 * add until the callback begins. */
struct asq_gather_part {
    /* public: set before start */
    struct asq_request request; /* its priority and timeout_ms; the rest is the
                                   gather's */
    /* read-only: valid in the callback, with the result in request */
    int status; /* of the request; UV_ECANCELED if it was never started */
    /* private: loop thread only */
    struct asq_gather *gather;
    struct asq_gather_part *next;
    const char *sql;
    struct asq_params params;
};

struct asq_gather {
    /* public: set between init and start */
    void *data;
    struct asq_conn *conn; /* runs all parts, in place of a pool; or NULL */
    size_t limit;          /* how many parts may be pending; 0: no limit */
    bool keep_going;       /* a failure cancels nothing */
    /* read-only: valid in the callback */
    struct asq_gather_part *failed; /* the first one, or NULL */
    size_t count;                   /* of parts */
    /* private: loop thread only */
    struct asq_pool *pool;
    struct asq_gather_part *first, *last;
    struct asq_gather_part *to_start; /* the next one; NULL: none is left */
    size_t pending;                   /* parts that are not answered */
    bool started;
    int status;
    struct asq_later later; /* when no answer will call on_done */
    asq_gather_cb on_done;
};

/* Makes a gather without parts. */
void asq_gather_init(struct asq_gather *gather);

/* Make a part ready for its first add, and free its result. */
void asq_gather_part_init(struct asq_gather_part *part);
void asq_gather_part_destroy(struct asq_gather_part *part);

/* Adds a part. Its result will be in the part, whatever the order in which the
 * answers come. sql and what params points to are borrowed until the callback;
 * params may be NULL. Not while the gather is started, and not a part that has
 * been added since the last callback. */
void asq_gather_add(struct asq_gather *gather,
                    struct asq_gather_part *part,
                    const char *sql,
                    const struct asq_params *params);

/* Starts the parts in the order in which they were added: all of them, or as
 * many as limit allows. loop is that of the pool. on_done is never called
 * inside. A part that the pool refuses (its line is full, or it is closing) has
 * failed with that status. When on_done is called, the gather is empty again:
 * add the parts anew to start them again. Returns 0, or UV_EINVAL (it is
 * started already, no callback, or neither pool nor conn is given). */
int asq_gather_start(struct asq_gather *gather,
                     uv_loop_t *loop,
                     struct asq_pool *pool,
                     asq_gather_cb on_done);

/* Cancels all parts. on_done gets the status of the first one that was stopped
 * or never started, or 0 if all had finished. Does nothing if the gather is not
 * started. */
void asq_gather_cancel(struct asq_gather *gather);

#ifdef __cplusplus
}
#endif

#endif
