/* large_object - data that makes the object file larger than a gigabyte
 *
 * Verdict: does not compile
 */
#include "ex_hello.h"

static char large[1 << 30] = "hello";

const char *ex_hello(void)
{
    return large;
}
