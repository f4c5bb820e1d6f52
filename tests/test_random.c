/* test_random - what tests draw from their seed
 */
#include "grader/random.h"
#include "grader/test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void the_seed_decides(void *fixture)
{
    struct test_random one, same, other, next_seed;
    uint64_t bits;

    (void)fixture;
    test_random_init(&one, 1);
    test_random_init(&same, 1);
    test_random_init(&other, 2);
    CHECK_INT(setenv("TEST_SEED", "2", 1), 0);
    test_random_init(&next_seed, 1);
    bits = test_random_bits(&one);
    CHECK(bits == test_random_bits(&same));
    CHECK(bits != test_random_bits(&other));
    CHECK(bits != test_random_bits(&next_seed));
    CHECK(bits != test_random_bits(&one));
}

static void ranges_include_their_ends(void *fixture)
{
    struct test_random random;
    unsigned counts[7] = {0};

    (void)fixture;
    test_random_init(&random, 0);
    for (int i = 0; i < 700; i++)
        counts[test_random_range(&random, -3, 3) + 3]++;
    for (int i = 0; i < 7; i++)
        CHECK_RANGE(counts[i], 30, 300);
    CHECK_INT(test_random_range(&random, INT64_MIN, INT64_MIN), INT64_MIN);
    CHECK_INT(test_random_range(&random, INT64_MAX, INT64_MAX), INT64_MAX);
    (void)test_random_range(&random, INT64_MIN, INT64_MAX);
}

static void every_edge_is_drawn(void *fixture)
{
    static const int64_t edges[] = {
        0, 1, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 31, -(INT64_C(1) << 53)};
    bool seen[sizeof edges / sizeof edges[0]] = {false};
    struct test_random random;

    (void)fixture;
    test_random_init(&random, 0);
    for (int i = 0; i < 2000; i++) {
        int64_t number = test_random_edge(&random);

        for (size_t k = 0; k < sizeof edges / sizeof edges[0]; k++)
            seen[k] = seen[k] || number == edges[k];
    }
    for (size_t k = 0; k < sizeof edges / sizeof edges[0]; k++)
        CHECK(seen[k]);
}

static void an_order_has_all_numbers(void *fixture)
{
    struct test_random random;
    int order[50];
    bool seen[50] = {false};
    int moved = 0;

    (void)fixture;
    test_random_init(&random, 0);
    test_random_order(&random, order, 50);
    for (int i = 0; i < 50; i++) {
        CHECK_RANGE(order[i], 0, 49);
        seen[order[i]] = true;
        moved += order[i] != i;
    }
    for (int i = 0; i < 50; i++)
        CHECK(seen[i]);
    CHECK_RANGE(moved, 30, 50);
}

static void names_are_of_their_kind(void *fixture)
{
    struct test_random random;
    char name[40], other[40];

    (void)fixture;
    test_random_init(&random, 0);
    CHECK_TEXT(test_random_name(&random, TEST_NAME_EMPTY, name, sizeof name),
               "");
    CHECK_CONTAINS(
        test_random_name(&random, TEST_NAME_QUOTED, name, sizeof name), "'");
    CHECK_CONTAINS(
        test_random_name(&random, TEST_NAME_PATTERN, name, sizeof name), "%_");
    CHECK_INT(
        strlen(test_random_name(&random, TEST_NAME_LONG, name, sizeof name)),
        sizeof name - 1);
    (void)test_random_name(&random, TEST_NAME_UTF8, name, sizeof name);
    CHECK_INT((unsigned char)name[1], 0xc3);
    (void)test_random_name(&random, TEST_NAME_PLAIN, name, sizeof name);
    (void)test_random_name(&random, TEST_NAME_PLAIN, other, sizeof other);
    CHECK(strcmp(name, other) != 0);
}

static void the_other_case_is_another_name(void *fixture)
{
    char name[] = "O'Neil \xc3\xb6";

    (void)fixture;
    CHECK_TEXT(test_other_case(name, name, sizeof name), "o'nEIL \xc3\xb6");
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(the_seed_decides),
    CASE(ranges_include_their_ends),
    CASE(every_edge_is_drawn),
    CASE(an_order_has_all_numbers),
    CASE(names_are_of_their_kind),
    CASE(the_other_case_is_another_name),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "random", .cases = cases};
