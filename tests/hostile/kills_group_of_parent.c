/* kills_group_of_parent - ends the group of the process that watches it
 *
 * Verdict: left early | hung | wrong answer | crashed
 */
#define _XOPEN_SOURCE 700 /* getpgid */
#include "ex_hello.h"

#include <signal.h>
#include <unistd.h>

const char *ex_hello(void)
{
    pid_t group = getpgid(getppid());

    if (group > 1) {
        (void)kill(-group, SIGTERM);
        (void)kill(-group, SIGKILL);
    }
    return "goodbye";
}
