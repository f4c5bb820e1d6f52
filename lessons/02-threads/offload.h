/* offload - somebody else waits: a fixed set of threads behind a queue
 *
 * A caller submits jobs; the threads take them in order and run them, each
 * thread one at a time. The queue is bounded: when it is full, submit waits or
 * returns an error. Nothing polls: all waits are on condition variables.
 *
 * Any thread may call its functions, and so may a job; but a job must not
 * wait for another job or for room in the queue, because if all threads waited,
 * no thread would be left to run anything. Depends on thread and pthreads.
 * Error codes are those of libuv (negative errno).
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

/* Runs on one of the threads, outside the lock. thread counts from 0, so a
 * program can keep an array with one connection for each thread. */
typedef void (*asq_run_cb)(struct asq_job *job, unsigned thread);

/* The caller embeds it in a struct of its own and zeroes it before its first
 * submit. Keep its memory until asq_offload_wait has returned for the job, or
 * asq_offload_stop has returned. Then it may be submitted again. */
struct asq_job {
    /* public: set before submit */
    asq_run_cb run_on_thread;
    void *data;
    /* read-only: valid once it was waited for */
    int status; /* 0: it has run; UV_ECANCELED or another code: it never ran */
    /* private: guarded by the offload's lock */
    struct asq_job *next;
    bool finished;
    bool pending; /* queued or running */
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
    unsigned numbered; /* how many threads have their number */
    bool stopping;
};

enum asq_offload_full {
    ASQ_FULL_FAILS, /* if the queue is full, submit returns UV_ENOBUFS */
    ASQ_FULL_WAITS  /* if the queue is full, submit waits for room */
};

enum asq_offload_rest {
    ASQ_REST_RUNS,   /* queued jobs still run */
    ASQ_REST_CANCELS /* queued jobs get UV_ECANCELED; running ones finish */
};

/* Starts the threads. thread_count and capacity (of the queue, in jobs) are at
 * least 1. Returns 0, UV_EINVAL, UV_ENOMEM, or the negated error of
 * pthread_create; after an error offload is zeroed, and there is nothing to
 * stop or to destroy. */
int asq_offload_start(struct asq_offload *offload,
                      unsigned thread_count,
                      size_t capacity);

/* Refuses new jobs, runs or cancels the queued ones, and waits until the
 * threads have ended. Call it from a thread that is not one of its own. Other
 * threads may be inside submit or wait, and may still call them: every wait
 * returns, and submit returns UV_ESHUTDOWN. Accepts a zeroed or stopped
 * offload. */
void asq_offload_stop(struct asq_offload *offload, enum asq_offload_rest rest);

/* Frees what start has made. Call it after asq_offload_stop, and only when
 * every other thread has returned from its call: join those that submit or
 * wait. Accepts NULL and a zeroed or destroyed offload. */
void asq_offload_destroy(struct asq_offload *offload);

/* Queues a job. Returns 0, or
 *   UV_ENOBUFS    the queue is full
 *   UV_ESHUTDOWN  the offload is stopping, even if that began during the wait
 *   UV_EINVAL     the job has no function
 *   UV_EALREADY   it is queued or running already, and is left alone
 * After any of the first three the job never runs, and asq_offload_wait returns
 * the same code. */
int asq_offload_submit(struct asq_offload *offload,
                       struct asq_job *job,
                       enum asq_offload_full full);

/* Waits until a submitted job has run or was cancelled, and returns its status.
 * The caller then sees everything that the job wrote. */
int asq_offload_wait(struct asq_offload *offload, struct asq_job *job);

#ifdef __cplusplus
}
#endif

#endif
