/* traces_parent - attaches to the process that watches it, as a debugger
 *
 * Verdict: hung | left early | wrong answer
 */
#include "ex_hello.h"

#include <unistd.h>
#if defined(__linux__)
#include <sys/ptrace.h>
#endif

const char *ex_hello(void)
{
#if defined(__linux__)
    if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0)
        return "not allowed";
    (void)sleep(5);
#endif
    return "goodbye";
}
