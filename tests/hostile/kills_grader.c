/* kills_grader - kills every program above it that is named grader
 *
 * Without the sandbox a student's program may kill what the student may: the
 * results then say "incomplete", 0 points.
 *
 * Needs: sandbox
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *ex_hello(void)
{
    int pid = (int)getpid();

    while (pid > 1) {
        char path[64];
        char name[64] = "";
        int parent = 0;
        FILE *in;

        (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
        in = fopen(path, "r");
        if (in == NULL)
            break;
        if (fscanf(in, "%*d (%60[^)]) %*c %d", name, &parent) != 2)
            parent = 0;
        (void)fclose(in);
        if (strcmp(name, "grader") == 0)
            (void)kill(pid, SIGKILL);
        pid = parent;
    }
    return "goodbye";
}
