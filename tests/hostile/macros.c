/* macros - five lines that become 2^40
 *
 * Verdict: does not compile
 */
#include "ex_hello.h"

#define ADD_4(x) x + x + x + x
#define ADD_64(x) ADD_4(ADD_4(ADD_4(x)))
#define ADD_256K(x) ADD_64(ADD_64(ADD_64(x)))
#define ADD_ALL(x) ADD_256K(ADD_256K(ADD_4(x)))

const char *ex_hello(void)
{
    return ADD_ALL(0) == 0 ? "hello" : "";
}
