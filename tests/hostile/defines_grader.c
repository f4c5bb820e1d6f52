/* defines_grader - replaces the function by which a test is wrong
 *
 * Verdict: refused
 * Message: test_wrong
 */
#include "ex_hello.h"

void test_wrong(const char *expected, const char *got, ...);

void test_wrong(const char *expected, const char *got, ...)
{
    (void)expected;
    (void)got;
}

const char *ex_hello(void)
{
    return "goodbye";
}
