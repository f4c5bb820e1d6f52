/* other_exercise_replaced - takes away the programs of another exercise
 *
 * Without the sandbox a student's program may do what the student may.
 *
 * Needs: sandbox
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    static const char *const builds[] = {"plain", "address", "thread"};
    const char *folder = getenv("TEST_FOLDER");
    const char *end = folder != NULL ? strstr(folder, "/00-start/") : NULL;
    char path[1200];

    for (int i = 0; i < 3 && end != NULL; i++) {
        (void)snprintf(path, sizeof path, "%.*s/01-blocking/%s/check",
                       (int)(end - folder), folder, builds[i]);
        (void)unlink(path);
        (void)symlink("/bin/true", path);
    }
    return "goodbye";
}
