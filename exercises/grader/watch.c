/* watch - follows a test's process to its end
 *
 * Owns the parent's ends of the test's socket and pipe. The runner's only
 * thread enters. Depends on interrupt for the runner's signals.
 */
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test that hangs ends itself when its time is over and says where it
 * waits. The runner gives it this much longer before it kills, and more on a
 * busy machine. */
#define GRACE_NS UINT64_C(2000000000)

/* How often it looks at what the test's processes take. */
#define LOOK_NS UINT64_C(50000000)

/* How long it sleeps at most without looking again. */
#define SLEEP_NS UINT64_C(1000000000)

/* How long bubblewrap may take to go away after its status has come. */
#define SANDBOX_NS UINT64_C(2000000000)

enum {
    PROCESSES_MAX = 64
};

static sigset_t signals_outside; /* the mask the runner was started with */

/* A report of the undefined behaviour sanitizer has to end the test. What the
 * user has set stays, except for that. */
static void stop_at_undefined_behaviour(void)
{
    const char *given = getenv("UBSAN_OPTIONS");
    char options[TEST__PATH_SIZE];

    (void)snprintf(options, sizeof options,
                   "print_stacktrace=1:%.900s:halt_on_error=1",
                   given != NULL ? given : "");
    (void)setenv("UBSAN_OPTIONS", options, 1); /* without memory: as it was */
}

void test__process_prepare(void)
{
    test__interrupt_prepare(&signals_outside);
    stop_at_undefined_behaviour();
}

