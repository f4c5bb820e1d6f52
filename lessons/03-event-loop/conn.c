/* conn - a connection that answers on an event loop
 *
 * Everything here runs on the loop thread, except the three functions named
 * _on_worker, which pass a call of the worker on to the runner.
 */
#include "03-event-loop/conn.h"

#include <assert.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 10
};

static const struct asq_runner_ops own_way = {.batch_max = 64,
                                              .run_on_worker = asq__runner_run};

static struct asq_conn *conn_of(struct asq_worker *worker)
{
    return ASQ_CONTAINER_OF(worker, struct asq_conn, worker);
}

static void open_on_worker(struct asq_worker *worker)
{
    struct asq_conn *conn = conn_of(worker);

    conn->open_status = asq__runner_open(&conn->runner, &conn->profile);
    asq_worker_done(worker, &conn->opened);
}

static void run_on_worker(struct asq_worker *worker,
                          struct asq_work_list *batch)
{
    struct asq_runner *runner = &conn_of(worker)->runner;

    runner->ops->run_on_worker(runner, batch);
}

static void close_on_worker(struct asq_worker *worker)
{
    struct asq_conn *conn = conn_of(worker);
    const struct asq_leftovers *left = &conn->runner.cleaner.left;

    asq__runner_close(&conn->runner);
    conn->left_open.transactions = left->transactions;
    conn->left_open.statements = left->statements;
    conn->left_open.handles = left->handles;
}

static void finish_open(struct asq_conn *conn)
{
    conn->opening = false;
    conn->usable = conn->open_status == 0;
    if (conn->usable)
        memcpy(conn->journal_mode, conn->runner.db.journal_mode,
               sizeof conn->journal_mode);
    else
        memcpy(conn->message, conn->runner.db.message, sizeof conn->message);
    conn->on_open(conn, conn->open_status);
}

static void tidy(struct asq_line *line);

static void finish_tidy(struct asq_conn *conn)
{
    conn->tidying = false;
    if (conn->tidy_again)
        tidy(&conn->line);
}

static bool is_slow(const struct asq_conn *conn,
                    const struct asq_request *request)
{
    return conn->on_slow != NULL && uv_hrtime() - request->submitted_ns >=
                                        conn->slow_ms * UINT64_C(1000000);
}

static void finish_request(struct asq_conn *conn, struct asq_request *request)
{
    if (request->outcome_unknown ||
        (request->started_ns == 0 && request->status == UV_ESHUTDOWN))
        conn->usable = false;
    if (request->started_ns != 0)
        conn->left_open_now = request->left_open;
    conn->checkpoints -= request->task == ASQ_TASK_CHECKPOINT;
    asq__stats_count(&conn->stats, request);
    asq__line_answered(&conn->line, request);
    if (is_slow(conn, request))
        conn->on_slow(conn, request);
    conn->pending--;
    request->pending = false;
    request->on_done(request, request->status);
    if (conn->ops->answered_on_loop != NULL)
        conn->ops->answered_on_loop(conn);
    if (conn->pending == 0 && conn->on_idle != NULL)
        conn->on_idle(conn);
}

static void finish(struct asq_worker *worker, struct asq_work *work)
{
    struct asq_conn *conn = conn_of(worker);

    if (work == &conn->opened)
        finish_open(conn);
    else if (work == &conn->runner.tidy)
        finish_tidy(conn);
    else
        finish_request(conn, ASQ_CONTAINER_OF(work, struct asq_request, work));
}

static const struct asq_worker_ops ops = {
    .start_on_worker = open_on_worker,
    .stop_on_worker = close_on_worker,
    .run_on_worker = run_on_worker,
    .finish_on_loop = finish,
};

/* A hold has ended and left something open, which the worker must undo. */
static void tidy(struct asq_line *line)
{
    struct asq_conn *conn = ASQ_CONTAINER_OF(line, struct asq_conn, line);

    conn->tidy_again = conn->tidying;
    if (conn->tidying)
        return;
    /* When the worker closes, everything is undone anyway. */
    conn->tidying = asq_worker_submit(&conn->worker, &conn->runner.tidy,
                                      ASQ_LANE_NORMAL) == 0;
}

void asq_conn_init(struct asq_conn *conn)
{
    *conn = (struct asq_conn){
        .capacity = 1024, .batch_reads = true, .slow_ms = 1000, .poll_us = 50};
}

