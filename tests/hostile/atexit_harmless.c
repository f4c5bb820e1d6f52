/* atexit_harmless - a handler that does no harm, after a right answer
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <stdio.h>
#include <stdlib.h>

static void say_goodbye(void)
{
    printf("goodbye\n");
}

const char *ex_hello(void)
{
    (void)atexit(say_goodbye);
    return "hello";
}
