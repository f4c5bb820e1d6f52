/* loop_deaf - never comes back, and hears no signal that says so
 *
 * Verdict: hung
 */
#include "ex_hello.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

const char *ex_hello(void)
{
    time_t end = time(NULL) + 300;
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    (void)signal(SIGALRM, SIG_IGN);
    (void)alarm(0);
    while (time(NULL) < end) {
        /* The processor has nothing else to do. */
    }
    return "hello";
}
