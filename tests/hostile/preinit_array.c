/* preinit_array - an entry in the list of what runs before constructors
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((section(".preinit_array"),
               used)) static void (*const entry)(void) = pass_at_once;

const char *ex_hello(void)
{
    return "goodbye";
}
