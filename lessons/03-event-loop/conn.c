/* conn - a connection that answers on an event loop
 *
 * What is here runs on the loop thread, but for the three functions that
 * pass a call of the worker on to the runner.
 */
#include "03-event-loop/conn.h"

#include <assert.h>
#include <string.h>

enum {
    BATCH_MAX = 64,
    LOOK_EVERY_MS = 10
};

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
    asq__runner_run(&conn_of(worker)->runner, batch);
}

static void close_on_worker(struct asq_worker *worker)
{
    struct asq_conn *conn = conn_of(worker);

    conn->left_open.statements = conn->runner.db.open_statements;
    conn->left_open.transaction = asq_db_in_transaction(&conn->runner.db);
    asq__runner_close(&conn->runner);
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

static void finish(struct asq_worker *worker, struct asq_work *work)
{
    struct asq_conn *conn = conn_of(worker);
    struct asq_request *request;

    if (work == &conn->opened) {
        finish_open(conn);
        return;
    }
    request = ASQ_CONTAINER_OF(work, struct asq_request, work);
    if (request->outcome_unknown)
        conn->usable = false;
    conn->pending--;
    request->pending = false;
    request->on_done(request, request->status);
    if (conn->pending == 0 && conn->on_idle != NULL)
        conn->on_idle(conn);
}

static const struct asq_worker_ops ops = {
    .start_on_worker = open_on_worker,
    .stop_on_worker = close_on_worker,
    .run_on_worker = run_on_worker,
    .finish_on_loop = finish,
};

void asq_conn_init(struct asq_conn *conn)
{
    *conn =
        (struct asq_conn){.capacity = 1024, .batch_reads = true, .poll_us = 50};
}

int asq_conn_open(struct asq_conn *conn,
                  uv_loop_t *loop,
                  const struct asq_profile *profile,
                  asq_opened_cb on_open)
{
    int rc;

    /* Once only: after a failure close is owed, and after close init. */
    if (on_open == NULL || conn->capacity == 0 || conn->on_open != NULL)
        return UV_EINVAL;
    conn->profile = *profile;
    conn->runner = (struct asq_runner){.worker = &conn->worker,
                                       .conn = conn,
                                       .observe = conn->observe,
                                       .batch_reads = conn->batch_reads};
    conn->worker.poll_us = conn->poll_us;
    /* Who is one too many is refused here, not by the worker. */
    rc = asq_worker_open(&conn->worker, loop, &ops, SIZE_MAX, BATCH_MAX);
    if (rc != 0)
        return rc;
    (void)uv_timer_init(loop, &conn->look); /* it always succeeds */
    conn->look.data = conn;
    uv_unref((uv_handle_t *)&conn->look);
    asq_worker_expect(&conn->worker); /* opened */
    conn->on_open = on_open;
    conn->opening = true;
    return 0;
}

/* Cannot fail: the worker has room, and is closed after the last answer. */
static void pass_on(struct asq_conn *conn, struct asq_work *work)
{
    struct asq_request *request =
        ASQ_CONTAINER_OF(work, struct asq_request, work);
    bool first =
        request->hold != NULL || request->priority == ASQ_PRIORITY_URGENT;
    int rc = asq_worker_submit(&conn->worker, work,
                               first ? ASQ_LANE_URGENT : ASQ_LANE_NORMAL);

    assert(rc == 0);
    (void)rc;
}

/* Passes on what was kept back; it no longer counts as a reason of its own to
 * keep the loop alive. */
static void pass_on_all(struct asq_conn *conn, struct asq_work_list *list)
{
    struct asq_work *work;

    while ((work = asq_work_pop(list)) != NULL) {
        pass_on(conn, work);
        asq_worker_let_go(&conn->worker);
    }
}

static bool is_due(struct asq_work *work, void *data)
{
    struct asq_request *request =
        ASQ_CONTAINER_OF(work, struct asq_request, work);
    const uint64_t *now_ns = data;

    return atomic_load(&request->cancelled) ||
           (request->deadline_ns != 0 && *now_ns >= request->deadline_ns);
}

/* Takes a hold for which nothing waits any more out of the line, so that its
 * memory may go. */
static void leave_line(struct asq_conn *conn, struct asq_hold *hold)
{
    struct asq_hold *before = conn->hold;

    while (before->next != hold)
        before = before->next;
    before->next = hold->next;
    if (conn->last_hold == hold)
        conn->last_hold = before;
    asq_work_append(&before->after, &hold->after);
    hold->conn = NULL;
}

/* What waits for a hold need not wait for it when it will not run: the worker
 * refuses it. */
static void pass_on_what_is_due(uv_timer_t *timer)
{
    struct asq_conn *conn = timer->data;
    struct asq_work_list due = {0};
    uint64_t now_ns = uv_hrtime();
    bool empty = true;

    for (struct asq_hold *hold = conn->hold, *next; hold != NULL; hold = next) {
        next = hold->next;
        asq_work_filter(&hold->waiting, is_due, &now_ns, &due);
        asq_work_filter(&hold->after, is_due, &now_ns, &due);
        empty =
            empty && hold->waiting.first == NULL && hold->after.first == NULL;
        if (hold != conn->hold && hold->ended && hold->waiting.first == NULL)
            leave_line(conn, hold);
    }
    pass_on_all(conn, &due);
    if (empty)
        (void)uv_timer_stop(timer); /* it always succeeds */
}

static void keep_back(struct asq_conn *conn,
                      struct asq_work_list *list,
                      struct asq_work *work)
{
    asq_work_push(list, work);
    asq_worker_keep(&conn->worker);
    /* It cannot fail: the timer is not closing before the last answer. */
    if (!uv_is_active((uv_handle_t *)&conn->look))
        (void)uv_timer_start(&conn->look, pass_on_what_is_due, LOOK_EVERY_MS,
                             LOOK_EVERY_MS);
}

/* Sends a request to the worker, or lets it wait for the turn of a hold. */
static void route(struct asq_conn *conn, struct asq_request *request)
{
    struct asq_hold *last = conn->last_hold;

    if (request->hold != NULL && request->hold != conn->hold)
        keep_back(conn, &request->hold->waiting, &request->work);
    else if (request->hold == NULL && last != NULL)
        keep_back(conn, &last->after, &request->work);
    else
        pass_on(conn, &request->work);
}

/* Says whether nothing is let in any more, not even under a hold. */
static bool is_shut(const struct asq_conn *conn)
{
    return conn->cancel_called || conn->close_called ||
           (!conn->opening && !conn->usable);
}

/* Returns 0 if the request may be submitted now. Touches nothing, because a
 * request that is pending belongs to the worker. */
static int check_submit(const struct asq_conn *conn,
                        const struct asq_request *request)
{
    const struct asq_hold *hold = request->hold;

    if (request->pending)
        return UV_EINVAL;
    if (is_shut(conn))
        return UV_ESHUTDOWN;
    if (hold != NULL)
        return hold->conn != conn || hold->ended ? UV_EINVAL : 0;
    if (conn->refusing)
        return UV_ESHUTDOWN;
    return conn->pending >= conn->capacity ? UV_ENOBUFS : 0;
}

static void submit(struct asq_conn *conn, struct asq_request *request)
{
    request->timed_out_in = ASQ_PLACE_NONE;
    request->outcome_unknown = 0;
    request->started_ns = 0;
    request->ended_ns = 0;
    request->message[0] = '\0';
    asq_result_clear(&request->result);
    /* The worker's lock passes it on with the rest of the request. */
    atomic_store_explicit(&request->cancelled, false, memory_order_relaxed);
    request->deadline_ns = 0;
    if (request->timeout_ms != 0)
        request->deadline_ns =
            uv_hrtime() + request->timeout_ms * UINT64_C(1000000);
    request->pending = true;
    conn->pending++;
    route(conn, request);
}

int asq_conn_run(struct asq_conn *conn,
                 struct asq_request *request,
                 const char *sql,
                 const struct asq_params *params,
                 asq_done_cb on_done)
{
    int rc = sql == NULL || on_done == NULL ? UV_EINVAL
                                            : check_submit(conn, request);

    if (rc != 0)
        return rc;
    request->sql = sql;
    request->params = params == NULL ? (struct asq_params){0} : *params;
    request->call = NULL;
    request->on_done = on_done;
    submit(conn, request);
    return 0;
}

int asq_conn_call(struct asq_conn *conn,
                  struct asq_request *request,
                  asq_call_cb call,
                  asq_done_cb on_done)
{
    int rc = call == NULL || on_done == NULL ? UV_EINVAL
                                             : check_submit(conn, request);

    if (rc != 0)
        return rc;
    request->sql = NULL;
    request->call = call;
    request->on_done = on_done;
    submit(conn, request);
    return 0;
}

/* Gives the connection to the first hold in line, and on to the next as long
 * as they have ended already. */
static void advance(struct asq_conn *conn)
{
    while (conn->hold != NULL) {
        struct asq_hold *hold = conn->hold;

        asq_worker_settle(&conn->worker);
        pass_on_all(conn, &hold->waiting);
        if (!hold->ended)
            return;
        pass_on_all(conn, &hold->after);
        conn->hold = hold->next;
        if (conn->hold == NULL)
            conn->last_hold = NULL;
        hold->conn = NULL;
    }
}

int asq_hold_begin(struct asq_conn *conn, struct asq_hold *hold)
{
    struct asq_hold *last = conn->last_hold;

    if (is_shut(conn) || conn->refusing)
        return UV_ESHUTDOWN;
    *hold = (struct asq_hold){.conn = conn};
    conn->last_hold = hold;
    if (last != NULL) {
        last->next = hold;
    } else {
        conn->hold = hold;
        advance(conn);
    }
    return 0;
}

void asq_hold_end(struct asq_hold *hold)
{
    struct asq_conn *conn = hold->conn;

    if (conn == NULL || hold->ended)
        return;
    hold->ended = true;
    if (conn->hold == hold)
        advance(conn);
    else if (hold->waiting.first == NULL)
        leave_line(conn, hold);
}

void asq_conn_refuse(struct asq_conn *conn)
{
    conn->refusing = true;
}

/* What waits for a hold is answered by the worker like all the rest. */
static void end_holds(struct asq_conn *conn)
{
    for (struct asq_hold *hold = conn->hold; hold != NULL; hold = hold->next) {
        conn->left_open.holds += !hold->ended;
        hold->ended = true;
    }
    advance(conn);
}

void asq_conn_cancel(struct asq_conn *conn)
{
    conn->cancel_called = true;
    atomic_store(&conn->runner.cancelled, true);
    end_holds(conn);
}

static void tell_closed(uv_handle_t *timer)
{
    struct asq_conn *conn = timer->data;

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
    assert(!conn->close_called);
    conn->close_called = true;
    conn->on_closed = on_closed;
    atomic_store(&conn->runner.closing, true);
    end_holds(conn);
    asq_worker_close(&conn->worker, finish_close);
}
