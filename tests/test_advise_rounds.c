/* test_advise_rounds - tests of what several rounds say, and how sure it is
 *
 * Every figure is given: nothing is measured here.
 */
#include "04-measure-first/advise.h"
#include "grader/test.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define US UINT64_C(1000)

static const struct asq_advise_plan good_plan = {.vm_steps = 10, .rows = 1};
static const uint64_t other_ns[] = {5 * US, 6 * US, 7 * US};

static struct asq_advise_way
way_of(const uint64_t *samples, size_t count, double per_s, uint64_t stall_ns)
{
    return (struct asq_advise_way){samples, count, per_s, stall_ns};
}

/* Rounds of their own samples, each with p50 and p99 as given. */
enum {
    ROUNDS = 5,
    EACH = 100
};

struct made {
    uint64_t ns[ROUNDS][EACH];
    struct asq_advise_samples rounds[ROUNDS];
};

/* Half of the users wait for wait_ns, the longest 2 of 100 for longest_ns. */
static void make_round(struct made *made,
                       int round,
                       uint64_t wait_ns,
                       uint64_t longest_ns,
                       double gain)
{
    struct asq_advise_samples *samples = &made->rounds[round];

    for (int i = 0; i < EACH; i++)
        made->ns[round][i] = i < EACH - 2 ? wait_ns : longest_ns;
    *samples = (struct asq_advise_samples){
        .blocking = way_of(made->ns[round], EACH, 1000, longest_ns),
        .threads = way_of(other_ns, 3, gain * 1000, 2 * MS),
        .loop = way_of(other_ns, 3, gain * 1000, 2 * MS),
        .in_flight = 8,
        .took_ns = (EACH - 2) * wait_ns / 8 + 2 * longest_ns / 8,
    };
}

static struct asq_advice advise_all(const struct made *made, size_t count)
{
    struct asq_advice advice;

    memset(&advice, 0xa5, sizeof advice);
    asq_advise(made->rounds, count, &good_plan, NULL, &advice);
    return advice;
}

static void rounds_that_agree_are_sure(void *fixture)
{
    struct made made;
    struct asq_advice advice;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++)
        make_round(&made, i, 20 * MS, 20 * MS, 3);
    advice = advise_all(&made, ROUNDS);
    CHECK_INT(advice.verdict, ASQ_HAND_OFF);
    CHECK_INT(advice.rounds, 5);
    CHECK_INT(advice.agreed, 5);
    CHECK_INT(advice.disturbed, 0);
    CHECK_TEXT(advice.sure, "sure: 5 of 5 rounds");
    make_round(&made, 0, 20 * US, 20 * US, 3); /* one that differs */
    advice = advise_all(&made, ROUNDS);
    CHECK_INT(advice.verdict, ASQ_HAND_OFF);
    CHECK_TEXT(advice.sure, "sure: 4 of 5 rounds");
    CHECK_TEXT(advise_all(&made, 1).sure,
               "asked in one round only: nothing to compare it with");
}

/* The median decides, not the round that came last or was the worst. */
static void a_verdict_near_a_limit_says_so(void *fixture)
{
    static const double gains[ROUNDS] = {1.4, 1.6, 9, 1.3, 1.5};
    struct made made;
    struct asq_advice advice;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++)
        make_round(&made, i, 2 * MS, 2 * MS, gains[i]);
    advice = advise_all(&made, ROUNDS);
    CHECK_INT(advice.verdict, ASQ_HAND_OFF);
    CHECK(advice.threads_gain == 1.5);
    CHECK_TEXT(advice.sure, "near the limit: 3 of 5 rounds");
    CHECK_CONTAINS(advice.why, "1.50 times");
    make_round(&made, 4, 2 * MS, 2 * MS, 1.49);
    advice = advise_all(&made, ROUNDS);
    CHECK_INT(advice.verdict, ASQ_STAY_SYNC);
    CHECK_TEXT(advice.sure, "near the limit: 3 of 5 rounds");
}

