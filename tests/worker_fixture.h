/* worker_fixture - a worker and what is queued to it, for its tests
 *
 * The thread is held still by an item that stands at `gate`; it says so by
 * posting `reached`. What is queued meanwhile is taken together.
 */
#ifndef TESTS_WORKER_FIXTURE_H
#define TESTS_WORKER_FIXTURE_H

#include "03-event-loop/worker.h"
#include "grader/test.h"

#include <stdio.h>
#include <string.h>

enum {
    ITEMS = 1000
};

/* What the thread does with an item before it is done. */
enum todo {
    NOTHING,
    STAND,    /* at the gate */
    POST,     /* hands what is done to the loop at once */
    SWEEP_ODD /* stands at the gate, then takes odd numbers out of the queue */
};

struct item {
    struct asq_work work;
    int number;
    enum todo todo;
    int ran;
    int finished;
    void (*then)(struct item *item); /* in its callback */
    struct fixture *fixture;
};

struct fixture {
    uv_loop_t loop;
    struct asq_worker worker;
    uv_sem_t reached, gate;
    struct item items[ITEMS];
    size_t used;
    bool submitting;
    uv_thread_t loop_thread;
    /* worker thread only; the loop reads it when the worker is closed, or an
     * item that was done later has come back */
    size_t batches[ITEMS];
    size_t batch_count;
    bool started, stopped;
    uv_thread_t worker_thread;
    struct item *by_start, *by_stop; /* what start and stop give, or NULL */
    /* loop thread only */
    char order[256]; /* numbers in which items came back, with blanks */
    size_t finished;
    int closed;
    int all; /* set when `wanted` items are finished */
    size_t wanted;
};

static inline struct fixture *fixture_of(struct asq_worker *worker)
{
    return worker->data;
}

static inline struct item *item_of(struct asq_work *work)
{
    return ASQ_CONTAINER_OF(work, struct item, work);
}

static inline void start_on_worker(struct asq_worker *worker)
{
    struct fixture *f = fixture_of(worker);

    f->started = true;
    f->worker_thread = uv_thread_self();
    if (f->by_start != NULL)
        asq_worker_done(worker, &f->by_start->work);
}

static inline void stop_on_worker(struct asq_worker *worker)
{
    struct fixture *f = fixture_of(worker);

    f->stopped = true;
    if (f->by_stop != NULL)
        asq_worker_done(worker, &f->by_stop->work);
}

static inline bool is_odd(struct asq_work *work, void *data)
{
    (void)data; /* the number says it all */
    return item_of(work)->number % 2 == 1;
}

static inline void stand_at_gate(struct fixture *f)
{
    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
}

static inline void sweep_odd(struct fixture *f)
{
    struct asq_work_list left = {0};
    struct asq_work *work;

    stand_at_gate(f);
    asq_worker_sweep(&f->worker, is_odd, NULL, &left);
    while ((work = asq_work_pop(&left)) != NULL)
        asq_worker_done(&f->worker, work);
}

static inline void run_item(struct fixture *f, struct item *item)
{
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->worker_thread));
    item->ran++;
    if (item->todo == STAND)
        stand_at_gate(f);
    if (item->todo == SWEEP_ODD)
        sweep_odd(f);
    asq_worker_done(&f->worker, &item->work);
    if (item->todo == POST)
        asq_worker_post(&f->worker);
}

static inline void run_on_worker(struct asq_worker *worker,
                                 struct asq_work_list *batch)
{
    struct fixture *f = fixture_of(worker);
    struct asq_work *work;
    size_t size = 0;

    while ((work = asq_work_pop(batch)) != NULL) {
        size++;
        run_item(f, item_of(work));
    }
    if (f->batch_count < ITEMS)
        f->batches[f->batch_count++] = size;
}

static inline void finish_on_loop(struct asq_worker *worker,
                                  struct asq_work *work)
{
    struct fixture *f = fixture_of(worker);
    struct item *item = item_of(work);
    size_t length = strlen(f->order);
    uv_thread_t self = uv_thread_self();

    CHECK(!f->submitting);
    CHECK(!f->closed);
    CHECK(uv_thread_equal(&self, &f->loop_thread));
    item->finished++;
    f->finished++;
    f->all = f->finished >= f->wanted;
    if (length < sizeof f->order - 16)
        (void)snprintf(f->order + length, sizeof f->order - length, "%s%d",
                       length > 0 ? " " : "", item->number);
    if (item->then != NULL)
        item->then(item);
}

static const struct asq_worker_ops ops = {.start_on_worker = start_on_worker,
                                          .stop_on_worker = stop_on_worker,
                                          .run_on_worker = run_on_worker,
                                          .finish_on_loop = finish_on_loop};

static inline void worker_set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    f->loop_thread = uv_thread_self();
    f->worker.data = f;
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(uv_loop_init(&f->loop), 0);
}

static inline void on_closed(struct asq_worker *worker)
{
    fixture_of(worker)->closed++;
}

static inline void open_worker(struct fixture *f, size_t capacity, size_t batch)
{
    CHECK_INT(asq_worker_open(&f->worker, &f->loop, &ops, capacity, batch), 0);
}

static inline void close_worker(struct fixture *f)
{
    asq_worker_close(&f->worker, on_closed);
    test_run_until(&f->loop, &f->closed);
    CHECK(f->started && f->stopped);
}

static inline void worker_tear_down(void *data)
{
    struct fixture *f = data;

    for (size_t i = 0; i < f->used; i++)
        CHECK_INT(f->items[i].finished, 1);
    test_close_loop(&f->loop);
    CHECK(f->closed <= 1);
    uv_sem_destroy(&f->gate);
    uv_sem_destroy(&f->reached);
}

/* Numbers count from 1. */
static inline struct item *new_item(struct fixture *f, enum todo todo)
{
    struct item *item = &f->items[f->used++];

    CHECK(f->used <= ITEMS);
    item->number = (int)f->used;
    item->todo = todo;
    item->fixture = f;
    return item;
}

static inline int
submit_item(struct fixture *f, struct item *item, enum asq_work_lane lane)
{
    int rc;

    f->submitting = true;
    rc = asq_worker_submit(&f->worker, &item->work, lane);
    f->submitting = false;
    return rc;
}

static inline struct item *
queue(struct fixture *f, enum todo todo, enum asq_work_lane lane)
{
    struct item *item = new_item(f, todo);

    CHECK_INT(submit_item(f, item, lane), 0);
    return item;
}

static inline void queue_normal(struct fixture *f, int count)
{
    while (count-- > 0)
        (void)queue(f, NOTHING, ASQ_LANE_NORMAL); /* found by its number */
}

/* Keeps the thread busy until let_go. */
static inline struct item *hold_thread(struct fixture *f)
{
    struct item *item = queue(f, STAND, ASQ_LANE_NORMAL);

    uv_sem_wait(&f->reached);
    return item;
}

static inline void let_go(struct fixture *f)
{
    uv_sem_post(&f->gate);
}

/* Until that many items in all have come back. */
static inline void wait_for(struct fixture *f, size_t count)
{
    f->wanted = count;
    f->all = f->finished >= count;
    test_run_until(&f->loop, &f->all);
}

#endif
