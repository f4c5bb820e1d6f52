/* collect - takes the exercise files out of a submission
 *
 * Owns nothing that lasts. One thread enters. Depends on choose and archive.
 * Only files that are named like one of the course are taken; links are not
 * followed, and nothing but plain files is opened. What a submission can cost
 * here is limited: entries, depth, bytes and time. Whatever is odd is a note.
 */
#include "archive.h"
#include "choose.h"
#include "class.h"
#include "grader/test.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

enum {
    DEPTH_MAX = 16,
    ENTRIES_MAX = 20000,
    ALL_MAX = 1 << 26, /* bytes that are taken out of an archive */
    SECONDS_MAX = 60,  /* for an archive */
    NAMES_MAX = 5,     /* of files that do not belong to the course */
    NAME_FILE_MAX = 4096
};

struct collector {
    const struct class_course *course;
    struct class_submission *submission;
    struct class_choice *choices;
    struct class_text found; /* names of some other files */
    size_t others;           /* how many there are */
    size_t entries;
    long again; /* of the source that is looked at */
};

/* Says whether one more entry may be looked at; the first time that it may
 * not is a note. */
static int may_go_on(struct collector *collector)
{
    collector->entries++;
    if (collector->entries == ENTRIES_MAX)
        class_note(collector->submission, "too many files: not all seen");
    return collector->entries < ENTRIES_MAX;
}

/* A file that does not belong to the course: if there is no other, its name
 * tells what was handed in instead. */
static void find_other(struct collector *collector, const char *name)
{
    if (collector->others < NAMES_MAX)
        class_text_put(&collector->found, "%s%s",
                       collector->others > 0 ? ", " : "", name);
    collector->others++;
}

static void offer(struct collector *collector,
                  const char *name,
                  const struct class_text *data,
                  int64_t time)
{
    const struct class_offer one = {
        .name = name, .data = data, .time = time, .again = collector->again};

    if (data->size == 0)
        class_note(collector->submission, "%s is empty: not taken", name);
    else
        class_choose(collector->course, collector->choices, &one);
}

/* What make handin writes: the name of the student. */
static bool is_name_file(const char *path)
{
    const char *base = strrchr(path, '/');

    return strcmp(base != NULL ? base + 1 : path, "NAME") == 0;
}

static void take_name(struct collector *collector,
                      const struct class_text *data)
{
    char *line = class_format("%.*s", (int)strcspn(class_text_of(data), "\r\n"),
                              class_text_of(data));

    free(collector->submission->said);
    collector->submission->said = class_shown(line);
    free(line);
}

static size_t wants(const void *context, const char *name)
{
    if (is_name_file(name))
        return NAME_FILE_MAX;
    return class_choose_knows(context, name) ? CLASS_FILE_MAX : 0;
}

static void take_entry(struct collector *collector,
                       const char *archive,
                       const struct class_entry *entry)
{
    struct class_submission *submission = collector->submission;
    const char *name = class_text_of(&entry->name);
    bool is_known = class_choose_knows(collector->course, name);

    if (entry->kind == CLASS_ENTRY_FILE && is_name_file(name))
        take_name(collector, &entry->data);
    else if (entry->kind == CLASS_ENTRY_FILE && is_known)
        offer(collector, name, &entry->data, entry->time);
    else if (entry->kind == CLASS_ENTRY_LARGE && is_known)
        class_note(submission, "%s is larger than 1 MiB: not taken", name);
    else if (entry->kind == CLASS_ENTRY_LARGE)
        class_note(submission, "%s in %s is too large, or too deep: not opened",
                   name, archive);
    else if (entry->kind == CLASS_ENTRY_LINK && is_known)
        class_note(submission, "%s is a link: not taken", name);
    else if (entry->kind == CLASS_ENTRY_LOCKED)
        class_note(submission, "%s is locked with a password", name);
    else if (entry->kind == CLASS_ENTRY_BROKEN)
        class_note(submission, "%s cannot be read: %s", name,
                   class_text_of(&entry->data));
    else
        find_other(collector, name);
}

static void look_into_archive(struct collector *collector,
                              const char *path,
                              const char *name)
{
    const struct class_archive_request request = {.path = path,
                                                  .wants = wants,
                                                  .context = collector->course,
                                                  .most = ALL_MAX,
                                                  .seconds = SECONDS_MAX,
                                                  .nested = 1};
    struct class_submission *submission = collector->submission;
    struct class_archive archive;
    struct class_entry entry = {.kind = CLASS_ENTRY_END};
    int rc = class_archive_open(&archive, &request);

    if (rc == UV_ENOSYS) {
        free(submission->unreadable);
        submission->unreadable = class_format(
            "%s", name + strlen(name) - class_archive_ending(name));
        class_note(submission, "%s cannot be opened: libarchive is missing",
                   name);
    } else if (rc != 0) {
        class_note(submission, "%s: %s", name, uv_strerror(rc));
    }
    if (rc != 0)
        return;
    while (class_archive_next(&archive, &entry) && may_go_on(collector))
        take_entry(collector, name, &entry);
    if (entry.kind == CLASS_ENTRY_END && entry.data.size > 0)
        class_note(submission, "%s cannot be read to its end: %s", name,
                   class_text_of(&entry.data));
    class_entry_free(&entry);
    class_archive_close(&archive);
}

