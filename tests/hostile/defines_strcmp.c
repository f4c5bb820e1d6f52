/* defines_strcmp - replaces strcmp: every answer is the right one
 *
 * Verdict: refused
 * Message: strcmp
 */
#include "ex_hello.h"

#include <string.h>

int strcmp(const char *a, const char *b)
{
    (void)a;
    (void)b;
    return 0;
}

const char *ex_hello(void)
{
    return "goodbye";
}
