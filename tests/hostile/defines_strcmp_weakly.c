/* defines_strcmp_weakly - the same by a weak name
 *
 * Verdict: refused
 * Message: strcmp
 */
#include "ex_hello.h"

#include <string.h>

__attribute__((weak)) int strcmp(const char *a, const char *b)
{
    (void)a;
    (void)b;
    return 0;
}

const char *ex_hello(void)
{
    return "goodbye";
}
