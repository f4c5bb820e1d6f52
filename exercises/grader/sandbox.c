/* sandbox - the words that put a test inside bubblewrap, and whether it works
 *
 * Owns the answer to the latter. The runner's only thread enters. Inside, the
 * system is there to be read, only the test's folder can be written to, there
 * is no network and no other process to be seen. /run is hidden because a
 * socket there would be a way out.
 */
#include "runner.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Empty inside, and as read-only as the rest: memory cannot be filled. */
static const char *const hidden[] = {"/tmp", "/run"};
enum {
    HIDDEN = 2,
    SIGNALS = 64
};

/* Makes a folder seen that lies in one that is hidden. */
static void show(struct test__words *words, const char *how, const char *folder)
{
    test__words_add(words, "%s", how);
    test__words_add(words, "%s", folder);
    test__words_add(words, "%s", folder);
}

static void show_if_hidden(struct test__words *words, const char *folder)
{
    for (int i = 0; i < HIDDEN; i++) {
        size_t length = strlen(hidden[i]);

        if (strncmp(folder, hidden[i], length) == 0 && folder[length] == '/')
            show(words, "--ro-bind", folder);
    }
}

static void add_all(struct test__words *words, const char *const *list)
{
    for (; *list != NULL; list++)
        test__words_add(words, "%s", *list);
}

void test__sandbox_add(struct test__words *words,
                       const char *program,
                       const char *folder)
{
    static const char *const system[] = {"bwrap",  "--ro-bind", "/",
                                         "/",      "--dev",     "/dev",
                                         "--proc", "/proc",     NULL};
    static const char *const alone[] = {"--remount-ro",  "/dev",
                                        "--unshare-all", "--die-with-parent",
                                        "--new-session", NULL};
    char place[TEST__PATH_SIZE];
    const char *slash = strrchr(program, '/');

    add_all(words, system);
    for (int i = 0; i < HIDDEN; i++) {
        if (access(hidden[i], F_OK) != 0)
            continue;
        test__words_add(words, "--tmpfs");
        test__words_add(words, "%s", hidden[i]);
    }
    if (getcwd(place, sizeof place) == NULL)
        (void)snprintf(place, sizeof place, "/"); /* too deep, or gone */
    show_if_hidden(words, place);
    test__words_add(words, "--chdir");
    test__words_add(words, "%s", place);
    (void)snprintf(place, sizeof place, "%.*s",
                   slash != NULL ? (int)(slash - program) : 0, program);
    show_if_hidden(words, place);
    if (folder != NULL)
        show(words, "--bind", folder);
    for (int i = 0; i < HIDDEN; i++) {
        if (access(hidden[i], F_OK) != 0)
            continue;
        test__words_add(words, "--remount-ro");
        test__words_add(words, "%s", hidden[i]);
    }
    if (geteuid() == 0) {
        /* Others have none, and may not give up any. */
        test__words_add(words, "--cap-drop");
        test__words_add(words, "ALL");
    }
    add_all(words, alone);
    test__words_add(words, "--");
}

int test__sandbox_status(int status)
{
    int number = WIFEXITED(status) ? WEXITSTATUS(status) - 128 : 0;

    /* A status is a signal's number where that says nothing else. */
    return number > 0 && number <= SIGNALS ? number : status;
}

#if defined(__linux__)

/* Reads the first line of what bubblewrap complains about. */
static void read_line(int fd, char *line, size_t size)
{
    size_t used = 0;
    ssize_t n;

    while (used + 1 < size &&
           ((n = read(fd, line + used, size - 1 - used)) > 0 ||
            (n < 0 && errno == EINTR)))
        used += n > 0 ? (size_t)n : 0;
    line[used] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* Runs a program that does nothing. Returns whether it did, and the first line
 * of what was said. */
static bool try_it(char *line, size_t size)
{
    struct test__words words;
    int ends[2];
    int status = -1;
    pid_t pid;

    memset(&words, 0, sizeof words);
    test__sandbox_add(&words, "/bin/true", NULL);
    test__words_add(&words, "true");
    line[0] = '\0';
    if (words.full || pipe(ends) != 0)
        return false;
    pid = fork();
    if (pid == 0) {
        if (dup2(ends[1], STDERR_FILENO) >= 0 &&
            dup2(ends[1], STDOUT_FILENO) >= 0) {
            (void)close(ends[0]);
            (void)close(ends[1]);
            (void)execvp(words.word[0], words.word);
        }
        _exit(127);
    }
    (void)close(ends[1]); /* nothing was written to it */
    if (pid > 0) {
        read_line(ends[0], line, size);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
            /* A signal is not its end. */
        }
    }
    (void)close(ends[0]);
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        (void)snprintf(line, size, "it is not installed");
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool test__sandbox_works(const char **ret_reason)
{
    static char reason[TEST__PATH_SIZE];
    static int known;
    static int works;

    if (!known) {
        char line[256];

        works = try_it(line, sizeof line);
        (void)snprintf(reason, sizeof reason, "bubblewrap does not work: %s",
                       line[0] != '\0' ? line : "it ends without a word");
        known = 1;
    }
    if (!works)
        *ret_reason = reason;
    return works;
}

#else

bool test__sandbox_works(const char **ret_reason)
{
    *ret_reason = "bubblewrap is for Linux only";
    return false;
}

#endif
