/* includes - looks at what a student's file includes
 *
 * The compiler has written a list as for make: "student.o: a.c b.h \\" and so
 * on, with a backslash before a blank in a name. What lies in the course but
 * is not a lesson's header is not for the exercise: a solution, or the file of
 * another exercise. What is not a header is nowhere.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "grader/driver/compiler.h"
#include "grader/driver/files.h"
#include "grader/driver/text.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    LIST_SIZE = 1 << 18
};

/* Takes the next name of the list. Returns whether there was one. */
static bool next_name(const char **at, char name[PATH_MAX])
{
    size_t used = 0;

    while (**at == ' ' || **at == '\n' || strncmp(*at, "\\\n", 2) == 0)
        *at += **at == '\\' ? 2 : 1;
    while (**at != '\0' && **at != ' ' && **at != '\n') {
        if (**at == '\\' && (*at)[1] == ' ')
            (*at)++;
        if (used + 1 < PATH_MAX)
            name[used++] = **at;
        (*at)++;
    }
    name[used] = '\0';
    return used > 0;
}

/* Returns whether path lies in the folder; both have no links in them. */
static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* Writes the path without links. Returns whether there is such a file. */
static bool resolve(const char *path, char resolved[PATH_MAX])
{
    return realpath(path, resolved) != NULL;
}

/* clang counts the lists of its sanitizers among what it has read. */
static bool is_sanitizers(const char *path)
{
    static const char *const ends[] = {"_ignorelist.txt", "_blacklist.txt"};
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t end = strlen(ends[i]);

        if (length > end && strcmp(path + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool is_allowed(const char *name,
                       const char *source,
                       const char *header,
                       const char *lessons)
{
    const char *end;
    char path[PATH_MAX];
    char other[PATH_MAX];

    if (!resolve(name, path))
        return false;
    end = strrchr(path, '.'); /* of what a link leads to */
    if ((resolve(source, other) && strcmp(path, other) == 0) ||
        (resolve(header, other) && strcmp(path, other) == 0))
        return true;
    if (!is_sanitizers(path) && (end == NULL || strcmp(end, ".h") != 0))
        return false;
    if (resolve(lessons, other) && lies_in(path, other))
        return true;
    return !(resolve(".", other) && lies_in(path, other));
}

int compiler_includes(const char *list,
                      const char *source,
                      const char *header,
                      const char *lessons,
                      const struct compiler_file *file,
                      struct finding *ret_finding)
{
    char *text = malloc(LIST_SIZE);
    char name[PATH_MAX];
    const char *at;
    int err = 0;

    memset(ret_finding, 0, sizeof *ret_finding);
    if (text == NULL)
        return UV_ENOMEM;
    if (file_read(list, text, LIST_SIZE) == 0) {
        err = UV_ENOENT;
        goto out;
    }
    at = strstr(text, ": "); /* the object comes before it */
    at = at != NULL ? at + 2 : "";
    while (next_name(&at, name)) {
        if (is_allowed(name, source, header, lessons))
            continue;
        ret_finding->verdict = VERDICT_REFUSED;
        text_set(ret_finding->got, sizeof ret_finding->got, "includes ");
        text_add(ret_finding->got, sizeof ret_finding->got, name);
        text_add(ret_finding->got, sizeof ret_finding->got,
                 ", which is not for this exercise");
        text_set(ret_finding->cause, sizeof ret_finding->cause,
                 "an exercise includes its contract, headers of the lessons "
                 "and of the system");
        text_set(ret_finding->where, sizeof ret_finding->where, file->shown);
        break;
    }

out:
    free(text);
    return err;
}
