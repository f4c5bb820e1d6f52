/* stamp - remembers beside the results what they are the results of
 *
 * A stamp is OUT/reports/KEY.stamp, a few lines. It is written when a
 * submission is graded to its end, and holds the version of the course, the
 * hash of the submission's files, how it was graded and the hash of the
 * results. Hashes are FNV-1a of 64 bits. One thread enters.
 */
#include "class.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RESULTS_MAX = 1 << 24 /* bytes */
};

/* The lines that must be the same for results to be used again. */
static char *make_key(const struct class_settings *settings,
                      const struct class_course *course,
                      const struct class_submission *submission)
{
    return class_format("class 1\ncourse %016" PRIx64 "\nfiles %016" PRIx64
                        "\nsandbox %s\nhidden %d\nseed %ld\n",
                        course->version, submission->files_hash,
                        settings->sandbox, settings->hidden, settings->seed);
}

static char *path_of(const char *folder,
                     const struct class_submission *submission,
                     const char *ending)
{
    return class_format("%s/reports/%s.%s", folder, submission->key, ending);
}

void class_stamp_write(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission)
{
    char *path = path_of(settings->run, submission, "stamp");
    char *key = make_key(settings, course, submission);
    struct class_text text = {0};

    class_text_put(&text, "%sresults %016" PRIx64 "\nseconds %ld\nend %s\n",
                   key, submission->results_hash, settings->seconds,
                   submission->end == CLASS_GRADED ? "graded" : "time over");
    /* Without a stamp it is graded again next time, nothing worse. */
    (void)class_file_write(path, text.data, text.size);
    class_text_free(&text);
    free(key);
    free(path);
}

/* Reads what comes after the key's lines. */
static bool read_rest(const char *rest,
                      const struct class_settings *settings,
                      struct class_submission *submission)
{
    uint64_t hash;
    long seconds;
    char end[8];

    if (sscanf(rest, "results %" SCNx64 "\nseconds %ld\nend %7s", &hash,
               &seconds, end) != 3)
        return false;
    /* With more time it may come further. */
    if (strcmp(end, "graded") != 0 && settings->seconds > seconds &&
        !submission->left_out)
        return false;
    submission->end =
        strcmp(end, "graded") == 0 ? CLASS_GRADED : CLASS_TIME_OVER;
    submission->results_hash = hash;
    return true;
}

/* Returns where the lines behind the key begin, or NULL if the key is not
 * that of today. What was left out need not be of today. */
static const char *skip_key(const struct class_text *stamp,
                            const char *key,
                            struct class_submission *submission)
{
    const char *text = class_text_of(stamp);
    const char *rest = strstr(text, "results ");
    const char *files = strstr(text, "files ");
    uint64_t hash = 0;

    if (strncmp(text, key, strlen(key)) == 0)
        return text + strlen(key);
    if (!submission->left_out || rest == NULL || files == NULL)
        return NULL;
    if (sscanf(files, "files %" SCNx64, &hash) == 1 &&
        hash != submission->files_hash)
        class_note(submission,
                   "its files have changed, and it was not graded again");
    return rest;
}

/* Takes the results in a folder if they can be used; those of an earlier run
 * become this one's. */
static bool read_from(const char *folder,
                      const struct class_settings *settings,
                      const char *key,
                      struct class_submission *submission)
{
    char *stamp_path = path_of(folder, submission, "stamp");
    char *results_path = path_of(folder, submission, "json");
    char *stamp_here = path_of(settings->run, submission, "stamp");
    char *results_here = path_of(settings->run, submission, "json");
    struct class_text stamp = {0};
    struct class_text results = {0};
    const char *rest = NULL;
    bool is_good = false;

    if (class_file_read(stamp_path, RESULTS_MAX, &stamp) == 0 &&
        class_file_read(results_path, RESULTS_MAX, &results) == 0)
        rest = skip_key(&stamp, key, submission);
    if (rest != NULL && read_rest(rest, settings, submission))
        is_good = class_hash(CLASS_HASH_START, results.data, results.size) ==
                  submission->results_hash;
    if (is_good && folder != settings->run)
        is_good =
            class_file_write(results_here, results.data, results.size) == 0 &&
            class_file_write(stamp_here, stamp.data, stamp.size) == 0;
    if (!is_good)
        submission->end = CLASS_NOT_YET;
    class_text_free(&stamp);
    class_text_free(&results);
    free(results_here);
    free(stamp_here);
    free(results_path);
    free(stamp_path);
    return is_good;
}

bool class_stamp_read(const struct class_settings *settings,
                      const struct class_course *course,
                      struct class_submission *submission)
{
    char *key = make_key(settings, course, submission);
    bool is_good = read_from(settings->run, settings, key, submission) ||
                   read_from(settings->out, settings, key, submission);

    free(key);
    return is_good;
}
