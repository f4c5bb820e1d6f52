/* defines_main - a program of its own
 *
 * Verdict: refused
 * Message: main
 */
#include "ex_hello.h"

int main(void)
{
    return 0;
}

const char *ex_hello(void)
{
    return "goodbye";
}
