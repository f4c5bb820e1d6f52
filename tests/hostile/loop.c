/* loop - never comes back (here: within five minutes)
 *
 * Verdict: hung
 */
#include "ex_hello.h"

#include <time.h>

const char *ex_hello(void)
{
    time_t end = time(NULL) + 300;

    while (time(NULL) < end) {
        /* The processor has nothing else to do. */
    }
    return "hello";
}
