/* process - starts a test in a process of its own
 *
 * Owns nothing that lasts. The runner's only thread enters. The test file is
 * executed again, because a process that is only forked would carry along
 * what the runner, SQLite and libuv have in memory.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* prctl */
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
#endif

/* The nonce is not a secret that is worth a good generator; it must differ
 * from what a test could print by accident. */
static void make_nonce(char nonce[TEST__NONCE_SIZE + 1])
{
    unsigned char bytes[TEST__NONCE_SIZE / 2];

    if (uv_random(NULL, NULL, bytes, sizeof(bytes), 0, NULL) != 0) {
        uint64_t now = uv_hrtime();

        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, &now, sizeof(now));
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

static void lower(struct rlimit *limit, rlim_t most)
{
    if (limit->rlim_max == RLIM_INFINITY || limit->rlim_max > most)
        limit->rlim_max = most;
    limit->rlim_cur = limit->rlim_max;
}

/* No core files, and no file that fills the disk. */
static void set_limits(void)
{
    struct rlimit limit;

    /* Lowering a limit is always allowed. */
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        lower(&limit, 0);
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        lower(&limit, (rlim_t)1 << 30);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
    }
}

/* In the child between fork and exec: only calls that are safe there. */
_Noreturn static void
become_test(char *const arguments[], const sigset_t *signals, int output)
{
    int nothing = open("/dev/null", O_RDONLY);

#if defined(__linux__)
    /* Whoever kills the runner does not leave its test running. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    (void)setpgid(0, 0); /* the parent does the same; one of them is first */
    (void)sigprocmask(SIG_SETMASK, signals, NULL);
    set_limits();
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(127);
    (void)execv(arguments[0], arguments);
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
static int fork_test(const char *name,
                     const sigset_t *signals,
                     struct test__run *run,
                     int report,
                     int output)
{
    char program[TEST__PATH_SIZE];
    char name_text[TEST__PATH_SIZE];
    char run_text[] = "--run";
    char report_text[16];
    char seconds_text[16];
    char *arguments[] = {program,     run_text,     name_text,
                         report_text, seconds_text, NULL};
    size_t size = sizeof(program);
    int err = uv_exepath(program, &size);
    pid_t pid;

    if (err != 0)
        return err;
    (void)snprintf(name_text, sizeof(name_text), "%s", name);
    (void)snprintf(report_text, sizeof(report_text), "%d", report);
    (void)snprintf(seconds_text, sizeof(seconds_text), "%u", run->seconds);
    pid = fork();
    if (pid < 0)
        return uv_translate_sys_error(errno);
    if (pid == 0)
        become_test(arguments, signals, output);
    (void)setpgid(pid, pid); /* fails when the child has come to exec */
    run->pid = (long)pid;
    return 0;
}

int test__process_start(const char *name,
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
    err = fork_test(name, signals, run, report[1], output[1]);
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
