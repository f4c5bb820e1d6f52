/* build - makes the test program of a student's file
 *
 * Owns the folder of one build while it runs there. One thread enters. The
 * student's file is compiled alone; all else was compiled before by make.
 */
#include "grader/driver/build.h"
#include "grader/driver/compiler.h"
#include "grader/driver/files.h"
#include "grader/driver/tool.h"
#include "grader/runner.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SECONDS = 40, /* for the compiler; it needs one */
    WORDS = 3 * PLAN_WORDS,
    STAMP = 1024
};

/* The paths of a build. */
struct place {
    char folder[PLAN_PATH];
    char object[PLAN_PATH];
    char stamp[PLAN_PATH];  /* what the programs were made of */
    char report[PLAN_PATH]; /* the compiler's warnings */
    char needs[PLAN_PATH];  /* the files that the compiler has read */
    char tmp[PLAN_PATH];    /* its own files */
};

static const struct plan_build *find_build(const struct plan *plan,
                                           unsigned kind)
{
    for (int i = 0; i < PLAN_BUILDS; i++)
        if (plan->builds[i].kind == kind)
            return &plan->builds[i];
    return NULL;
}

/* A path that does not fit is cut off, and then not found. */
static void make_place(const struct exercise_build *build, struct place *place)
{
    const struct plan_build *how = find_build(build->plan, build->kind);

    (void)snprintf(place->folder, PLAN_PATH, "%s/%s/%s", build->plan->work,
                   build->exercise->name, how->name);
    (void)snprintf(place->object, PLAN_PATH, "%.480s/student.o", place->folder);
    (void)snprintf(place->stamp, PLAN_PATH, "%.480s/stamp", place->folder);
    (void)snprintf(place->report, PLAN_PATH, "%.480s/warnings", place->folder);
    (void)snprintf(place->needs, PLAN_PATH, "%.480s/student.d", place->folder);
    (void)snprintf(place->tmp, PLAN_PATH, "%.480s/tmp", place->folder);
}

char *build_program(const struct plan *plan,
                    const struct exercise *exercise,
                    unsigned kind,
                    int hidden,
                    char path[PLAN_PATH])
{
    (void)snprintf(path, PLAN_PATH, "%s/%s/%s/%s", plan->work, exercise->name,
                   find_build(plan, kind)->name, hidden ? "hidden" : "check");
    return path;
}

/* ---- Stamps ----------------------------------------------------------------
 */

/* Adds what tells a file from a changed one. A file that is not there leaves
 * its mark too. */
static void add_file(char stamp[STAMP], const char *path)
{
    size_t used = strlen(stamp);
    struct file_mark mark = file_mark(path);

    (void)snprintf(stamp + used, STAMP - used, "%llu %lld %lld.%09ld\n",
                   mark.inode, mark.size, mark.seconds, mark.nanoseconds);
}

static void tests_of(const struct plan_build *how,
                     const struct exercise *exercise,
                     int hidden,
                     char path[PLAN_PATH])
{
    if (hidden) {
        (void)snprintf(path, PLAN_PATH, "%.300s/hidden/%s/check.o", how->folder,
                       exercise->name);
    } else {
        (void)snprintf(path, PLAN_PATH, "%.300s/obj/exercises/%s/check.o",
                       how->folder, exercise->name);
    }
}

/* The archive of what the exercise needs; it need not be there. */
static void modules_of(const struct plan_build *how,
                       const struct exercise *exercise,
                       char path[PLAN_PATH])
{
    (void)snprintf(path, PLAN_PATH, "%.300s/exercises/%s/libmodules.a",
                   how->folder, exercise->name);
}

static void make_stamp(const struct exercise_build *build, char stamp[STAMP])
{
    static const char *const parts[] = {"libgrader.a", "grader.conf"};
    const struct plan_build *how = find_build(build->plan, build->kind);
    char path[PLAN_PATH];

    stamp[0] = '\0';
    add_file(stamp, build->exercise->source);
    add_file(stamp, build->exercise->contract);
    for (int hidden = 0; hidden <= build->plan->hidden; hidden++) {
        tests_of(how, build->exercise, hidden, path);
        add_file(stamp, path);
        add_file(stamp, build_program(build->plan, build->exercise, build->kind,
                                      hidden, path));
    }
    modules_of(how, build->exercise, path);
    add_file(stamp, path);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(path, sizeof path, "%.400s/%s", how->folder, parts[i]);
        add_file(stamp, path);
    }
}

/* ---- Compiling and linking -------------------------------------------------
 */

static size_t
add_words(const char **words, size_t count, const char *const *more)
{
    while (*more != NULL && count + 1 < WORDS)
        words[count++] = *more++;
    words[count] = NULL;
    return count;
}

/* Runs the compiler. Returns whether it succeeded, else the finding is filled
 * in. */
static bool run_compiler(const char *const *words,
                         const struct exercise *exercise,
                         struct build_outcome *outcome,
                         char *text,
                         size_t size)
{
    const struct compiler_file file = {exercise->file, exercise->shown};
    int status = tool_run(words, SECONDS, text, size);
    struct finding *finding = &outcome->finding;

    if (status == 0)
        return true;
    if (status == 124 || status > 128) {
        finding->verdict = VERDICT_NO_COMPILE;
        (void)snprintf(finding->got, sizeof finding->got,
                       "the compiler needs too much time or memory");
    } else if (status == 127) {
        finding->verdict = VERDICT_GRADER;
        (void)snprintf(finding->got, sizeof finding->got,
                       "cannot start the compiler %.200s", words[0]);
    } else {
        compiler_explain(text, &file, finding);
    }
    return false;
}

