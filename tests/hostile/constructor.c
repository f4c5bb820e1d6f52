/* constructor - a function that runs before main, and passes at once
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((constructor)) static void begin(void)
{
    pass_at_once();
}

const char *ex_hello(void)
{
    return "goodbye";
}
