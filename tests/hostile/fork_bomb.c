/* fork_bomb - processes that start processes, 255 in all, each in a session
 * of its own
 *
 * Verdict: left something running | too much memory | hung | wrong answer
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    int is_first = 1;

    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            is_first = 0;
            (void)setsid();
        }
    }
    if (!is_first) {
        (void)sleep(60);
        _exit(0);
    }
    return "hello";
}
