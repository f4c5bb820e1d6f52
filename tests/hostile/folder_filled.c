/* folder_filled - leaves folders in folders, links to outside and files
 * without rights in its folder; the answer is right
 *
 * The links lead to the witness beside the student's files, which has to
 * outlive the folder.
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Leaves a file and links in the folder that it is in. */
static void leave_some(void)
{
    int fd = open("a file\nof two lines", O_WRONLY | O_CREAT, 0000);

    if (fd >= 0)
        (void)close(fd);
    (void)symlink("/", "root");
    (void)symlink("..", "above");
    (void)symlink("../../../../outside", "outside");
    (void)mkfifo("pipe", 0000);
}

const char *ex_hello(void)
{
    static int filled; /* it is asked twice */
    const char *folder = getenv("TEST_FOLDER");

    if (filled++ != 0)
        return "hello";
    if (folder == NULL || chdir(folder) != 0)
        return "no folder";
    for (int i = 0; i < 40; i++) {
        leave_some();
        if (mkdir("deeper", 0777) != 0 || chdir("deeper") != 0)
            return "no room";
    }
    (void)chmod("..", 0000);
    (void)chmod(folder, 0000);
    return "hello";
}
