/* init_array_asm - the same, written in assembly
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

__attribute__((used)) static void begin(void)
{
    pass_at_once();
}

__asm__(".section .init_array.00001,\"aw\"\n"
        ".quad begin\n"
        ".text\n");

const char *ex_hello(void)
{
    return "goodbye";
}
