/* compiler - reads what the compiler says about a student's file
 *
 * A diagnostic is a line "FILE:LINE:COLUMN: error: text"; before one about a
 * header it names the files that include it. The linker has no such form.
 */
#include "grader/driver/compiler.h"

#include "grader/driver/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    WARNINGS_SHOWN = 8
};

/* Returns where the text of a diagnostic begins, after the mark, or NULL. */
static const char *find_mark(const char *line, const char *const *marks)
{
    for (; *marks != NULL; marks++) {
        const char *at = strstr(line, *marks);

        if (at != NULL)
            return at + strlen(*marks);
    }
    return NULL;
}

/* Returns the line of the student's file that a diagnostic is about, or 0. */
static int line_of(const char *line, const char *text, const char *file)
{
    const char *rest;
    int number = text_line_of(line, file, &rest);

    return number > 0 && rest < text ? number : 0;
}

/* Keeps where in the student's file the includes begin that lead to the
 * header of the next diagnostic. */
static void follow_include(const char *line, const char *file, int *include)
{
    const char *rest;
    bool first = strncmp(line, "In file included from ", 22) == 0;
    int number;

    if (!first && strncmp(line + strspn(line, " "), "from ", 5) != 0)
        return;
    number = text_line_of(line, file, &rest);
    if (number > 0)
        *include = number;
}

/* Copies the two lines after a diagnostic if they are the source line and the
 * mark below it. gcc puts a margin before them. */
static void
copy_source(const char *text, size_t size, size_t at, struct finding *finding)
{
    char source[TEXT_LINE];
    char mark[TEXT_LINE];
    const char *from = source;
    const char *below = mark;

    if (!text_next(text, size, &at, source) ||
        !text_next(text, size, &at, mark) || strchr(mark, '^') == NULL ||
        strspn(mark, " 0123456789|~^") < strcspn(mark, "^") + 1)
        return;
    if (strstr(mark, " | ") != NULL && strstr(source, " | ") != NULL) {
        from = strstr(source, " | ") + 3;
        below = strstr(mark, " | ") + 3;
    }
    text_set(finding->more, sizeof finding->more, from);
    (void)snprintf(finding->more + strlen(finding->more),
                   sizeof finding->more - strlen(finding->more), "\n%.400s",
                   below);
}

static void say(struct finding *finding,
                const struct compiler_file *file,
                const char *got,
                int line)
{
    text_set(finding->got, sizeof finding->got, got);
    if (line > 0)
        (void)snprintf(finding->where, sizeof finding->where, "%.180s:%d",
                       file->shown, line);
}

/* Looks for the first error of the compiler. Returns whether there is one. */
static bool explain_error(const char *text,
                          const struct compiler_file *file,
                          struct finding *finding)
{
    static const char *const marks[] = {": error: ", ": fatal error: ", NULL};
    char line[TEXT_LINE];
    size_t size = strlen(text);
    size_t at = 0;
    int include = 0;

    while (text_next(text, size, &at, line)) {
        const char *error = find_mark(line, marks);
        int number;

        follow_include(line, file->file, &include);
        if (error == NULL)
            continue;
        number = line_of(line, error, file->file);
        if (number == 0 && strstr(line, ".h:") == NULL)
            continue; /* the linker's, or the compiler's own summary */
        say(finding, file, error, number > 0 ? number : include);
        if (number == 0) {
            char header[TEXT_LINE];

            (void)snprintf(header, sizeof header, "%.*s",
                           (int)strcspn(line, ":"), line);
            text_set(finding->cause, sizeof finding->cause, "it is in ");
            text_add(finding->cause, sizeof finding->cause, text_base(header));
            text_add(finding->cause, sizeof finding->cause,
                     ", which the file includes; what it needs has to be "
                     "included before");
        }
        copy_source(text, size, at, finding);
        return true;
    }
    return false;
}

