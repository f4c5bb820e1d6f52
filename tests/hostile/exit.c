/* exit - leaves before the test has looked at the answer
 *
 * Verdict: left early
 */
#include "ex_hello.h"

#include <stdlib.h>

const char *ex_hello(void)
{
    exit(0);
}
