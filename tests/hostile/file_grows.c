/* file_grows - fills a file in its folder (here: up to a little over 1 GiB)
 *
 * Verdict: too much output | crashed
 */
#include "ex_hello.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    static char part[1 << 20];
    const char *folder = getenv("TEST_FOLDER");
    char path[1024];
    int fd;

    (void)snprintf(path, sizeof path, "%s/large",
                   folder != NULL ? folder : "/nowhere");
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    memset(part, 'x', sizeof part);
    for (int i = 0; i < 1025; i++)
        if (write(fd, part, sizeof part) != sizeof part)
            return "no more room";
    return "hello";
}
