/* offload - somebody else waits: a fixed set of threads behind a queue
 *
 * A caller submits jobs; threads take them in order and run them, one each at
 * a time. The queue is bounded: when it is full, the caller waits or is told.
 * No thread polls: all waiting is on condition variables.
 *
 * Any thread may enter it, a job's own function too (but not to wait for
 * another job or for room: with all threads waiting nobody would be left to
 * run anything). Depends on thread and pthreads; error codes are those of
 * libuv (negative errno).
 */
#ifndef ASQ_OFFLOAD_H
#define ASQ_OFFLOAD_H

#include "02-threads/thread.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_job;

/* Runs on one of the threads, outside the lock. thread counts from 0, so that
 * a program can keep one connection a thread in an array. */
typedef void (*asq_run_cb)(struct asq_job *job, unsigned thread);

/* Embedded by the caller, and zeroed before its first submit; its memory stays
 * until the job was waited for, or until asq_offload_stop returned. Then it may
 * be submitted again. */
struct asq_job {
    /* public: set before submit */
    asq_run_cb run_on_thread;
    void *data;
    /* read-only: valid once waited for */
    int status; /* 0: it ran; UV_ECANCELED and others: it never ran */
    /* private: guarded by the offload's lock */
    struct asq_job *next;
    bool finished;
    bool pending; /* in the queue, or being run */
};

struct asq_offload {
    /* private: set before start */
    uv_thread_t *threads; /* NULL once stopped */
    unsigned thread_count;
    size_t capacity; /* 0: not started, or destroyed */
    /* private: guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t not_empty; /* a job waits, or stopping */
    pthread_cond_t not_full;  /* there is room, or stopping */
    pthread_cond_t ended;     /* some job has finished */
    struct asq_job *first;
    struct asq_job *last;
    size_t queued;
    unsigned numbered; /* threads that have taken their number */
    bool stopping;
};

enum asq_offload_full {
    ASQ_FULL_FAILS, /* submit returns UV_ENOBUFS when the queue is full */
    ASQ_FULL_WAITS  /* submit waits for room */
};

enum asq_offload_rest {
    ASQ_REST_RUNS,   /* what is queued still runs */
    ASQ_REST_CANCELS /* what is queued gets UV_ECANCELED; running jobs end */
};

/* Starts the threads. thread_count and capacity (waiting jobs) are at least
 * 1. Returns 0, UV_EINVAL, UV_ENOMEM, or the negated error of
 * pthread_create; on failure offload is zeroed and nothing is owed. */
int asq_offload_start(struct asq_offload *offload,
                      unsigned thread_count,
                      size_t capacity);

/* Refuses new jobs, runs or cancels what is queued, and waits for the threads
 * to end. Call it from a thread that is not one of its own. Calls of other
 * threads may be under way and may still come: waits return, submits get
 * UV_ESHUTDOWN. Accepts a zeroed or stopped offload. */
void asq_offload_stop(struct asq_offload *offload, enum asq_offload_rest rest);

/* Frees what start made, after asq_offload_stop. Every other thread must have
 * left its call by then: join those that submit or wait. Accepts NULL and a
 * zeroed or destroyed offload. */
void asq_offload_destroy(struct asq_offload *offload);

/* Queues a job. Returns 0; UV_ENOBUFS (full), UV_ESHUTDOWN (stopping, also
 * when it begins during the wait), UV_EINVAL (no function). When it returns
 * non-zero the job never runs, and whoever waits for it gets the same code. A
 * job that is queued or runs already is left alone: UV_EALREADY. */
int asq_offload_submit(struct asq_offload *offload,
                       struct asq_job *job,
                       enum asq_offload_full full);

/* Waits until a submitted job has run or was cancelled. Returns its status.
 * What the job wrote is visible to the caller. */
int asq_offload_wait(struct asq_offload *offload, struct asq_job *job);

#ifdef __cplusplus
}
#endif

#endif
