/* answers - what the tests of 01-blocking expect from ex_order_total_get */
#ifndef EX_01_ANSWERS_H
#define EX_01_ANSWERS_H

#include "ex_order_total.h"

#include "grader/test.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_SIZE = 320
};

static inline void expect_code(const char *what, int rc, int expected)
{
    char text[ANSWER_SIZE];

    if (rc == expected)
        return;
    (void)snprintf(text, sizeof text, "%s: ex_order_total_get returns %s", what,
                   test_code(expected));
    test_wrong(text, "%s", test_code(rc));
}

static inline void
expect_cents(const struct ex_order *got, int64_t cents, const char *what)
{
    char text[ANSWER_SIZE];

    if (got->cents == cents)
        return;
    (void)snprintf(text, sizeof text, "%s: the order costs %lld cents", what,
                   (long long)cents);
    test_wrong(text, "%lld cents", (long long)got->cents);
}

static inline void
expect_name(const struct ex_order *got, const char *name, const char *when)
{
    char text[ANSWER_SIZE];

    (void)snprintf(text, sizeof text, "the customer is \"%.40s\" (%zu bytes)",
                   name, strlen(name));
    if (got->customer == NULL)
        test_wrong(text, "NULL %s", when);
    if (strcmp(got->customer, name) != 0)
        test_wrong(text, "a different text %s", when);
}

/* Checks that a call that failed has not written to *ret. */
static inline void expect_untouched(const struct ex_order *got,
                                    const char *customer)
{
    if (got->cents == -1 && got->customer == customer)
        return;
    test_cause("*ret is written before it is certain that nothing fails");
    test_wrong("*ret stays as it was, because the call failed",
               "%s was changed",
               got->cents != -1 ? "ret->cents" : "ret->customer");
}

#endif