/* Takes a name between two quotes of any kind, or up to the end.
 * Returns whether there is one. */
static bool take_name(const char *at, char name[TEXT_LINE])
{
    size_t length;

    at += strspn(at, " :`'\"");
#if defined(__APPLE__)
    at += *at == '_';
#endif
    length = strcspn(at, " `'\";,");
    (void)snprintf(name, TEXT_LINE, "%.*s", (int)length, at);
    return length > 0;
}

/* Looks for the linker's first complaint. Returns whether there is one. */
static bool explain_linker(const char *text,
                           const struct compiler_file *file,
                           struct finding *finding)
{
    static const struct {
        const char *mark;
        const char *words;
        const char *cause;
    } complaints[] = {
        {"undefined reference to ", "is not defined",
         "it is missing in the file, is static, or is spelled differently"},
        {"undefined symbol: ", "is not defined",
         "it is missing in the file, is static, or is spelled differently"},
        {"Undefined symbols for architecture", "is not defined",
         "it is missing in the file, is static, or is spelled differently"},
        {"multiple definition of ", "is defined twice",
         "a function that only the file needs should be static"},
        {"duplicate symbol", "is defined twice",
         "a function that only the file needs should be static"},
    };
    char line[TEXT_LINE];
    char name[TEXT_LINE];
    size_t size = strlen(text);
    size_t at = 0;

    while (text_next(text, size, &at, line)) {
        for (size_t i = 0; i < sizeof complaints / sizeof complaints[0]; i++) {
            const char *found = strstr(line, complaints[i].mark);
            char got[TEXT_LINE * 2];

            if (found == NULL)
                continue;
            found += strlen(complaints[i].mark);
            if (strncmp(complaints[i].mark, "Und", 3) == 0)
                found = text_next(text, size, &at, line) ? line : found;
            if (!take_name(found, name))
                continue;
            (void)snprintf(got, sizeof got, "%s %s", name, complaints[i].words);
            say(finding, file, got, text_line_of(line, file->file, NULL));
            text_set(finding->cause, sizeof finding->cause,
                     complaints[i].cause);
            return true;
        }
    }
    return false;
}

void compiler_explain(const char *text,
                      const struct compiler_file *file,
                      struct finding *ret_finding)
{
    char line[TEXT_LINE];
    size_t at = 0;

    memset(ret_finding, 0, sizeof *ret_finding);
    ret_finding->verdict = VERDICT_NO_COMPILE;
    if (explain_error(text, file, ret_finding) ||
        explain_linker(text, file, ret_finding))
        return;
    /* It speaks otherwise: its first line is better than nothing. */
    while (ret_finding->got[0] == '\0' &&
           text_next(text, strlen(text), &at, line))
        text_set(ret_finding->got, sizeof ret_finding->got, line);
    if (ret_finding->got[0] == '\0')
        text_set(ret_finding->got, sizeof ret_finding->got,
                 "the compiler failed and did not say why");
}

int compiler_warnings(const char *text,
                      const struct compiler_file *file,
                      char *ret_text,
                      size_t size)
{
    static const char *const marks[] = {": warning: ", NULL};
    char line[TEXT_LINE];
    size_t text_size = strlen(text);
    size_t at = 0;
    int count = 0;

    ret_text[0] = '\0';
    while (text_next(text, text_size, &at, line)) {
        const char *warning = find_mark(line, marks);
        int number = warning != NULL ? line_of(line, warning, file->file) : 0;
        char place[TEXT_LINE];
        size_t used = strlen(ret_text);

        if (number == 0)
            continue;
        count++;
        if (count > WARNINGS_SHOWN || used + 2 >= size)
            continue;
        (void)snprintf(place, sizeof place, "%.500s:%d: warning: ", file->shown,
                       number);
        (void)snprintf(ret_text + used, size - used, "%s%s",
                       used > 0 ? "\n" : "", place);
        text_add(ret_text, size, warning);
    }
    return count;
}
