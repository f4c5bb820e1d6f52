/* worker - a thread with a queue, attached to a loop
 *
 * The lock guards the two lists that both threads use, and the flags beside
 * them. It is never held while work runs or a callback is called.
 *
 * The thread that sets `called` wakes the loop. The loop clears it under the
 * same lock under which it takes the list, so every item that is added later
 * wakes it again. As long as the loop looks by itself, `called` stays set.
 */
#include "03-event-loop/worker.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>

enum {
    SUBMITTED_TOGETHER = 64, /* by callbacks, then they are passed on */
    HANDED_TOGETHER = 8,
    PASSED_OVER = 2 /* batches in which normal items had no place */
};

static const uint64_t COLLECTED_NS = 200000; /* while the worker sleeps */

/* Moves the normal items behind the urgent ones that wait now: nothing that is
 * queued later overtakes them. Under lock. */
static void settle(struct asq_worker *worker)
{
    asq_work_append(&worker->queue[ASQ_LANE_URGENT],
                    &worker->queue[ASQ_LANE_NORMAL]);
}

/* Takes up to batch_max items, urgent ones first. Under lock. */
static void take_batch(struct asq_worker *worker, struct asq_work_list *batch)
{
    struct asq_work_list *normal = &worker->queue[ASQ_LANE_NORMAL];
    struct asq_work *oldest;

    if (worker->passed_over == PASSED_OVER)
        settle(worker);
    oldest = normal->first;
    for (size_t room = worker->batch_max; room > 0; room--) {
        struct asq_work *work = asq_work_pop(&worker->queue[ASQ_LANE_URGENT]);

        if (work == NULL)
            work = asq_work_pop(normal);
        if (work == NULL)
            break;
        asq_work_push(batch, work);
    }
    if (oldest != NULL && oldest == normal->first)
        worker->passed_over++;
    else
        worker->passed_over = 0;
}

/* Waits for work. Returns false when there will be no more. */
static bool wait_for_batch(struct asq_worker *worker,
                           struct asq_work_list *batch)
{
    uv_mutex_lock(&worker->lock);
    take_batch(worker, batch);
    while (batch->first == NULL && !worker->closing) {
        atomic_store(&worker->sleeping, true);
        uv_cond_wait(&worker->not_empty, &worker->lock);
        take_batch(worker, batch);
    }
    atomic_store(&worker->sleeping, false);
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
    if (worker->thread_name[0] != '\0')
        asq_thread_set_name(worker->thread_name);
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
    /* It cannot fail: the loop joins this thread before it closes the handle.
     */
    (void)uv_async_send(&worker->async);
}

static void finish_close(uv_handle_t *look)
{
    struct asq_worker *worker = look->data;

    uv_cond_destroy(&worker->not_empty);
    uv_mutex_destroy(&worker->lock);
    worker->on_closed(worker);
}

static void close_look(uv_handle_t *async)
{
    struct asq_worker *worker = async->data;

    uv_close((uv_handle_t *)&worker->look, finish_close);
}

/* Goes on with closing if the thread has ended: all its items are given back.
 */
static void maybe_closed(struct asq_worker *worker, bool ended)
{
    if (!ended)
        return;
    /* It cannot fail for a thread that was started and is joined once. */
    (void)uv_thread_join(&worker->thread);
    (void)uv_idle_stop(&worker->look); /* it always succeeds */
    uv_close((uv_handle_t *)&worker->async, close_look);
}

/* Puts what was collected into the queue, and wakes the worker if it sleeps. */
static void pass_on_collected(struct asq_worker *worker)
{
    if (worker->collected_count == 0)
        return;
    uv_mutex_lock(&worker->lock);
    for (int lane = 0; lane < ASQ_LANES; lane++)
        asq_work_append(&worker->queue[lane], &worker->collected[lane]);
    if (atomic_load(&worker->sleeping)) {
        atomic_store(&worker->sleeping, false);
        uv_cond_signal(&worker->not_empty);
        worker->worker_wakes++;
    }
    uv_mutex_unlock(&worker->lock);
    worker->collected_count = 0;
}

/* What callbacks submit is passed on after the last of them; but if they take
 * long and the worker sleeps meanwhile, it is passed on earlier. */
static void maybe_pass_on(struct asq_worker *worker)
{
    if (worker->collected_count > 0 &&
        atomic_load_explicit(&worker->sleeping, memory_order_relaxed) &&
        uv_hrtime() - worker->collected_ns >= COLLECTED_NS)
        pass_on_collected(worker);
}

/* Takes the finished items and gives each back. looks says that the loop will
 * look again by itself. Returns whether there was anything. */
