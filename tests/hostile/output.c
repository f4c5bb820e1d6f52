/* output - prints a gigabyte
 *
 * Verdict: too much output
 */
#include "ex_hello.h"

#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    static char part[65536];

    memset(part, 'x', sizeof part);
    for (int i = 0; i < 16384; i++)
        if (write(i % 2 + 1, part, sizeof part) < 0)
            return "";
    return "hello";
}
