/* includes_itself - includes itself for ever
 *
 * Verdict: does not compile
 */
#include "ex_hello.h"
#include __FILE__

const char *ex_hello(void)
{
    return "hello";
}
