/* retry - the same once more: later, not all at once, not for ever */
#include "08-errors-and-deadlines/retry.h"

#include "08-errors-and-deadlines/errors.h"

#include <assert.h>

static const uint64_t NS_PER_MS = 1000000;

/* One repetition, in the hundredths that the budget counts. */
enum {
    WHOLE = 100
};

static uint64_t full(const struct asq_retry_budget *budget)
{
    return (uint64_t)budget->reserve * WHOLE;
}

static void pay_in(struct asq_retry_budget *budget)
{
    if (budget == NULL)
        return;
    budget->hundredths += budget->percent;
    if (budget->hundredths > full(budget))
        budget->hundredths = full(budget);
}

static bool take_out(struct asq_retry_budget *budget)
{
    if (budget == NULL)
        return true;
    if (budget->hundredths < WHOLE) {
        budget->refused++;
        return false;
    }
    budget->hundredths -= WHOLE;
    budget->spent++;
    return true;
}

/* SplitMix64 of Steele, Lea and Flood: a counter, well mixed. */
static uint64_t draw(struct asq_retry *retry)
{
    uint64_t z = retry->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Full jitter: any pause from 0 to the bound, each equally likely. */
static uint64_t draw_pause_ms(struct asq_retry *retry)
{
    unsigned doublings = retry->attempts - 1;
    uint64_t bound_ms = (uint64_t)retry->base_ms
                        << (doublings < 32 ? doublings : 32);

    if (bound_ms > retry->cap_ms)
        bound_ms = retry->cap_ms;
    return draw(retry) % (bound_ms + 1);
}

static bool is_too_late_in(const struct asq_retry *retry, uint64_t ms)
{
    return retry->deadline_ns != 0 &&
           uv_hrtime() + ms * NS_PER_MS >= retry->deadline_ns;
}

static bool may_succeed(int status)
{
    enum asq_remedy remedy = asq_error_of_code(status, NULL).remedy;

    return remedy == ASQ_REMEDY_RETRY || remedy == ASQ_REMEDY_RETRY_ALL;
}

static void on_time(uv_timer_t *timer);

static void wait_ms(struct asq_retry *retry, uint64_t ms)
{
    /* The loop's time may be old: it is not updated during a callback. */
    uv_update_time(retry->timer.loop);
    /* It cannot fail: the timer is not closing while active. */
    (void)uv_timer_start(&retry->timer, on_time, ms, 0);
}

static void end(struct asq_retry *retry, int status)
{
    retry->state = ASQ_RETRY_ENDING;
    retry->status = status;
    wait_ms(retry, 0);
}

static void begin_attempt(struct asq_retry *retry)
{
    int rc;

    retry->state = ASQ_RETRY_ATTEMPT;
    retry->attempts++;
    rc = retry->attempt(retry);
    if (rc != 0)
        asq_retry_settle(retry, rc);
}

static void on_time(uv_timer_t *timer)
{
    struct asq_retry *retry = timer->data;

    /* A loop that was busy may have come back after the deadline. */
    if (retry->state == ASQ_RETRY_PAUSE && !is_too_late_in(retry, 0)) {
        begin_attempt(retry);
        return;
    }
    retry->state = ASQ_RETRY_IDLE;
    retry->on_done(retry, retry->status); /* its memory may be freed there */
}

void asq_retry_budget_init(struct asq_retry_budget *budget,
                           unsigned percent,
                           unsigned reserve)
{
    *budget = (struct asq_retry_budget){.percent = percent, .reserve = reserve};
    budget->hundredths = full(budget);
}

void asq_retry_init(struct asq_retry *retry, uv_loop_t *loop)
{
    *retry =
        (struct asq_retry){.attempts_max = 5, .base_ms = 10, .cap_ms = 1000};
    (void)uv_timer_init(loop, &retry->timer); /* it always succeeds */
    retry->timer.data = retry;
}

int asq_retry_start(struct asq_retry *retry,
                    asq_attempt_cb attempt,
                    asq_retry_cb on_done)
{
    if (retry->state != ASQ_RETRY_IDLE || attempt == NULL || on_done == NULL ||
        retry->attempts_max == 0)
        return UV_EINVAL;
    retry->attempt = attempt;
    retry->on_done = on_done;
    retry->attempts = 0;
    retry->paused_ms = 0;
    retry->cancelled = false;
    retry->deadline_ns = 0;
    if (retry->timeout_ms != 0)
        retry->deadline_ns = uv_hrtime() + retry->timeout_ms * NS_PER_MS;
    retry->random = retry->seed;
    if (retry->seed == 0) /* two that start together still differ */
        retry->random = uv_hrtime() ^ (uint64_t)(uintptr_t)retry;
    pay_in(retry->budget);
    begin_attempt(retry);
    return 0;
}

void asq_retry_settle(struct asq_retry *retry, int status)
{
    uint64_t pause_ms;

    assert(retry->state == ASQ_RETRY_ATTEMPT);
    if (!may_succeed(status) || retry->cancelled ||
        retry->attempts >= retry->attempts_max) {
        end(retry, status);
        return;
    }
    pause_ms = draw_pause_ms(retry);
    /* The budget last, so that a pause that does not begin costs nothing. */
    if (is_too_late_in(retry, pause_ms) || !take_out(retry->budget)) {
        end(retry, status);
        return;
    }
    retry->state = ASQ_RETRY_PAUSE;
    retry->status = status;
    retry->paused_ms += pause_ms;
    wait_ms(retry, pause_ms);
}

void asq_retry_cancel(struct asq_retry *retry)
{
    retry->cancelled = true;
    if (retry->state == ASQ_RETRY_PAUSE)
        end(retry, UV_ECANCELED);
}

static void tell_closed(uv_handle_t *timer)
{
    struct asq_retry *retry = timer->data;

    if (retry->on_closed != NULL)
        retry->on_closed(retry);
}

void asq_retry_close(struct asq_retry *retry, asq_retry_closed_cb on_closed)
{
    assert(retry->state == ASQ_RETRY_IDLE);
    retry->on_closed = on_closed;
    uv_close((uv_handle_t *)&retry->timer, tell_closed);
}
