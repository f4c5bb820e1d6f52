/* wild_answer - answers with an invalid address
 *
 * Verdict: crashed
 */
#include "ex_hello.h"

#include <stdint.h>

const char *ex_hello(void)
{
    return (const char *)(uintptr_t)16;
}
