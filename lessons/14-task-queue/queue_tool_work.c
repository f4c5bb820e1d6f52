/* queue_tool_work - runs a command for each job of a queue */
#include "14-task-queue/queue_tool_work.h"

#include "14-task-queue/queue.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    DRAIN_MS = 10000,
    LOOK_EVERY_MS = 200,
    BACK_OFF_MS = 1000,
    BACK_OFF_MAX_MS = 3600000
};

struct work;

/* One command at a time. */
struct lane {
    struct work *work;
    struct asq_queue_job *job;
    uv_process_t process;
    uv_pipe_t input;
    uv_write_t write;
    int handles; /* that are not closed yet */
    bool runs;
    int64_t status; /* how it ended */
    int signal;
    char why[64];
};

struct work {
    const struct asq_queue_work_order *order;
    uv_loop_t *loop;
    struct asq_queue queue;
    struct asq_queue_job jobs[ASQ_QUEUE_TOOL_LANES];
    struct lane lanes[ASQ_QUEUE_TOOL_LANES];
    struct asq_care count;
    bool counting;
    uv_timer_t look; /* whether the queue is empty */
    uv_signal_t signals[2];
    bool drains;
    int status;
};

static void fail(struct work *work, const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s: %s\n", work->order->program, what, why);
    work->status = 1;
}

/* The end */

static void note_closed(struct asq_queue *queue)
{
    struct work *work = queue->data;

    uv_close((uv_handle_t *)&work->look, NULL);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&work->signals[i], NULL);
}

static void note_drained(struct asq_queue *queue)
{
    asq_queue_close(queue, note_closed);
}

static void drain(struct work *work)
{
    if (work->drains)
        return;
    work->drains = true;
    /* It cannot fail: the queue is open and not drained yet. */
    (void)asq_queue_drain(&work->queue, DRAIN_MS, note_drained);
}

static void take_signal(uv_signal_t *handle, int number)
{
    (void)number; /* both mean the same */
    drain(handle->data);
}

/* One command */

static void note_ended(struct asq_queue_job *job, int status)
{
    struct lane *lane = job->data;

    if (status == ASQ_LOST)
        (void)fprintf(stderr, "%s: job %lld was lost to another worker\n",
                      lane->work->order->program, (long long)job->id);
}

static uint64_t back_off_ms(int64_t attempt)
{
    uint64_t ms = BACK_OFF_MS;

    while (--attempt > 0 && ms < BACK_OFF_MAX_MS)
        ms *= 2;
    return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

static void end_job(struct lane *lane)
{
    int rc = lane->status == 0 && lane->signal == 0
                 ? asq_job_done(lane->job, note_ended)
                 : asq_job_retry(lane->job, back_off_ms(lane->job->attempt),
                                 lane->why, note_ended);

    if (rc == UV_EINVAL)
        note_ended(lane->job, ASQ_LOST); /* it was given back meanwhile */
}

static void note_handle_closed(uv_handle_t *handle)
{
    struct lane *lane = handle->data;

    if (--lane->handles > 0)
        return;
    lane->runs = false;
    end_job(lane);
}

static void note_exit(uv_process_t *process, int64_t status, int number)
{
    struct lane *lane = process->data;

    lane->status = status;
    lane->signal = number;
    /* They fit. */
    if (number != 0)
        (void)snprintf(lane->why, sizeof lane->why, "ended by signal %d",
                       number);
    else
        (void)snprintf(lane->why, sizeof lane->why, "exit status %lld",
                       (long long)status);
    uv_close((uv_handle_t *)process, note_handle_closed);
    if (!uv_is_closing((uv_handle_t *)&lane->input))
        uv_close((uv_handle_t *)&lane->input, note_handle_closed);
}

/* A command need not read its input: then writing fails, which is no matter. */
static void note_written(uv_write_t *write, int status)
{
    struct lane *lane = write->data;

    (void)status;
    if (!uv_is_closing((uv_handle_t *)&lane->input))
        uv_close((uv_handle_t *)&lane->input, note_handle_closed);
}

static void feed(struct lane *lane)
{
    /* libuv does not write into it. */
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)lane->job->payload,
                               (unsigned)lane->job->size);

    lane->write.data = lane;
    if (uv_write(&lane->write, (uv_stream_t *)&lane->input, &buf, 1,
                 note_written) != 0)
        note_written(&lane->write, 0);
}

