/* includes_zeros - includes a file that has no end
 *
 * Verdict: does not compile
 */
#include "/dev/zero"
#include "ex_hello.h"

const char *ex_hello(void)
{
    return "hello";
}
