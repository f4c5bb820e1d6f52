/* ifunc_local - the same, with a function that nobody else sees
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

static const char *chosen(void) __attribute__((ifunc("choose")));

const char *ex_hello(void)
{
    return chosen();
}
