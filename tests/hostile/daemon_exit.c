/* daemon_exit - leaves early, and a process that holds the output open
 *
 * Verdict: left early | left something running
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    if (fork() == 0) {
        (void)setsid();
        for (int i = 0; i < 60; i++) {
            (void)write(STDOUT_FILENO, "still here\n", 11);
            (void)sleep(1);
        }
    }
    _exit(0);
}
