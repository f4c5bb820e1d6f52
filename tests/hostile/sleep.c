/* sleep - sleeps for longer than anybody waits
 *
 * Verdict: hung
 */
#include "ex_hello.h"

#include <time.h>

const char *ex_hello(void)
{
    struct timespec long_time = {300, 0};

    (void)nanosleep(&long_time, NULL);
    return "hello";
}
