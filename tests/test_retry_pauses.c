/* test_retry_pauses - what is drawn, against a computation of its own; and
 * the budget that many share
 *
 * A pause is drawn when an attempt is settled; who wants to see it, and not to
 * wait for it, cancels then.
 */
#include "08-errors-and-deadlines/retry.h"
#include "grader/test.h"

#include <limits.h>
#include <sqlite3.h>

enum {
    MANY = 100,
    ATTEMPTS = 80
};

struct fixture {
    uv_loop_t loop;
    struct asq_retry retries[MANY];
    struct asq_retry_budget budget;
    bool by_hand;
    uint64_t sums[ATTEMPTS + 1]; /* paused_ms as the attempts begin, from 1 */
    unsigned begun;
    unsigned ended;
    int done; /* the last of them has ended */
    unsigned wanted;
};

static int attempt(struct asq_retry *retry)
{
    struct fixture *f = retry->data;

    if (retry->attempts <= ATTEMPTS)
        f->sums[retry->attempts] = retry->paused_ms;
    f->begun++;
    if (!f->by_hand)
        asq_retry_settle(retry, SQLITE_BUSY);
    return 0;
}

static void on_done(struct asq_retry *retry, int status)
{
    struct fixture *f = retry->data;

    CHECK(status == SQLITE_BUSY || status == UV_ECANCELED);
    f->ended++;
    f->done = f->ended == f->wanted;
}

static void set_up(void *data)
{
    struct fixture *f = data;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    for (unsigned i = 0; i < MANY; i++) {
        asq_retry_init(&f->retries[i], &f->loop);
        f->retries[i].data = f;
        f->retries[i].seed = test_seed() + i;
    }
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    for (unsigned i = 0; i < MANY; i++)
        asq_retry_close(&f->retries[i], NULL);
    test_close_loop(&f->loop);
}

static void start(struct asq_retry *retry)
{
    CHECK_INT(asq_retry_start(retry, attempt, on_done), 0);
}

static void wait_for(struct fixture *f, unsigned count)
{
    f->wanted = count;
    f->done = f->ended == count;
    test_run_until(&f->loop, &f->done);
    f->ended = 0;
}

static uint64_t first_pause_ms(struct fixture *f, uint64_t seed)
{
    struct asq_retry *retry = &f->retries[0];

    retry->seed = seed;
    start(retry);
    asq_retry_cancel(retry);
    wait_for(f, 1);
    return retry->paused_ms;
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z;

    *state += 0x9e3779b97f4a7c15U;
    z = *state;
    z ^= z >> 30;
    z *= 0xbf58476d1ce4e5b9U;
    z ^= z >> 27;
    z *= 0x94d049bb133111ebU;
    z ^= z >> 31;
    return z;
}

/* The bound doubles, and overflows nowhere. */
static void check_sequence(struct fixture *f, unsigned base, unsigned cap)
{
    struct asq_retry *retry = &f->retries[0];
    uint64_t state = retry->seed;
    uint64_t bound = base < cap ? base : cap;
    uint64_t sum = 0;

    retry->base_ms = base;
    retry->cap_ms = cap;
    start(retry);
    wait_for(f, 1);
    CHECK_INT(retry->attempts, retry->attempts_max);
    for (unsigned i = 1; i <= retry->attempts; i++) {
        CHECK_INT(f->sums[i], sum);
        if (i == retry->attempts)
            break; /* after the last one nobody pauses */
        sum += splitmix64(&state) % (bound + 1);
        bound = bound * 2 < cap ? bound * 2 : cap;
    }
    CHECK_INT(retry->paused_ms, sum);
}

static void pauses_are_drawn_from_the_seed(void *data)
{
    static const unsigned pairs[][2] = {{1, 2}, {2, 1},        {0, 1000},
                                        {5, 0}, {UINT_MAX, 1}, {1, 5}};
    struct fixture *f = data;

    f->retries[0].attempts_max = 8;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        f->retries[0].seed++;
        check_sequence(f, pairs[i][0], pairs[i][1]);
    }
    f->retries[0].attempts_max = ATTEMPTS; /* more doublings than bits */
    check_sequence(f, 1, 1);
    check_sequence(f, 1U << 31, 2);
}

/* The first numbers of splitmix64 for this seed are published. */
static void the_generator_is_the_known_one(void *data)
{
    struct fixture *f = data;
    uint64_t state = 1234567;

    CHECK(splitmix64(&state) == UINT64_C(6457827717110365317));
    CHECK(splitmix64(&state) == UINT64_C(3203168211198807973));
    f->retries[0].base_ms = UINT_MAX;
    f->retries[0].cap_ms = UINT_MAX;
    CHECK_INT(first_pause_ms(f, 1234567),
              UINT64_C(6457827717110365317) % (UINT64_C(1) << 32));
}

