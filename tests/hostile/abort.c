/* abort - gives up
 *
 * Verdict: crashed
 * Message: SIGABRT
 */
#include "ex_hello.h"

#include <stdlib.h>

const char *ex_hello(void)
{
    abort();
}
