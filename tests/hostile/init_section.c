/* init_section - code that becomes a part of the function _init
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((used)) static void begin(void)
{
    pass_at_once();
}

#if defined(__x86_64__)
__asm__(".section .init,\"ax\"\n call begin\n .text\n");
#elif defined(__aarch64__)
__asm__(".section .init,\"ax\"\n bl begin\n .text\n");
#endif

const char *ex_hello(void)
{
    return "goodbye";
}
