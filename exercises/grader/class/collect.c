/* collect - takes the exercise files out of a submission
 *
 * Owns nothing that lasts. One thread enters. Depends on choose and archive.
 * Only files that are named like one of the course are taken; links are not
 * followed, and nothing but plain files is opened. What a submission can cost
 * here is limited: entries, depth, bytes, archives in archives, and time.
 */
#include "archive.h"
#include "choose.h"
#include "class.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

enum {
    DEPTH_MAX = 16,
    ENTRIES_MAX = 20000,
    INNER_MAX = 8, /* archives in archives */
    SECONDS_MAX = 60
};

struct collector {
    const struct class_course *course;
    struct class_submission *submission;
    const char *work; /* for archives out of archives */
    struct class_choice *choices;
    size_t entries;
    unsigned inner;
    long again;   /* of the source that is looked at */
    uint64_t end; /* when its time is over */
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

/* Opens an archive as long as there is time. */
static int open_archive(const struct collector *collector,
                        struct class_archive *archive,
                        const char *path)
{
    return uv_hrtime() > collector->end ? UV_ETIMEDOUT
                                        : class_archive_open(archive, path);
}

static void look_into_archive(struct collector *collector,
                              const char *path,
                              const char *name,
                              int is_inner);

/* An archive in an archive: hand-ins that were packed again. Once only. */
static void take_inner(struct collector *collector,
                       struct class_archive *archive,
                       const char *member)
{
    struct class_text data = {0};
    char *path = class_format("%s/inner-%u", collector->work, collector->inner);
    int rc = UV_EFBIG;

    collector->inner++;
    if (collector->inner <= INNER_MAX)
        rc = class_archive_take(archive, member, 1, CLASS_ARCHIVE_MAX, &data);
    if (rc == 0)
        rc = class_file_write(path, data.data, data.size);
    if (rc == 0)
        look_into_archive(collector, path, member, 1);
    else if (collector->inner <= INNER_MAX)
        class_note(collector->submission, "%s %s", member,
                   class_archive_explain(rc));
    class_text_free(&data);
    free(path);
}

/* Returns the how manieth this is of the names that are the same. */
static unsigned count_same(const char *names, const char *name)
{
    unsigned count = 0;

    for (const char *at = names; at <= name; at += strlen(at) + 1)
        count += strcmp(at, name) == 0;
    return count;
}

static void look_at_members(struct collector *collector,
                            struct class_archive *archive,
                            const char *path,
                            struct class_text *names,
                            int is_inner)
{
    char *end = names->data + names->size;

    for (char *c = names->data; c < end; c++)
        if (*c == '\n')
            *c = '\0';
    for (char *name = names->data; name < end; name += strlen(name) + 1) {
        struct class_place place = {.name = name,
                                    .path = path,
                                    .member = name,
                                    .again = collector->again};

        if (!may_go_on(collector))
            return;
        if (class_choose_knows(collector->course, name)) {
            place.nth = count_same(names->data, name);
            class_choose(collector->course, collector->choices, &place);
        } else if (!is_inner && class_archive_ending(name) > 0) {
            take_inner(collector, archive, name);
        }
    }
}

static void look_into_archive(struct collector *collector,
                              const char *path,
                              const char *name,
                              int is_inner)
{
    struct class_archive archive;
    struct class_text names = {0};
    int rc = open_archive(collector, &archive, path);

    if (rc == 0) {
        rc = class_archive_list(&archive, &names);
        if (rc == 0)
            look_at_members(collector, &archive, path, &names, is_inner);
        class_archive_close(&archive);
    }
    if (rc != 0)
        class_note(collector->submission, "%s %s", name,
                   class_archive_explain(rc));
    class_text_free(&names);
}

static void look_at(struct collector *collector,
                    const char *path,
                    const char *name,
                    int depth);

static void look_into_folder(struct collector *collector,
                             const char *path,
                             const char *name,
                             int depth)
{
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, NULL, alphasort);

