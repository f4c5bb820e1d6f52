/* test_advise - tests of percentiles, verdicts and the reasons for them
 *
 * Every figure is given: nothing is measured here.
 */
#include "04-measure-first/advise.h"
#include "grader/test.h"

#include <math.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define US UINT64_C(1000)

enum {
    MANY = 1000
};

static const struct asq_advise_plan good_plan = {.vm_steps = 10, .rows = 1};

static struct asq_advise_way
way_of(const uint64_t *samples, size_t count, double per_s, uint64_t stall_ns)
{
    return (struct asq_advise_way){samples, count, per_s, stall_ns};
}

static struct asq_advice advise(const struct asq_advise_samples *samples,
                                const struct asq_advise_plan *plan)
{
    struct asq_advice advice;

    memset(&advice, 0xa5, sizeof advice); /* nothing of it may stay */
    asq_advise(samples, 1, plan, NULL, &advice);
    return advice;
}

/* Every user of blocking calls waits for 20 ms, and so does main. */
static const uint64_t slow_ns[] = {20 * MS, 20 * MS, 20 * MS};
static const uint64_t quick_ns[] = {5 * US, 6 * US, 7 * US};

static struct asq_advise_samples slow_samples(unsigned in_flight)
{
    return (struct asq_advise_samples){
        .blocking = way_of(slow_ns, 3, 100, 20 * MS),
        .threads = way_of(slow_ns, 3, 100, 2 * MS),
        .loop = way_of(slow_ns, 3, 100, 2 * MS),
        .in_flight = in_flight};
}

static void no_samples_have_percentile_zero(void *fixture)
{
    const uint64_t sample = 7;

    (void)fixture;
    CHECK_INT(asq_percentile_ns(NULL, 0, 99), 0);
    CHECK_INT(asq_percentile_ns(&sample, 0, 50), 0);
}

static void one_sample_is_every_percentile(void *fixture)
{
    static const double percents[] = {-1, 0, 1e-9, 50, 99, 100, 1e9};
    const uint64_t sample = 42;

    (void)fixture;
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++)
        CHECK_INT(asq_percentile_ns(&sample, 1, percents[i]), 42);
    CHECK_INT(asq_percentile_ns(&sample, 1, NAN), 42);
}

static void percentile_is_the_nearest_rank(void *fixture)
{
    static const uint64_t samples[] = {40, 15, 50, 20, 35};

    (void)fixture;
    CHECK_INT(asq_percentile_ns(samples, 5, 5), 15);
    CHECK_INT(asq_percentile_ns(samples, 5, 20), 15);
    CHECK_INT(asq_percentile_ns(samples, 5, 20.1), 20);
    CHECK_INT(asq_percentile_ns(samples, 5, 40), 20);
    CHECK_INT(asq_percentile_ns(samples, 5, 50), 35);
    CHECK_INT(asq_percentile_ns(samples, 5, 100), 50);
}

/* Every whole percent of every count has its own rank: 7 % of 100 must not come
 * out as a hair more than 7. */
static void percentile_of_each_count_has_its_rank(void *fixture)
{
    uint64_t samples[MANY];

    (void)fixture;
    for (unsigned i = 0; i < MANY; i++)
        samples[i] = MANY - i; /* the largest first */
    for (unsigned percent = 1; percent <= 100; percent++)
        CHECK_INT(asq_percentile_ns(samples, MANY, percent), percent * 10);
    for (unsigned count = 1; count <= 200; count++) {
        const uint64_t *last = samples + MANY - count; /* they are 1 to count */

        for (unsigned percent = 1; percent <= 100; percent++)
            CHECK_INT(asq_percentile_ns(last, count, percent),
                      (percent * count + 99) / 100);
    }
}

static void ties_and_extremes_are_samples(void *fixture)
{
    static const uint64_t same[] = {9, 9, 9, 9};
    static const uint64_t far[] = {UINT64_MAX, 0, UINT64_MAX, 0};

    (void)fixture;
    CHECK_INT(asq_percentile_ns(same, 4, 1), 9);
    CHECK_INT(asq_percentile_ns(same, 4, 100), 9);
    CHECK(asq_percentile_ns(far, 4, 50) == 0);
    CHECK(asq_percentile_ns(far, 4, 51) == UINT64_MAX);
    CHECK(asq_percentile_ns(far, 4, INFINITY) == UINT64_MAX);
}

