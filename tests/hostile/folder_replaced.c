/* folder_replaced - puts a link in the place of its folder; the answer is
 * right
 *
 * Inside the sandbox the folder cannot be taken away; else the link leads to
 * a folder of the course.
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *ex_hello(void)
{
    const char *folder = getenv("TEST_FOLDER");
    char elsewhere[1024];
    char course[1024];

    if (folder == NULL || getcwd(course, sizeof course) == NULL)
        return "no folder";
    (void)snprintf(elsewhere, sizeof elsewhere, "%.1000s-moved", folder);
    if (rename(folder, elsewhere) == 0) {
        (void)rmdir(elsewhere);
        (void)symlink(course, folder);
    }
    return "hello";
}
