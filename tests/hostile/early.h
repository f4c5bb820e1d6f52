/* early - what code does that runs before the test has taken its nonce
 *
 * hostile.sh puts it into the files of this folder that include it. It takes
 * the nonce that waits in the socket of the records, sends it back as a pass,
 * and leaves: the test never runs.
 */
#ifndef HOSTILE_EARLY_H
#define HOSTILE_EARLY_H

#include <sys/socket.h>
#include <unistd.h>

static void pass_at_once(void)
{
    char record[34] = "P";

    for (int fd = 3; fd < 256; fd++) {
        if (recv(fd, record + 1, 32, MSG_DONTWAIT) == 32 &&
            write(fd, record, sizeof record) > 0)
            _exit(0);
    }
}

#endif
