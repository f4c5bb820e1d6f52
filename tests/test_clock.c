/* test_clock - tests of the monotonic clock */
#include "common/clock.h"
#include "grader/test.h"

#include <time.h>

static void clock_never_moves_back(void *fixture)
{
    uint64_t before = asq_clock_now_ns();

    (void)fixture; /* none needed */
    for (int i = 0; i < 10000; i++) {
        uint64_t now = asq_clock_now_ns();

        CHECK(now >= before);
        before = now;
    }
}

static uint64_t read_system(void)
{
    struct timespec now;

    CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void clock_counts_nanoseconds(void *fixture)
{
    uint64_t before = read_system();
    uint64_t now = asq_clock_now_ns();

    (void)fixture; /* none needed */
    CHECK(now >= before);
    CHECK(now <= read_system());
}

static void pretended_work_takes_its_time(void *fixture)
{
    uint64_t begin = asq_clock_now_ns();

    (void)fixture; /* none needed */
    pretend_to_work(5);
    CHECK(asq_clock_now_ns() - begin >= 5 * ASQ_NS_PER_MS);
}

static const struct test_case cases[] = {
    {.name = "clock_never_moves_back", .run = clock_never_moves_back},
    {.name = "clock_counts_nanoseconds", .run = clock_counts_nanoseconds},
    {.name = "pretended_work_takes_its_time",
     .run = pretended_work_takes_its_time},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "clock", .cases = cases};
