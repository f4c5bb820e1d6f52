/* defines_strcmp_in_asm - the same by a name that C never sees
 *
 * Verdict: refused
 * Message: strcmp
 */
#include "ex_hello.h"

__attribute__((used)) static int always_equal(const char *a, const char *b)
{
    (void)a;
    (void)b;
    return 0;
}

__asm__(".globl strcmp\n .set strcmp, always_equal\n");

const char *ex_hello(void)
{
    return "goodbye";
}
