/* constructor_first - the same, before those of libraries
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((constructor(101))) static void begin(void)
{
    pass_at_once();
}

const char *ex_hello(void)
{
    return "goodbye";
}
