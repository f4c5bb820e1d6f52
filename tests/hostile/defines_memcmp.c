/* defines_memcmp - replaces memcmp: everything is equal
 *
 * Verdict: refused
 * Message: memcmp
 */
#include "ex_hello.h"

#include <string.h>

int memcmp(const void *a, const void *b, size_t size)
{
    (void)a;
    (void)b;
    (void)size;
    return 0;
}

const char *ex_hello(void)
{
    return "goodbye";
}
