/* defines_write - replaces write, through which a test reports
 *
 * Verdict: refused
 * Message: write
 */
#include "ex_hello.h"

#include <sys/socket.h>
#include <unistd.h>

ssize_t write(int fd, const void *bytes, size_t size)
{
    return size > 0 && *(const char *)bytes == 'F' ? (ssize_t)size
                                                   : send(fd, bytes, size, 0);
}

const char *ex_hello(void)
{
    return "goodbye";
}