/* Sets the fields that still have the values of the last time it was open. */
static void forget_last_time(struct asq_conn *conn)
{
    conn->pending = 0;
    conn->message[0] = '\0';
    conn->journal_mode[0] = '\0';
    conn->left_open = (struct asq_left_open){0};
    conn->usable = false;
    conn->left_open_now = false;
    conn->refusing = false;
    conn->cancel_called = false;
    conn->close_called = false;
    conn->tidying = false;
    conn->tidy_again = false;
    conn->checkpoints = 0;
    conn->line = (struct asq_line){.worker = &conn->worker, .tidy = tidy};
    conn->stats = (struct asq_conn_stats){0};
}

static const char *name_of(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

int asq_conn_open(struct asq_conn *conn,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  asq_opened_cb on_open)
{
    int rc;

    if (on_open == NULL || conn->capacity == 0 || conn->must_close)
        return UV_EINVAL;
    forget_last_time(conn);
    conn->profile = *profile;
    conn->ops = conn->ops != NULL ? conn->ops : &own_way;
    rc = conn->ops->opening_on_loop == NULL ? 0
                                            : conn->ops->opening_on_loop(conn);
    if (rc == 0)
        rc = asq__runner_init(&conn->runner);
    if (rc != 0)
        return rc;
    conn->runner.worker = &conn->worker;
    conn->runner.conn = conn;
    conn->runner.ops = conn->ops;
    conn->runner.observe = conn->observe;
    conn->runner.batch_reads = conn->batch_reads;
    atomic_store(&conn->runner.cleaner.shared_tx, conn->shared_tx);
    conn->runner.cleaner.holds_done = &conn->line.done_through;
    conn->worker.poll_us = conn->poll_us;
    conn->worker.name =
        conn->name != NULL ? conn->name : name_of(profile->path);
    /* conn refuses requests beyond its capacity itself, so the worker has no
     * limit. */
    rc = asq_worker_open(&conn->worker, loop, &ops, SIZE_MAX,
                         conn->ops->batch_max);
    if (rc != 0) {
        asq__runner_destroy(&conn->runner);
        return rc;
    }
    (void)uv_timer_init(loop, &conn->look); /* it always succeeds */
    conn->look.data = conn;
    uv_unref((uv_handle_t *)&conn->look);
    asq_worker_expect(&conn->worker); /* opened */
    conn->on_open = on_open;
    conn->opening = true;
    conn->must_close = true;
    conn->forks = asq__forks();
    return 0;
}

/* A request that waits for a hold is answered early if it will not run. And a
 * checkpoint calls no function that could stop it, so the loop stops it. */
static void look(uv_timer_t *timer)
{
    struct asq_conn *conn = timer->data;
    bool waits = asq__line_look(&conn->line, uv_hrtime());

    if (conn->checkpoints > 0)
        asq__runner_interrupt(&conn->runner);
    else if (!waits)
        (void)uv_timer_stop(timer); /* it always succeeds */
}

static void start_looking(struct asq_conn *conn)
{
    /* It cannot fail: the timer is not closing before the last answer. */
    if (!uv_is_active((uv_handle_t *)&conn->look))
        (void)uv_timer_start(&conn->look, look, LOOK_EVERY_MS, LOOK_EVERY_MS);
}

/* Returns whether every request is refused, even under a hold. */
static bool is_shut(const struct asq_conn *conn)
{
    return conn->cancel_called || conn->close_called ||
           (!conn->opening && !conn->usable);
}

/* Returns whether this is the child of a fork, where there is no worker. */
static bool is_in_child(const struct asq_conn *conn)
{
    return conn->must_close && conn->forks != asq__forks();
}

/* Returns 0 if the request may be submitted now. It only looks, because a
 * request that is pending belongs to the worker. */
static int check_submit(const struct asq_conn *conn,
                        const struct asq_request *request)
{
    if (request->pending || is_in_child(conn))
        return UV_EINVAL;
    if (is_shut(conn))
        return UV_ESHUTDOWN;
    if (request->hold != NULL)
        return asq__line_check(&conn->line, request->hold);
    if (conn->refusing)
        return UV_ESHUTDOWN;
    return conn->pending >= conn->capacity ? UV_ENOBUFS : 0;
}

static void take_in(struct asq_conn *conn, struct asq_request *request)
{
    conn->pending++;
    conn->checkpoints += request->task == ASQ_TASK_CHECKPOINT;
    if (asq__line_route(&conn->line, request) || conn->checkpoints > 0)
        start_looking(conn);
}

static int submit(struct asq_conn *conn,
                  struct asq_request *request,
                  const struct asq_order *order,
                  asq_done_cb on_done)
{
    bool is_whole = order->task == ASQ_TASK_CHECKPOINT || order->sql != NULL ||
                    order->call != NULL;
    int rc =
        is_whole && on_done != NULL ? check_submit(conn, request) : UV_EINVAL;

    if (rc != 0)
        return rc;
    asq__request_begin(request, order, on_done);
    take_in(conn, request);
    return 0;
}

int asq__conn_pass_on(struct asq_conn *conn, struct asq_request *request)
{
    if (is_in_child(conn))
        return UV_EINVAL;
    if (is_shut(conn) || conn->refusing)
        return UV_ESHUTDOWN;
    take_in(conn, request);
    return 0;
}

void asq__conn_share(struct asq_conn *conn, bool shared)
{
    atomic_store(&conn->runner.cleaner.shared_tx, shared);
    conn->left_open_now = conn->left_open_now && !shared;
}

int asq_conn_run(struct asq_conn *conn,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done)
{
    struct asq_order order = {
        .task = ASQ_TASK_SQL, .sql = sql, .params = params};

    return submit(conn, request, &order, on_done);
}

int asq_conn_script(struct asq_conn *conn,
                    struct asq_request *request,
                    const char *sql,
                    asq_done_cb on_done)
{
    struct asq_order order = {.task = ASQ_TASK_SCRIPT, .sql = sql};

    return submit(conn, request, &order, on_done);
}

int asq_conn_call(struct asq_conn *conn,
                  struct asq_request *request,
                  asq_call_cb call,
                  asq_done_cb on_done)
{
    struct asq_order order = {.task = ASQ_TASK_CALL, .call = call};

    return submit(conn, request, &order, on_done);
}

int asq_conn_checkpoint(struct asq_conn *conn,
                        struct asq_request *request,
                        int mode,
                        asq_done_cb on_done)
{
    struct asq_order order = {.task = ASQ_TASK_CHECKPOINT,
                              .checkpoint_mode = mode};

    return submit(conn, request, &order, on_done);
}

int asq_hold_begin(struct asq_conn *conn, struct asq_hold *hold)
{
    if (is_in_child(conn))
        return UV_EINVAL;
    if (is_shut(conn) || conn->refusing)
        return UV_ESHUTDOWN;
    return asq__line_begin(&conn->line, hold);
}

struct asq_conn_stats asq_conn_statistics(const struct asq_conn *conn)
{
    struct asq_conn_stats stats = conn->stats;

    stats.loop_wakes = conn->worker.loop_wakes;
    stats.worker_wakes = conn->worker.worker_wakes;
    return stats;
}

void asq_conn_refuse(struct asq_conn *conn)
{
    conn->refusing = true;
}

/* All holds end, so the worker gets, and answers, what waits for them too. */
void asq_conn_cancel(struct asq_conn *conn)
{
    if (!conn->must_close || is_in_child(conn)) /* there a lock may be held */
        return;
    conn->cancel_called = true;
    atomic_store(&conn->runner.guard.cancelled, true);
    conn->left_open.holds += asq__line_end_all(&conn->line);
    asq__runner_interrupt(&conn->runner);
}

static void tell_closed(uv_handle_t *timer)
{
    struct asq_conn *conn = timer->data;

    asq__runner_destroy(&conn->runner);
    conn->must_close = false;
    conn->on_closed(conn);
}

static void finish_close(struct asq_worker *worker)
{
    struct asq_conn *conn = conn_of(worker);

    assert(conn->pending == 0);
    conn->usable = false;
    uv_close((uv_handle_t *)&conn->look, tell_closed);
}

void asq_conn_close(struct asq_conn *conn, asq_conn_cb on_closed)
{
    if (!conn->must_close || conn->close_called || is_in_child(conn))
        return;
    conn->close_called = true;
    conn->on_closed = on_closed;
    atomic_store(&conn->runner.guard.closing, true);
    conn->left_open.holds += asq__line_end_all(&conn->line);
    asq_worker_close(&conn->worker, finish_close);
}
