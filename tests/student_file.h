/* student_file - compiles and runs a small file as if a student had written it
 *
 * For tests of the driver. The file is ex_x.c in the test's folder; the
 * compiler is $CC, or cc. Test thread only. Where a tool is missing or a
 * sanitizer cannot start, the test is not checked.
 */
#ifndef TESTS_STUDENT_FILE_H
#define TESTS_STUDENT_FILE_H

#include "grader/driver/explain.h"
#include "grader/driver/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STUDENT_WORDS = 32,
    STUDENT_SECONDS = 60
};

struct student {
    char text[16384]; /* what the compiler or the program printed */
    struct test__run run;
    struct finding finding;
};

static const struct explain_test student_test = {
    .file = "ex_x.c",
    .shown = "exercises/90-x/ex_x.c",
    .seconds = 10,
};

/* Writes a file of the test's folder. */
static inline const char *student_write(const char *name, const char *text)
{
    const char *path = test_path(name);
    FILE *out = fopen(path, "w");

    CHECK(out != NULL);
    CHECK(fputs(text, out) >= 0);
    CHECK_INT(fclose(out), 0);
    return path;
}

/* Runs the compiler with the words up to a NULL. Returns its exit status. */
static inline int student_compile(struct student *student,
                                  const char *const *options)
{
    const char *words[STUDENT_WORDS];
    const char *named = getenv("CC");
    char compiler[256];
    char *rest = NULL;
    size_t count = 0;
    int status;

    (void)snprintf(compiler, sizeof(compiler), "%s",
                   named != NULL && named[0] != '\0' ? named : "cc");
    for (char *word = strtok_r(compiler, " ", &rest);
         word != NULL && count < STUDENT_WORDS / 2;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    while (*options != NULL && count + 1 < STUDENT_WORDS)
        words[count++] = *options++;
    words[count] = NULL;
    status =
        tool_run(words, STUDENT_SECONDS, student->text, sizeof(student->text));
    if (status == 127)
        test_skip("there is no compiler %s", words[0]);
    return status;
}

/* Makes a program of the source with a sanitizer: "address,undefined",
 * "thread". Returns its path. */
static inline const char *student_build(struct student *student,
                                        const char *source,
                                        const char *sanitizer)
{
    const char *path = student_write("ex_x.c", source);
    const char *program = test_path("program");
    char sanitize[64];
    const char *words[] = {
        "-g", "-O1",    "-fno-omit-frame-pointer",         "-o",        NULL,
        NULL, sanitize, "-fno-sanitize-recover=undefined", "-lpthread", NULL};

    (void)snprintf(sanitize, sizeof(sanitize), "-fsanitize=%s", sanitizer);
    words[4] = program;
    words[5] = path;
    if (student_compile(student, words) != 0)
        test_skip("cannot compile with %s: %.200s", sanitize, student->text);
    return program;
}

/* Runs the program with an argument, and fills in run as if it were a test
 * that printed this and then ended so. */
static inline void
student_run(struct student *student, const char *program, const char *argument)
{
    /* A sanitizer needs more addresses than a tool gets. */
    static const char script[] = "ulimit -v unlimited && exec \"$@\"";
    const char *plain[] = {"sh", "-c", script, "sh", program, argument, NULL};
    const char *narrow[] = {"sh", "-c",    script,   "sh", "setarch",
                            "-R", program, argument, NULL};
    static const char fatal[] = "FATAL: ThreadSanitizer";
    int status =
        tool_run(plain, STUDENT_SECONDS, student->text, sizeof(student->text));

    /* See tests/tools/sanitizer.sh. */
    if (strncmp(student->text, fatal, strlen(fatal)) == 0)
        status = tool_run(narrow, STUDENT_SECONDS, student->text,
                          sizeof(student->text));
    if (strncmp(student->text, fatal, strlen(fatal)) == 0 || status == 127)
        test_skip("the thread sanitizer cannot start here");
    memset(&student->run, 0, sizeof(student->run));
    student->run.status = status > 128 ? status - 128 : status << 8;
    student->run.output_size = strlen(student->text);
    memcpy(student->run.output, student->text, student->run.output_size);
}

#endif
