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

static int write_files(const struct class_course *course,
                       const struct class_file *files,
                       const char *folder)
{
    int rc = 0;

    for (size_t i = 0; i < course->exercises && rc == 0; i++) {
        const struct class_exercise *exercise = &course->exercise[i];
        char *path =
            class_format("%s/%s/%s", folder, exercise->name, exercise->file);

        if (files[i].found)
            rc = class_file_write(path, files[i].text.data, files[i].text.size);
        free(path);
    }
    return rc;
}

int class_driver_start(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission,
                       const struct class_file *files,
                       struct class_process *process)
{
    const char *out = settings->out;
    const char *key = submission->key;
    char *from = class_format("%s/graded/%s/files", out, key);
    char *work = class_format("%s/graded/%s/build", out, key);
    char *results = class_format("%s/reports/%s.json", out, key);
    char *seed = class_format("%ld", settings->seed);
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
                                 "1",
                                 "--quiet",
                                 "--seed",
                                 seed,
                                 "--sandbox",
                                 settings->sandbox,
                                 settings->hidden ? "--hidden" : NULL,
                                 NULL};
    int rc = write_files(course, files, from);

    if (rc == 0)
        rc = class_process_start(process, words);
    free(from);
    free(work);
    free(results);
    free(seed);
    return rc;
}

void class_driver_judge(const struct class_settings *settings,
                        struct class_submission *submission,
                        int in_time,
                        int status,
                        const struct class_text *output)
{
    char *path =
        class_format("%s/reports/%s.json", settings->out, submission->key);
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
        char *path = class_format("%s/reports/%s.%s", settings->out,
                                  submission->key, endings[i]);

        (void)unlink(path); /* usually there is none */
        free(path);
    }
}
