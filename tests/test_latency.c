/* test_latency - tests of the exact percentiles */
#include "common/latency.h"
#include "grader/test.h"

struct fixture {
    struct asq_latency lat;
    struct asq_latency other;
};

static void add_all(struct asq_latency *lat, const uint64_t *ns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(asq_latency_add(lat, ns[i]), 0);
    }
}

/* Adds least to most, in an order that is not sorted. */
static void add_from_to(struct asq_latency *lat, unsigned least, unsigned most)
{
    for (unsigned i = least + 1; i <= most; i += 2) {
        CHECK_INT(asq_latency_add(lat, i), 0);
    }
    for (unsigned i = least; i <= most; i += 2) {
        CHECK_INT(asq_latency_add(lat, i), 0);
    }
}

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    asq_latency_destroy(&f->lat);
    asq_latency_destroy(&f->other);
}

static void empty_recorder_answers_zero(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 0), 0);
    CHECK_INT(asq_latency_percentile(&f->lat, 50), 0);
    CHECK_INT(asq_latency_percentile(&f->lat, 100), 0);
}

static void one_sample_is_every_percentile(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 1), 0);
    CHECK_INT(asq_latency_add(&f->lat, 42), 0);
    CHECK_INT(asq_latency_percentile(&f->lat, 0.001), 42);
    CHECK_INT(asq_latency_percentile(&f->lat, 50), 42);
    CHECK_INT(asq_latency_percentile(&f->lat, 100), 42);
}

static void percentile_is_the_nearest_rank(void *fixture)
{
    /* The example that most texts on the method use. */
    static const uint64_t ns[] = {40, 15, 50, 20, 35};
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 5), 0);
    add_all(&f->lat, ns, 5);
    CHECK_INT(asq_latency_percentile(&f->lat, 5), 15);
    CHECK_INT(asq_latency_percentile(&f->lat, 20), 15);
    CHECK_INT(asq_latency_percentile(&f->lat, 20.1), 20);
    CHECK_INT(asq_latency_percentile(&f->lat, 30), 20);
    CHECK_INT(asq_latency_percentile(&f->lat, 40), 20);
    CHECK_INT(asq_latency_percentile(&f->lat, 50), 35);
    CHECK_INT(asq_latency_percentile(&f->lat, 99), 50);
    CHECK_INT(asq_latency_percentile(&f->lat, 100), 50);
}

static void equal_samples_count_each(void *fixture)
{
    static const uint64_t ns[] = {7, 7, 7, 1, 9, 7, 7, 7, 7, 7};
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 10), 0);
    add_all(&f->lat, ns, 10);
    CHECK_INT(asq_latency_percentile(&f->lat, 10), 1);
    CHECK_INT(asq_latency_percentile(&f->lat, 11), 7);
    CHECK_INT(asq_latency_percentile(&f->lat, 90), 7);
    CHECK_INT(asq_latency_percentile(&f->lat, 91), 9);
}

/* With samples 1 to n the answer is the rank itself, and in whole numbers the
 * rank is easy: that shows what binary fractions would spoil. */
static void every_tenth_of_a_percent_is_exact(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 1000), 0);
    for (unsigned n = 1; n <= 1000; n += n < 20 ? 1 : 10) {
        asq_latency_reset(&f->lat);
        add_from_to(&f->lat, 1, n);
        for (unsigned tenths = 1; tenths <= 1000; tenths++) {
            CHECK_INT(asq_latency_percentile(&f->lat, tenths / 10.0),
                      (tenths * n + 999) / 1000);
        }
    }
}

static void large_values_are_sorted_right(void *fixture)
{
    static const uint64_t ns[] = {UINT64_MAX, 0, UINT64_C(1) << 63, 1};
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 4), 0);
    add_all(&f->lat, ns, 4);
    CHECK(asq_latency_percentile(&f->lat, 25) == 0);
    CHECK(asq_latency_percentile(&f->lat, 50) == 1);
    CHECK(asq_latency_percentile(&f->lat, 75) == UINT64_C(1) << 63);
    CHECK(asq_latency_percentile(&f->lat, 100) == UINT64_MAX);
}

