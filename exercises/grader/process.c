/* process - starts a test in a process of its own
 *
 * Owns nothing that lasts. The runner's only thread enters. The test file is
 * executed again, because a process that is only forked would carry along
 * what the runner, SQLite and libuv have in memory.
 */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* syscall */
#endif
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

extern char **environ;

/* The nonce is not a secret that is worth a good generator; it must differ
 * from what a test could print by accident. */
static void make_nonce(char nonce[TEST__NONCE_SIZE + 1])
{
    unsigned char bytes[TEST__NONCE_SIZE / 2];

    if (uv_random(NULL, NULL, bytes, sizeof bytes, 0, NULL) != 0) {
        uint64_t now = uv_hrtime();

        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, &now, sizeof now);
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

/* Lowering a limit is always allowed, so no result is looked at. */
static void lower(int what, rlim_t most, rlim_t hard)
{
    struct rlimit limit;

    if (getrlimit(what, &limit) != 0)
        return;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > hard)
        limit.rlim_max = hard;
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    (void)setrlimit(what, &limit);
}

/* What holds even when nobody watches any more. The time of a process is that
 * of all its threads, so it may use its limit on every processor. */
static void set_limits(const struct test__start *start, rlim_t processors)
{
    rlim_t file = (rlim_t)1 << (start->folder != NULL ? 28 : 30);
    rlim_t time = (rlim_t)(start->seconds + 5) * processors;

    lower(RLIMIT_CORE, 0, 0);
    lower(RLIMIT_FSIZE, file, file);
    lower(RLIMIT_CPU, time, time + 5);
#if defined(RLIMIT_NPROC)
    /* All threads of the user count, and root is not bound by it. */
    if (start->folder != NULL && geteuid() != 0)
        lower(RLIMIT_NPROC, 4096, 4096);
#endif
}

/* What the child needs, made before the fork. */
struct command {
    struct test__words words;
    struct test__words environment;
    rlim_t processors;
};

/* A test of an exercise inherits nothing but its standard streams and its end
 * of the socket. */
static void close_others(int report)
{
    enum {
        USUAL = 1024
    };

#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, 3u, (unsigned)report - 1, 0) == 0 &&
        syscall(SYS_close_range, (unsigned)report + 1, ~0u, 0) == 0)
        return;
#endif
    for (int fd = 3; fd < USUAL; fd++)
        if (fd != report)
            (void)close(fd); /* most of them are not open */
}

/* In the child between fork and exec: only calls that are safe there. */
_Noreturn static void become_test(struct command *command,
                                  const struct test__start *start,
                                  const sigset_t *signals,
                                  int report,
                                  int output)
{
    int nothing = open("/dev/null", O_RDONLY);

#if defined(__linux__)
    /* Whoever kills the runner does not leave its test running. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    (void)setpgid(0, 0); /* the parent does the same; one of them is first */
    (void)sigprocmask(SIG_SETMASK, signals, NULL);
    set_limits(start, command->processors);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(127);
    if (start->folder != NULL)
        close_others(report);
    environ = command->environment.word;
    (void)execvp(command->words.word[0], command->words.word);
    _exit(127); /* judged as a test that did not come to its end */
}

/* Opens the socket and the pipe. What stays with the parent does not block
 * and, like the child's end of the pipe, does not survive exec. On failure the
 * caller closes what is there. */
static int open_ends(int report[2], int output[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, report) != 0 || pipe(output) != 0 ||
        fcntl(report[0], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(report[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(output[0], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(output[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(output[1], F_SETFD, FD_CLOEXEC) != 0)
        return uv_translate_sys_error(errno);
    return 0;
}

/* Starts the process and stores its id. Returns 0 or a negative UV_E*. */
static int fork_test(const struct test__start *start,
                     const sigset_t *signals,
                     struct test__run *run,
                     int report,
                     int output)
{
    struct command command;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int err =
        test__command_make(start, report, &command.words, &command.environment);
    pid_t pid;

    if (err != 0)
        return err;
    command.processors = processors > 0 ? (rlim_t)processors : 1;
    pid = fork();
    if (pid < 0)
        return uv_translate_sys_error(errno);
    if (pid == 0)
        become_test(&command, start, signals, report, output);
    (void)setpgid(pid, pid); /* fails when the child has come to exec */
    run->pid = (long)pid;
    return 0;
}

int test__process_start(const struct test__start *start,
                        const sigset_t *signals,
                        struct test__run *run,
                        int *ret_report,
                        int *ret_output)
{
    int report[2] = {-1, -1};
    int output[2] = {-1, -1};
    int err = open_ends(report, output);

    if (err != 0)
        goto out;
    make_nonce(run->nonce);
    if (write(report[0], run->nonce, TEST__NONCE_SIZE) != TEST__NONCE_SIZE) {
        err = UV_EIO; /* UNTESTED: a new socket has room */
        goto out;
    }
    err = fork_test(start, signals, run, report[1], output[1]);
    if (err != 0)
        goto out;
    *ret_report = report[0];
    *ret_output = output[0];
    report[0] = -1;
    output[0] = -1;

out:
    for (int i = 0; i < 2; i++) {
        if (report[i] >= 0)
            (void)close(report[i]); /* nothing waits to be written */
        if (output[i] >= 0)
            (void)close(output[i]);
    }
    return err;
}
