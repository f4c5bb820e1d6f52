/* descriptors_used_up - opens files until no more can be; the answer is right
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <fcntl.h>

const char *ex_hello(void)
{
    for (int i = 0; i < 4096; i++)
        if (open("/dev/null", O_RDONLY) < 0)
            break;
    return "hello";
}
