/* worker - a thread with a queue, attached to a loop
 *
 * The lock guards the two lists that both threads touch and the flags beside
 * them. It is never held while work runs or a callback is called.
 */
#include "03-event-loop/worker.h"

#include <assert.h>

/* How many items that were submitted by callbacks are passed on together. */
enum {
    HANDFUL = 64
};

void asq_work_push(struct asq_work_list *list, struct asq_work *work)
{
    work->next = NULL;
    if (list->last != NULL)
        list->last->next = work;
    else
        list->first = work;
    list->last = work;
}

struct asq_work *asq_work_pop(struct asq_work_list *list)
{
    struct asq_work *work = list->first;

    if (work != NULL) {
        list->first = work->next;
        if (list->first == NULL)
            list->last = NULL;
    }
    return work;
}

void asq_work_append(struct asq_work_list *list, struct asq_work_list *more)
{
    if (more->first == NULL)
        return;
    if (list->last != NULL)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    *more = (struct asq_work_list){0};
}

void asq_work_filter(struct asq_work_list *list,
                     bool (*leaves)(struct asq_work *work, void *data),
                     void *data,
                     struct asq_work_list *ret_left)
{
    struct asq_work_list all = *list;
    struct asq_work *work;

    *list = (struct asq_work_list){0};
    while ((work = asq_work_pop(&all)) != NULL)
        asq_work_push(leaves(work, data) ? ret_left : list, work);
}

/* Takes up to batch_max items, what is urgent first. Under lock. */
static void take_batch(struct asq_worker *worker, struct asq_work_list *batch)
{
    for (size_t room = worker->batch_max; room > 0; room--) {
        struct asq_work *work = asq_work_pop(&worker->queue[ASQ_LANE_URGENT]);

        if (work == NULL)
            work = asq_work_pop(&worker->queue[ASQ_LANE_NORMAL]);
        if (work == NULL)
            return;
        asq_work_push(batch, work);
    }
}

/* Waits for work. Returns false when there will be none any more. */
static bool wait_for_batch(struct asq_worker *worker,
                           struct asq_work_list *batch)
{
    uv_mutex_lock(&worker->lock);
    take_batch(worker, batch);
    while (batch->first == NULL && !worker->closing) {
        worker->sleeping = true;
        uv_cond_wait(&worker->not_empty, &worker->lock);
        worker->sleeping = false;
        take_batch(worker, batch);
    }
    uv_mutex_unlock(&worker->lock);
    return batch->first != NULL;
}

static void run_thread(void *data)
{
    struct asq_worker *worker = data;
    struct asq_work_list batch = {0};

    /* Open holds the lock until the handle of the loop is ready. */
    uv_mutex_lock(&worker->lock);
    uv_mutex_unlock(&worker->lock);
    if (worker->ended)
        return;
    if (worker->ops->start_on_worker != NULL)
        worker->ops->start_on_worker(worker);
    asq_worker_post(worker);
    while (wait_for_batch(worker, &batch)) {
        worker->ops->run_on_worker(worker, &batch);
        assert(batch.first == NULL);
        asq_worker_post(worker);
    }
    if (worker->ops->stop_on_worker != NULL)
        worker->ops->stop_on_worker(worker);
    uv_mutex_lock(&worker->lock);
    asq_work_append(&worker->finished, &worker->done);
    worker->ended = true;
    uv_mutex_unlock(&worker->lock);
    /* The loop joins this thread before it closes the handle, so the handle
     * is still there. Sending cannot fail on an open handle. */
    (void)uv_async_send(&worker->async);
}

static void finish_close(uv_handle_t *handle)
{
    struct asq_worker *worker = handle->data;

    uv_cond_destroy(&worker->not_empty);
    uv_mutex_destroy(&worker->lock);
    worker->on_closed(worker);
}

/* The thread has ended and everything it left has been given back. */
static void maybe_closed(struct asq_worker *worker, bool ended)
{
    if (!ended)
        return;
    /* Joining a thread that was started once cannot fail. */
    (void)uv_thread_join(&worker->thread);
    uv_close((uv_handle_t *)&worker->async, finish_close);
}

/* Puts what was collected into the queue and wakes the worker if it sleeps. */
static void pass_on_collected(struct asq_worker *worker)
{
    if (worker->collected_count == 0)
        return;
    uv_mutex_lock(&worker->lock);
    for (int lane = 0; lane < ASQ_LANES; lane++)
        asq_work_append(&worker->queue[lane], &worker->collected[lane]);
    if (worker->sleeping)
        uv_cond_signal(&worker->not_empty);
    uv_mutex_unlock(&worker->lock);
    worker->collected_count = 0;
}

