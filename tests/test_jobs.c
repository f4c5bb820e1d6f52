/* test_jobs - functions in processes of their own, several at once */
#include "grader/driver/jobs.h"
#include "grader/test.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct number {
    long value;
    char ballast[100000]; /* more than a pipe holds */
};

struct fixture {
    struct jobs jobs;
    struct job job[6];
    long inputs[6];
    struct number results[6];
    int done, failed, signal_sent;
};

static void square(const void *input, void *result)
{
    const long *value = input;
    struct number *number = result;

    number->value = *value * *value;
    memset(number->ballast, 'x', sizeof(number->ballast));
}

static void die(const void *input, void *result)
{
    (void)input;
    (void)result;
    (void)raise(SIGKILL);
}

static void wait_for_ever(const void *input, void *result)
{
    (void)input;
    (void)result;
    for (;;)
        (void)pause();
}

static void on_done(struct job *job, int ok)
{
    struct fixture *f = job->owner;

    f->done++;
    f->failed += !ok;
}

/* The first job's end adds the last one. */
static void on_first_done(struct job *job, int ok)
{
    struct fixture *f = job->owner;

    on_done(job, ok);
    jobs_add(&f->jobs, &f->job[5]);
}

static void set_up(void *fixture)
{
    struct fixture *f = fixture;

    jobs_init(&f->jobs, 2);
    for (int i = 0; i < 6; i++) {
        f->inputs[i] = i + 1;
        f->job[i].run = square;
        f->job[i].input = &f->inputs[i];
        f->job[i].result = &f->results[i];
        f->job[i].result_size = sizeof(f->results[i]);
        f->job[i].done = on_done;
        f->job[i].owner = f;
    }
}

static void results_come_back(void *fixture)
{
    struct fixture *f = fixture;

    for (int i = 0; i < 6; i++)
        jobs_add(&f->jobs, &f->job[i]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->done, 6);
    CHECK_INT(f->failed, 0);
    for (int i = 0; i < 6; i++) {
        CHECK_INT(f->results[i].value, (i + 1) * (i + 1));
        CHECK_INT(f->results[i].ballast[99999], 'x');
    }
}

static void a_job_may_add_another(void *fixture)
{
    struct fixture *f = fixture;

    f->job[0].done = on_first_done;
    jobs_add(&f->jobs, &f->job[0]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->done, 2);
    CHECK_INT(f->results[5].value, 36);
}

static void a_killed_one_harms_no_other(void *fixture)
{
    struct fixture *f = fixture;

    f->job[1].run = die;
    for (int i = 0; i < 3; i++)
        jobs_add(&f->jobs, &f->job[i]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->done, 3);
    CHECK_INT(f->failed, 1);
    CHECK_INT(f->results[0].value, 1);
    CHECK_INT(f->results[2].value, 9);
}

/* Its child stays behind, in a session of its own, and is ended as well. */
static void leave_a_daemon(const void *input, void *result)
{
    const long *pipe_end = input;

    (void)result;
    if (fork() == 0) {
        (void)setsid();
        for (;;)
            (void)pause(); /* and holds the pipe open */
    }
    (void)close((int)*pipe_end);
    (void)raise(SIGKILL);
}

static void a_killed_one_leaves_nobody(void *fixture)
{
    struct fixture *f = fixture;
    int ends[2];
    char byte;

    CHECK_INT(pipe(ends), 0);
    f->inputs[0] = ends[1];
    f->job[0].run = leave_a_daemon;
    jobs_add(&f->jobs, &f->job[0]);
    jobs_add(&f->jobs, &f->job[1]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->failed, 1);
    CHECK_INT(f->results[1].value, 4);
    CHECK_INT(close(ends[1]), 0);
    CHECK_INT(read(ends[0], &byte, 1), 0); /* nobody holds the other end */
    CHECK_INT(close(ends[0]), 0);
}

/* What a test could write into the pipe is no result. */
static void forge(const void *input, void *result)
{
    static const struct number zeros;

    (void)input;
    (void)result;
    for (int fd = 3; fd < 32; fd++) {
        struct stat status;

        if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
            (void)!write(fd, &zeros, sizeof(zeros)); /* it is killed anyway */
    }
    (void)raise(SIGKILL);
}

static void a_forged_result_is_none(void *fixture)
{
    struct fixture *f = fixture;

    f->job[0].run = forge;
    f->job[0].result_size = sizeof(long);
    jobs_add(&f->jobs, &f->job[0]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->done, 1);
    CHECK_INT(f->failed, 1);
}

static void stop(const void *input, void *result)
{
    (void)input;
    (void)result;
    (void)raise(SIGSTOP);
}

static void a_stopped_one_is_ended(void *fixture)
{
    struct fixture *f = fixture;

    f->job[0].run = stop;
    jobs_add(&f->jobs, &f->job[0]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->failed, 1);
}

static void a_job_may_take_its_time_only(void *fixture)
{
    struct fixture *f = fixture;

    f->job[0].run = wait_for_ever;
    f->job[0].seconds = 1;
    jobs_add(&f->jobs, &f->job[0]);
    CHECK_INT(jobs_run(&f->jobs), 0);
    CHECK_INT(f->failed, 1);
}

static void nothing_to_do_ends_at_once(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(jobs_run(&f->jobs), 0);
}

static struct fixture *looking;

static void send_signal(void)
{
    if (!looking->signal_sent++)
        (void)raise(SIGTERM);
}

static void a_signal_ends_all(void *fixture)
{
    struct fixture *f = fixture;

    looking = f;
    f->jobs.look = send_signal;
    f->job[0].run = wait_for_ever;
    f->job[1].run = wait_for_ever;
    for (int i = 0; i < 3; i++)
        jobs_add(&f->jobs, &f->job[i]);
    CHECK_INT(jobs_run(&f->jobs), SIGTERM);
    CHECK_INT(f->done, 0);
    CHECK_INT(waitpid(-1, NULL, 0), -1); /* all are gone, and reaped */
}

static const struct test_case cases[] = {
    {.name = "results_come_back", .run = results_come_back},
    {.name = "a_job_may_add_another", .run = a_job_may_add_another},
    {.name = "a_killed_one_harms_no_other", .run = a_killed_one_harms_no_other},
    {.name = "a_killed_one_leaves_nobody", .run = a_killed_one_leaves_nobody},
    {.name = "a_forged_result_is_none", .run = a_forged_result_is_none},
    {.name = "a_stopped_one_is_ended", .run = a_stopped_one_is_ended},
    {.name = "a_job_may_take_its_time_only",
     .run = a_job_may_take_its_time_only},
    {.name = "nothing_to_do_ends_at_once", .run = nothing_to_do_ends_at_once},
    {.name = "a_signal_ends_all", .run = a_signal_ends_all},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "jobs",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up};
