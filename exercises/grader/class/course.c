/* course - the exercises, and the files that the driver relies on
 *
 * Owns the lists. Runs at the root of the course. One thread enters. A
 * submission that is graded without a sandbox could change the files that
 * grade the next one: so they are looked at before each.
 */
#include "class.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdbool.h>
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

static bool matches(const char *name, const char *const patterns[])
{
    for (; *patterns != NULL; patterns++)
        if (fnmatch(*patterns, name, 0) == 0)
            return true;
    return false;
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

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_dev == other->st_dev;
}

/* Watches the files under folder that match, but for those under out. */
static void watch_tree(struct class_course *course,
                       const char *folder,
                       const struct stat out[2],
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
                     !is_same(&there, &out[0]) && !is_same(&there, &out[1]))
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
                .file = class_format("%s", entry[i]->d_name),
                .wanted = true};

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

bool class_course_is_named(const char *name, const char *word, size_t length)
{
    if (length > 0 && strncmp(name, word, length) == 0 &&
        (name[length] == '\0' || name[length] == '-'))
        return true;
    return length == 1 && name[0] == '0' && name[1] == *word && name[2] == '-';
}

/* Only those that are named are wanted. Returns 0, or 1 after one line. */
static int select_exercises(struct class_course *course,
                            const struct class_settings *settings)
{
    const char *word = settings->exercises;

    for (size_t i = 0; i < course->exercises; i++)
        course->exercise[i].wanted = false;
    for (word += strspn(word, ", "); *word != '\0';
         word += strspn(word, ", ")) {
        size_t length = strcspn(word, ", ");
        bool is_known = false;

        for (size_t i = 0; i < course->exercises; i++)
            if (class_course_is_named(course->exercise[i].name, word, length)) {
                course->exercise[i].wanted = true;
                is_known = true;
            }
        if (!is_known) {
            (void)fprintf(stderr,
                          "build/class: EX=%s: there is no exercise %.*s\n",
                          settings->exercises, (int)length, word);
            return 1;
        }
        word += length;
    }
    return 0;
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
    struct stat out[2];
    int rc = 1;

    *course = (struct class_course){.version = CLASS_HASH_START};
    find_exercises(course);
    if (course->exercises == 0) {
        (void)fputs("build/class: there is no exercises/NN-name/ex_*.c here; "
                    "start it at the root of the course\n",
                    stderr);
    } else if (stat(settings->grader, &out[0]) != 0 ||
               !S_ISREG(out[0].st_mode)) {
        (void)fprintf(stderr, "build/class: there is no %s; make it first\n",
                      settings->grader);
    } else {
        rc = settings->exercises != NULL ? select_exercises(course, settings)
                                         : 0;
        if (stat(settings->out, &out[0]) != 0)
            memset(&out[0], 0, sizeof out[0]); /* it is not made yet */
        if (stat(settings->run, &out[1]) != 0)
            memset(&out[1], 0, sizeof out[1]);
        watch(course, settings->grader);
        watch_tree(course, build, out, built, 0);
        watch_tree(course, "exercises", out, written, 0);
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