static void look_at(struct collector *collector,
                    const char *path,
                    const char *name,
                    int depth);

static int is_seen(const struct dirent *entry)
{
    return class_list_is_seen(entry->d_name);
}

static void look_into_folder(struct collector *collector,
                             const char *path,
                             const char *name,
                             int depth)
{
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, is_seen, alphasort);

    if (count < 0)
        class_note(collector->submission, "the folder %s cannot be read", name);
    for (int i = 0; i < count; i++) {
        const char *file = entry[i]->d_name;
        char *inner = class_format("%s/%s", path, file);
        char *inner_name =
            class_format("%s%s%s", name, *name != '\0' ? "/" : "", file);

        look_at(collector, inner, inner_name, depth + 1);
        free(inner);
        free(inner_name);
        free(entry[i]);
    }
    free(entry);
}

static void take_file(struct collector *collector,
                      const char *path,
                      const char *name,
                      int64_t time)
{
    struct class_text data = {0};
    int rc = class_file_read(path, CLASS_FILE_MAX, &data);

    if (rc == UV_EFBIG)
        class_note(collector->submission, "%s is larger than 1 MiB: not taken",
                   name);
    else if (rc != 0)
        class_note(collector->submission, "%s: %s", name, uv_strerror(rc));
    else if (is_name_file(name))
        take_name(collector, &data);
    else
        offer(collector, name, &data, time);
    class_text_free(&data);
}

/* Looks at a file or folder. name is its path in the submission. */
static void look_at(struct collector *collector,
                    const char *path,
                    const char *name,
                    int depth)
{
    bool is_archive = class_archive_ending(name) > 0;
    struct stat there;

    if (depth > DEPTH_MAX || !may_go_on(collector))
        return;
    if (lstat(path, &there) != 0)
        return; /* it went away: what is not there is missing */
    if (S_ISDIR(there.st_mode))
        look_into_folder(collector, path, name, depth);
    else if (S_ISLNK(there.st_mode))
        class_note(collector->submission, "%s is a link: not followed", name);
    else if (!S_ISREG(there.st_mode))
        class_note(collector->submission,
                   "%s is not a regular file: not opened", name);
    else if (is_archive && there.st_size == 0)
        class_note(collector->submission, "%s is empty", name);
    else if (is_archive)
        look_into_archive(collector, path, name);
    else if (class_choose_knows(collector->course, name) || is_name_file(name))
        take_file(collector, path, name, (int64_t)there.st_mtime);
    else
        find_other(collector, name);
}

/* Takes what was chosen for an exercise, and says what is odd about it. */
static void take_choice(const struct collector *collector,
                        struct class_choice *choice,
                        const char *file_name,
                        struct class_file *file)
{
    struct class_submission *submission = collector->submission;

    if (choice->count > 1)
        class_note(submission, "%s is there %s: taken from %s", file_name,
                   test_times(choice->count), choice->name);
    else if (!class_choose_is_exact(collector->course, choice->name))
        class_note(submission, "%s is taken from %s", file_name, choice->name);
    file->found = true;
    file->text = choice->data;
    file->from = choice->name;
    file->time = choice->time;
    memset(&choice->data, 0, sizeof choice->data);
    choice->name = NULL;
}

/* Nothing is there to grade: what there is instead is the reason. */
static void say_nothing(const struct collector *collector)
{
    struct class_submission *submission = collector->submission;
    size_t more = collector->others - NAMES_MAX;

    if (collector->others == 0)
        class_note(submission, "there is no exercise file in it");
    else if (collector->others <= NAMES_MAX)
        class_note(submission, "there is no exercise file in it, but %s",
                   class_text_of(&collector->found));
    else
        class_note(submission,
                   "there is no exercise file in it, but %s and %zu more",
                   class_text_of(&collector->found), more);
}

void class_file_free(struct class_file *file)
{
    free(file->from);
    class_text_free(&file->text);
}

void class_collect(const struct class_course *course,
                   struct class_submission *submission,
                   struct class_file *files)
{
    size_t size = course->exercises * sizeof(struct class_choice);
    struct collector collector = {.course = course,
                                  .submission = submission,
                                  .choices = class_allocate(NULL, size)};
    bool any = false;

    memset(collector.choices, 0, size);
    for (size_t i = 0; i < submission->sources; i++) {
        const struct class_source *source = &submission->source[i];
        struct stat there;
        int is_folder =
            lstat(source->path, &there) == 0 && S_ISDIR(there.st_mode);

        collector.again = source->again;
        look_at(&collector, source->path, is_folder ? "" : source->name, 0);
    }
    for (size_t i = 0; i < course->exercises; i++) {
        const char *name = course->exercise[i].file;

        if (collector.choices[i].count > 0) {
            take_choice(&collector, &collector.choices[i], name, &files[i]);
            any = true;
        }
        class_choice_free(&collector.choices[i]);
    }
    if (!any && submission->unreadable == NULL)
        say_nothing(&collector);
    class_text_free(&collector.found);
    free(collector.choices);
}