static void take_finished(uv_async_t *async)
{
    struct asq_worker *worker = async->data;
    struct asq_work_list finished = {0};
    struct asq_work *work;
    bool ended;

    uv_mutex_lock(&worker->lock);
    asq_work_append(&finished, &worker->finished);
    ended = worker->ended;
    uv_mutex_unlock(&worker->lock);
    worker->finishing = true;
    while ((work = asq_work_pop(&finished)) != NULL) {
        worker->unfinished--;
        worker->ops->finish_on_loop(worker, work);
        asq_worker_let_go(worker);
    }
    worker->finishing = false;
    pass_on_collected(worker);
    maybe_closed(worker, ended);
}

int asq_worker_open(struct asq_worker *worker,
                    uv_loop_t *loop,
                    const struct asq_worker_ops *ops,
                    size_t capacity,
                    size_t batch_max)
{
    void *data = worker->data;
    int rc;

    if (capacity == 0 || batch_max == 0)
        return UV_EINVAL;
    *worker = (struct asq_worker){.data = data,
                                  .loop = loop,
                                  .ops = ops,
                                  .capacity = capacity,
                                  .batch_max = batch_max};
    rc = uv_mutex_init(&worker->lock);
    if (rc != 0)
        return rc;
    rc = uv_cond_init(&worker->not_empty);
    if (rc != 0)
        goto destroy_lock;
    uv_mutex_lock(&worker->lock);
    rc = uv_thread_create(&worker->thread, run_thread, worker);
    if (rc == 0) {
        rc = uv_async_init(loop, &worker->async, take_finished);
        worker->ended = rc != 0;
        uv_mutex_unlock(&worker->lock);
        if (rc == 0) {
            worker->async.data = worker;
            uv_unref((uv_handle_t *)&worker->async);
            return 0;
        }
        (void)uv_thread_join(&worker->thread); /* it ends at once */
    } else {
        uv_mutex_unlock(&worker->lock);
    }
    uv_cond_destroy(&worker->not_empty);
destroy_lock:
    uv_mutex_destroy(&worker->lock);
    return rc;
}

int asq_worker_submit(struct asq_worker *worker,
                      struct asq_work *work,
                      enum asq_work_lane lane)
{
    if (worker->close_called)
        return UV_ESHUTDOWN;
    if (worker->unfinished == worker->capacity)
        return UV_ENOBUFS;
    worker->unfinished++;
    asq_worker_keep(worker);
    asq_work_push(&worker->collected[lane], work);
    worker->collected_count++;
    if (!worker->finishing || worker->collected_count == HANDFUL)
        pass_on_collected(worker);
    return 0;
}

void asq_worker_expect(struct asq_worker *worker)
{
    worker->unfinished++;
    asq_worker_keep(worker);
}

void asq_worker_settle(struct asq_worker *worker)
{
    pass_on_collected(worker);
    uv_mutex_lock(&worker->lock);
    asq_work_append(&worker->queue[ASQ_LANE_URGENT],
                    &worker->queue[ASQ_LANE_NORMAL]);
    uv_mutex_unlock(&worker->lock);
}

void asq_worker_keep(struct asq_worker *worker)
{
    if (worker->kept++ == 0)
        uv_ref((uv_handle_t *)&worker->async);
}

void asq_worker_let_go(struct asq_worker *worker)
{
    assert(worker->kept > 0);
    if (--worker->kept == 0)
        uv_unref((uv_handle_t *)&worker->async);
}

void asq_worker_close(struct asq_worker *worker, asq_worker_closed_cb on_closed)
{
    assert(!worker->close_called);
    worker->close_called = true;
    worker->on_closed = on_closed;
    asq_worker_keep(worker); /* until the handle is closed */
    pass_on_collected(worker);
    uv_mutex_lock(&worker->lock);
    worker->closing = true;
    uv_cond_signal(&worker->not_empty);
    uv_mutex_unlock(&worker->lock);
}

void asq_worker_done(struct asq_worker *worker, struct asq_work *work)
{
    asq_work_push(&worker->done, work);
}

void asq_worker_post(struct asq_worker *worker)
{
    bool first;

    if (worker->done.first == NULL)
        return;
    uv_mutex_lock(&worker->lock);
    first = worker->finished.first == NULL;
    asq_work_append(&worker->finished, &worker->done);
    uv_mutex_unlock(&worker->lock);
    /* The loop takes the whole list at a time: whoever finds the list not
     * empty knows that a wake-up is already under way. */
    if (first)
        (void)uv_async_send(&worker->async); /* cannot fail: it is open */
}

void asq_worker_sweep(struct asq_worker *worker,
                      bool (*leaves)(struct asq_work *work, void *data),
                      void *data,
                      struct asq_work_list *ret_left)
{
    uv_mutex_lock(&worker->lock);
    for (int lane = 0; lane < ASQ_LANES; lane++)
        asq_work_filter(&worker->queue[lane], leaves, data, ret_left);
    uv_mutex_unlock(&worker->lock);
}
