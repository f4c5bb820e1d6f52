/* grader_replaced - writes over the grader, its tests and the contract
 *
 * The grader runs in a copy of the course. Without the sandbox a student's
 * program may do what the student may, so it would succeed there.
 *
 * Needs: sandbox
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    static const char *const files[] = {
        "build/grader",
        "build/libgrader.a",
        "build/grader.conf",
        "build/exercises/00-start/table",
        "build/obj/exercises/00-start/check.o",
        "build/san-address-undefined/libgrader.a",
        "exercises/00-start/check.c",
        "exercises/00-start/ex_hello.h",
        "exercises/00-start/new",
        "exercises/01-blocking/check.c",
        "Makefile"};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int fd = open(files[i], O_WRONLY | O_CREAT | O_TRUNC, 0666);

        if (fd >= 0) {
            (void)write(fd, "junk", strlen("junk"));
            (void)close(fd);
        }
        (void)unlink(files[i]);
    }
    return "goodbye";
}
