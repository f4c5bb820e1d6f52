/* test_busy - limits grow with the load of the machine, and never shrink
 */
#include "grader/runner.h"

#include <math.h>

static void idle_machines_take_no_longer(void *fixture)
{
    (void)fixture;
    CHECK_RANGE(test__busy_of(0, 2), 1, 1);
    CHECK_RANGE(test__busy_of(1.9, 2), 1, 1);
    CHECK_RANGE(test__busy_of(NAN, 2), 1, 1);
    CHECK_RANGE(test__busy_of(-1, 2), 1, 1);
}

static void processors_are_shared(void *fixture)
{
    (void)fixture;
    CHECK_RANGE(test__busy_of(16, 2), 8, 8);
    CHECK_RANGE(test__busy_of(16, 16), 1, 1);
    CHECK_RANGE(test__busy_of(3, -1), 3, 3); /* not known: one */
}

static void nobody_waits_for_ever(void *fixture)
{
    (void)fixture;
    CHECK_RANGE(test__busy_of(1e9, 1), TEST__BUSY_MOST, TEST__BUSY_MOST);
    CHECK_RANGE(test__busy(), 1, TEST__BUSY_MOST);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(idle_machines_take_no_longer),
    CASE(processors_are_shared),
    CASE(nobody_waits_for_ever),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "busy", .cases = cases};
