/* tool - runs a compiler or another tool, within limits
 *
 * A source can keep a compiler busy for ever, or make it fill memory or disk;
 * so it gets as much of each as any exercise needs many times over.
 */
#include "grader/driver/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum {
    OUTPUT_MAX = 8 << 20
};

static void limit(int what, rlim_t most)
{
    struct rlimit limit;

    if (getrlimit(what, &limit) == 0 &&
        (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most)) {
        limit.rlim_cur = most;
        (void)setrlimit(what, &limit); /* lowering is always allowed */
    }
}

_Noreturn static void
become_tool(const char *const *words, unsigned seconds, int output)
{
    int nothing = open("/dev/null", O_RDONLY);

    (void)setpgid(0, 0); /* the parent does the same; one of them is first */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds);
    limit(RLIMIT_FSIZE, (rlim_t)256 << 20);
    /* What a compiler says must be in the language that is looked for. */
    (void)setenv("LC_ALL", "C", 1);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(127);
    /* Last: a sanitizer of this program needs more than that. */
    limit(RLIMIT_AS, (rlim_t)2 << 30);
    /* execvp does not change the words; its type is older than const. */
    (void)execvp(words[0], (char *const *)(uintptr_t)words);
    _exit(127);
}

/* Reads until the end of the stream, or the time is over, or it is too much.
 * Returns whether the end came. */
static bool read_all(int fd, uint64_t end, char *text, size_t size)
{
    size_t used = 0;
    size_t total = 0;
    char rest[4096];

    for (;;) {
        struct pollfd file = {.fd = fd, .events = POLLIN};
        uint64_t now = uv_hrtime();
        ssize_t n;

        if (now >= end || total > OUTPUT_MAX)
            return false;
        if (poll(&file, 1, (int)((end - now) / 1000000) + 1) < 1)
            continue; /* a signal, or the time: looked at above */
        n = used + 1 < size ? read(fd, text + used, size - 1 - used)
                            : read(fd, rest, sizeof rest);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        total += (size_t)n;
        if (used + 1 < size) {
            used += (size_t)n;
            text[used] = '\0';
        }
    }
}

int tool_run(const char *const *words,
             unsigned seconds,
             char *text,
             size_t size)
{
    uint64_t end = uv_hrtime() + seconds * UINT64_C(1000000000);
    int output[2];
    int status = 0;
    bool in_time;
    pid_t pid;

    text[0] = '\0';
    if (pipe(output) != 0)
        return 127;
    (void)fcntl(output[0], F_SETFD, FD_CLOEXEC); /* constant arguments */
    (void)fcntl(output[1], F_SETFD, FD_CLOEXEC);
    pid = fork();
    if (pid == 0)
        become_tool(words, seconds, output[1]);
    (void)close(output[1]); /* only the tool writes */
    if (pid < 0) {
        (void)close(output[0]);
        return 127;
    }
    (void)setpgid(pid, pid);
    in_time = read_all(output[0], end, text, size);
    if (!in_time)
        (void)kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        /* A signal is not the end. */
    }
    (void)kill(-pid, SIGKILL); /* what is left of its group, if anything */
    (void)close(output[0]);
    if (!in_time)
        return 124;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
