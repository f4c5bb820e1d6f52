/* endless_answer - answers with a text of 64 MiB
 *
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <stdlib.h>
#include <string.h>

const char *ex_hello(void)
{
    static char text[(64 << 20) + 1];

    memset(text, 'h', sizeof text - 1);
    return text;
}
