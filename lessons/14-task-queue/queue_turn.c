/* queue_turn - what is to be done next, and when */
#include "14-task-queue/queue_turn.h"

#include "14-task-queue/queue_ask.h"
#include "14-task-queue/queue_claim.h"
#include "14-task-queue/queue_job.h"
#include "14-task-queue/queue_lease.h"
#include "14-task-queue/queue_sql.h"

/* The timer */

static void tick(uv_timer_t *timer)
{
    asq__queue_look(timer->data);
}

static uint64_t until(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms > now_ms ? at_ms - now_ms : 1;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long the timer sleeps: until the next event by the queue's clocks, but at
 * most until the next poll by the loop's, because a clock may be set back. */
static uint64_t sleep_ms(const struct asq_queue *queue)
{
    uint64_t now_ms = asq__queue_now(queue);
    uint64_t loop_ms = uv_now(queue->timer.loop);
    uint64_t ms = until(queue->look_at_ms, loop_ms);
    uint64_t event_ms = asq__queue_next_event(queue);

    if (queue->draining && !queue->over)
        event_ms = earlier(event_ms, queue->drain_end_ms);
    if (event_ms != UINT64_MAX)
        ms = earlier(ms, until(event_ms, now_ms));
    if (asq__queue_may_claim(queue))
        ms = earlier(ms, asq__queue_until_tick_ms(queue));
    return ms;
}

/* The timer keeps the loop alive only until on_drained has been called. */
static void set_timer(struct asq_queue *queue)
{
    uv_handle_t *handle = (uv_handle_t *)&queue->timer;

    if (queue->closing || (queue->jobs == NULL && !queue->draining))
        return;
    /* It cannot fail: there is a callback, and the timer is not closing. */
    (void)uv_timer_start(&queue->timer, tick, sleep_ms(queue), 0);
    if (queue->draining && !queue->drained)
        uv_ref(handle);
    else
        uv_unref(handle);
}

void asq__queue_look_soon(struct asq_queue *queue)
{
    queue->look_at_ms = 0;
    set_timer(queue);
}

/* Draining */

static void take_back(struct asq_request *request, int status)
{
    struct asq_queue *queue = request->data;

    if (status != 0) {
        asq__queue_report(queue, status, request->message);
    } else {
        queue->stats.given_back += (uint64_t)request->result.changes;
        for (size_t i = 0; i < queue->lanes; i++)
            queue->jobs[i].gone = true;
    }
    asq__queue_answered(queue);
    asq__queue_turn(queue);
}

/* The time is over. The holders are told before others can claim their jobs. */
static void end_drain(struct asq_queue *queue)
{
    queue->over = true;
    if (queue->free_lanes == queue->lanes)
        return;
    for (size_t i = 0; i < queue->lanes && !queue->closing; i++)
        if (queue->jobs[i].place == ASQ_JOB_HELD)
            asq__queue_lose(&queue->jobs[i]);
    if (queue->closing)
        return;
    queue->back.values[0] = asq_text(queue->name);
    queue->back.values[1] = asq_text(asq__queue_boot_of(queue));
    queue->back.values[2] = asq_text(queue->worker);
    /* If it is refused, there is nothing to wait for. */
    (void)asq__queue_ask(queue, &queue->back, asq__queue_give_back_all, 3,
                         take_back);
}

static bool is_ending(const struct asq_queue *queue)
{
    size_t i = 0;

    while (i < queue->lanes && !queue->jobs[i].ask.request.pending)
        i++;
    return i < queue->lanes;
}

/* Lists each reason to wait. */
static void maybe_drained(struct asq_queue *queue)
{
    if (!queue->draining || queue->drained || queue->closing)
        return;
    if (asq__queue_is_claiming(queue) || queue->back.request.pending)
        return;
    if (is_ending(queue))
        return;
    if (!queue->over && queue->free_lanes < queue->lanes)
        return;
    queue->drained = true;
    queue->on_drained(queue);
}

/* What is next */

void asq__queue_turn(struct asq_queue *queue)
{
    if (queue->closing || (queue->jobs == NULL && !queue->draining))
        return;
    asq__queue_beat_if_due(queue);
    asq__queue_claim_if_wanted(queue);
    maybe_drained(queue);
    set_timer(queue);
}

static void end_again(struct asq_queue *queue)
{
    if (queue->closing) /* by one of the callbacks before */
        return;
    for (size_t i = 0; i < queue->lanes; i++)
        asq__job_end_again(&queue->jobs[i]);
}

void asq__queue_look(struct asq_queue *queue)
{
    if (queue->closing)
        return;
    queue->look_at_ms = uv_now(queue->timer.loop) + queue->poll_ms;
    queue->trouble = false;
    asq__queue_report_refused(queue);
    asq__queue_warn(queue);
    end_again(queue);
    if (queue->draining && !queue->over &&
        asq__queue_now(queue) >= queue->drain_end_ms)
        end_drain(queue);
    if (queue->closing) /* by one of the callbacks */
        return;
    asq__queue_look_for_work(queue);
    asq__queue_turn(queue);
}

void asq__queue_know_due(struct asq_queue *queue, int64_t due_ms)
{
    if (due_ms < queue->next_due_ms)
        queue->next_due_ms = due_ms;
}

int64_t asq__queue_due(int64_t wall_ms, uint64_t delay_ms)
{
    return delay_ms > (uint64_t)(INT64_MAX - wall_ms)
               ? INT64_MAX
               : wall_ms + (int64_t)delay_ms;
}
