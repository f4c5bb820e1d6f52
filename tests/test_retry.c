/* test_retry - how often, how far apart, and what ends it
 *
 * Attempts are played from a script. Pauses are of 0 to 2 ms, or cancelled at
 * once; what is checked is what was drawn, never how long it took.
 */
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/retry.h"
#include "grader/test.h"

#include <limits.h>
#include <sqlite3.h>

enum {
    HOUR_MS = 3600000,
    ATTEMPTS = 80
};

enum how {
    INSIDE,   /* the attempt settles itself */
    RETURNED, /* it returns the status, as of a submit */
    LATER,    /* the loop settles it, as a callback would */
    BY_HAND   /* the test settles it */
};

struct fixture {
    uv_loop_t loop;
    struct asq_retry retry;
    uv_timer_t later;
    enum how how;
    unsigned failures;       /* so many attempts fail before one succeeds */
    int failure;             /* with this */
    bool cancels;            /* inside the attempt */
    bool inside;             /* a function of retry */
    uint64_t sums[ATTEMPTS]; /* paused_ms when an attempt begins */
    unsigned begun;          /* attempts of all starts */
    unsigned again;          /* so often on_done starts it again */
    int done, status;
    int closed;
};

static void settle(struct fixture *f)
{
    int status = f->retry.attempts <= f->failures ? f->failure : 0;

    f->inside = true;
    asq_retry_settle(&f->retry, status);
    f->inside = false;
}

static void settle_later(uv_timer_t *timer)
{
    settle(timer->data);
}

static int attempt(struct asq_retry *retry)
{
    struct fixture *f = retry->data;

    CHECK(retry->attempts >= 1 && retry->attempts <= ATTEMPTS);
    f->sums[retry->attempts - 1] = retry->paused_ms;
    f->begun++;
    if (f->cancels)
        asq_retry_cancel(retry);
    if (f->how == RETURNED && retry->attempts <= f->failures)
        return f->failure;
    if (f->how == LATER)
        CHECK_INT(uv_timer_start(&f->later, settle_later, 0, 0), 0);
    else if (f->how != BY_HAND)
        settle(f);
    return 0;
}

static void on_closed(struct asq_retry *retry)
{
    struct fixture *f = retry->data;

    f->closed++;
}

static void on_done(struct asq_retry *retry, int status)
{
    struct fixture *f = retry->data;

    CHECK(!f->inside);
    CHECK_INT(f->done, 0);
    f->status = status;
    if (f->again == 0) {
        f->done++;
        return;
    }
    f->again--;
    f->inside = true;
    CHECK_INT(asq_retry_start(retry, attempt, on_done), 0);
    f->inside = false;
}

static void set_up(void *data)
{
    struct fixture *f = data;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    CHECK_INT(uv_timer_init(&f->loop, &f->later), 0);
    f->later.data = f;
    asq_retry_init(&f->retry, &f->loop);
    f->retry.data = f;
    f->retry.base_ms = 1;
    f->retry.cap_ms = 2;
    f->retry.seed = test_seed();
    f->failures = UINT_MAX;
    f->failure = SQLITE_BUSY;
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(f->done, 0); /* none that nobody has expected */
    uv_close((uv_handle_t *)&f->later, NULL);
    asq_retry_close(&f->retry, on_closed);
    test_run_until(&f->loop, &f->closed);
    CHECK_INT(f->closed, 1);
    test_close_loop(&f->loop);
}

static void start(struct fixture *f)
{
    f->done = 0;
    f->inside = true;
    CHECK_INT(asq_retry_start(&f->retry, attempt, on_done), 0);
    f->inside = false;
}

static void cancel(struct fixture *f)
{
    f->inside = true;
    asq_retry_cancel(&f->retry);
    f->inside = false;
}

static void expect(struct fixture *f, int status, unsigned attempts)
{
    test_run_until(&f->loop, &f->done);
    f->done = 0;
    CHECK_INT(f->status, status);
    CHECK_INT(f->retry.attempts, attempts);
}

/* What is tried again, and how often */