static void recorder_grows_and_resets(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 0), 0);
    add_from_to(&f->lat, 1, 1000);
    CHECK_INT(f->lat.count, 1000);
    CHECK_INT(asq_latency_percentile(&f->lat, 50), 500);
    asq_latency_reset(&f->lat);
    CHECK_INT(f->lat.count, 0);
    CHECK_INT(asq_latency_percentile(&f->lat, 50), 0);
}

static void sample_after_a_question_counts(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 4), 0);
    add_from_to(&f->lat, 10, 12);
    CHECK_INT(asq_latency_percentile(&f->lat, 1), 10);
    CHECK_INT(asq_latency_add(&f->lat, 5), 0);
    CHECK_INT(asq_latency_percentile(&f->lat, 1), 5);
}

static void merge_adds_all_samples(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, 2), 0);
    CHECK_INT(asq_latency_init(&f->other, 0), 0);
    CHECK_INT(asq_latency_merge(&f->lat, &f->other), 0); /* nothing */
    CHECK_INT(f->lat.count, 0);
    add_from_to(&f->lat, 51, 100);
    add_from_to(&f->other, 1, 50);
    CHECK_INT(asq_latency_percentile(&f->lat, 1), 51);
    CHECK_INT(asq_latency_merge(&f->lat, &f->other), 0);
    CHECK_INT(f->lat.count, 100);
    CHECK_INT(f->other.count, 50);
    CHECK_INT(asq_latency_percentile(&f->lat, 1), 1);
    CHECK_INT(asq_latency_percentile(&f->lat, 50), 50);
    CHECK_INT(asq_latency_percentile(&f->lat, 99), 99);
}

static void destroy_accepts_null_and_zero(void *fixture)
{
    struct fixture *f = fixture;

    asq_latency_destroy(NULL);
    asq_latency_destroy(&f->lat);
    CHECK_INT(asq_latency_init(&f->lat, 3), 0);
    asq_latency_destroy(&f->lat);
    asq_latency_destroy(&f->lat);
}

static void failed_allocation_loses_nothing(void *fixture)
{
    struct fixture *f = fixture;

    test_alloc_install();
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    CHECK_INT(asq_latency_init(&f->lat, 2), UV_ENOMEM);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK_INT(asq_latency_init(&f->lat, 2), 0);
    CHECK_INT(asq_latency_init(&f->other, 2), 0);
    add_from_to(&f->lat, 1, 2);
    add_from_to(&f->other, 3, 4);

    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    CHECK_INT(asq_latency_add(&f->lat, 3), UV_ENOMEM);
    CHECK_INT(asq_latency_merge(&f->lat, &f->other), UV_ENOMEM);
    CHECK_INT(f->lat.count, 2);
    CHECK_INT(asq_latency_percentile(&f->lat, 100), 2);

    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK_INT(asq_latency_merge(&f->lat, &f->other), 0);
    CHECK_INT(asq_latency_percentile(&f->lat, 100), 4);
}

static void too_large_a_room_is_refused(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(asq_latency_init(&f->lat, SIZE_MAX / sizeof(uint64_t) + 2),
              UV_ENOMEM);
    CHECK_INT(asq_latency_add(&f->lat, 1), 0);
}

static const struct test_case cases[] = {
    {.name = "empty_recorder_answers_zero", .run = empty_recorder_answers_zero},
    {.name = "one_sample_is_every_percentile",
     .run = one_sample_is_every_percentile},
    {.name = "percentile_is_the_nearest_rank",
     .run = percentile_is_the_nearest_rank},
    {.name = "equal_samples_count_each", .run = equal_samples_count_each},
    {.name = "every_tenth_of_a_percent_is_exact",
     .run = every_tenth_of_a_percent_is_exact},
    {.name = "large_values_are_sorted_right",
     .run = large_values_are_sorted_right},
    {.name = "recorder_grows_and_resets", .run = recorder_grows_and_resets},
    {.name = "sample_after_a_question_counts",
     .run = sample_after_a_question_counts},
    {.name = "merge_adds_all_samples", .run = merge_adds_all_samples},
    {.name = "destroy_accepts_null_and_zero",
     .run = destroy_accepts_null_and_zero},
    {.name = "failed_allocation_loses_nothing",
     .run = failed_allocation_loses_nothing},
    {.name = "too_large_a_room_is_refused", .run = too_large_a_room_is_refused},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "latency",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .tear_down = tear_down};
