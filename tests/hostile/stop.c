/* stop - stops itself, so that it never ends
 *
 * Verdict: hung
 */
#include "ex_hello.h"

#include <signal.h>

const char *ex_hello(void)
{
    (void)raise(SIGSTOP);
    return "";
}
