/* recursion - calls itself until the stack is full
 *
 * Verdict: crashed
 */
#include "ex_hello.h"

static const char *go_deeper(volatile char *above)
{
    volatile char part[4096];

    part[0] = above[0];
    return part[0] == 1 ? "hello" : go_deeper(part) + part[0];
}

const char *ex_hello(void)
{
    volatile char first[1] = {0};

    return go_deeper(first);
}
