/* list - finds the submissions in their folder
 *
 * Owns the list until class_list_free. One thread enters. What Moodle and
 * Canvas store as several files of one student becomes one submission.
 */
#include "archive.h"
#include "choose.h"
#include "class.h"
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    KEY_MAX = 64
};

void class_note(struct class_submission *submission, const char *format, ...)
{
    char line[2048];
    char *shown;
    va_list args;

    va_start(args, format);
    /* A note that is too long is cut. */
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    shown = class_shown(line);
    class_text_put(&submission->notes, "%s\n", shown);
    free(shown);
}

static bool has_key(const struct class_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->submission[i].key, key) == 0)
            return true;
    return false;
}

/* Returns a name for files: of plain characters only, and no other's. */
static char *make_key(const struct class_list *list, const char *label)
{
    uint64_t hash = class_hash(CLASS_HASH_START, label, strlen(label));
    char *key = class_format("%.*s", KEY_MAX, label);
    bool is_plain = *label != '\0' && strlen(label) <= KEY_MAX;

    for (char *c = key; *c != '\0'; c++) {
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789_",
                   *c) == NULL &&
            (c == key || (*c != '.' && *c != '-'))) {
            *c = '_';
            is_plain = false;
        }
    }
    while (!is_plain || has_key(list, key)) {
        char *other = class_format("%.*s-%08x", KEY_MAX, key, (unsigned)hash);

        free(key);
        key = other;
        hash = class_hash(hash, "again", 5);
        is_plain = true;
    }
    return key;
}

static struct class_submission *find_same(struct class_list *list,
                                          const struct class_name *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->submission[i].is_part == name->is_part &&
            list->submission[i].is_loose == name->is_loose &&
            (name->is_part || name->is_loose) &&
            strcmp(list->submission[i].name, name->name) == 0 &&
            strcmp(list->submission[i].number, name->id) == 0)
            return &list->submission[i];
    return NULL;
}

/* A file that lies beside the folders of others may begin with the name of its
 * student, as may others: "s01_ex_x.c". */
static void read_loose(struct class_name *name,
                       const struct class_course *course)
{
    size_t prefix = class_choose_prefix(course, name->file);

    while (prefix > 0 && strchr("_-. ", name->file[prefix - 1]) != NULL)
        prefix--;
    if (prefix == 0)
        return;
    free(name->name);
    name->name = class_format("%.*s", (int)prefix, name->file);
    name->is_loose = true;
}

static struct class_submission *add_new(struct class_list *list,
                                        const struct class_name *name,
                                        const char *entry)
{
    char *label = name->is_part    ? class_format("%s_%s", name->name, name->id)
                  : name->is_loose ? class_format("%s", name->name)
                                   : class_format("%s", entry);
    struct class_submission *to;

    list->submission = class_grow(list->submission, list->count, sizeof *to);
    to = &list->submission[list->count];
    *to = (struct class_submission){
        .label = class_shown(label),
        .key = make_key(list, label),
        .name = class_shown(name->name),
        .id = class_shown(name->is_part ? name->id : name->name),
        .number = class_format("%s", name->id),
        .is_part = name->is_part,
        .is_loose = name->is_loose};
    list->count++;
    free(label);
    return to;
}

static void add(struct class_list *list,
                const struct class_course *course,
                const char *folder,
                const char *entry)
{
    char *path = class_format("%s/%s", folder, entry);
    struct class_name name;
    struct class_submission *to;
    struct class_source source;
    struct stat there;

    class_name_read(&name, entry);
    if (!name.is_part && lstat(path, &there) == 0 && S_ISREG(there.st_mode) &&
        class_archive_ending(entry) == 0)
        read_loose(&name, course);
    to = find_same(list, &name);
    if (to == NULL)
        to = add_new(list, &name, entry);
    to->late |= name.late;
    source = (struct class_source){.path = path,
                                   .name = class_format("%s", name.file),
                                   .again = name.again};
    to->source = class_grow(to->source, to->sources, sizeof source);
    to->source[to->sources] = source;
    to->sources++;
    class_name_free(&name);
}

