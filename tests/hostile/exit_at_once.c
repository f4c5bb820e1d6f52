/* exit_at_once - leaves without the handlers that exit would run
 *
 * Verdict: left early
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    _exit(0);
}
