/* atexit_loops - answers rightly, then does not end
 *
 * Verdict: hung
 */
#include "ex_hello.h"

#include <stdlib.h>
#include <time.h>

static void loop(void)
{
    time_t end = time(NULL) + 300;

    while (time(NULL) < end) {
        /* The processor has nothing else to do. */
    }
}

const char *ex_hello(void)
{
    (void)atexit(loop);
    return "hello";
}
