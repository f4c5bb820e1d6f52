/* child_vfork - leaves another program running
 *
 * Verdict: left something running
 */
#define _DEFAULT_SOURCE /* vfork */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        (void)execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(127);
    }
    return "hello";
}
