/* grade - runs the driver for every submission
 *
 * Owns OUT/graded while it runs. One thread enters. Each submission has a
 * folder of its own there, which is gone afterwards, and a driver in a session
 * of its own, so that nothing of one can stop another.
 */
#include "class.h"
#include "driver.h"
#include "grader/driver/files.h"
#include "harm.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    OUTPUT_MAX = 16384, /* bytes that are kept of what a driver prints */
};

#define SECOND UINT64_C(1000000000)

struct job {
    struct class_process process;
    struct class_submission *submission; /* NULL: the job is free */
    struct class_text output;
    uint64_t end; /* when its time is over */
};

struct grading {
    const struct class_settings *settings;
    const struct class_course *course;
    struct class_list *list;
    struct class_harm harm;
    struct job *job;
    const struct class_process **process; /* of the jobs */
    size_t jobs;
    size_t next;         /* the first submission that was not begun */
    const char *changed; /* a file of the course, or NULL */
    size_t ended;        /* how many have come to their end */
    size_t graded;       /* how many of them by a driver */
    uint64_t began;
    uint64_t shown; /* when progress was shown last */
    bool shows;     /* standard error is a terminal */
};

/* A line that is written again and again, for the person who waits. */
static void show_progress(struct grading *grading)
{
    uint64_t now = uv_hrtime();
    double left = 0;

    if (!grading->shows ||
        (grading->shown != 0 && now - grading->shown < SECOND / 4))
        return;
    grading->shown = now;
    (void)fprintf(stderr, "\r%zu of %zu", grading->ended, grading->list->count);
    if (grading->graded > 0) {
        left = (double)(now - grading->began) / 1e9 / (double)grading->graded *
               (double)(grading->list->count - grading->ended);
        if (left < 90)
            (void)fprintf(stderr, ", about %.0f s left", left);
        else
            (void)fprintf(stderr, ", about %.0f min left", left / 60);
    }
    (void)fputs("\033[K", stderr);
}

static void end_progress(const struct grading *grading)
{
    if (grading->shows)
        (void)fputs("\r\033[K", stderr);
}

static void count_ended(struct grading *grading,
                        const struct class_submission *submission)
{
    grading->ended++;
    if (grading->settings->verbose && !grading->shows)
        (void)fprintf(stderr, "%zu of %zu  %s%s\n", grading->ended,
                      grading->list->count, submission->label,
                      submission->reused ? " (as before)" : "");
    show_progress(grading);
}

static bool has_any(const struct class_course *course,
                    const struct class_submission *submission)
{
    for (size_t i = 0; i < course->exercises; i++)
        if (course->exercise[i].wanted && submission->file[i].found)
            return true;
    return false;
}

/* Starts the driver, or ends the submission if it cannot be started. */
static void begin_driver(struct grading *grading,
                         struct job *job,
                         struct class_submission *submission)
{
    int rc = class_driver_start(grading->settings, grading->course, submission,
                                &job->process);

    if (rc == 0) {
        job->submission = submission;
        job->end = uv_hrtime() + (uint64_t)grading->settings->seconds * SECOND;
    } else {
        submission->end = CLASS_FAILED;
        class_note(submission, "it could not be graded: %s", uv_strerror(rc));
    }
}

/* Uses what an earlier run has left, or ends a submission that has nothing to
 * grade. This comes before the first test runs, which could change it. */
static void settle(struct grading *grading, struct class_submission *submission)
{
    const struct class_settings *settings = grading->settings;
    bool can_reuse = submission->left_out ||
                     (has_any(grading->course, submission) && !settings->again);

    if (can_reuse && class_stamp_read(settings, grading->course, submission)) {
        submission->reused = true;
    } else if (submission->left_out) {
        class_note(submission, "not graded yet");
    } else {
        class_driver_forget(settings, submission);
        if (!has_any(grading->course, submission))
            submission->end =
                submission->unreadable != NULL ? CLASS_FAILED : CLASS_NOTHING;
    }
    if (submission->end != CLASS_NOT_YET || submission->left_out) {
        class_harm_watch(&grading->harm,
                         (size_t)(submission - grading->list->submission));
        count_ended(grading, submission);
    }
}

/* Starts the driver of a submission. */
static void begin(struct grading *grading,
                  struct job *job,
                  struct class_submission *submission)
{
    char *work =
        class_format("%s/graded/%s", grading->settings->run, submission->key);

    begin_driver(grading, job, submission);
    if (job->submission == NULL) {
        folder_remove(work); /* is tried again at the end */
        count_ended(grading, submission);
    }
    free(work);
}

/* Returns the next one to grade, or NULL: first those that have suffered. */
static struct class_submission *take_next(struct grading *grading)
{
    struct class_submission *all = grading->list->submission;

