/* shutdown - the end of a program that has connections at work */
#include "09-lifetimes/shutdown.h"

static const uint64_t CHECKPOINT_AT_LEAST_NS = 500000000;

/* Says whether every part has reached the stage. */
static bool all_reached(const struct asq_shutdown *shutdown,
                        enum asq_part_stage stage)
{
    const struct asq_shutdown_part *part = shutdown->first;

    while (part != NULL && part->stage >= stage)
        part = part->next;
    return part == NULL;
}

static bool readers_are_closed(const struct asq_shutdown *shutdown)
{
    const struct asq_shutdown_part *part = shutdown->first;

    while (part != NULL && (part->checkpoint || part->stage == ASQ_PART_CLOSED))
        part = part->next;
    return part == NULL;
}

static void maybe_go_on(struct asq_shutdown *shutdown);

void asq__part_closed(struct asq_shutdown_part *part)
{
    asq_request_destroy(&part->request);
    part->stage = ASQ_PART_CLOSED;
    maybe_go_on(part->shutdown);
}

static void take_closed(struct asq_conn *conn)
{
    asq__part_closed(conn->keeper);
}

/* conn->data is not used: callbacks of the connection's owner may need it. */
static void close_part(struct asq_shutdown_part *part)
{
    part->stage = ASQ_PART_CLOSING;
    if (part->ops != NULL) {
        part->ops->close(part);
        return;
    }
    part->conn->keeper = part;
    asq_hold_end(&part->hold); /* else close would count it as not ended */
    asq_conn_close(part->conn, take_closed);
}

static void close_readers(struct asq_shutdown *shutdown)
{
    struct asq_shutdown_part *part;

    for (part = shutdown->first; part != NULL; part = part->next) {
        if (!part->checkpoint && part->stage == ASQ_PART_DRAINED)
            close_part(part);
    }
}

static void take_checkpoint(struct asq_request *request, int status);

static int checkpoint(struct asq_shutdown_part *part, int mode)
{
    part->request.timeout_ms = asq_time_left_ms(part->checkpoint_ns);
    part->emptying = mode == SQLITE_CHECKPOINT_TRUNCATE;
    return asq_conn_checkpoint(part->conn, &part->request, mode,
                               take_checkpoint);
}

/* The first checkpoint copies what it can and waits for nobody; a deadline ends
 * it only if the disk is slow. After a cancel the close does not try again. */
static int take_moved(struct asq_shutdown_part *part, int status)
{
    const struct asq_result *result = &part->request.result;

    if (status == UV_ETIMEDOUT) {
        part->shutdown->in_time = false;
        asq_hold_end(&part->hold); /* as in close_part */
        asq_conn_cancel(part->conn);
    }
    if (status != 0)
        return status;
    part->wal_left = asq_result_int64(result, 0, "log");
    if (part->wal_left > 0)
        part->wal_left -= asq_result_int64(result, 0, "checkpointed");
    if (part->stage != ASQ_PART_CHECKPOINTING)
        return SQLITE_BUSY; /* hurry came first: it is not emptied */
    return checkpoint(part, SQLITE_CHECKPOINT_TRUNCATE);
}

/* The second one waits for readers, then empties the WAL. However it ends, the
 * rows are in the file. */
static int take_emptied(struct asq_shutdown_part *part, int status)
{
    const struct asq_result *result = &part->request.result;

    if (status == UV_ETIMEDOUT || status == UV_ECANCELED ||
        status == SQLITE_INTERRUPT)
        return SQLITE_BUSY;
    if (status == 0 && asq_result_int64(result, 0, "busy") != 0)
        return SQLITE_BUSY;
    if (status == 0)
        part->wal_left = 0;
    return status;
}

static void take_checkpoint(struct asq_request *request, int status)
{
    struct asq_shutdown_part *part = request->data;

    if (part->emptying)
        part->checkpoint_status = take_emptied(part, status);
    else
        part->checkpoint_status = take_moved(part, status);
    if (request->pending)
        return; /* the second one has been submitted */
    if (part->stage == ASQ_PART_CHECKPOINTING)
        close_part(part);
    maybe_go_on(part->shutdown);
}

static void start_checkpoint(struct asq_shutdown_part *part)
{
    if (part->ops != NULL) {
        part->checkpoint_status = 0;
        close_part(part);
        return;
    }
    part->checkpoint_ns = uv_hrtime() + CHECKPOINT_AT_LEAST_NS;
    if (part->checkpoint_ns < part->shutdown->deadline_ns)
        part->checkpoint_ns = part->shutdown->deadline_ns;
    part->stage = ASQ_PART_CHECKPOINTING;
    part->checkpoint_status = checkpoint(part, SQLITE_CHECKPOINT_PASSIVE);
    if (part->checkpoint_status != 0)
        close_part(part);
}

static void start_checkpoints(struct asq_shutdown *shutdown)
{
    struct asq_shutdown_part *part;

    for (part = shutdown->first; part != NULL; part = part->next) {
        if (part->stage == ASQ_PART_DRAINED)
            start_checkpoint(part);
    }
}

static void take_timer_closed(uv_handle_t *timer)
{
    struct asq_shutdown *shutdown = timer->data;

    shutdown->timer_closed = true;
    maybe_go_on(shutdown);
}

