/* test_orders - two lists of numbers, told in one line
 */
#include "grader/again.h"
#include "grader/orders.h"

static void equal_lists_pass(void *again)
{
    static const int narrow[] = {3, 5, 9};
    static const int64_t wide[] = {INT64_MIN, INT64_MAX};

    (void)again;
    test_orders("orders", narrow, 3, narrow, 3);
    test_orders("orders", NULL, 0, NULL, 0);
    test_orders64("keys", wide, 2, wide, 2);
}

static void another_order_is_told(void *again)
{
    static const int got[] = {3, 9, 5}, expected[] = {3, 5, 9};

    if (test__again_is_inner())
        test_orders("orders", got, 3, expected, 3);
    test__again_expect_fail(again, __func__,
                            "expected orders 3, 5, 9, got orders 3, 9, 5");
}

static void too_few_are_told(void *again)
{
    static const int64_t expected[] = {INT64_C(4294967297), -1};

    if (test__again_is_inner())
        test_orders64("keys", expected, 1, expected, 2);
    test__again_expect_fail(
        again, __func__, "expected keys 4294967297, -1, got keys 4294967297");
}

static void none_are_told(void *again)
{
    static const int expected[] = {1};

    if (test__again_is_inner())
        test_orders("keys", NULL, 0, expected, 1);
    test__again_expect_fail(again, __func__, "expected keys 1, got no keys");
}

static void long_lists_are_cut(void *again)
{
    int got[1000], expected[1000];

    if (test__again_is_inner()) {
        for (int i = 0; i < 1000; i++)
            got[i] = expected[i] = i;
        got[500] = -7;
        test_orders("keys", got, 1000, expected, 1000);
    }
    test__again_expect_fail(
        again, __func__,
        "expected keys ..., 496, 497, 498, 499, 500, 501, 502, 503, 504, 505, "
        "506, 507, ... (1000 of them), got keys ..., 496, 497, 498, 499, -7,");
}

/* The difference lies behind the end of the shorter one. */
static void the_end_of_a_long_list_is_told(void *again)
{
    int list[100];

    if (test__again_is_inner()) {
        for (int i = 0; i < 100; i++)
            list[i] = i;
        test_orders("keys", list, 100, list, 99);
    }
    test__again_expect_fail(again, __func__,
                            "got keys ..., 95, 96, 97, 98, 99 (100 of them)");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(equal_lists_pass),   CASE(another_order_is_told),
    CASE(too_few_are_told),   CASE(none_are_told),
    CASE(long_lists_are_cut), CASE(the_end_of_a_long_list_is_told),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "orders",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