/* A look-up of 10 us is not slow because other programs took the processor: a
 * twentieth of a second for two of a hundred, and that is what was lost. */
static void a_busy_machine_is_no_reason(void *fixture)
{
    struct made made;
    struct asq_advice advice;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++) {
        make_round(&made, i, 80 * US, 50 * MS, 3);
        made.rounds[i].lost_ns = 12 * MS;
    }
    CHECK(asq_advise_disturbed(&made.rounds[0], NULL));
    advice = advise_all(&made, ROUNDS);
    CHECK_INT(advice.verdict, ASQ_TOO_BUSY);
    CHECK_INT(advice.reason, ASQ_DISTURBED);
    CHECK_TEXT(advice.sure, "5 of 5 rounds disturbed");
    CHECK_TEXT(asq_verdict_name(advice.verdict),
               "the machine is too busy to tell");
    for (int i = 0; i < 3; i++) { /* now the most are calm */
        make_round(&made, i, 80 * US, 90 * US, 0.5);
        made.rounds[i].lost_ns = 10 * US;
    }
    advice = advise_all(&made, ROUNDS);
    CHECK_INT(advice.verdict, ASQ_STAY_SYNC);
    CHECK_INT(advice.disturbed, 2);
    CHECK_TEXT(advice.sure, "sure: 3 of 3 rounds");
}

/* The same waits with a processor that was free: they are the disk's. */
static void long_waits_on_a_free_machine_count(void *fixture)
{
    struct made made;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++) {
        make_round(&made, i, 80 * US, 50 * MS, 3);
        made.rounds[i].lost_ns = MS; /* little of it */
    }
    CHECK(!asq_advise_disturbed(&made.rounds[0], NULL));
    CHECK_INT(advise_all(&made, ROUNDS).verdict, ASQ_HAND_OFF);
    CHECK_INT(advise_all(&made, ROUNDS).reason, ASQ_STALL);
}

/* Eight threads get more of a crowded processor than one. That is no gain. */
static void a_gain_of_processor_time_is_no_gain(void *fixture)
{
    struct made made;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++) {
        make_round(&made, i, 4 * MS, 4 * MS, 2);
        made.rounds[i].lost_ns = made.rounds[i].took_ns / 2;
    }
    CHECK_INT(advise_all(&made, ROUNDS).verdict, ASQ_TOO_BUSY);
    for (int i = 0; i < ROUNDS; i++) /* five times as many are one */
        make_round(&made, i, 4 * MS, 4 * MS, 5);
    for (int i = 0; i < ROUNDS; i++)
        made.rounds[i].lost_ns = made.rounds[i].took_ns / 2;
    CHECK_INT(advise_all(&made, ROUNDS).verdict, ASQ_HAND_OFF);
}

/* What is short beside other programs would be shorter alone. */
static void what_is_short_on_a_busy_machine_is_short(void *fixture)
{
    struct made made;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++) {
        make_round(&made, i, 80 * US, 2 * MS, 3);
        made.rounds[i].lost_ns = made.rounds[i].took_ns * 9 / 10;
    }
    CHECK_INT(advise_all(&made, ROUNDS).verdict, ASQ_STAY_SYNC);
    CHECK_TEXT(advise_all(&made, ROUNDS).sure, "sure: 5 of 5 rounds");
}

/* A gain that the other programs may have hidden is not denied. */
static void no_gain_on_a_busy_machine_is_not_told(void *fixture)
{
    struct made made;

    (void)fixture;
    for (int i = 0; i < ROUNDS; i++) {
        make_round(&made, i, 4 * MS, 4 * MS, 1);
        made.rounds[i].lost_ns = made.rounds[i].took_ns / 5;
    }
    CHECK_INT(advise_all(&made, ROUNDS).verdict, ASQ_TOO_BUSY);
    for (int i = 0; i < ROUNDS; i++)
        made.rounds[i].lost_ns = made.rounds[i].took_ns / 11;
    CHECK_INT(advise_all(&made, ROUNDS).verdict, ASQ_STAY_SYNC);
}