/* Leaves the state of draining, once, however it ends. */
static void end_draining(struct asq_shutdown *shutdown)
{
    if (shutdown->state != ASQ_DRAINING)
        return;
    shutdown->state = ASQ_CHECKPOINTING;
    uv_close((uv_handle_t *)&shutdown->timer, take_timer_closed);
}

/* Each event of a part or of the timer ends here. */
static void maybe_go_on(struct asq_shutdown *shutdown)
{
    if (!all_reached(shutdown, ASQ_PART_DRAINED))
        return; /* requests are pending, or a hold has not ended */
    end_draining(shutdown);
    close_readers(shutdown);
    if (!readers_are_closed(shutdown))
        return; /* a statement that one has left open would pin the WAL */
    start_checkpoints(shutdown);
    if (!all_reached(shutdown, ASQ_PART_CLOSING))
        return; /* a checkpoint is running */
    shutdown->state = ASQ_CLOSING;
    if (!all_reached(shutdown, ASQ_PART_CLOSED))
        return; /* a thread has not ended */
    if (!shutdown->timer_closed)
        return;
    shutdown->state = ASQ_DOWN;
    shutdown->on_down(shutdown); /* it may free all of the memory */
}

static void cut_short(struct asq_shutdown_part *part)
{
    bool own = part->stage == ASQ_PART_DRAINING ||
               part->stage == ASQ_PART_CHECKPOINTING;

    if (part->ops != NULL) {
        part->cancelled = part->ops->cancel(part);
        close_part(part);
        return;
    }
    part->cancelled = part->conn->pending - own;
    asq_hold_end(&part->hold); /* before cancel, as in close_part */
    asq_conn_cancel(part->conn);
    close_part(part);
}

static void end_the_time(struct asq_shutdown *shutdown)
{
    struct asq_shutdown_part *part;

    end_draining(shutdown);
    shutdown->state = ASQ_CLOSING;
    shutdown->in_time = false;
    for (part = shutdown->first; part != NULL; part = part->next) {
        if (part->stage < ASQ_PART_CLOSING)
            cut_short(part);
    }
}

static void take_time_over(uv_timer_t *timer)
{
    end_the_time(timer->data);
}

/* On the worker. */
static int run_nothing(struct asq_db *db, struct asq_request *request)
{
    (void)db; /* that its turn has come is enough */
    (void)request;
    return 0;
}

void asq__part_drained(struct asq_shutdown_part *part)
{
    if (part->stage == ASQ_PART_DRAINING)
        part->stage = ASQ_PART_DRAINED;
    maybe_go_on(part->shutdown);
}

/* The status does not matter: all requests before this one are answered. */
static void take_drained(struct asq_request *request, int status)
{
    (void)status;
    asq__part_drained(request->data);
}

/* Its hold is behind all other holds, so a request under it runs after all that
 * was submitted before. It is refused only if the database is not open: then
 * nothing is pending. */
static void drain(struct asq_shutdown_part *part)
{
    int rc;

    if (part->ops != NULL) {
        if (part->ops->drain(part))
            part->stage = ASQ_PART_DRAINED;
        return;
    }
    rc = asq_hold_begin(part->conn, &part->hold);
    asq_conn_refuse(part->conn);
    part->request.data = part;
    part->request.hold = &part->hold;
    if (rc == 0)
        rc = asq_conn_call(part->conn, &part->request, run_nothing,
                           take_drained);
    if (rc != 0)
        part->stage = ASQ_PART_DRAINED;
}

void asq_shutdown_init(struct asq_shutdown *shutdown)
{
    *shutdown = (struct asq_shutdown){.drain_ms = 5000, .in_time = true};
}

void asq_shutdown_add(struct asq_shutdown *shutdown,
                      struct asq_shutdown_part *part)
{
    struct asq_shutdown_part **link = &shutdown->first;

    while (*link != NULL)
        link = &(*link)->next;
    *link = part;
    part->next = NULL;
    part->shutdown = shutdown;
    part->stage = ASQ_PART_DRAINING;
    part->cancelled = 0;
    part->checkpoint_status = part->checkpoint ? UV_ECANCELED : 0;
    part->wal_left = 0;
    part->hold = (struct asq_hold){0};
    asq_request_init(&part->request);
}

int asq_shutdown_start(struct asq_shutdown *shutdown,
                       uv_loop_t *loop,
                       asq_shutdown_cb on_down)
{
    struct asq_shutdown_part *part;

    if (shutdown->state != ASQ_UP)
        return UV_EALREADY;
    shutdown->state = ASQ_DRAINING;
    shutdown->on_down = on_down;
    shutdown->deadline_ns =
        uv_hrtime() + shutdown->drain_ms * UINT64_C(1000000);
    for (part = shutdown->first; part != NULL; part = part->next)
        drain(part);
    /* The loop's time may be old: a long callback would count as well. */
    uv_update_time(loop);
    (void)uv_timer_init(loop, &shutdown->timer); /* it always succeeds */
    shutdown->timer.data = shutdown;
    /* It cannot fail: the timer is not closing. */
    (void)uv_timer_start(&shutdown->timer, take_time_over, shutdown->drain_ms,
                         0);
    maybe_go_on(shutdown);
    return 0;
}

void asq_shutdown_hurry(struct asq_shutdown *shutdown)
{
    if (shutdown->state == ASQ_DRAINING || shutdown->state == ASQ_CHECKPOINTING)
        end_the_time(shutdown);
}
