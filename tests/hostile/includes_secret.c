/* includes_secret - includes a file of the system into its program
 *
 * Verdict: does not compile
 */
#include "/etc/passwd"
#include "ex_hello.h"

const char *ex_hello(void)
{
    return "hello";
}
