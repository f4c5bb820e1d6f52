/* child - leaves a process running
 *
 * Verdict: left something running
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    if (fork() == 0) {
        (void)sleep(60);
        _exit(0);
    }
    return "hello";
}