static void samples_are_left_as_they_are(void *fixture)
{
    uint64_t samples[] = {3, 1, 2};

    (void)fixture;
    CHECK_INT(asq_percentile_ns(samples, 3, 50), 2);
    CHECK_INT(samples[0], 3);
    CHECK_INT(samples[1], 1);
    CHECK_INT(samples[2], 2);
}

static void without_blocking_samples_nothing_is_decided(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(8);
    struct asq_advise_plan bad = {.scan_steps = 1000000, .rows = 1};
    struct asq_advice advice;

    (void)fixture;
    samples.blocking.count = 0;
    advice = advise(&samples, &bad);
    CHECK_INT(advice.verdict, ASQ_UNDECIDED);
    CHECK_INT(advice.reason, ASQ_NOT_MEASURED);
    CHECK_CONTAINS(advice.why, "not measured");
    samples = slow_samples(8);
    samples.blocking.samples_ns = NULL;
    CHECK_INT(advise(&samples, &bad).verdict, ASQ_UNDECIDED);
}

static void a_throughput_that_is_no_number_decides_nothing(void *fixture)
{
    static const double bad[] = {0, -1, NAN, INFINITY, -INFINITY};
    struct asq_advise_samples samples;

    (void)fixture;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        samples = slow_samples(8);
        samples.blocking.per_s = bad[i];
        CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_UNDECIDED);
        samples = slow_samples(8);
        samples.threads.per_s = bad[i];
        samples.loop.per_s = bad[i];
        CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_STAY_SYNC);
        CHECK(advise(&samples, &good_plan).loop_gain == 0);
    }
}

static void quick_queries_stay_where_they_are(void *fixture)
{
    struct asq_advise_samples samples = {
        .blocking = way_of(quick_ns, 3, 1e5, 10 * US),
        .threads = way_of(quick_ns, 3, 2e4, MS),
        .loop = way_of(quick_ns, 3, 3e5, MS), /* three times as many */
        .in_flight = 64};
    struct asq_advice advice = advise(&samples, &good_plan);

    (void)fixture;
    CHECK_INT(advice.verdict, ASQ_STAY_SYNC);
    CHECK_INT(advice.reason, ASQ_SHORT);
    CHECK_INT(advice.wait_ns, 6 * US);
    CHECK_INT(advice.still_ns, 7 * US);
    CHECK_TEXT(advice.why, "Main stands still for 7.0 us (p99); throughput: "
                           "threads 0.20, the loop 3.00.");
}

/* One bad moment is in the stall of a hundred samples, not in their p99. */
static void one_bad_moment_does_not_decide(void *fixture)
{
    uint64_t ns[100];
    struct asq_advise_samples samples = {.blocking = way_of(ns, 100, 1e5, MS),
                                         .threads = way_of(ns, 100, 1e5, MS),
                                         .in_flight = 8};

    (void)fixture;
    for (int i = 0; i < 100; i++)
        ns[i] = 10 * US;
    ns[50] = 80 * MS;
    samples.blocking.stall_ns = 80 * MS;
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_STAY_SYNC);
    ns[51] = 80 * MS; /* two of a hundred: that happens all the time */
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_HAND_OFF);
}

/* Users may wait for long without main: then it is not main that stalls. */
static void main_that_beats_is_not_still(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(8);
    struct asq_advice advice;

    (void)fixture;
    samples.blocking.stall_ns = 2 * MS;
    advice = advise(&samples, &good_plan);
    CHECK_INT(advice.still_ns, 2 * MS);
    CHECK_INT(advice.verdict, ASQ_STAY_SYNC);
    CHECK_INT(advice.reason, ASQ_NO_GAIN);
}

static void a_stall_is_handed_off(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(1);
    struct asq_advice advice = advise(&samples, &good_plan);

    (void)fixture;
    CHECK_INT(advice.verdict, ASQ_HAND_OFF);
    CHECK_INT(advice.reason, ASQ_STALL);
    CHECK_TEXT(advice.why,
               "Blocking, main stands still for 20.0 ms (p99); this "
               "way for 2.0 ms.");
}