static int spawn(struct lane *lane)
{
    char **command = lane->work->order->command;
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
         .data.stream = (uv_stream_t *)&lane->input},
        {.flags = UV_INHERIT_FD, .data.fd = 1},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {.file = command[0],
                                    .args = command,
                                    .exit_cb = note_exit,
                                    .stdio = stdio,
                                    .stdio_count = 3};

    return uv_spawn(lane->work->loop, &lane->process, &options);
}

static void run_job(struct asq_queue_job *job)
{
    struct lane *lane = job->data;
    int rc;

    (void)uv_pipe_init(lane->work->loop, &lane->input, 0); /* it succeeds */
    lane->job = job;
    lane->process.data = lane;
    lane->input.data = lane;
    lane->handles = 2;
    lane->runs = true;
    rc = spawn(lane);
    if (rc == 0) {
        feed(lane);
        return;
    }
    fail(lane->work, lane->work->order->command[0], uv_strerror(rc));
    note_exit(&lane->process, 127, 0);
    drain(lane->work);
}

static void end_command(struct asq_queue_job *job)
{
    struct lane *lane = job->data;

    if (lane->runs && !uv_is_closing((uv_handle_t *)&lane->process))
        (void)uv_process_kill(&lane->process, SIGTERM); /* or it has ended */
}

/* Is the queue empty? */

static void note_count(struct asq_care *count, int status)
{
    struct work *work = count->data;

    work->counting = false;
    if (status == 0 && count->ready + count->delayed + count->running == 0)
        drain(work);
}

static void look(uv_timer_t *timer)
{
    struct work *work = timer->data;

    if (!work->counting && !work->drains)
        work->counting =
            asq_queue_count(&work->queue, &work->count, note_count) == 0;
}

static void note_open(struct asq_queue *queue, int status)
{
    struct work *work = queue->data;

    if (status != 0) {
        fail(work, work->order->queue, queue->message);
        asq_queue_close(queue, note_closed);
        return;
    }
    /* These succeed: the handles are open, and the arguments right. */
    (void)asq_queue_work(queue, work->jobs, work->order->lanes, run_job);
    if (work->order->until_empty)
        (void)uv_timer_start(&work->look, look, LOOK_EVERY_MS, LOOK_EVERY_MS);
}

static void note_error(struct asq_queue *queue, int status, const char *message)
{
    struct work *work = queue->data;

    (void)fprintf(stderr, "%s: %s (%d), trying again\n", work->order->program,
                  message, status);
}

/* Writing to a command that does not read must not end the program. */
static int start_signals(struct work *work)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    int rc = 0;

    (void)signal(SIGPIPE, SIG_IGN); /* it cannot fail: there is such a signal */
    for (int i = 0; i < 2; i++) {
        (void)uv_signal_init(work->loop, &work->signals[i]); /* it succeeds */
        work->signals[i].data = work;
        if (rc == 0)
            rc = uv_signal_start(&work->signals[i], take_signal, numbers[i]);
    }
    return rc;
}

int asq__queue_tool_work(uv_loop_t *loop,
                         struct asq_conn *conn,
                         const struct asq_queue_work_order *order)
{
    struct work work = {.order = order, .loop = loop};
    int rc;

    for (int i = 0; i < ASQ_QUEUE_TOOL_LANES; i++) {
        work.lanes[i].work = &work;
        work.jobs[i].data = &work.lanes[i];
    }
    asq_care_init(&work.count);
    work.count.data = &work;
    asq_queue_init(&work.queue);
    work.queue.data = &work;
    work.queue.on_lost = end_command;
    work.queue.on_error = note_error;
    (void)uv_timer_init(loop, &work.look); /* it succeeds */
    work.look.data = &work;
    rc = start_signals(&work);
    if (rc == 0)
        rc = asq_queue_open(&work.queue, loop, conn, order->queue, note_open);
    if (rc != 0) {
        fail(&work, order->queue, uv_strerror(rc));
        note_closed(&work.queue);
    }
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until the queue is closed */
    asq_care_destroy(&work.count);
    return work.status;
}
