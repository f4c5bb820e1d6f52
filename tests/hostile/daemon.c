/* daemon - leaves a process that belongs to nobody and hears nothing
 *
 * Verdict: left something running
 */
#include "ex_hello.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A session of its own, an orphan, no descriptors, no signals. */
static void stay(void)
{
    sigset_t all;

    (void)setsid();
    if (fork() != 0)
        _exit(0);
    (void)setsid();
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    for (int fd = 0; fd < 256; fd++)
        (void)close(fd);
    for (int i = 0; i < 60; i++)
        (void)sleep(1);
    _exit(0);
}

const char *ex_hello(void)
{
    pid_t pid = fork();

    if (pid == 0)
        stay();
    (void)waitpid(pid, NULL, 0);
    return "hello";
}
