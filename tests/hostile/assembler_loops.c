/* assembler_loops - keeps the assembler busy
 *
 * Verdict: does not compile
 */
#include "ex_hello.h"

__asm__(".rept 1000000000\n .quad 0\n .endr\n");

const char *ex_hello(void)
{
    return "hello";
}