bool class_list_is_seen(const char *entry)
{
    return entry[0] != '.' && strcmp(entry, "__MACOSX") != 0 &&
           strcasecmp(entry, "thumbs.db") != 0 &&
           strcasecmp(entry, "desktop.ini") != 0;
}

static int is_seen(const struct dirent *entry)
{
    return class_list_is_seen(entry->d_name);
}

static int read_folder(struct class_list *list,
                       const struct class_course *course,
                       const char *path)
{
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, is_seen, alphasort);

    if (count < 0) {
        (void)fprintf(stderr, "build/class: %s: %s\n", path, strerror(errno));
        return 1;
    }
    for (int i = 0; i < count; i++) {
        add(list, course, path, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return 0;
}

static void free_submission(struct class_submission *submission)
{
    for (size_t i = 0; i < submission->sources; i++) {
        free(submission->source[i].path);
        free(submission->source[i].name);
    }
    free(submission->source);
    free(submission->file);
    free(submission->label);
    free(submission->key);
    free(submission->name);
    free(submission->id);
    free(submission->number);
    free(submission->unreadable);
    free(submission->said);
    class_text_free(&submission->notes);
}

/* Leaves those out whose name and key do not match. */
static void select_only(struct class_list *list, const char *pattern)
{
    for (size_t i = 0; i < list->count; i++) {
        struct class_submission *submission = &list->submission[i];

        submission->left_out = fnmatch(pattern, submission->label, 0) != 0 &&
                               fnmatch(pattern, submission->key, 0) != 0;
    }
}

/* Says whether a folder holds what a student's folder does. */
static bool is_student(const char *path)
{
    static const char *const own[] = {"ex_*.c", "[0-9][0-9]-*", "handin",
                                      "exercises"};
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, NULL, NULL);
    bool is = false;

    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
            is |= fnmatch(own[k], entry[i]->d_name, 0) == 0;
        free(entry[i]);
    }
    free(entry);
    return is;
}

/* Returns the folder inside path if it is a teacher's, packed around all;
 * else path. */
static char *skip_wrapping(char *path)
{
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, is_seen, NULL);
    char *inner = NULL;
    struct class_name name = {0};
    struct stat there;

    if (count == 1) {
        inner = class_format("%s/%s", path, entry[0]->d_name);
        class_name_read(&name, entry[0]->d_name);
    }
    if (inner != NULL && !name.is_part && lstat(inner, &there) == 0 &&
        S_ISDIR(there.st_mode) && !is_student(inner)) {
        char *outer = path;

        path = inner;
        inner = outer;
    }
    for (int i = 0; i < count; i++)
        free(entry[i]);
    free(entry);
    class_name_free(&name);
    free(inner);
    return path;
}

int class_list_read(struct class_list *list,
                    const struct class_course *course,
                    const struct class_settings *settings)
{
    char *path = class_format("%s", settings->submissions);
    struct stat there;
    int rc = 0;

    memset(list, 0, sizeof *list);
    if (stat(path, &there) == 0 && S_ISREG(there.st_mode)) {
        free(path);
        path = class_format("%s/bulk", settings->run);
        rc = class_bulk_unpack(course, settings->submissions, path);
        if (rc == 0)
            path = skip_wrapping(path);
    }
    if (rc == 0)
        rc = read_folder(list, course, path);
    if (rc == 0 && settings->only != NULL)
        select_only(list, settings->only);
    if (rc == 0 && list->count == 0) {
        (void)fprintf(stderr, "build/class: there is no submission in %s\n",
                      settings->submissions);
        rc = 1;
    }
    free(path);
    return rc;
}

void class_list_free(struct class_list *list, size_t exercises)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t k = 0; list->submission[i].file != NULL && k < exercises;
             k++)
            class_file_free(&list->submission[i].file[k]);
        free_submission(&list->submission[i]);
    }
    free(list->submission);
}
