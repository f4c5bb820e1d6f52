/* ifunc - a function that the loader calls to choose another
 *
 * Verdict: refused | does not compile
 */
#include "ex_hello.h"

#include "early.h"

static const char *say(void)
{
    return "goodbye";
}

__attribute__((used)) static void *choose(void)
{
    pass_at_once();
    return (void *)say;
}

const char *ex_hello(void) __attribute__((ifunc("choose")));
