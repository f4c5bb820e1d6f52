/* null_pointer - reads where nothing is
 *
 * Verdict: crashed
 * Message: SIGSEGV
 */
#include "ex_hello.h"

#include <stddef.h>

const char *ex_hello(void)
{
    const char *volatile nowhere = NULL;

    return *nowhere == 'h' ? "hello" : "";
}
