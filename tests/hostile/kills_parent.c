/* kills_parent - kills the process that watches it, and goes on alone
 *
 * Verdict: left early | hung | wrong answer
 */
#include "ex_hello.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

const char *ex_hello(void)
{
    pid_t parent = getppid();

#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, 0);
#endif
    (void)setsid();
    if (parent > 1)
        (void)kill(parent, SIGKILL);
    (void)alarm(0);
    (void)sleep(60);
    return "goodbye";
}