static void rounds_that_differ_decide_nothing(void *fixture)
{
    struct made made;
    struct asq_advice advice;

    (void)fixture;
    make_round(&made, 0, 20 * US, 20 * US, 1);
    make_round(&made, 1, 20 * MS, 20 * MS, 3);
    make_round(&made, 2, 20 * US, 20 * US, 1);
    make_round(&made, 3, 20 * MS, 20 * MS, 3);
    advice = advise_all(&made, 4);
    CHECK_INT(advice.verdict, ASQ_TOO_BUSY);
    CHECK_INT(advice.reason, ASQ_DIFFERS);
    CHECK_TEXT(advice.sure, "2 of 4 rounds agree");
    CHECK_CONTAINS(advice.why, "\"stay sync\" came out in 2.");
}

/* Steps are counted: other programs do not change them. */
static void a_bad_query_is_one_on_a_busy_machine_too(void *fixture)
{
    struct asq_advise_plan bad = {.scan_steps = 1000000, .rows = 1};
    struct asq_advice advice;
    struct made made;

    (void)fixture;
    make_round(&made, 0, 80 * US, 50 * MS, 3);
    made.rounds[0].lost_ns = 12 * MS;
    asq_advise(made.rounds, 1, &bad, NULL, &advice);
    CHECK_INT(advice.verdict, ASQ_FIX_QUERY);
    CHECK_CONTAINS(advice.sure, "sure: ");
}

/* A round without blocking samples is passed over; more than fit as well. */
static void rounds_that_are_none_do_not_count(void *fixture)
{
    struct asq_advise_samples many[ASQ_ADVISE_ROUNDS + 2];
    struct asq_advice advice;
    struct made made;

    (void)fixture;
    make_round(&made, 0, 20 * MS, 20 * MS, 3);
    for (int i = 0; i < ASQ_ADVISE_ROUNDS + 2; i++)
        many[i] = made.rounds[0];
    many[0].blocking.count = 0;
    asq_advise(many, ASQ_ADVISE_ROUNDS + 2, &good_plan, NULL, &advice);
    CHECK_INT(advice.rounds, ASQ_ADVISE_ROUNDS);
    asq_advise(many, 0, &good_plan, NULL, &advice);
    CHECK_INT(advice.verdict, ASQ_UNDECIDED);
    CHECK_TEXT(advice.sure, "nothing was measured");
}

static const struct test_case cases[] = {
    {.name = "rounds_that_agree_are_sure", .run = rounds_that_agree_are_sure},
    {.name = "a_verdict_near_a_limit_says_so",
     .run = a_verdict_near_a_limit_says_so},
    {.name = "a_busy_machine_is_no_reason", .run = a_busy_machine_is_no_reason},
    {.name = "long_waits_on_a_free_machine_count",
     .run = long_waits_on_a_free_machine_count},
    {.name = "a_gain_of_processor_time_is_no_gain",
     .run = a_gain_of_processor_time_is_no_gain},
    {.name = "what_is_short_on_a_busy_machine_is_short",
     .run = what_is_short_on_a_busy_machine_is_short},
    {.name = "no_gain_on_a_busy_machine_is_not_told",
     .run = no_gain_on_a_busy_machine_is_not_told},
    {.name = "rounds_that_differ_decide_nothing",
     .run = rounds_that_differ_decide_nothing},
    {.name = "a_bad_query_is_one_on_a_busy_machine_too",
     .run = a_bad_query_is_one_on_a_busy_machine_too},
    {.name = "rounds_that_are_none_do_not_count",
     .run = rounds_that_are_none_do_not_count},
    {0},
};

const struct test_suite test_suite = {.name = "advise_rounds", .cases = cases};
