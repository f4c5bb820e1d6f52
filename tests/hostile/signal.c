/* signal - ends by a signal
 *
 * Each: SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL
 * Each: SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGTERM SIGXCPU SIGXFSZ SIGVTALRM
 * Each: SIGPROF SIGSYS
 * Verdict: crashed | hung | too much output
 * Message: EACH
 */
#include "ex_hello.h"

#include <signal.h>

#define EACH SIGTERM

const char *ex_hello(void)
{
    (void)signal(EACH, SIG_DFL);
    (void)raise(EACH);
    return "";
}
