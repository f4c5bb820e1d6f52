/* jobs - runs functions in processes of their own, several at once
 *
 * Owns the pipes on which the results come, and this program's signals while
 * jobs_run is under way. One thread enters.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* prctl */
#endif
#include "grader/driver/jobs.h"
#include "grader/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

enum {
    LOOK_MS = 100 /* how long a signal or the progress may wait */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    interrupted = number;
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

static void set_signals(void (*handler)(int))
{
    struct sigaction action;

    /* The results are not looked at: the arguments are constants. */
    memset(&action, 0, sizeof action);
    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = handler;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        (void)sigaction(ends[i], &action, NULL);
}

void jobs_hide(void)
{
#if defined(__linux__)
    (void)prctl(PR_SET_DUMPABLE, 0); /* a constant argument */
#endif
}

void jobs_init(struct jobs *jobs, int at_once)
{
    memset(jobs, 0, sizeof *jobs);
    jobs->waiting_end = &jobs->waiting;
    jobs->at_once = at_once < 1                  ? 1
                    : at_once > JOBS_AT_ONCE_MAX ? JOBS_AT_ONCE_MAX
                                                 : at_once;
}

void jobs_add(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    job->got = 0;
    *jobs->waiting_end = job;
    jobs->waiting_end = &job->next;
}

static int send_all(int fd, const void *data, size_t size)
{
    const char *bytes = data;

    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* A number that a test cannot know, as it is not in its memory. */
static uint64_t make_token(void)
{
    uint64_t token = 0;

    if (uv_random(NULL, NULL, &token, sizeof token, 0, NULL) != 0)
        token = uv_hrtime();
    return token;
}

/* In the new process. It is the first of a group of its own, so that a test
 * that kills its parent's group does not reach the program that counts. */
_Noreturn static void
run_here(const struct jobs *jobs, const struct job *job, int fd)
{
    for (const struct job *other = jobs->running; other != NULL;
         other = other->next)
        (void)close(other->fd); /* no way from this test to that one */
    (void)setpgid(0, 0); /* the parent does the same; one of them is first */
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* constant arguments */
#endif
    jobs_hide();
    set_signals(SIG_DFL);
    memset(job->result, 0, job->result_size);
    job->run(job->input, job->result);
    if (send_all(fd, &job->token, sizeof job->token) != 0 ||
        send_all(fd, job->result, job->result_size) != 0)
        _exit(1); /* the job counts as not done */
    _exit(0);
}

static int start(struct jobs *jobs, struct job *job)
{
    int ends_of_pipe[2];

    if (pipe(ends_of_pipe) != 0)
        return uv_translate_sys_error(errno);
    job->token = make_token();
    job->got_token = 0;
    job->begin = uv_hrtime();
    job->end = job->seconds > 0
                   ? job->begin + job->seconds * UINT64_C(1000000000)
                   : UINT64_MAX;
    (void)fflush(NULL); /* or the process would print it a second time */
    job->pid = fork();
    if (job->pid == 0) {
        (void)close(ends_of_pipe[0]); /* only the parent reads */
        (void)fcntl(ends_of_pipe[1], F_SETFD, FD_CLOEXEC);
        run_here(jobs, job, ends_of_pipe[1]);
    }
    (void)close(ends_of_pipe[1]); /* only the process writes */
    if (job->pid < 0) {
        int err = uv_translate_sys_error(errno);

        (void)close(ends_of_pipe[0]);
        return err;
    }
    (void)setpgid(job->pid, job->pid);
    job->fd = ends_of_pipe[0];
    (void)fcntl(job->fd, F_SETFD, FD_CLOEXEC);
    job->next = jobs->running;
    jobs->running = job;
    jobs->count++;
    return 0;
}

/* Starts what waits, as far as there is room. */
static int start_some(struct jobs *jobs)
{
    while (jobs->count < jobs->at_once && jobs->waiting != NULL) {
        struct job *job = jobs->waiting;
        int err;

        jobs->waiting = job->next;
        if (jobs->waiting == NULL)
            jobs->waiting_end = &jobs->waiting;
        err = start(jobs, job);
        if (err != 0)
            return err;
    }
    return 0;
}

/* A job that was killed has left to this process whatever descended from it.
 * All that is not another job's goes. */
static void end_kin(const struct jobs *jobs, const struct job *killed)
{
    struct test__others others = {.count = 0};

    for (const struct job *job = jobs->running; job != NULL; job = job->next)
        if (job != killed)
            others.pid[others.count++] = (long)job->pid;
    (void)test__kin_end(&others, (long)killed->pid, 0); /* it did its best */
}

/* All of the result is enough: the process had nothing else to do. */
static bool is_done(const struct job *job)
{
    return job->got == sizeof job->got_token + job->result_size &&
           job->got_token == job->token;
}

/* The pipe of a job has ended: so has its process, or it will at once. */
static void finish(struct jobs *jobs, struct job *job)
{
    struct job **link = &jobs->running;

    if (!is_done(job))
        end_kin(jobs, job);
    (void)kill(-job->pid, SIGKILL); /* gone already is as good */
    while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) {
        /* A signal is not the end. */
    }
    (void)close(job->fd);
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    jobs->count--;
    job->done(job, is_done(job));
}

/* Reads what has come: the token, the result, and no more. Returns whether
 * the stream goes on. */
static bool take(struct job *job)
{
    size_t token = sizeof job->got_token;
    char more[256];
    ssize_t n;

    if (job->got < token)
        n = read(job->fd, (char *)&job->got_token + job->got, token - job->got);
    else if (job->got < token + job->result_size)
        n = read(job->fd, (char *)job->result + (job->got - token),
                 token + job->result_size - job->got);
    else
        return read(job->fd, more, sizeof more) > 0;
    if (n > 0)
        job->got += (size_t)n;
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Nobody stops a job but a test that wants to get rid of its watcher. */
static bool is_stopped(const struct job *job)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)job->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid != 0;
}