static void all_of_the_range_is_drawn_alike(void *data)
{
    struct fixture *f = data;
    unsigned counts[10] = {0};

    f->retries[0].base_ms = 9;
    f->retries[0].cap_ms = 9;
    for (uint64_t seed = 1; seed <= 10000; seed++) {
        uint64_t ms = first_pause_ms(f, seed);

        CHECK(ms < 10);
        counts[ms]++;
    }
    for (int i = 0; i < 10; i++)
        CHECK_RANGE(counts[i], 850, 1150); /* five times the deviation */
}

static void seeds_differ(void *data)
{
    struct fixture *f = data;
    unsigned same = 0;

    f->retries[0].base_ms = UINT_MAX;
    f->retries[0].cap_ms = UINT_MAX;
    CHECK(first_pause_ms(f, 1) != first_pause_ms(f, 2));
    for (int i = 0; i < 10; i++) /* the clock's */
        same += first_pause_ms(f, 0) == first_pause_ms(f, 0);
    CHECK_INT(same, 0);
    CHECK_INT(f->retries[0].seed, 0); /* and they stay the clock's */
}

/* The budget */

static void use_budget(struct fixture *f, unsigned percent, unsigned reserve)
{
    asq_retry_budget_init(&f->budget, percent, reserve);
    for (unsigned i = 0; i < MANY; i++) {
        f->retries[i].budget = &f->budget;
        f->retries[i].base_ms = 0;
    }
}

/* One after another: the first takes the reserve, the others earn. */
static void a_hundred_that_fail_in_turn(void *data)
{
    struct fixture *f = data;

    use_budget(f, 10, 3);
    for (unsigned i = 0; i < MANY; i++) {
        start(&f->retries[i]);
        wait_for(f, 1);
    }
    CHECK_INT(f->budget.spent, 3 + 9); /* 99 times a tenth: 9 and a rest */
    CHECK_INT(f->begun, MANY + 12);
    CHECK_INT(f->budget.refused, MANY);
    start(&f->retries[0]); /* with the rest this is the next one */
    wait_for(f, 1);
    CHECK_INT(f->budget.spent, 3 + 10);
}

/* All at once: who is full earns nothing. */
static void a_hundred_that_fail_at_once(void *data)
{
    struct fixture *f = data;

    use_budget(f, 10, 3);
    f->by_hand = true;
    for (unsigned i = 0; i < MANY; i++)
        start(&f->retries[i]);
    f->by_hand = false;
    for (unsigned i = 0; i < MANY; i++)
        asq_retry_settle(&f->retries[i], SQLITE_BUSY);
    wait_for(f, MANY);
    CHECK_INT(f->budget.spent, 3);
    CHECK_INT(f->begun, MANY + 3);
    CHECK_INT(f->budget.refused, MANY);
}

/* What ends for another reason takes nothing out. */
static void only_repetitions_cost(void *data)
{
    struct fixture *f = data;

    use_budget(f, 0, 5);
    f->by_hand = true;
    for (unsigned i = 0; i < MANY; i++) {
        start(&f->retries[i]);
        f->retries[i].attempts_max = i % 2 + 1;
        if (i % 2 == 1) /* in vain for another reason */
            asq_retry_cancel(&f->retries[i]);
        asq_retry_settle(&f->retries[i], SQLITE_BUSY);
    }
    wait_for(f, MANY);
    CHECK_INT(f->budget.spent, 0);
    CHECK_INT(f->budget.refused, 0);
    CHECK_INT(f->begun, MANY);
}

static void without_a_reserve_nothing_is_repeated(void *data)
{
    struct fixture *f = data;

    use_budget(f, 100, 0);
    for (unsigned i = 0; i < MANY; i++)
        start(&f->retries[i]);
    wait_for(f, MANY);
    CHECK_INT(f->budget.spent, 0);
    CHECK_INT(f->begun, MANY);
}

static void a_large_budget_is_no_limit(void *data)
{
    struct fixture *f = data;

    use_budget(f, UINT_MAX, UINT_MAX);
    for (unsigned i = 0; i < MANY; i++)
        start(&f->retries[i]);
    wait_for(f, MANY);
    CHECK_INT(f->budget.spent, 4 * MANY);
    CHECK_INT(f->budget.refused, 0);
    CHECK_INT(f->begun, 5 * MANY);
}

static const struct test_case cases[] = {
    {.name = "pauses_are_drawn_from_the_seed",
     .run = pauses_are_drawn_from_the_seed},
    {.name = "the_generator_is_the_known_one",
     .run = the_generator_is_the_known_one},
    {.name = "all_of_the_range_is_drawn_alike",
     .run = all_of_the_range_is_drawn_alike},
    {.name = "seeds_differ", .run = seeds_differ},
    {.name = "a_hundred_that_fail_in_turn", .run = a_hundred_that_fail_in_turn},
    {.name = "a_hundred_that_fail_at_once", .run = a_hundred_that_fail_at_once},
    {.name = "only_repetitions_cost", .run = only_repetitions_cost},
    {.name = "without_a_reserve_nothing_is_repeated",
     .run = without_a_reserve_nothing_is_repeated},
    {.name = "a_large_budget_is_no_limit", .run = a_large_budget_is_no_limit},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "retry_pauses",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
