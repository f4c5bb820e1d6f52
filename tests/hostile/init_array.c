/* init_array - an entry in the list of constructors, without saying so
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((section(".init_array"),
               used)) static void (*const entry)(void) = pass_at_once;

const char *ex_hello(void)
{
    return "goodbye";
}
