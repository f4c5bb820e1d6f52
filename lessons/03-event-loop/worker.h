/* worker - a thread with a queue, attached to a loop
 *
 * The loop thread queues work. The worker thread takes everything that waits as
 * one batch, and hands finished work back as one list with one wake-up. It
 * knows no SQL: its owner decides what a batch means.
 *
 * A wake-up costs both threads more than a point read. So the loop is woken
 * once for half a batch, or at the end of a batch. And when answers come close
 * together, the loop does not sleep between them: it looks for the next ones in
 * every turn, and yields the processor.
 *
 * The caller owns the loop. Each function says which thread may call it.
 * Depends on work, and on thread of lesson 02.
 */
#ifndef ASQ_WORKER_H
#define ASQ_WORKER_H

#include "01-blocking/atomics.h"
#include "02-threads/thread.h"
#include "03-event-loop/work.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_worker;

/* Which queue. Urgent work is taken first; but once urgent items alone have
 * filled two batches while others waited, those are taken before urgent ones
 * that are queued later. */
enum asq_work_lane {
    ASQ_LANE_URGENT,
    ASQ_LANE_NORMAL,
    ASQ_LANES
};

/* The functions of the owner. start and stop may be NULL. */
struct asq_worker_ops {
    /* On the worker, before the first batch and after the last. */
    void (*start_on_worker)(struct asq_worker *worker);
    void (*stop_on_worker)(struct asq_worker *worker);
    /* On the worker: takes every item off the batch, oldest first, and gives
     * each to asq_worker_done once. */
    void (*run_on_worker)(struct asq_worker *worker,
                          struct asq_work_list *batch);
    /* On the loop, once for each item, oldest first. */
    void (*finish_on_loop)(struct asq_worker *worker, struct asq_work *work);
};

/* On the loop, last of all: from now on the memory may be freed. */
typedef void (*asq_worker_closed_cb)(struct asq_worker *worker);

struct asq_worker {
    /* public: set before open */
    void *data;
    unsigned poll_us; /* when answers come closer together than this, the loop
                         looks for the next one before it sleeps; 0: never */
    const char *name; /* of the thread, in debuggers; borrowed until it has
                         started. NULL: that of the program */
    /* read-only: loop thread */
    uint64_t loop_wakes, worker_wakes; /* how often each was woken */
    /* private: set before start */
    uv_loop_t *loop;
    const struct asq_worker_ops *ops;
    size_t capacity;
    size_t batch_max;
    uv_thread_t thread;
    uv_async_t async;
    uv_mutex_t lock;
    uv_cond_t not_empty;
    /* private: guarded by lock */
    struct asq_work_list queue[ASQ_LANES];
    struct asq_work_list finished; /* ready for the loop to take */
    size_t finished_count;
    unsigned passed_over; /* batches of urgent items while others waited */
    bool called;          /* the loop has been woken, or looks by itself */
    atomic_bool sleeping; /* the worker waits for not_empty and has not been
                             woken yet; read without the lock as a hint */
    bool closing;
    bool ended; /* the thread uses nothing after it has set this */
    /* private: the worker's once it has started */
    char thread_name[ASQ_THREAD_NAME_SIZE];
    struct asq_work_list done; /* not yet in finished */
    size_t done_count;
    /* private: loop thread only */
    struct asq_work_list collected[ASQ_LANES]; /* on the way to the queue */
    size_t collected_count;
    uint64_t collected_ns;  /* since when; set in callbacks */
    size_t unfinished;      /* submitted, not yet given to finish_on_loop */
    size_t kept;            /* reasons to keep the loop alive */
    bool finishing;         /* finish_on_loop is being called */
    uv_idle_t look;         /* active while the loop looks by itself */
    uint64_t given_back_ns; /* when finish_on_loop was last called */
    bool close_called;
    asq_worker_closed_cb on_closed;
};

/* Starts the thread. ops are borrowed until closed; capacity is how many items
 * may be unfinished, batch_max how many are taken at once, both at least 1.
 * Loop thread. Returns 0, or a UV_E* code, after which there is nothing to
 * close. */
int asq_worker_open(struct asq_worker *worker,
                    uv_loop_t *loop,
                    const struct asq_worker_ops *ops,
                    size_t capacity,
                    size_t batch_max);

/* Queues work, which belongs to the worker until finish_on_loop gets it. Items
 * that finish_on_loop submits are collected and passed on together, because a
 * wake-up for each would cost more than a query; but not later, if the calls
 * are slow and the worker sleeps. Loop thread. Returns 0, UV_ENOBUFS (capacity
 * items are unfinished) or UV_ESHUTDOWN. */
int asq_worker_submit(struct asq_worker *worker,
                      struct asq_work *work,
                      enum asq_work_lane lane);

/* Announces one item that start_on_worker will give to asq_worker_done although
 * it was never submitted. It counts as unfinished. Loop thread. */
void asq_worker_expect(struct asq_worker *worker);

/* Fixes the order of the items that wait now: no item that is queued later,
 * urgent or not, overtakes them. Loop thread. */
void asq_worker_settle(struct asq_worker *worker);

/* Keep the loop alive, and let it end again; calls are counted. Queued work
 * keeps it alive by itself. Loop thread. */
void asq_worker_keep(struct asq_worker *worker);
void asq_worker_let_go(struct asq_worker *worker);

/* Refuses new work, runs what waits, calls stop_on_worker, ends the thread, and
 * then calls on_closed. A second call does nothing. Loop thread. */
void asq_worker_close(struct asq_worker *worker,
                      asq_worker_closed_cb on_closed);

/* Finishes an item; from now on the loop may have it. Worker thread. */
void asq_worker_done(struct asq_worker *worker, struct asq_work *work);

/* Hands all finished items to the loop. Every batch ends with it; a long batch
 * also calls it in between. Worker thread. */
void asq_worker_post(struct asq_worker *worker);

/* Takes every item out of the queue for which leaves returns true, and puts
 * them into ret_left in order. leaves is called under the lock, oldest first:
 * it must be quick and may use only the item and what the worker thread owns.
 * Worker thread. */
void asq_worker_sweep(struct asq_worker *worker,
                      bool (*leaves)(struct asq_work *work, void *data),
                      void *data,
                      struct asq_work_list *ret_left);

#ifdef __cplusplus
}
#endif

#endif
