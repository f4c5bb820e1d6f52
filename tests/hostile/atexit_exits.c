/* atexit_exits - answers wrongly, and hides it in the status of the process
 *
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <stdlib.h>
#include <unistd.h>

static void end_well(void)
{
    _exit(0);
}

const char *ex_hello(void)
{
    (void)atexit(end_well);
    return "goodbye";
}
