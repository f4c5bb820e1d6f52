/* program_replaced - puts another program in the place of its own
 *
 * Verdict: wrong answer | refused
 */
#include "ex_hello.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *ex_hello(void)
{
    static const char other[] = "#!/bin/sh\nexit 0\n";
    char path[1024];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    int fd;

    if (size < 0)
        return "no program";
    path[size] = '\0';
    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT, 0777);
    if (fd >= 0) {
        (void)write(fd, other, strlen(other));
        (void)close(fd);
    }
    return "goodbye";
}