static bool give_back(struct asq_worker *worker, bool looks)
{
    struct asq_work_list finished = {0};
    struct asq_work *work;
    bool found, ended;

    uv_mutex_lock(&worker->lock);
    asq_work_append(&finished, &worker->finished);
    worker->finished_count = 0;
    worker->called = looks;
    ended = worker->ended;
    uv_mutex_unlock(&worker->lock);
    found = finished.first != NULL;
    worker->finishing = true;
    while ((work = asq_work_pop(&finished)) != NULL) {
        worker->unfinished--;
        worker->ops->finish_on_loop(worker, work);
        asq_worker_let_go(worker);
        maybe_pass_on(worker);
    }
    worker->finishing = false;
    pass_on_collected(worker);
    if (found && worker->poll_us != 0)
        worker->given_back_ns = uv_hrtime();
    maybe_closed(worker, ended);
    return found;
}

/* Returns whether answers come so close together that the next is due. */
static bool is_busy(const struct asq_worker *worker)
{
    return worker->poll_us != 0 && uv_hrtime() - worker->given_back_ns <
                                       worker->poll_us * UINT64_C(1000);
}

/* Lets the worker wake the loop again, unless there are new items meanwhile. */
static void stop_looking(struct asq_worker *worker)
{
    uv_mutex_lock(&worker->lock);
    worker->called = worker->finished.first != NULL;
    if (!worker->called)
        (void)uv_idle_stop(&worker->look); /* it always succeeds */
    uv_mutex_unlock(&worker->lock);
}

/* In every turn of the loop, while it looks by itself. */
static void on_turn(uv_idle_t *look)
{
    struct asq_worker *worker = look->data;

    if (give_back(worker, true))
        return;
    if (worker->unfinished > 0 && is_busy(worker))
        (void)sched_yield(); /* the worker may want this processor */
    else
        stop_looking(worker);
}

static void on_wake_up(uv_async_t *async)
{
    struct asq_worker *worker = async->data;
    bool looks = is_busy(worker);

    worker->loop_wakes++;
    if (looks)
        (void)uv_idle_start(&worker->look, on_turn); /* it always succeeds */
    (void)give_back(worker, looks);
}

int asq_worker_open(struct asq_worker *worker,
                    uv_loop_t *loop,
                    const struct asq_worker_ops *ops,
                    size_t capacity,
                    size_t batch_max)
{
    struct asq_worker given = *worker; /* its public fields are kept */
    int rc;

    if (capacity == 0 || batch_max == 0)
        return UV_EINVAL;
    *worker = (struct asq_worker){.data = given.data,
                                  .poll_us = given.poll_us,
                                  .name = given.name,
                                  .loop = loop,
                                  .ops = ops,
                                  .capacity = capacity,
                                  .batch_max = batch_max};
    if (given.name != NULL) /* cut if it is too long */
        (void)snprintf(worker->thread_name, sizeof worker->thread_name, "%s",
                       given.name);
    rc = uv_mutex_init(&worker->lock);
    if (rc != 0)
        return rc;
    rc = uv_cond_init(&worker->not_empty);
    if (rc != 0)
        goto destroy_lock;
    uv_mutex_lock(&worker->lock);
    rc = asq_thread_start(&worker->thread, run_thread, worker);
    if (rc == 0) {
        rc = uv_async_init(loop, &worker->async, on_wake_up);
        worker->ended = rc != 0;
        uv_mutex_unlock(&worker->lock);
        if (rc == 0) {
            worker->async.data = worker;
            uv_unref((uv_handle_t *)&worker->async);
            (void)uv_idle_init(loop, &worker->look); /* it always succeeds */
            worker->look.data = worker;
            uv_unref((uv_handle_t *)&worker->look);
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
    if (worker->collected_count++ == 0 && worker->finishing)
        worker->collected_ns = uv_hrtime();
    if (!worker->finishing || worker->collected_count == SUBMITTED_TOGETHER)
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
    settle(worker);
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
    if (worker->close_called)
        return;
    worker->close_called = true;
    worker->on_closed = on_closed;
    asq_worker_keep(worker); /* until the handle is closed */
    pass_on_collected(worker);
    uv_mutex_lock(&worker->lock);
    worker->closing = true;
    uv_cond_signal(&worker->not_empty);
    uv_mutex_unlock(&worker->lock);
}

/* Hands over what is done, and wakes the loop if that is enough for it. */
static void hand_over(struct asq_worker *worker, size_t enough)
{
    bool call;

    uv_mutex_lock(&worker->lock);
    asq_work_append(&worker->finished, &worker->done);
    worker->finished_count += worker->done_count;
    call = !worker->called && worker->finished_count >= enough;
    worker->called = worker->called || call;
    uv_mutex_unlock(&worker->lock);
    worker->done_count = 0;
    if (call)
        (void)uv_async_send(&worker->async); /* cannot fail: it is open */
}

void asq_worker_done(struct asq_worker *worker, struct asq_work *work)
{
    asq_work_push(&worker->done, work);
    worker->done_count++;
    /* Half a batch: the loop answers it while the worker runs the rest. */
    if (worker->done_count == HANDED_TOGETHER)
        hand_over(worker, worker->batch_max / 2);
}

void asq_worker_post(struct asq_worker *worker)
{
    hand_over(worker, 1);
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
