/* driver - the driver for one submission: its files, its start, its end
 *
 * Owns nothing that lasts. One thread enters. The submission's folder is
 * removed by the caller.
 */
#include "driver.h"

#include "results.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum {
    RESULTS_MAX = 1 << 24 /* bytes */
};

static int write_files(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission,
                       const char *folder)
{
    int rc = 0;

    for (size_t i = 0; i < course->exercises && rc == 0; i++) {
        const struct class_exercise *exercise = &course->exercise[i];
        struct class_text text = {0};
        char *path =
            class_format("%s/%s/%s", folder, exercise->name, exercise->file);

        if (exercise->wanted && submission->file[i].found) {
            rc = class_kept_read(settings, course, submission, i, &text);
            if (rc == 0)
                rc = class_file_write(path, text.data, text.size);
        }
        class_text_free(&text);
        free(path);
    }
    return rc;
}

int class_driver_start(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission,
                       struct class_process *process)
{
    const char *out = settings->run;
    const char *key = submission->key;
    char *from = class_format("%s/graded/%s/files", out, key);
    char *work = class_format("%s/graded/%s/build", out, key);
    char *results = class_format("%s/reports/%s.json", out, key);
    char *seed = class_format("%ld", settings->seed);
    /* One at a time, it may have all processors. */
    char *jobs = class_format("%ld", settings->isolated ? 1 : settings->jobs);
    const char *const words[] = {settings->grader,
                                 "--from",
                                 from,
                                 "--work",
                                 work,
                                 "--results",
                                 results,
                                 "--state",
                                 "none",
                                 "--jobs",
                                 jobs,
                                 "--quiet",
                                 "--seed",
                                 seed,
                                 "--sandbox",
                                 settings->sandbox,
                                 settings->hidden ? "--hidden" : NULL,
                                 NULL};
    int rc = write_files(settings, course, submission, from);

    if (rc == 0)
        rc = class_process_start(process, words);
    free(from);
    free(work);
    free(results);
    free(seed);
    free(jobs);
    return rc;
}

void class_driver_judge(const struct class_settings *settings,
                        struct class_submission *submission,
                        int in_time,
                        int status,
                        const struct class_text *output)
{
    char *path =
        class_format("%s/reports/%s.json", settings->run, submission->key);
    struct class_text results = {0};
    int rc = class_file_read(path, RESULTS_MAX, &results);

    submission->results_hash =
        class_hash(CLASS_HASH_START, results.data, results.size);
    submission->end = CLASS_FAILED;
    if (!in_time && rc == 0) {
        submission->end = CLASS_TIME_OVER;
    } else if (!in_time) {
        class_note(submission, "time over, and there are no results");
    } else if (!WIFEXITED(status)) {
        class_note(submission, "the grader was ended by signal %d",
                   WTERMSIG(status));
    } else if (WEXITSTATUS(status) > 1) {
        class_note(submission, "the grader ended with status %d",
                   WEXITSTATUS(status));
    } else if (rc != 0 || !class_results_are_complete(&results)) {
        class_note(submission, "the grader left no whole results");
    } else {
        submission->end = CLASS_GRADED;
    }
    if (submission->end == CLASS_FAILED && output->size > 0)
        class_note(submission, "it said: %.*s",
                   (int)strcspn(output->data, "\n"), output->data);
    class_text_free(&results);
    free(path);
}

void class_driver_forget(const struct class_settings *settings,
                         const struct class_submission *submission)
{
    static const char *const endings[] = {"stamp", "json", "txt"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char *path = class_format("%s/reports/%s.%s", settings->run,
                                  submission->key, endings[i]);

        (void)unlink(path); /* usually there is none */
        free(path);
    }
}
