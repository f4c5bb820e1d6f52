/* stamp - remembers beside the results what they are the results of
 *
 * A stamp is OUT/reports/KEY.stamp, a few lines. It is written when a
 * submission is graded to its end, and holds the version of the course, the
 * hash of the submission's files, how it was graded and the hash of the
 * results. Hashes are FNV-1a of 64 bits. One thread enters.
 */
#include "class.h"

#include <inttypes.h>
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

static char *path_of(const struct class_settings *settings,
                     const struct class_submission *submission,
                     const char *ending)
{
    return class_format("%s/reports/%s.%s", settings->out, submission->key,
                        ending);
}

void class_stamp_write(const struct class_settings *settings,
                       const struct class_course *course,
                       const struct class_submission *submission)
{
    char *path = path_of(settings, submission, "stamp");
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

/* Reads what stands behind the key's lines. */
static int read_rest(const char *rest,
                     const struct class_settings *settings,
                     struct class_submission *submission)
{
    uint64_t hash;
    long seconds;
    char end[8];

    if (sscanf(rest, "results %" SCNx64 "\nseconds %ld\nend %7s", &hash,
               &seconds, end) != 3)
        return 0;
    /* With more time it may come further. */
    if (strcmp(end, "graded") != 0 && settings->seconds > seconds)
        return 0;
    submission->end =
        strcmp(end, "graded") == 0 ? CLASS_GRADED : CLASS_TIME_OVER;
    submission->results_hash = hash;
    return 1;
}

int class_stamp_read(const struct class_settings *settings,
                     const struct class_course *course,
                     struct class_submission *submission)
{
    char *stamp_path = path_of(settings, submission, "stamp");
    char *results_path = path_of(settings, submission, "json");
    char *key = make_key(settings, course, submission);
    struct class_text stamp = {0};
    struct class_text results = {0};
    size_t length = strlen(key);
    int is_good = class_file_read(stamp_path, RESULTS_MAX, &stamp) == 0 &&
                  class_file_read(results_path, RESULTS_MAX, &results) == 0 &&
                  strncmp(class_text_of(&stamp), key, length) == 0 &&
                  read_rest(stamp.data + length, settings, submission) &&
                  class_hash(CLASS_HASH_START, results.data, results.size) ==
                      submission->results_hash;

    if (!is_good)
        submission->end = CLASS_NOT_YET;
    class_text_free(&stamp);
    class_text_free(&results);
    free(key);
    free(results_path);
    free(stamp_path);
    return is_good;
}
