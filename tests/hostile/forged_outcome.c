/* forged_outcome - writes into the pipes of the process that watches it what
 * that one would tell, and kills it
 *
 * Verdict: left early | wrong answer
 */
#include "ex_hello.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    static char zeros[32768];
    pid_t parent = getppid();

    for (int number = 3; number < 64; number++) {
        char path[64];
        int fd;

        (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)parent,
                       number);
        fd = open(path, O_WRONLY | O_NONBLOCK);
        if (fd >= 0) {
            (void)write(fd, zeros, sizeof zeros);
            (void)close(fd);
        }
    }
    if (parent > 1)
        (void)kill(parent, SIGKILL);
    return "goodbye";
}
