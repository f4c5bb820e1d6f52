/* kills_group - kills every process of its group
 *
 * Verdict: crashed
 * Message: SIGKILL
 */
#include "ex_hello.h"

#include <signal.h>

const char *ex_hello(void)
{
    (void)kill(0, SIGKILL);
    return "goodbye";
}
