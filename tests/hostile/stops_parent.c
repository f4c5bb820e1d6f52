/* stops_parent - stops the process that watches it, and loops
 *
 * Verdict: hung | left early | wrong answer
 */
#include "ex_hello.h"

#include <signal.h>
#include <unistd.h>

const char *ex_hello(void)
{
    pid_t parent = getppid();

    (void)alarm(0);
    if (parent > 1)
        (void)kill(parent, SIGSTOP);
    for (int i = 0; i < 60; i++)
        (void)sleep(1);
    return "goodbye";
}
