/* descriptors_closed - closes all descriptors, that of the records as well
 *
 * Verdict: left early
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    for (int fd = 0; fd < 4096; fd++)
        (void)close(fd);
    return "hello";
}
