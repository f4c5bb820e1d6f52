/* ex_hello - the first exercise: one word
 *
 * Owns nothing. The contract is in ex_hello.h.
 */
#include "ex_hello.h"

const char *ex_hello(void)
{
    /* Your code. */
    return "";
}