/* The stall of a way must be half of that of blocking calls, or less. */
static void a_way_that_stalls_as_well_is_no_help(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(1);
    struct asq_advice advice;

    (void)fixture;
    samples.threads.stall_ns = samples.loop.stall_ns = 10 * MS + 1;
    advice = advise(&samples, &good_plan);
    CHECK_INT(advice.verdict, ASQ_STAY_SYNC);
    CHECK_INT(advice.reason, ASQ_NO_GAIN);
    samples.loop.stall_ns = 10 * MS;
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_EVENT_LOOP);
    samples.threads.stall_ns = 10 * MS;
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_HAND_OFF);
}

static void few_go_to_threads_and_many_to_the_loop(void *fixture)
{
    struct asq_advise_samples few = slow_samples(8), many = slow_samples(9);

    (void)fixture;
    few.threads.per_s = many.threads.per_s = 800;
    few.loop.per_s = many.loop.per_s = 800;
    CHECK_INT(advise(&few, &good_plan).verdict, ASQ_HAND_OFF);
    CHECK_INT(advise(&few, &good_plan).reason, ASQ_THROUGHPUT);
    CHECK_TEXT(
        advise(&many, &good_plan).why,
        "With 9 ready at once this answers 8.00 times as many a second.");
    CHECK_INT(advise(&many, &good_plan).verdict, ASQ_EVENT_LOOP);
    few.loop.per_s = 1200; /* much better, so few go there, too */
    CHECK_INT(advise(&few, &good_plan).verdict, ASQ_EVENT_LOOP);
    many.threads.per_s = 1601; /* and the other way round */
    CHECK_INT(advise(&many, &good_plan).verdict, ASQ_HAND_OFF);
}

static void a_gain_begins_at_its_limit(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(8);
    struct asq_advise_limits limits = asq_advise_limits_default();
    struct asq_advice advice;

    (void)fixture;
    samples.blocking.stall_ns = MS; /* so that only the throughput decides */
    samples.threads.per_s = 150;
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_HAND_OFF);
    samples.threads.per_s = 149;
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_STAY_SYNC);
    limits.gain = 1.4;
    asq_advise(&samples, 1, &good_plan, &limits, &advice);
    CHECK_INT(advice.verdict, ASQ_HAND_OFF);
}

/* With one in flight nobody else could have answered it sooner. */
static void one_at_a_time_gains_nothing(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(1);

    (void)fixture;
    samples.blocking.stall_ns = MS;
    samples.threads.per_s = samples.loop.per_s = 1000;
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_STAY_SYNC);
    samples.in_flight = 0; /* nobody asked: nothing to gain, nothing breaks */
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_STAY_SYNC);
}

static void a_way_that_was_not_measured_is_not_advised(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);

    (void)fixture;
    samples.loop = (struct asq_advise_way){0};
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_HAND_OFF);
    samples = slow_samples(1);
    samples.threads = (struct asq_advise_way){0};
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_EVENT_LOOP);
    samples.loop = (struct asq_advise_way){0};
    CHECK_INT(advise(&samples, &good_plan).verdict, ASQ_STAY_SYNC);
}

static void a_scan_is_fixed_first(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {.scan_steps = 1000, .rows = 1};
    struct asq_advice advice;

    (void)fixture;
    samples.threads.per_s = samples.loop.per_s = 1e6; /* however they do */
    advice = advise(&samples, &plan);
    CHECK_INT(advice.verdict, ASQ_FIX_QUERY);
    CHECK_INT(advice.reason, ASQ_SCANS);
    CHECK_CONTAINS(advice.why, "steps over 1000 rows");
    plan.scan_steps = 999; /* a small table needs no index */
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
}

static void a_scan_that_returns_its_rows_is_in_order(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {.scan_steps = 100000, .rows = 10000};

    (void)fixture;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
    plan.rows = 9999;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_FIX_QUERY);
    plan.rows = 0; /* of what is not found one row is counted */
    CHECK_INT(advise(&samples, &plan).reason, ASQ_SCANS);
}

