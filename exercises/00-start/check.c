/* check - the test of 00-start, say hello */
#include "ex_hello.h"

#include "grader/test.h"

#include <string.h>

static void says_hello(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++) {
        const char *got = ex_hello();

        if (got == NULL)
            test_wrong("\"hello\"", "NULL, which is not a text");
        if (strcmp(got, "hello") != 0)
            test_wrong("\"hello\", each time", "\"%.40s\"", got);
    }
}

static const struct test_case cases[] = {
    {.name = "says_hello",
     .run = says_hello,
     .title = "says hello",
     .points = 10,
     .seconds = 5,
     .builds = TEST_PLAIN | TEST_ADDRESS,
     .function = "ex_hello",
     .cause = "a capital letter, a space or a full stop"},
    {0},
};

const struct test_suite test_suite = {.name = "00-start", .cases = cases};
