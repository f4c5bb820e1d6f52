/* interrupt - the signals that ask a program to end, for one that waits
 *
 * Owns the handlers of those and of SIGCHLD. One thread enters. All of them
 * are blocked except while the program waits with the mask from outside, so
 * that none is missed.
 */
#include "runner.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_child(int number)
{
    (void)number; /* It only has to end pselect. */
}

static void on_interrupt(int number)
{
    interrupted = number;
}

void test__interrupt_prepare(sigset_t *ret_outside)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;
    sigset_t blocked;

    /* The results below are not looked at: the arguments are constants. */
    (void)sigemptyset(&blocked);
    memset(&action, 0, sizeof action);
    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = on_child;
    (void)sigaction(SIGCHLD, &action, NULL);
    (void)sigaddset(&blocked, SIGCHLD);
    action.sa_handler = on_interrupt;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)sigaction(ends[i], &action, NULL);
        (void)sigaddset(&blocked, ends[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, ret_outside);
}

int test__interrupted(void)
{
    return interrupted;
}
