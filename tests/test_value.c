/* test_value - making and comparing cells */
#include "01-blocking/value.h"
#include "grader/test.h"

#include <math.h>
#include <stdint.h>

static void makers_set_type_and_size(void *fixture)
{
    (void)fixture;
    CHECK_INT(asq_null().type, ASQ_NULL);
    CHECK_INT(asq_null().size, 0);
    CHECK_INT(asq_int64(INT64_MIN).type, ASQ_INT64);
    CHECK(asq_int64(INT64_MIN).as.int64 == INT64_MIN);
    CHECK_INT(asq_int64(7).size, 0);
    CHECK_INT(asq_double(0.5).type, ASQ_DOUBLE);
    CHECK(asq_double(0.5).as.real == 0.5);
    CHECK_INT(asq_double(0.5).size, 0);
    CHECK_INT(asq_text("three").type, ASQ_TEXT);
    CHECK_INT(asq_text("three").size, 5);
    CHECK_INT(asq_text("").type, ASQ_TEXT);
    CHECK_INT(asq_text("").size, 0);
    CHECK_INT(asq_text_n("three", 2).size, 2);
    CHECK_INT(asq_blob("\0\1", 2).type, ASQ_BLOB);
    CHECK_INT(asq_blob("\0\1", 2).size, 2);
}

static void text_and_blob_are_borrowed(void *fixture)
{
    static const char bytes[] = "bytes";

    (void)fixture;
    CHECK(asq_text(bytes).as.text == bytes);
    CHECK(asq_text_n(bytes, 2).as.text == bytes);
    CHECK(asq_blob(bytes, 2).as.blob == bytes);
}

static void no_address_is_a_null_value(void *fixture)
{
    (void)fixture;
    CHECK_INT(asq_text(NULL).type, ASQ_NULL);
    CHECK_INT(asq_text(NULL).size, 0);
    CHECK_INT(asq_text_n(NULL, 3).type, ASQ_NULL);
    CHECK_INT(asq_text_n(NULL, 3).size, 0);
    CHECK_INT(asq_blob(NULL, 3).type, ASQ_NULL);
    CHECK_INT(asq_blob(NULL, 3).size, 0);
}

static bool equal(struct asq_value a, struct asq_value b)
{
    return asq_value_equal(&a, &b) && asq_value_equal(&b, &a);
}

static bool differ(struct asq_value a, struct asq_value b)
{
    return !asq_value_equal(&a, &b) && !asq_value_equal(&b, &a);
}

static void equal_is_bit_for_bit(void *fixture)
{
    const char other[] = "abc"; /* the same bytes at another address */

    (void)fixture;
    CHECK(equal(asq_null(), asq_null()));
    CHECK(equal(asq_int64(-1), asq_int64(-1)));
    CHECK(equal(asq_double(0.1), asq_double(0.1)));
    CHECK(equal(asq_double((double)NAN), asq_double((double)NAN)));
    CHECK(equal(asq_text("abc"), asq_text(other)));
    CHECK(equal(asq_text(""), asq_text_n("x", 0)));
    CHECK(equal(asq_blob("a\0b", 3), asq_blob("a\0b", 3)));
    CHECK(equal(asq_blob("x", 0), asq_blob("y", 0)));
}

static void what_differs_is_not_equal(void *fixture)
{
    (void)fixture;
    CHECK(differ(asq_int64(1), asq_int64(2)));
    CHECK(differ(asq_int64(1), asq_double(1.0)));
    CHECK(differ(asq_int64(0), asq_null()));
    CHECK(differ(asq_double(0.0), asq_double(-0.0)));
    CHECK(differ(asq_text("abc"), asq_text("abd")));
    CHECK(differ(asq_text("abc"), asq_text("ab")));
    CHECK(differ(asq_text(""), asq_null()));
    CHECK(differ(asq_text("abc"), asq_blob("abc", 3)));
    CHECK(differ(asq_blob("a\0b", 3), asq_blob("a\0c", 3)));
}

static const struct test_case cases[] = {
    {.name = "makers_set_type_and_size", .run = makers_set_type_and_size},
    {.name = "text_and_blob_are_borrowed", .run = text_and_blob_are_borrowed},
    {.name = "no_address_is_a_null_value", .run = no_address_is_a_null_value},
    {.name = "equal_is_bit_for_bit", .run = equal_is_bit_for_bit},
    {.name = "what_differs_is_not_equal", .run = what_differs_is_not_equal},
    {0},
};

const struct test_suite test_suite = {.name = "value", .cases = cases};
