/* forged_pass - writes the record of a pass, with a nonce that it made up
 *
 * Verdict: left early
 */
#include "ex_hello.h"

#include <unistd.h>

const char *ex_hello(void)
{
    static const char record[] = "P0123456789abcdef0123456789abcdef";

    for (int fd = 3; fd < 256; fd++)
        (void)write(fd, record, sizeof record);
    _exit(0);
}