    if (count < 0)
        class_note(collector->submission, "the folder %s cannot be read", name);
    for (int i = 0; i < count; i++) {
        const char *file = entry[i]->d_name;

        if (file[0] != '.' && strcmp(file, "__MACOSX") != 0) {
            char *inner = class_format("%s/%s", path, file);
            char *inner_name =
                class_format("%s%s%s", name, *name != '\0' ? "/" : "", file);

            look_at(collector, inner, inner_name, depth + 1);
            free(inner);
            free(inner_name);
        }
        free(entry[i]);
    }
    free(entry);
}

/* Looks at a file or folder. name is its path in the submission. */
static void look_at(struct collector *collector,
                    const char *path,
                    const char *name,
                    int depth)
{
    int is_archive = class_archive_ending(name) > 0;
    int is_known = class_choose_knows(collector->course, name);
    struct stat there;

    if (depth > DEPTH_MAX || !may_go_on(collector))
        return;
    if (lstat(path, &there) != 0)
        return; /* it went away: what is not there is missing */
    if (S_ISDIR(there.st_mode))
        look_into_folder(collector, path, name, depth);
    else if (!S_ISREG(there.st_mode) && (is_archive || is_known))
        class_note(collector->submission, "%s is no regular file: not opened",
                   name);
    else if (is_archive)
        look_into_archive(collector, path, name, 0);
    else if (is_known)
        class_choose(collector->course, collector->choices,
                     &(struct class_place){.name = name,
                                           .path = path,
                                           .again = collector->again});
}

/* Reads what was chosen. */
static int take(const struct collector *collector,
                const struct class_place *place,
                struct class_text *text)
{
    struct class_archive archive;
    int rc;

    if (place->member == NULL)
        return class_file_read(place->path, CLASS_FILE_MAX, text);
    rc = open_archive(collector, &archive, place->path);
    if (rc != 0)
        return rc;
    rc = class_archive_take(&archive, place->member, place->nth, CLASS_FILE_MAX,
                            text);
    class_archive_close(&archive);
    return rc;
}

/* Takes what was chosen for an exercise, and says what is odd about it. */
static void take_choice(const struct collector *collector,
                        const struct class_choice *choice,
                        const char *file_name,
                        struct class_file *file)
{
    struct class_submission *submission = collector->submission;
    const char *name = choice->place.name;
    int rc = take(collector, &choice->place, &file->text);

    file->found = rc == 0 && file->text.size > 0;
    if (rc == UV_EFBIG)
        class_note(submission, "%s is larger than 1 MiB: not taken", name);
    else if (rc != 0)
        class_note(submission, "%s %s", name, class_archive_explain(rc));
    else if (!file->found)
        class_note(submission, "%s is empty or a link: not taken", name);
    else if (choice->count > 1)
        class_note(submission, "%s is there %zu times: taken from %s",
                   file_name, choice->count, name);
}

/* Two submissions with the same files have the same hash. */
static void add_to_hash(uint64_t *hash, const char *name, struct class_file *f)
{
    *hash = class_hash(*hash, name, strlen(name) + 1);
    *hash = class_hash(*hash, &f->text.size, sizeof f->text.size);
    *hash = class_hash(*hash, f->text.data, f->text.size);
}

void class_collect(const struct class_course *course,
                   struct class_submission *submission,
                   const char *work,
                   struct class_file *files)
{
    size_t size = course->exercises * sizeof(struct class_choice);
    struct collector collector = {.course = course,
                                  .submission = submission,
                                  .work = work,
                                  .choices = class_allocate(NULL, size),
                                  .end = uv_hrtime() +
                                         SECONDS_MAX * UINT64_C(1000000000)};

    memset(collector.choices, 0, size);
    for (size_t i = 0; i < submission->sources; i++) {
        const struct class_source *source = &submission->source[i];
        struct stat there;
        int is_folder =
            lstat(source->path, &there) == 0 && S_ISDIR(there.st_mode);

        collector.again = source->again;
        look_at(&collector, source->path, is_folder ? "" : source->name, 0);
    }
    submission->files_hash = CLASS_HASH_START;
    for (size_t i = 0; i < course->exercises; i++) {
        const char *name = course->exercise[i].file;

        if (collector.choices[i].count > 0)
            take_choice(&collector, &collector.choices[i], name, &files[i]);
        if (files[i].found)
            add_to_hash(&submission->files_hash, name, &files[i]);
        class_choice_free(&collector.choices[i]);
    }
    free(collector.choices);
}