    if (grading->harm.redos > 0)
        return &all[grading->harm.redo[--grading->harm.redos]];
    while (grading->next < grading->list->count) {
        struct class_submission *one = &all[grading->next++];

        if (one->end == CLASS_NOT_YET && !one->left_out)
            return one;
    }
    return NULL;
}

static void finish(struct grading *grading, struct job *job, int in_time)
{
    struct class_submission *submission = job->submission;
    char *work =
        class_format("%s/graded/%s", grading->settings->run, submission->key);
    size_t n = (size_t)(submission - grading->list->submission);
    size_t redos = grading->harm.redos;

    (void)class_process_read(&job->process, &job->output, OUTPUT_MAX);
    class_process_kill(&job->process);
    class_process_sweep(grading->process, grading->jobs);
    class_driver_judge(grading->settings, submission, in_time,
                       job->process.status, &job->output);
    folder_remove(work);
    if (access(work, F_OK) == 0)
        class_note(submission, "its folder %s could not be removed", work);
    grading->changed = class_harm_look(&grading->harm, n);
    grading->ended -= grading->harm.redos - redos;
    if (submission->end != CLASS_FAILED)
        class_stamp_write(grading->settings, grading->course, submission);
    class_harm_watch(&grading->harm, n);
    class_text_free(&job->output);
    job->submission = NULL;
    grading->graded++;
    count_ended(grading, submission);
    free(work);
}

/* Returns whether the course is no longer what it was. */
static bool course_changed(struct grading *grading)
{
    const char *changed = grading->changed != NULL
                              ? grading->changed
                              : class_course_changed(grading->course);

    if (changed == NULL)
        return false;
    end_progress(grading);
    (void)fprintf(stderr,
                  "build/class: stopped: %s has changed meanwhile: made "
                  "again, or changed by a submission without a sandbox\n",
                  changed);
    return true;
}

/* Goes once through the jobs. Returns whether the course has changed. */
static bool turn(struct grading *grading)
{
    for (size_t i = 0; i < grading->jobs; i++) {
        struct job *job = &grading->job[i];

        if (job->submission != NULL) {
            bool ended = class_process_ended(&job->process);

            (void)class_process_read(&job->process, &job->output, OUTPUT_MAX);
            if (ended || uv_hrtime() > job->end)
                finish(grading, job, ended);
        }
        while (job->submission == NULL && !test__interrupted()) {
            struct class_submission *next;

            if (course_changed(grading))
                return true;
            next = take_next(grading);
            if (next == NULL)
                break;
            begin(grading, job, next);
        }
    }
    return false;
}

static void stop_all(struct grading *grading)
{
    for (size_t i = 0; i < grading->jobs; i++) {
        class_process_kill(&grading->job[i].process);
        class_text_free(&grading->job[i].output);
    }
    class_process_sweep(NULL, 0);
}

static int run(struct grading *grading)
{
    while (!test__interrupted() && grading->ended < grading->list->count) {
        if (turn(grading))
            return 1;
        show_progress(grading);
        if (grading->ended < grading->list->count)
            class_process_wait(grading->process, grading->jobs, SECOND / 4);
    }
    /* The last one could have changed it too. */
    if (course_changed(grading))
        return 1;
    end_progress(grading);
    if (grading->ended == grading->list->count)
        return 0;
    (void)fprintf(stderr,
                  "build/class: stopped after %zu of %zu; start it again to go "
                  "on\n",
                  grading->ended, grading->list->count);
    return 128 + test__interrupted();
}

int class_grade(const struct class_settings *settings,
                const struct class_course *course,
                struct class_list *list)
{
    size_t jobs = settings->isolated ? (size_t)settings->jobs : 1;
    struct grading grading = {.settings = settings,
                              .course = course,
                              .list = list,
                              .jobs = jobs,
                              .began = uv_hrtime(),
                              .shows = isatty(STDERR_FILENO)};
    char *work = class_format("%s/graded", settings->run);
    int rc;

    folder_remove(work);
    if (access(work, F_OK) == 0) {
        (void)fprintf(stderr, "build/class: %s cannot be removed\n", work);
        free(work);
        return 1;
    }
    grading.job = class_allocate(NULL, jobs * sizeof *grading.job);
    grading.process = class_allocate(NULL, jobs * sizeof *grading.process);
    for (size_t i = 0; i < jobs; i++) {
        grading.job[i] = (struct job){.process = {.output = -1}};
        grading.process[i] = &grading.job[i].process;
    }
    class_harm_start(&grading.harm, settings, course, list);
    for (size_t i = 0; i < list->count; i++)
        settle(&grading, &list->submission[i]);
    rc = run(&grading);
    stop_all(&grading);
    if (class_harm_end(&grading.harm) != 0 && rc == 0)
        rc = 1;          /* UNTESTED: a full disk */
    folder_remove(work); /* is tried again by the next run */
    free(grading.process);
    free(grading.job);
    free(work);
    return rc;
}