/* Reads what has come. Returns whether the stream goes on. */
static bool take_report(struct test__run *run, int fd)
{
    char rest[512];
    size_t room = sizeof run->report - run->report_size;
    ssize_t n = room > 0 ? read(fd, run->report + run->report_size, room)
                         : read(fd, rest, sizeof rest);

    if (n > 0 && room > 0)
        run->report_size += (size_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The same for the output, of which the tail is kept. */
static bool take_output(struct test__run *run, int fd)
{
    char part[4096];
    ssize_t n = read(fd, part, sizeof part);

    if (n > 0) {
        size_t size = (size_t)n;

        if (run->output_size + size > sizeof run->output) {
            size_t drop = run->output_size + size - sizeof run->output;

            memmove(run->output, run->output + drop, run->output_size - drop);
            run->output_size -= drop;
        }
        memcpy(run->output + run->output_size, part, size);
        run->output_size += size;
        run->output_total += size;
    }
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Waits until something can be read, a signal came or the time is over. */
static void
wait_for_news(struct test__run *run, int *report, int *output, uint64_t ns)
{
    struct timespec timeout;
    fd_set readable;

    FD_ZERO(&readable);
    if (*report >= 0)
        FD_SET(*report, &readable);
    if (*output >= 0)
        FD_SET(*output, &readable);
    timeout.tv_sec = (time_t)(ns / 1000000000);
    timeout.tv_nsec = (long)(ns % 1000000000);
    if (pselect((*report > *output ? *report : *output) + 1, &readable, NULL,
                NULL, &timeout, &signals_outside) <= 0)
        return;
    if (*report >= 0 && FD_ISSET(*report, &readable) &&
        !take_report(run, *report)) {
        (void)close(*report); /* read to its end */
        *report = -1;
    }
    if (*output >= 0 && FD_ISSET(*output, &readable) &&
        !take_output(run, *output)) {
        (void)close(*output);
        *output = -1;
    }
}

/* What was written before the end is still there to read. A process that got
 * away may go on writing, so the number of reads has a limit. */
static void drain(struct test__run *run, int report, int output)
{
    for (int i = 0; report >= 0 && i < 64; i++)
        if (!take_report(run, report))
            break;
    for (int i = 0; output >= 0 && i < 64; i++)
        if (!take_output(run, output))
            break;
}

/* A test's process that is watched. */
struct watched {
    const struct test__start *start;
    struct test__run *run;
    struct test__others others;
    int report; /* -1: read to its end */
    int output; /* likewise */
};

/* Its leader may have gone to another group. It is not reaped, so both exist.
 */
static void kill_test(const struct test__run *run)
{
    (void)kill((pid_t)-run->pid, SIGKILL);
    (void)kill((pid_t)run->pid, SIGKILL);
}

/* Somebody wants the runner to end: so does its test. */
_Noreturn static void end_runner(const struct watched *watched)
{
    int number = test__interrupted();

    kill_test(watched->run);
    (void)test__kin_end(&watched->others, watched->run->pid, 0);
    (void)signal(number, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &signals_outside, NULL);
    (void)raise(number);
    _exit(1);
}

/* Returns whether the watcher has to see to the limits itself. */
static bool is_limited(const struct test__start *start)
{
    return start->memory != 0 || start->folder != NULL;
}

static bool is_output_too_much(const struct watched *watched)
{
    return watched->start->output != 0 &&
           watched->run->output_total > watched->start->output;
}

/* Returns why the test has to end now, or TEST__BY_ITSELF. */
static enum test__end look_at_processes(const struct watched *watched)
{
    const struct test__start *start = watched->start;
    uint64_t memory;

    if (test__kin_measure(&watched->others, &memory) > PROCESSES_MAX)
        return TEST__TOO_MANY_PROCESSES;
    if (start->memory != 0 && memory > start->memory)
        return TEST__TOO_MUCH_MEMORY;
    return TEST__BY_ITSELF;
}

/* Waits for the end of the test's process, and kills it when its time is
 * over or when it takes too much. The time includes the start of the process.
 */
static void watch(struct watched *watched)
{
    struct test__run *run = watched->run;
    bool limited = is_limited(watched->start);
    uint64_t next = limited ? 0 : UINT64_MAX; /* when to look at them */
    uint64_t most = limited ? LOOK_NS : SLEEP_NS;
    uint64_t end = uv_hrtime() + run->seconds * UINT64_C(1000000000) +
                   (uint64_t)(GRACE_NS * test__busy());
    pid_t ended;

    while ((ended = waitpid((pid_t)run->pid, &run->status, WNOHANG)) == 0) {
        uint64_t now = uv_hrtime();

        if (test__interrupted())
            end_runner(watched);
        if (now >= end) {
            run->end = TEST__TIME_OVER;
        } else if (is_output_too_much(watched)) {
            run->end = TEST__TOO_MUCH_OUTPUT;
        } else if (now >= next) {
            run->end = look_at_processes(watched);
            next = now + LOOK_NS;
        }
        if (run->end != TEST__BY_ITSELF) {
            kill_test(run);
            ended = waitpid((pid_t)run->pid, &run->status, 0);
            break;
        }
        wait_for_news(run, &watched->report, &watched->output,
                      end - now < most ? end - now : most);
    }
    if (ended < 0)
        run->status = SIGKILL; /* UNTESTED: somebody else took the status */
    run->left_behind = test__kin_end(
        &watched->others, run->pid,
        watched->start->sandbox && run->end == TEST__BY_ITSELF ? SANDBOX_NS
                                                               : 0);
    if (watched->start->sandbox)
        run->status = test__sandbox_status(run->status);
}

int test__process_run(const struct test__start *start,
                      struct test__run *ret_run)
{
    struct watched watched = {.start = start, .run = ret_run};
    uint64_t begin = uv_hrtime();
    int err;

    memset(ret_run, 0, sizeof *ret_run);
    ret_run->seconds = start->seconds;
    test__kin_adopt(&watched.others);
    err = test__process_start(start, &signals_outside, ret_run, &watched.report,
                              &watched.output);
    if (err != 0)
        return err;
    watch(&watched);
    drain(ret_run, watched.report, watched.output);
    if (ret_run->end == TEST__BY_ITSELF && is_output_too_much(&watched))
        ret_run->end = TEST__TOO_MUCH_OUTPUT; /* written at the very end */
    ret_run->ns = uv_hrtime() - begin;
    if (watched.report >= 0)
        (void)close(watched.report); /* nothing was written, nothing is lost */
    if (watched.output >= 0)
        (void)close(watched.output);
    return 0;
}
