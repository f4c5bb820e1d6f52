/* offload - somebody else waits: a fixed set of threads behind a queue
 *
 * Owns the threads and the links of the queue; jobs belong to their callers.
 * One lock guards everything. Every wait is inside a loop that looks again,
 * because another thread may be faster than the one that was woken. Depends on
 * thread and pthreads, and on libuv for the names of its error codes.
 */
#include "02-threads/offload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* These calls fail only if the object is invalid or used wrongly, so a failure
 * means that an invariant is broken. */
static void lock(struct asq_offload *offload)
{
    int err = pthread_mutex_lock(&offload->lock);

    assert(err == 0);
    (void)err; /* read by the assertion only */
}

static void unlock(struct asq_offload *offload)
{
    int err = pthread_mutex_unlock(&offload->lock);

    assert(err == 0);
    (void)err; /* read by the assertion only */
}

static void sleep_on(struct asq_offload *offload, pthread_cond_t *condition)
{
    int err = pthread_cond_wait(condition, &offload->lock);

    assert(err == 0);
    (void)err; /* read by the assertion only */
}

static void append(struct asq_offload *offload, struct asq_job *job)
{
    job->next = NULL;
    job->pending = true;
    if (offload->last != NULL)
        offload->last->next = job;
    else
        offload->first = job;
    offload->last = job;
    offload->queued++;
}

static struct asq_job *take_first(struct asq_offload *offload)
{
    struct asq_job *job = offload->first;

    offload->first = job->next;
    if (offload->first == NULL)
        offload->last = NULL;
    offload->queued--;
    return job;
}

/* Call it under the lock. Once that is released the job may be gone, because
 * its caller waits only for `finished`. */
static void finish(struct asq_offload *offload, struct asq_job *job, int status)
{
    job->status = status;
    job->finished = true;
    job->pending = false;
    /* Every waiter waits for a job of its own, and a signal could wake the
     * wrong one. */
    (void)pthread_cond_broadcast(&offload->ended); /* cannot fail */
}

static void run_jobs(void *data)
{
    struct asq_offload *offload = data;
    unsigned thread;

    asq_thread_set_name("asq-offload");
    lock(offload);
    thread = offload->numbered++;
    for (;;) {
        struct asq_job *job;

        while (offload->queued == 0 && !offload->stopping)
            sleep_on(offload, &offload->not_empty);
        if (offload->queued == 0)
            break; /* stopping, and nothing is left */
        job = take_first(offload);
        (void)pthread_cond_signal(&offload->not_full); /* cannot fail */
        unlock(offload);
        job->run_on_thread(job, thread);
        lock(offload);
        finish(offload, job, 0);
    }
    unlock(offload);
}

/* Undoes init_all. No thread is inside any more, so nothing can fail. */
static void destroy_all(struct asq_offload *offload)
{
    (void)pthread_cond_destroy(&offload->ended);
    (void)pthread_cond_destroy(&offload->not_full);
    (void)pthread_cond_destroy(&offload->not_empty);
    (void)pthread_mutex_destroy(&offload->lock);
}

static int init_all(struct asq_offload *offload)
{
    int err = pthread_mutex_init(&offload->lock, NULL);

    if (err != 0)
        return -err;
    err = pthread_cond_init(&offload->not_empty, NULL);
    if (err != 0)
        goto no_not_empty;
    err = pthread_cond_init(&offload->not_full, NULL);
    if (err != 0)
        goto no_not_full;
    err = pthread_cond_init(&offload->ended, NULL);
    if (err == 0)
        return 0;

    /* UNTESTED: where these calls need no memory, they cannot fail. Nor can
     * destroying what was just made. */
    (void)pthread_cond_destroy(&offload->not_full);
no_not_full:
    (void)pthread_cond_destroy(&offload->not_empty);
no_not_empty:
    (void)pthread_mutex_destroy(&offload->lock);
    return -err;
}

int asq_offload_start(struct asq_offload *offload,
                      unsigned thread_count,
                      size_t capacity)
{
    uv_thread_t *threads;
    int err;

    memset(offload, 0, sizeof *offload);
    if (thread_count == 0 || capacity == 0)
        return UV_EINVAL;
    threads = calloc(thread_count, sizeof *threads);
    if (threads == NULL)
        return UV_ENOMEM;
    err = init_all(offload);
    if (err != 0) {
        free(threads);
        memset(offload, 0, sizeof *offload);
        return err;
    }
    offload->threads = threads;
    offload->capacity = capacity;
    while (offload->thread_count < thread_count) {
        err = asq_thread_start(&threads[offload->thread_count], run_jobs,
                               offload);
        if (err != 0) {
            asq_offload_stop(offload, ASQ_REST_CANCELS);
            asq_offload_destroy(offload);
            return err;
        }
        offload->thread_count++;
    }
    return 0;
}

void asq_offload_stop(struct asq_offload *offload, enum asq_offload_rest rest)
{
    if (offload->threads == NULL)
        return;
    lock(offload);
    offload->stopping = true;
    while (rest == ASQ_REST_CANCELS && offload->queued > 0)
        finish(offload, take_first(offload), UV_ECANCELED);
    (void)pthread_cond_broadcast(&offload->not_empty); /* cannot fail */
    (void)pthread_cond_broadcast(&offload->not_full);  /* cannot fail */
    unlock(offload);
    for (unsigned i = 0; i < offload->thread_count; i++) {
        int err = uv_thread_join(&offload->threads[i]);

        assert(err == 0); /* else one of its own threads has called stop */
        (void)err;        /* read by the assertion only */
    }
    free(offload->threads);
    offload->threads = NULL;
}

void asq_offload_destroy(struct asq_offload *offload)
{
    if (offload == NULL || offload->capacity == 0)
        return;
    assert(offload->threads == NULL); /* stop comes first */
    destroy_all(offload);
    memset(offload, 0, sizeof *offload);
}

int asq_offload_submit(struct asq_offload *offload,
                       struct asq_job *job,
                       enum asq_offload_full full)
{
    int err = 0;

    lock(offload);
    if (job->pending) { /* twice in the queue, it would be its own successor */
        unlock(offload);
        return UV_EALREADY;
    }
    while (full == ASQ_FULL_WAITS && offload->queued == offload->capacity &&
           !offload->stopping)
        sleep_on(offload, &offload->not_full);
    if (job->run_on_thread == NULL)
        err = UV_EINVAL;
    else if (offload->stopping)
        err = UV_ESHUTDOWN;
    else if (offload->queued == offload->capacity)
        err = UV_ENOBUFS;
    job->status = err;
    job->finished = err != 0; /* so that a wait for it does not hang */
    if (err == 0) {
        append(offload, job);
        (void)pthread_cond_signal(&offload->not_empty); /* cannot fail */
    }
    unlock(offload);
    return err;
}

int asq_offload_wait(struct asq_offload *offload, struct asq_job *job)
{
    int status;

    lock(offload);
    while (!job->finished)
        sleep_on(offload, &offload->ended);
    status = job->status;
    unlock(offload);
    return status;
}
