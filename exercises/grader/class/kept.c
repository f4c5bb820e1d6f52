/* kept - the files that are graded, kept beside their results
 *
 * Owns the folder OUT/files. One thread enters. All submissions are read before
 * the first one is graded: what runs later cannot change what another has
 * handed in, and the sums of the manifest are those of what was graded.
 */
#include "class.h"
#include "grader/runner.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

static char *path_of(const struct class_settings *settings,
                     const struct class_course *course,
                     const struct class_submission *submission,
                     size_t exercise)
{
    return class_format("%s/files/%s/%s/%s", settings->run, submission->key,
                        course->exercise[exercise].name,
                        course->exercise[exercise].file);
}

/* Writes what was found. A file that cannot be kept is not graded. */
static void keep(const struct class_settings *settings,
                 const struct class_course *course,
                 struct class_submission *submission,
                 size_t i)
{
    struct class_file *file = &submission->file[i];
    char *path = path_of(settings, course, submission, i);
    int rc = class_file_write(path, file->text.data, file->text.size);

    class_sha256(file->text.data, file->text.size, file->sum);
    file->size = file->text.size;
    if (rc != 0) {
        class_note(submission, "%s: %s", path, uv_strerror(rc));
        file->found = false;
    }
    class_text_free(&file->text);
    free(path);
}

static void collect(const struct class_settings *settings,
                    const struct class_course *course,
                    struct class_submission *submission)
{
    size_t size = course->exercises * sizeof *submission->file;

    submission->file = class_allocate(NULL, size);
    memset(submission->file, 0, size);
    class_collect(course, submission, submission->file);
    for (size_t i = 0; i < course->exercises; i++)
        if (submission->file[i].found)
            keep(settings, course, submission, i);
}

int class_kept_collect(const struct class_settings *settings,
                       const struct class_course *course,
                       struct class_list *list)
{
    bool shows = isatty(STDERR_FILENO);

    for (size_t i = 0; i < list->count && !test__interrupted(); i++) {
        if (shows)
            (void)fprintf(stderr, "\rreads %zu of %zu\033[K", i + 1,
                          list->count);
        collect(settings, course, &list->submission[i]);
    }
    if (shows)
        (void)fputs("\r\033[K", stderr);
    return test__interrupted() ? 128 + test__interrupted() : 0;
}

int class_kept_read(const struct class_settings *settings,
                    const struct class_course *course,
                    const struct class_submission *submission,
                    size_t exercise,
                    struct class_text *text)
{
    char *path = path_of(settings, course, submission, exercise);
    char sum[CLASS_SHA256_SIZE];
    int rc = class_file_read(path, CLASS_FILE_MAX, text);

    class_sha256(text->data, text->size, sum);
    if (rc == 0 && strcmp(sum, submission->file[exercise].sum) != 0)
        rc = UV_EBADF;
    free(path);
    return rc;
}

/* Writes a file again, if it is what it was. */
static int mend(const struct class_settings *settings,
                const struct class_course *course,
                const struct class_submission *submission,
                size_t exercise,
                const struct class_file *now)
{
    const struct class_file *then = &submission->file[exercise];
    char *path = path_of(settings, course, submission, exercise);
    char sum[CLASS_SHA256_SIZE];
    int rc = 0;

    class_sha256(now->text.data, now->text.size, sum);
    if (!now->found || strcmp(sum, then->sum) != 0)
        rc = 1;
    else if (class_file_write(path, now->text.data, now->text.size) != 0)
        rc = 1;
    free(path);
    return rc;
}

int class_kept_mend(const struct class_settings *settings,
                    const struct class_course *course,
                    const struct class_submission *submission)
{
    size_t size = course->exercises * sizeof(struct class_file);
    struct class_file *now = class_allocate(NULL, size);
    /* What is odd about it was noted the first time. */
    struct class_submission copy = *submission;
    int rc = 0;

    memset(now, 0, size);
    memset(&copy.notes, 0, sizeof copy.notes);
    copy.unreadable = NULL;
    copy.said = NULL;
    class_collect(course, &copy, now);
    for (size_t i = 0; i < course->exercises; i++) {
        if (submission->file[i].found)
            rc |= mend(settings, course, submission, i, &now[i]);
        class_file_free(&now[i]);
    }
    class_text_free(&copy.notes);
    free(copy.unreadable);
    free(copy.said);
    free(now);
    return rc;
}

static bool has_any(const struct class_list *list, size_t exercise)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->submission[i].file[exercise].found)
            return true;
    return false;
}

/* Two submissions with the same files have the same hash. */
static uint64_t hash_files(const struct class_course *course,
                           const struct class_submission *submission)
{
    uint64_t hash = CLASS_HASH_START;

    for (size_t i = 0; i < course->exercises; i++)
        if (course->exercise[i].wanted && submission->file[i].found) {
            const char *name = course->exercise[i].name;

            hash = class_hash(hash, name, strlen(name) + 1);
            hash = class_hash(hash, submission->file[i].sum, CLASS_SHA256_SIZE);
        }
    return hash;
}

void class_kept_choose(const struct class_settings *settings,
                       struct class_course *course,
                       struct class_list *list)
{
    bool any = false;

    for (size_t i = 0; i < course->exercises; i++)
        any |= has_any(list, i);
    for (size_t i = 0; i < course->exercises; i++)
        if (settings->exercises == NULL && any && !has_any(list, i))
            course->exercise[i].wanted = false;
    for (size_t i = 0; i < list->count; i++)
        list->submission[i].files_hash =
            hash_files(course, &list->submission[i]);
}

static void put_time(struct class_text *text, int64_t time, const char *end)
{
    time_t seconds = (time_t)time;
    struct tm parts;
    char shown[32] = "";

    if (time != 0 && gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(shown, sizeof shown, "%Y-%m-%dT%H:%M:%SZ", &parts);
    class_text_put_field(text, shown, end);
}

static void put_file(struct class_text *text,
                     const char *end,
                     const struct class_course *course,
                     const struct class_submission *submission,
                     size_t exercise)
{
    const struct class_file *file = &submission->file[exercise];
    char *from = class_shown(file->from);
    char *kept = class_format("files/%s/%s/%s", submission->key,
                              course->exercise[exercise].name,
                              course->exercise[exercise].file);

    class_text_put_field(text, submission->id, end);
    class_text_put_field(text, submission->name, end);
    class_text_put_field(text, submission->label, end);
    class_text_put_field(text, course->exercise[exercise].name, end);
    class_text_put(text, "%s%s%zu%s", file->sum, end, file->size, end);
    class_text_put_field(text, from, end);
    put_time(text, file->time, end);
    class_text_put_field(text, kept, "\r\n");
    free(kept);
    free(from);
}

int class_kept_write_manifest(const struct class_settings *settings,
                              const struct class_course *course,
                              const struct class_list *list)
{
    static const char *const headings[] = {"id",       "name",   "submission",
                                           "exercise", "sha256", "bytes",
                                           "source",   "time"};
    char *path = class_format("%s/manifest.csv", settings->run);
    struct class_text text = {0};
    int rc;

    class_text_put(&text, "\xef\xbb\xbf");
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
        class_text_put_field(&text, headings[i], settings->separator);
    class_text_put(&text, "file\r\n");
    for (size_t i = 0; i < list->count; i++)
        for (size_t k = 0; k < course->exercises; k++)
            if (course->exercise[k].wanted && list->submission[i].file[k].found)
                put_file(&text, settings->separator, course,
                         &list->submission[i], k);
    rc = class_file_write(path, text.data, text.size);
    class_text_free(&text);
    free(path);
    return rc;
}
