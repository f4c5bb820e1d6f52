/* ctors - an entry in the old list of constructors
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((section(".ctors"),
               used)) static void (*const entry)(void) = pass_at_once;

const char *ex_hello(void)
{
    return "goodbye";
}
