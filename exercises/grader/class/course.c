/* course - the exercises, and the files that the driver relies on
 *
 * Owns the lists. Runs at the root of the course. One thread enters. A
 * submission that is graded without a sandbox could change the files that
 * grade the next one: so they are looked at before each.
 */
#include "class.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DEPTH_MAX = 8,
    WATCHED_FILE_MAX = 1 << 28 /* bytes */
};

struct class_watched {
    char *path;
    struct stat first;
};

static int matches(const char *name, const char *const patterns[])
{
    for (; *patterns != NULL; patterns++)
        if (fnmatch(*patterns, name, 0) == 0)
            return 1;
    return 0;
}

static void watch(struct class_course *course, const char *path)
{
    struct class_watched watched = {.path = class_format("%s", path)};
    struct class_text text = {0};

    /* What cannot be read now must not be there later either. */
    if (stat(path, &watched.first) == 0 &&
        class_file_read(path, WATCHED_FILE_MAX, &text) == 0) {
        course->version = class_hash(course->version, text.data, text.size);
        course->version = class_hash(course->version, path, strlen(path) + 1);
    }
    class_text_free(&text);
    course->watched = class_grow(course->watched, course->watched_count,
                                 sizeof *course->watched);
    course->watched[course->watched_count] = watched;
    course->watched_count++;
}

/* Watches the files under folder that match, but for those under out. */
static void watch_tree(struct class_course *course,
                       const char *folder,
                       const struct stat *out,
                       const char *const patterns[],
                       int depth)
{
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char *path = class_format("%s/%s", folder, entry[i]->d_name);
        struct stat there;

        if (entry[i]->d_name[0] != '.' && lstat(path, &there) == 0) {
            if (S_ISREG(there.st_mode) && matches(entry[i]->d_name, patterns))
                watch(course, path);
            else if (S_ISDIR(there.st_mode) && depth < DEPTH_MAX &&
                     (there.st_ino != out->st_ino ||
                      there.st_dev != out->st_dev))
                watch_tree(course, path, out, patterns, depth + 1);
        }
        free(path);
        free(entry[i]);
    }
    free(entry);
}

static void find_files(struct class_course *course, const char *exercise)
{
    char *folder = class_format("exercises/%s", exercise);
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        if (fnmatch("ex_*.c", entry[i]->d_name, 0) == 0) {
            struct class_exercise found = {
                .name = class_format("%s", exercise),
                .file = class_format("%s", entry[i]->d_name)};

            course->exercise =
                class_grow(course->exercise, course->exercises, sizeof found);
            course->exercise[course->exercises] = found;
            course->exercises++;
        }
        free(entry[i]);
    }
    free(entry);
    free(folder);
}

static void find_exercises(struct class_course *course)
{
    struct dirent **entry = NULL;
    int count = scandir("exercises", &entry, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        if (fnmatch("[0-9][0-9]-*", entry[i]->d_name, 0) == 0)
            find_files(course, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
}

int class_course_read(struct class_course *course,
                      const struct class_settings *settings)
{
    static const char *const built[] = {"lib*.a", "check*.o", "table",
                                        "grader.conf", NULL};
    static const char *const written[] = {"check*.c", "ex_*.h", NULL};
    const char *name = strrchr(settings->grader, '/');
    char *build =
        class_format("%.*s", name != NULL ? (int)(name - settings->grader) : 1,
                     name != NULL ? settings->grader : ".");
    struct stat out;
    int rc = 1;

    *course = (struct class_course){.version = CLASS_HASH_START};
    find_exercises(course);
    if (course->exercises == 0) {
        (void)fputs("build/class: there is no exercises/NN-name/ex_*.c here; "
                    "start it at the root of the course\n",
                    stderr);
    } else if (stat(settings->grader, &out) != 0 || !S_ISREG(out.st_mode)) {
        (void)fprintf(stderr, "build/class: there is no %s; make it first\n",
                      settings->grader);
    } else {
        rc = 0;
        if (stat(settings->out, &out) != 0)
            memset(&out, 0, sizeof out); /* it is not made yet */
        watch(course, settings->grader);
        watch_tree(course, build, &out, built, 0);
        watch_tree(course, "exercises", &out, written, 0);
    }
    free(build);
    return rc;
}

const char *class_course_changed(const struct class_course *course)
{
    for (size_t i = 0; i < course->watched_count; i++) {
        const struct stat *first = &course->watched[i].first;
        struct stat now;

        if (stat(course->watched[i].path, &now) != 0 ||
            now.st_ino != first->st_ino || now.st_dev != first->st_dev ||
            now.st_size != first->st_size || now.st_ctime != first->st_ctime)
            return course->watched[i].path;
#if defined(__linux__)
        if (now.st_ctim.tv_nsec != first->st_ctim.tv_nsec)
            return course->watched[i].path;
#endif
    }
    return NULL;
}

void class_course_free(struct class_course *course)
{
    for (size_t i = 0; i < course->exercises; i++) {
        free(course->exercise[i].name);
        free(course->exercise[i].file);
    }
    for (size_t i = 0; i < course->watched_count; i++)
        free(course->watched[i].path);
    free(course->exercise);
    free(course->watched);
}
