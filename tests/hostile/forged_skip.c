/* forged_skip - says by a record that it cannot be checked here
 *
 * Verdict: not checked | left early
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    static const char record[] = "Sthere is no hello on this machine";

    for (int fd = 3; fd < 256; fd++)
        (void)write(fd, record, sizeof record);
    _exit(0);
}
