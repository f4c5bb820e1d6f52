/* process - other programs, each in a session of its own
 *
 * One thread enters. Depends on interrupt for the program's signals and on
 * kin for what others leave.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* prctl */
#endif
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

enum {
    NO_PROGRAM = 127 /* what a child says that could not become one */
};

static sigset_t signals_outside; /* the mask the program was started with */
static pid_t last_ended; /* what it has left is looked for; 0: none yet */

void class_process_prepare(void)
{
    struct test__others others;

    test__interrupt_prepare(&signals_outside);
    test__kin_adopt(&others); /* it has no children yet */
}

/* In the child after fork: what it inherits becomes what it should have. Only
 * calls that are safe between fork and exec. */
static void prepare_child(pid_t parent, int output)
{
    int nothing = open("/dev/null", O_RDWR);

#if defined(__linux__)
    /* Whoever kills this program does not leave others running. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    (void)setsid(); /* a new child leads no group, so it succeeds */
    (void)sigprocmask(SIG_SETMASK, &signals_outside, NULL);
    if (getppid() != parent || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(NO_PROGRAM);
}

/* Makes a pipe and a child at its other end. Returns the child's id, 0 in the
 * child, or a negative UV_E*. */
static pid_t make_child(struct class_process *process)
{
    pid_t self = getpid();
    int ends[2];
    pid_t pid = -1;

    if (pipe(ends) != 0)
        return uv_translate_sys_error(errno);
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        pid = fork();
    if (pid == 0) {
        prepare_child(self, ends[1]);
        return 0;
    }
    if (pid < 0) {
        pid = uv_translate_sys_error(errno);
        (void)close(ends[0]); /* nothing was written that could be lost */
    } else {
        *process = (struct class_process){.pid = pid, .output = ends[0]};
    }
    (void)close(ends[1]);
    return pid;
}

int class_process_start(struct class_process *process,
                        const char *const words[])
{
    pid_t pid = make_child(process);

    if (pid != 0)
        return pid < 0 ? pid : 0;
    /* exec does not write to the words; its type is older than const. */
    (void)execvp(words[0], (char *const *)(uintptr_t)words);
    _exit(NO_PROGRAM);
}

int class_process_call(struct class_process *process,
                       class_process_main run,
                       void *context)
{
    pid_t pid = make_child(process);

    if (pid != 0)
        return pid < 0 ? pid : 0;
    _exit(run(context));
}

void class_process_wait(const struct class_process *const processes[],
                        size_t count,
                        uint64_t ns)
{
    struct timespec timeout;
    fd_set readable;
    int last = -1;

    FD_ZERO(&readable);
    for (size_t i = 0; i < count; i++) {
        int fd = processes[i]->pid != 0 ? processes[i]->output : -1;

        if (fd >= 0 && fd < FD_SETSIZE)
            FD_SET(fd, &readable);
        last = fd > last ? fd : last;
    }
    timeout.tv_sec = (time_t)(ns / 1000000000);
    timeout.tv_nsec = (long)(ns % 1000000000);
    /* What can be read is found by reading; a signal is as good. */
    (void)pselect(last + 1, &readable, NULL, NULL, &timeout, &signals_outside);
}

size_t class_process_read(struct class_process *process,
                          struct class_text *text,
                          size_t most)
{
    size_t came = 0;

    /* Somebody may write without end, so the number of reads has a limit. */
    for (int i = 0; process->output >= 0 && i < 64; i++) {
        char part[16384];
        ssize_t n = read(process->output, part, sizeof part);
        size_t room = most - text->size;

        if (n > 0) {
            came += (size_t)n;
            class_text_add(text, part, (size_t)n < room ? (size_t)n : room);
        } else if (n == 0) {
            (void)close(process->output); /* read to its end */
            process->output = -1;
        } else if (errno != EINTR) {
            break;
        }
    }
    return came;
}

static void finish(struct class_process *process)
{
    /* The leader is gone; its group exists only if it left somebody. */
    (void)kill(-process->pid, SIGKILL);
    last_ended = process->pid;
    process->pid = 0;
}

bool class_process_ended(struct class_process *process)
{
    pid_t ended = waitpid(process->pid, &process->status, WNOHANG);

    if (ended == 0)
        return false;
    if (ended < 0)
        process->status = SIGKILL; /* UNTESTED: nobody else takes it */
    finish(process);
    return true;
}

void class_process_kill(struct class_process *process)
{
    if (process->pid != 0) {
        /* A child that is not yet a group's leader is killed by its id. */
        (void)kill(-process->pid, SIGKILL);
        (void)kill(process->pid, SIGKILL);
        while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR)
            continue;
        finish(process);
    }
    if (process->output >= 0)
        (void)close(process->output);
    process->output = -1;
}

void class_process_sweep(const struct class_process *const processes[],
                         size_t count)
{
    struct test__others others = {.count = 0};

    for (size_t i = 0; i < count; i++)
        if (processes[i]->pid != 0)
            others.pid[others.count++] = (long)processes[i]->pid;
    if (last_ended != 0)
        (void)test__kin_end(&others, (long)last_ended,
                            0); /* as far as it can */
}