/* Finishes jobs whose time is over, and those whose process has ended although
 * somebody else holds the other end of their pipe. */
static void look_for_ends(struct jobs *jobs)
{
    struct job *next;

    for (struct job *job = jobs->running; job != NULL; job = next) {
        siginfo_t info = {.si_pid = 0};

        next = job->next;
        if (uv_hrtime() >= job->end || is_stopped(job))
            (void)kill(job->pid, SIGKILL); /* seen as ended the next time */
        if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) !=
                0 ||
            info.si_pid == 0)
            continue;
        (void)fcntl(job->fd, F_SETFL, O_NONBLOCK); /* constant arguments */
        errno = 0;
        while (!is_done(job) && take(job) && errno != EAGAIN)
            errno = 0;
        finish(jobs, job);
    }
}

static void take_what_comes(struct jobs *jobs)
{
    struct pollfd files[JOBS_AT_ONCE_MAX];
    struct job *owners[JOBS_AT_ONCE_MAX];
    nfds_t count = 0;

    for (struct job *job = jobs->running; job != NULL; job = job->next) {
        files[count].fd = job->fd;
        files[count].events = POLLIN;
        owners[count++] = job;
    }
    if (poll(files, count, LOOK_MS) <= 0)
        return; /* nothing, or a signal */
    for (nfds_t i = 0; i < count; i++)
        if (files[i].revents != 0 && !take(owners[i]))
            finish(jobs, owners[i]);
}

/* The processes end what they have started when they get this signal; the
 * ones that do not are killed. */
static void stop_all(struct jobs *jobs)
{
    for (struct job *job = jobs->running; job != NULL; job = job->next)
        (void)kill(job->pid, SIGTERM);
    while (jobs->running != NULL) {
        struct job *job = jobs->running;
        struct pollfd file = {.fd = job->fd, .events = POLLIN};

        jobs->running = job->next;
        (void)poll(&file, 1, 2000); /* it ends, or does not: killed below */
        (void)kill(-job->pid, SIGKILL);
        (void)waitpid(job->pid, NULL, 0); /* killed, so it does not last */
        (void)close(job->fd);
        jobs->count--;
    }
}

int jobs_run(struct jobs *jobs)
{
    struct test__others others;
    int err = 0;

    interrupted = 0;
    set_signals(on_interrupt);
    test__kin_adopt(&others); /* it has no children that are not jobs */
    while (err == 0 && !interrupted) {
        err = start_some(jobs);
        if (err != 0 || jobs->count == 0)
            break;
        take_what_comes(jobs);
        look_for_ends(jobs);
        if (jobs->look != NULL)
            jobs->look();
    }
    if (jobs->running != NULL)
        stop_all(jobs);
    set_signals(SIG_DFL);
    return interrupted ? interrupted : err;
}
