/* shutdown - the end of a program that has connections at work */
#include "09-lifetimes/shutdown.h"

#include <stdarg.h>
#include <stdio.h>

static const uint64_t CHECKPOINT_AT_LEAST_NS = 500000000;

/* Says whether every part has come so far. */
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

static void take_closed(struct asq_conn *conn)
{
    struct asq_shutdown_part *part = conn->keeper;

    asq_request_destroy(&part->request);
    part->stage = ASQ_PART_CLOSED;
    maybe_go_on(part->shutdown);
}

/* The callbacks of the connection's owner go on to find conn->data as it was.
 */
static void close_part(struct asq_shutdown_part *part)
{
    part->stage = ASQ_PART_CLOSING;
    part->conn->keeper = part;
    asq_hold_end(&part->hold); /* so that it does not count as forgotten */
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

/* The first one brings back what it can and waits for nobody; a deadline ends
 * it only if the disk is slow. The close does not take that up again. */
static int take_moved(struct asq_shutdown_part *part, int status)
{
    const struct asq_result *result = &part->request.result;

    if (status == UV_ETIMEDOUT) {
        part->shutdown->in_time = false;
        asq_hold_end(&part->hold); /* so that it does not count as forgotten */
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

/* The second one waits for readers, then empties the WAL. However that ends,
 * the rows are in the file. */
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
        return; /* the second one */
    if (part->stage == ASQ_PART_CHECKPOINTING)
        close_part(part);
    maybe_go_on(part->shutdown);
}

static void start_checkpoint(struct asq_shutdown_part *part)
{
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

/* Once: it leaves the state of draining, however that ends. */
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
        return; /* what one of them has left open would pin the WAL */
    start_checkpoints(shutdown);
    if (!all_reached(shutdown, ASQ_PART_CLOSING))
        return; /* a checkpoint is under way */
    shutdown->state = ASQ_CLOSING;
    if (!all_reached(shutdown, ASQ_PART_CLOSED))
        return; /* a thread has not ended */
    if (!shutdown->timer_closed)
        return;
    shutdown->state = ASQ_DOWN;
    shutdown->on_down(shutdown); /* all memory may be gone after this */
}

static void cut_short(struct asq_shutdown_part *part)
{
    bool own = part->stage == ASQ_PART_DRAINING ||
               part->stage == ASQ_PART_CHECKPOINTING;

    part->cancelled = part->conn->pending - own;
    asq_hold_end(&part->hold); /* before cancel counts those that have not */
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
    (void)db; /* it only has to have its turn */
    (void)request;
    return 0;
}

/* The status does not matter: whatever it is, the line before is answered. */
static void take_drained(struct asq_request *request, int status)
{
    struct asq_shutdown_part *part = request->data;

    (void)status;
    if (part->stage == ASQ_PART_DRAINING)
        part->stage = ASQ_PART_DRAINED;
    maybe_go_on(part->shutdown);
}

/* Its own hold stands last in the line of holds, and what runs under it comes
 * after all that was submitted before. Refused only when the database is not
 * open: then there is no line. */
static void drain(struct asq_shutdown_part *part)
{
    int rc = asq_hold_begin(part->conn, &part->hold);

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
    /* A loop that has long been busy would count that time as well. */
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

/* A line that is being written: a name, then what there is to say of it. */
struct line {
    char *text;
    size_t size, length;
    const char *before; /* the next item */
};

static void add(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    size_t room = line->size - line->length;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room)
        line->length = line->size - 1; /* it is cut */
    else
        line->length += (size_t)length;
}

static void
add_count(struct line *line, int64_t count, const char *what, const char *how)
{
    if (count <= 0)
        return;
    add(line, "%s%lld %s%s %s", line->before, (long long)count, what,
        count == 1 ? "" : "s", how);
    line->before = ", ";
}

static void add_text(struct line *line, const char *text)
{
    add(line, "%s%s", line->before, text);
    line->before = ", ";
}

static void add_checkpoint(struct line *line,
                           const struct asq_shutdown_part *part)
{
    int status = part->checkpoint_status;

    if (part->wal_left > 0)
        add_count(line, part->wal_left, "frame", "left in the WAL");
    else if (status == UV_ETIMEDOUT || status == SQLITE_INTERRUPT)
        add_text(line, "the checkpoint cut short");
    else if (status < 0)
        add_text(line, "no checkpoint");
    else if (status > 0)
        add_text(line, "the WAL not emptied");
}

bool asq_shutdown_report(const struct asq_shutdown_part *part,
                         char *text,
                         size_t size)
{
    const struct asq_left_open *left_open = &part->conn->left_open;
    struct line line = {.text = text, .size = size, .before = ": "};

    if (size == 0)
        return false;
    add(&line, "%s", part->name);
    add_count(&line, left_open->holds, "hold", "not ended");
    add_count(&line, left_open->statements, "statement", "not released");
    add_count(&line, left_open->transactions, "transaction", "rolled back");
    add_count(&line, left_open->handles, "blob handle or backup", "not closed");
    add_count(&line, (int64_t)part->cancelled, "request", "cancelled");
    add_checkpoint(&line, part);
    if (line.before[0] == ',')
        return true;
    text[0] = '\0';
    return false;
}