static int compile(const struct exercise_build *build,
                   const struct place *place,
                   struct build_outcome *outcome)
{
    const struct exercise *exercise = build->exercise;
    const struct compiler_file file = {exercise->file, exercise->shown};
    char include[PLAN_PATH + 2];
    const char *own[] = {include, "-MD", "-MF",         place->needs,
                         "-c",    "-o",  place->object, exercise->source,
                         NULL};
    const char *words[WORDS];
    char text[PLAN_BUILD_TEXT * 2];
    size_t count =
        add_words(words, 0, find_build(build->plan, build->kind)->compile);

    (void)snprintf(include, sizeof include, "-Iexercises/%s", exercise->name);
    (void)add_words(words, count, own);
    if (!run_compiler(words, exercise, outcome, text, sizeof text))
        return 0;
    outcome->warnings =
        compiler_warnings(text, &file, outcome->text, sizeof outcome->text);
    return 1;
}

/* Looks at what the file includes and its object defines. Returns whether
 * nothing is wrong. */
static bool pass_barrier(const struct exercise_build *build,
                         const struct place *place,
                         struct build_outcome *outcome)
{
    const struct exercise *exercise = build->exercise;
    const struct compiler_file file = {exercise->file, exercise->shown};
    struct finding *finding = &outcome->finding;
    int err = compiler_includes(place->needs, exercise->source,
                                exercise->contract, "lessons", &file, finding);

    if (err == 0 && finding->verdict == VERDICT_PASSED)
        err = compiler_barrier(place->object, exercise->contract, "lessons",
                               &file, finding);

    if (err != 0) {
        finding->verdict = VERDICT_GRADER;
        (void)snprintf(finding->got, sizeof finding->got,
                       "cannot look at the object file: %s", uv_strerror(err));
    }
    return finding->verdict == VERDICT_PASSED;
}

static bool link_tests(const struct exercise_build *build,
                       const struct place *place,
                       int hidden,
                       struct build_outcome *outcome)
{
    const struct plan_build *how = find_build(build->plan, build->kind);
    char program[PLAN_PATH];
    char tests[PLAN_PATH];
    char grader[PLAN_PATH];
    char modules[PLAN_PATH];
    char text[PLAN_BUILD_TEXT * 2];
    /* The grader's functions call the modules, and the modules call what the
     * grader puts in the place of SQLite's functions. */
    const char *own[] = {"-o",   program, tests,  place->object,
                         grader, NULL,    grader, NULL};
    const char *words[WORDS];
    size_t count = add_words(words, 0, how->link);

    (void)build_program(build->plan, build->exercise, build->kind, hidden,
                        program);
    tests_of(how, build->exercise, hidden, tests);
    (void)snprintf(grader, sizeof grader, "%.400s/libgrader.a", how->folder);
    modules_of(how, build->exercise, modules);
    if (access(modules, F_OK) == 0)
        own[5] = modules;
    (void)unlink(program); /* it may be running still; a new file is another */
    count = add_words(words, count, own);
    (void)add_words(words, count, how->libs);
    return run_compiler(words, build->exercise, outcome, text, sizeof text);
}

static void make_programs(const struct exercise_build *build,
                          const struct place *place,
                          struct build_outcome *outcome)
{
    const struct plan_build *how = find_build(build->plan, build->kind);
    char tests[PLAN_PATH];

    if (!compile(build, place, outcome) || !pass_barrier(build, place, outcome))
        return;
    for (int hidden = 0; hidden <= build->plan->hidden; hidden++) {
        tests_of(how, build->exercise, hidden, tests);
        if ((!hidden || access(tests, F_OK) == 0) &&
            !link_tests(build, place, hidden, outcome))
            return;
    }
}

static int count_lines(const char *text)
{
    int count = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        count++;
        text += length + (text[length] == '\n');
    }
    return count;
}

void build_run(const void *input, void *result)
{
    const struct exercise_build *build = input;
    struct build_outcome *outcome = result;
    struct place place;
    char stamp[STAMP];
    char old[STAMP];
    int err;

    make_place(build, &place);
    make_stamp(build, stamp);
    if (file_read(place.stamp, old, sizeof old) > 0 &&
        strcmp(old, stamp) == 0) {
        (void)file_read(place.report, outcome->text, sizeof outcome->text);
        outcome->warnings = count_lines(outcome->text);
        return;
    }
    (void)unlink(place.stamp); /* none there is as good */
    folder_remove(place.tmp);
    err = test__folder_make(place.tmp);
    if (err != 0) {
        outcome->finding.verdict = VERDICT_GRADER;
        (void)snprintf(outcome->finding.got, sizeof outcome->finding.got,
                       "cannot make %.300s: %s", place.folder,
                       uv_strerror(err));
        return;
    }
    /* A compiler that is ended leaves files, so they have a place to go. */
    (void)setenv("TMPDIR", place.tmp, 1); /* failed: then it has not */
    make_programs(build, &place, outcome);
    folder_remove(place.tmp);
    if (outcome->finding.verdict != VERDICT_PASSED)
        return;
    make_stamp(build, stamp);
    /* Without a stamp it is built again the next time. */
    if (file_write(place.report, outcome->text) == 0)
        (void)file_write(place.stamp, stamp);
}