static void a_sort_for_few_rows_is_fixed_first(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {.sorts = 1, .vm_steps = 10000, .rows = 10};

    (void)fixture;
    CHECK_INT(advise(&samples, &plan).reason, ASQ_SORTS);
    plan.rows = 50; /* 200 steps a row */
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
    plan.rows = 10;
    plan.vm_steps = 9999;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
}

/* SQLite calls it SCAN, SEARCH or a recursion: what counts is what a row that
 * comes out has cost. */
static void many_steps_for_a_row_are_fixed_first(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {.vm_steps = 14294, .rows = 1};

    (void)fixture;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_FIX_QUERY);
    CHECK_INT(advise(&samples, &plan).reason, ASQ_MANY_STEPS);
    CHECK_TEXT(advise(&samples, &plan).why, "It takes 14294 steps of SQLite's "
                                            "machine to return 1 row.");
    plan.rows = 0; /* not found: as much work as for one */
    CHECK_CONTAINS(advise(&samples, &plan).why, "to return 0 rows.");
    plan.rows = 72; /* 198 steps a row */
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
    plan.rows = 1;
    plan.vm_steps = 9999; /* nobody notices so few */
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
}

/* A row of 100 columns takes 100 steps to be read. */
static void wide_rows_may_take_more_steps(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {
        .vm_steps = 60000, .rows = 100, .columns = 100};

    (void)fixture;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
    plan.columns = 99;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_FIX_QUERY);
}

/* What adds up all that it reads does what it was asked for. */
static void a_sum_must_read_what_it_adds_up(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {.vm_steps = 99999, .rows = 1, .sums = true};

    (void)fixture;
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
    plan.scan_steps = 33333; /* it is the whole table */
    CHECK_INT(advise(&samples, &plan).verdict, ASQ_EVENT_LOOP);
    plan.vm_steps = 100000; /* now it takes as long as people notice */
    CHECK_INT(advise(&samples, &plan).reason, ASQ_SCANS);
    plan.scan_steps = 0;
    CHECK_INT(advise(&samples, &plan).reason, ASQ_MANY_STEPS);
    plan.vm_steps = 99999;
    plan.sums = false; /* a condition leaves rows out: an index might, too */
    CHECK_INT(advise(&samples, &plan).reason, ASQ_MANY_STEPS);
}

static void what_is_meant_is_left_as_it_is(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_limits limits = asq_advise_limits_default();
    struct asq_advise_plan plan = {1000000, 1, 1000000, 1000000, 1, 1, false};
    struct asq_advice advice;

    (void)fixture;
    limits.as_it_is = true;
    asq_advise(&samples, 1, &plan, &limits, &advice);
    CHECK_INT(advice.verdict, ASQ_EVENT_LOOP);
}

static void an_index_made_each_time_is_the_worst(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advise_plan plan = {
        .scan_steps = 5000, .auto_index = 1000, .rows = 1};

    (void)fixture;
    CHECK_INT(advise(&samples, &plan).reason, ASQ_BUILDS_INDEX);
    plan.auto_index = 999;
    CHECK_INT(advise(&samples, &plan).reason, ASQ_SCANS);
}

static void the_largest_figures_fit(void *fixture)
{
    static const uint64_t far[] = {UINT64_MAX, UINT64_MAX};
    struct asq_advise_plan most = {
        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 1, UINT32_MAX, false};
    struct asq_advise_samples samples = {
        .blocking = way_of(far, 2, 1e-300, UINT64_MAX),
        .threads = way_of(far, 2, 1e18, UINT64_MAX),
        .loop = way_of(far, 2, 1e18, 0),
        .in_flight = UINT32_MAX};

    (void)fixture;
    CHECK_CONTAINS(advise(&samples, &most).why, "18446744073709551615");
    most.auto_index = 0;
    CHECK_CONTAINS(advise(&samples, &most).why, " to return 1.");
    samples.blocking.per_s = 1e18;
    CHECK_CONTAINS(advise(&samples, &good_plan).why, "18446744073.7 s");
    CHECK_CONTAINS(advise(&samples, &good_plan).why, "; this way for ");
    samples.blocking.per_s = 1e-300;
    CHECK(strlen(advise(&samples, &good_plan).why) < ASQ_ADVICE_TEXT);
}