static void until_it_succeeds(void *data)
{
    struct fixture *f = data;

    for (int how = INSIDE; how <= LATER; how++) {
        for (unsigned failures = 0; failures < 5; failures++) {
            f->how = (enum how)how;
            f->failures = failures;
            start(f);
            expect(f, 0, failures + 1);
        }
    }
}

static void until_there_were_enough(void *data)
{
    struct fixture *f = data;

    for (int how = INSIDE; how <= LATER; how++) {
        for (unsigned max = 1; max < 6; max++) {
            f->how = (enum how)how;
            f->retry.attempts_max = max;
            start(f);
            expect(f, SQLITE_BUSY, max);
        }
    }
}

static void only_what_may_succeed(void *data)
{
    static const int codes[] = {
        SQLITE_BUSY,
        SQLITE_BUSY_SNAPSHOT,
        SQLITE_BUSY_RECOVERY,
        SQLITE_PROTOCOL,
        SQLITE_SCHEMA,
        UV_ENOBUFS,
        SQLITE_CONSTRAINT,
        SQLITE_LOCKED,
        SQLITE_INTERRUPT,
        SQLITE_IOERR_FSYNC,
        SQLITE_IOERR_WRITE,
        SQLITE_IOERR,
        SQLITE_FULL,
        SQLITE_CORRUPT,
        SQLITE_NOTADB,
        SQLITE_READONLY,
        SQLITE_NOMEM,
        SQLITE_ERROR,
        SQLITE_MISUSE,
        SQLITE_TOOBIG,
        SQLITE_CANTOPEN,
        UV_ECANCELED,
        UV_ETIMEDOUT,
        UV_ESHUTDOWN,
        UV_EINVAL,
        UV_EBUSY,
        UV_ENOMEM,
        SQLITE_BUSY - 65536,
    };
    struct fixture *f = data;

    f->retry.attempts_max = 3;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        for (int how = INSIDE; how <= LATER; how++) {
            f->how = (enum how)how;
            f->failure = codes[i];
            start(f);
            expect(f, codes[i], i < 6 ? 3 : 1);
        }
    }
}

static void nobody_starts_it_wrongly(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_retry_start(&f->retry, NULL, on_done), UV_EINVAL);
    CHECK_INT(asq_retry_start(&f->retry, attempt, NULL), UV_EINVAL);
    f->retry.attempts_max = 0;
    CHECK_INT(asq_retry_start(&f->retry, attempt, on_done), UV_EINVAL);
    f->retry.attempts_max = 2;
    f->retry.base_ms = HOUR_MS;
    f->retry.cap_ms = HOUR_MS;
    f->how = BY_HAND;
    start(f);
    CHECK_INT(asq_retry_start(&f->retry, attempt, on_done), UV_EINVAL);
    settle(f); /* now it pauses */
    CHECK_INT(asq_retry_start(&f->retry, attempt, on_done), UV_EINVAL);
    cancel(f); /* now it ends */
    CHECK_INT(asq_retry_start(&f->retry, attempt, on_done), UV_EINVAL);
    expect(f, UV_ECANCELED, 1);
    CHECK_INT(f->begun, 1);
}

static void again_from_on_done(void *data)
{
    struct fixture *f = data;
    uint64_t paused_ms;

    start(f);
    expect(f, SQLITE_BUSY, 5);
    paused_ms = f->retry.paused_ms;
    f->begun = 0;
    f->again = 9;
    start(f);
    expect(f, SQLITE_BUSY, 5);
    CHECK_INT(f->begun, 50);
    CHECK_INT(f->retry.paused_ms, paused_ms); /* the same seed */
}

/* Not from when the loop has looked at the clock last. */
static void a_pause_counts_from_now(void *data)
{
    struct fixture *f = data;
    uint64_t loop_ms = uv_now(&f->loop);
    uint64_t until_ns = uv_hrtime() + 20000000;

    while (uv_hrtime() < until_ns)
        continue; /* a callback that takes long */
    start(f);
    CHECK(uv_now(&f->loop) >= loop_ms + 20);
    expect(f, SQLITE_BUSY, 5);
}

/* Cancel */

