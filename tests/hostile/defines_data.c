/* defines_data - replaces data of the C library
 *
 * Verdict: refused
 * Message: stdout
 */
#include "ex_hello.h"

void *stdout;

const char *ex_hello(void)
{
    return "goodbye";
}