static void the_same_figures_give_the_same_advice(void *fixture)
{
    struct asq_advise_samples samples = slow_samples(64);
    struct asq_advice one = advise(&samples, &good_plan);
    struct asq_advice other = advise(&samples, &good_plan);

    (void)fixture;
    CHECK_INT(one.verdict, other.verdict);
    CHECK_TEXT(one.why, other.why);
}

static void verdicts_have_names(void *fixture)
{
    (void)fixture;
    CHECK_TEXT(asq_verdict_name(ASQ_STAY_SYNC), "stay sync");
    CHECK_TEXT(asq_verdict_name(ASQ_HAND_OFF), "hand off");
    CHECK_TEXT(asq_verdict_name(ASQ_EVENT_LOOP), "event loop");
    CHECK_TEXT(asq_verdict_name(ASQ_FIX_QUERY), "fix the query first");
    CHECK_TEXT(asq_verdict_name(ASQ_UNDECIDED), "undecided");
}

static const struct test_case cases[] = {
    {.name = "no_samples_have_percentile_zero",
     .run = no_samples_have_percentile_zero},
    {.name = "one_sample_is_every_percentile",
     .run = one_sample_is_every_percentile},
    {.name = "percentile_is_the_nearest_rank",
     .run = percentile_is_the_nearest_rank},
    {.name = "percentile_of_each_count_has_its_rank",
     .run = percentile_of_each_count_has_its_rank},
    {.name = "ties_and_extremes_are_samples",
     .run = ties_and_extremes_are_samples},
    {.name = "samples_are_left_as_they_are",
     .run = samples_are_left_as_they_are},
    {.name = "without_blocking_samples_nothing_is_decided",
     .run = without_blocking_samples_nothing_is_decided},
    {.name = "a_throughput_that_is_no_number_decides_nothing",
     .run = a_throughput_that_is_no_number_decides_nothing},
    {.name = "quick_queries_stay_where_they_are",
     .run = quick_queries_stay_where_they_are},
    {.name = "one_bad_moment_does_not_decide",
     .run = one_bad_moment_does_not_decide},
    {.name = "main_that_beats_is_not_still",
     .run = main_that_beats_is_not_still},
    {.name = "a_stall_is_handed_off", .run = a_stall_is_handed_off},
    {.name = "a_way_that_stalls_as_well_is_no_help",
     .run = a_way_that_stalls_as_well_is_no_help},
    {.name = "few_go_to_threads_and_many_to_the_loop",
     .run = few_go_to_threads_and_many_to_the_loop},
    {.name = "a_gain_begins_at_its_limit", .run = a_gain_begins_at_its_limit},
    {.name = "one_at_a_time_gains_nothing", .run = one_at_a_time_gains_nothing},
    {.name = "a_way_that_was_not_measured_is_not_advised",
     .run = a_way_that_was_not_measured_is_not_advised},
    {.name = "a_scan_is_fixed_first", .run = a_scan_is_fixed_first},
    {.name = "a_scan_that_returns_its_rows_is_in_order",
     .run = a_scan_that_returns_its_rows_is_in_order},
    {.name = "a_sort_for_few_rows_is_fixed_first",
     .run = a_sort_for_few_rows_is_fixed_first},
    {.name = "many_steps_for_a_row_are_fixed_first",
     .run = many_steps_for_a_row_are_fixed_first},
    {.name = "wide_rows_may_take_more_steps",
     .run = wide_rows_may_take_more_steps},
    {.name = "a_sum_must_read_what_it_adds_up",
     .run = a_sum_must_read_what_it_adds_up},
    {.name = "what_is_meant_is_left_as_it_is",
     .run = what_is_meant_is_left_as_it_is},
    {.name = "an_index_made_each_time_is_the_worst",
     .run = an_index_made_each_time_is_the_worst},
    {.name = "the_largest_figures_fit", .run = the_largest_figures_fit},
    {.name = "the_same_figures_give_the_same_advice",
     .run = the_same_figures_give_the_same_advice},
    {.name = "verdicts_have_names", .run = verdicts_have_names},
    {0},
};

const struct test_suite test_suite = {.name = "advise", .cases = cases};
