/* defines_strcmp_by_label - the same by a function whose name is another
 *
 * Verdict: refused
 * Message: strcmp
 */
#include "ex_hello.h"

int always_equal(const char *a, const char *b) __asm__("strcmp");

int always_equal(const char *a, const char *b)
{
    (void)a;
    (void)b;
    return 0;
}

const char *ex_hello(void)
{
    return "goodbye";
}
