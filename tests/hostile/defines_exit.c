/* defines_exit - replaces _exit, by which a failed test ends
 *
 * Verdict: refused
 * Message: exit
 */
#include "ex_hello.h"

#include <unistd.h>

void _exit(int status)
{
    (void)status;
    for (;;)
        (void)pause();
}

const char *ex_hello(void)
{
    return "goodbye";
}