static void cancel_ends_a_pause(void *data)
{
    struct fixture *f = data;

    f->retry.base_ms = HOUR_MS;
    f->retry.cap_ms = HOUR_MS;
    start(f);
    cancel(f);
    cancel(f);
    expect(f, UV_ECANCELED, 1);
}

static void cancel_lets_an_attempt_end(void *data)
{
    static const int statuses[] = {SQLITE_BUSY, 0, SQLITE_FULL};
    struct fixture *f = data;

    f->how = BY_HAND;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        f->failure = statuses[i];
        start(f);
        cancel(f);
        CHECK_INT(uv_run(&f->loop, UV_RUN_NOWAIT), 0);
        CHECK_INT(f->done, 0); /* it is not over before that is */
        settle(f);
        cancel(f); /* too late for anything */
        expect(f, statuses[i], 1);
    }
}

static void cancel_inside_an_attempt(void *data)
{
    struct fixture *f = data;

    f->cancels = true;
    for (int how = INSIDE; how <= LATER; how++) {
        f->how = (enum how)how;
        start(f);
        expect(f, SQLITE_BUSY, 1);
    }
}

static void cancel_is_spent(void *data)
{
    struct fixture *f = data;

    cancel(f);
    start(f);
    expect(f, SQLITE_BUSY, 5);
}

/* Deadline */

static void no_pause_goes_beyond_the_deadline(void *data)
{
    struct fixture *f = data;
    struct asq_retry_budget budget;

    asq_retry_budget_init(&budget, 0, 1);
    f->retry.budget = &budget;
    f->retry.timeout_ms = 1000;
    f->retry.base_ms = UINT_MAX; /* of 49 days, less than a second is drawn */
    f->retry.cap_ms = UINT_MAX;  /* once in four million times */
    f->retry.seed = 1;
    start(f);
    expect(f, SQLITE_BUSY, 1);
    CHECK_INT(f->retry.paused_ms, 0);
    CHECK(f->retry.deadline_ns != 0);
    CHECK_INT(budget.spent, 0); /* what does not happen costs nothing */
    CHECK_INT(budget.refused, 0);
}

static void no_attempt_begins_after_the_deadline(void *data)
{
    struct fixture *f = data;

    f->retry.timeout_ms = 50;
    f->retry.base_ms = 0;
    start(f);
    while (uv_hrtime() < f->retry.deadline_ns)
        continue; /* the loop is busy with something else */
    expect(f, SQLITE_BUSY, 1);
}

static void a_far_deadline_changes_nothing(void *data)
{
    struct fixture *f = data;

    f->retry.timeout_ms = UINT_MAX;
    start(f);
    expect(f, SQLITE_BUSY, 5);
    CHECK_RANGE(f->retry.deadline_ns - uv_hrtime(), UINT_MAX * 0.5e6,
                UINT_MAX * 1e6);
    f->retry.timeout_ms = 0;
    start(f);
    CHECK_INT(f->retry.deadline_ns, 0);
    expect(f, SQLITE_BUSY, 5);
}

static const struct test_case cases[] = {
    {.name = "until_it_succeeds", .run = until_it_succeeds},
    {.name = "until_there_were_enough", .run = until_there_were_enough},
    {.name = "only_what_may_succeed", .run = only_what_may_succeed},
    {.name = "nobody_starts_it_wrongly", .run = nobody_starts_it_wrongly},
    {.name = "again_from_on_done", .run = again_from_on_done},
    {.name = "a_pause_counts_from_now", .run = a_pause_counts_from_now},
    {.name = "cancel_ends_a_pause", .run = cancel_ends_a_pause},
    {.name = "cancel_lets_an_attempt_end", .run = cancel_lets_an_attempt_end},
    {.name = "cancel_inside_an_attempt", .run = cancel_inside_an_attempt},
    {.name = "cancel_is_spent", .run = cancel_is_spent},
    {.name = "no_pause_goes_beyond_the_deadline",
     .run = no_pause_goes_beyond_the_deadline},
    {.name = "no_attempt_begins_after_the_deadline",
     .run = no_attempt_begins_after_the_deadline},
    {.name = "a_far_deadline_changes_nothing",
     .run = a_far_deadline_changes_nothing},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "retry",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
