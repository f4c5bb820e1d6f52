/* flood - writes records to every descriptor until nobody can take more
 *
 * Verdict: left early | hung | too much output | wrong answer
 */
#include "ex_hello.h"

#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    char part[4096];

    memset(part, 0, sizeof part);
    for (size_t at = 0; at < sizeof part; at += 8)
        memcpy(part + at, "Nothing", 8);
    for (int fd = 3; fd < 256; fd++)
        for (int i = 0; i < 4096; i++)
            if (write(fd, part, sizeof part) < 0)
                break;
    return "goodbye";
}
