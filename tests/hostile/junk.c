/* junk - writes junk to every descriptor
 *
 * Verdict: left early | wrong answer
 */
#include "ex_hello.h"

#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    char part[3000];

    memset(part, 'P', sizeof part);
    for (int fd = 0; fd < 256; fd++)
        (void)write(fd, part, sizeof part);
    return "goodbye";
}
