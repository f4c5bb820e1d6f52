/* plan - which exercises there are, their tests, and how to build them
 *
 * Owns the memory of the plan. One thread enters. Depends on the files that
 * make has written: a grader.conf for each set of sanitizers and a table for
 * each exercise.
 */
#include "grader/driver/plan.h"
#include "grader/driver/files.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- How to build ---------------------------------------------------------
 */

/* Reads a whole small file. The caller frees it; NULL if that fails. */
static char *read_all(const char *path)
{
    enum {
        MOST = 65536
    };
    char *text = malloc(MOST);

    if (text != NULL && file_read(path, text, MOST) == 0) {
        free(text);
        text = NULL;
    }
    return text;
}

/* Adds a word to the list that a line of grader.conf names. Returns 0, or -1
 * if there is no such list or it is full. */
static int add_word(struct plan_build *build, const char *list, char *word)
{
    const char **words = strcmp(list, "compile") == 0  ? build->compile
                         : strcmp(list, "link") == 0   ? build->link
                         : strcmp(list, "libs") == 0   ? build->libs
                         : strcmp(list, "prefix") == 0 ? build->prefix
                                                       : NULL;
    size_t count = 0;

    if (strcmp(list, "off") == 0) {
        build->off = word;
        return 0;
    }
    while (words != NULL && words[count] != NULL)
        count++;
    if (words == NULL || count + 1 >= PLAN_WORDS)
        return -1;
    words[count] = word;
    return 0;
}

/* A line is a list's name, a blank, and a word. */
static int read_build(struct plan_build *build)
{
    char path[PLAN_PATH + 16];
    char *save = NULL;

    (void)snprintf(path, sizeof path, "%s/grader.conf", build->folder);
    build->text = read_all(path);
    if (build->text == NULL) {
        fprintf(stderr, "%s: not there; use make check\n", path);
        return 3;
    }
    for (char *line = strtok_r(build->text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *word = strchr(line, ' ');

        if (word == NULL || word[1] == '\0')
            continue; /* a setting that is empty */
        *word = '\0';
        if (add_word(build, line, word + 1) != 0) {
            fprintf(stderr, "%s: cannot read the line %s %s\n", path, line,
                    word + 1);
            return 3;
        }
    }
    return 0;
}

static int read_builds(struct plan *plan)
{
    static const struct {
        unsigned kind;
        const char *name;
        const char *folder;
    } kinds[PLAN_BUILDS] = {{TEST_PLAIN, "plain", ""},
                            {TEST_ADDRESS, "address", "/san-address-undefined"},
                            {TEST_THREAD, "thread", "/san-thread"}};

    for (int i = 0; i < PLAN_BUILDS; i++) {
        struct plan_build *build = &plan->builds[i];
        int status;

        build->kind = kinds[i].kind;
        build->name = kinds[i].name;
        (void)snprintf(build->folder, sizeof build->folder, "%s%s", plan->build,
                       kinds[i].folder);
        status = read_build(build);
        if (status != 0)
            return status;
    }
    return 0;
}

/* ---- Exercises ------------------------------------------------------------
 */

/* Reads a line of a table: number, name, points, seconds, builds, times,
 * needs, function and title, apart by tabs. Returns whether it is one. */
static bool read_test(const char *line, struct grader_test *test)
{
    return sscanf(line, "%d\t%63[^\t]\t%d\t%d\t%u\t%d\t%d\t%63[^\t]\t%95[^\n]",
                  &test->number, test->name, &test->points, &test->seconds,
                  &test->builds, &test->times, &test->needs, test->function,
                  test->title) == 9;
}

/* Adds the tests of a table, numbered on from those that are there. Returns 0
 * or 3 after a line on stderr. */
static int read_table(const char *path, struct exercise *exercise, int hidden)
{
    FILE *in = fopen(path, "r");
    char line[512];
    size_t first = exercise->test_count;
    int status = 0;

    if (in == NULL) {
        if (hidden && errno == ENOENT)
            return 0; /* no hidden tests for this one */
        fprintf(stderr, "%s: %s; use make check\n", path, strerror(errno));
        return 3;
    }
    while (status == 0 && fgets(line, sizeof line, in) != NULL) {
        struct grader_test *test = &exercise->tests[exercise->test_count];

        if (exercise->test_count == PLAN_TESTS || !read_test(line, test)) {
            fprintf(stderr, "%s: cannot read the line %s", path, line);
            status = 3;
            break;
        }
        test->hidden = hidden;
        test->number += (int)first;
        if (test->needs != 0)
            test->needs += (int)first;
        exercise->test_count++;
    }
    (void)fclose(in); /* it was only read */
    return status;
}

/* Returns whether "2", "02" or "02-threads" names the exercise. */
static bool is_named(const char *name, const char *wanted)
{
    size_t length = strlen(wanted);
    char *end;
    long number;

    if (strcmp(name, wanted) == 0)
        return true;
    number = strtol(wanted, &end, 10);
    return length > 0 && *end == '\0' && number == strtol(name, NULL, 10);
}

/* Fills in an exercise from the path of its contract, which ends in .h. */
static int read_exercise(struct plan *plan,
                         const char *contract,
                         struct exercise *exercise)
{
    const char *folder = strchr(contract, '/') + 1;
    const char *base = strrchr(contract, '/') + 1;
    char path[2 * PLAN_PATH];
    int status;

    (void)snprintf(exercise->name, sizeof exercise->name, "%.*s",
                   (int)(base - 1 - folder), folder);
    (void)snprintf(exercise->file, sizeof exercise->file, "%.*s.c",
                   (int)strlen(base) - 2, base);
    (void)snprintf(exercise->contract, PLAN_PATH, "%s", contract);
    (void)snprintf(exercise->shown, PLAN_PATH, "exercises/%s/%s",
                   exercise->name, exercise->file);
    (void)snprintf(exercise->skeleton, PLAN_PATH,
                   "exercises/grader/skeletons/%s/%s", exercise->name,
                   exercise->file);
    if (snprintf(exercise->source, PLAN_PATH, "%s/%s/%s", plan->from,
                 exercise->name, exercise->file) >= PLAN_PATH) {
        fprintf(stderr, "--from %s: the path is too long\n", plan->from);
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/exercises/%s/table", plan->build,
                   exercise->name);
    status = read_table(path, exercise, 0);
    if (status == 0 && plan->hidden) {
        (void)snprintf(path, sizeof path, "%s/hidden/%s/table", plan->build,
                       exercise->name);
        status = read_table(path, exercise, 1);
    }
    return status;
}

/* Marks the tests that are wanted, and those that these need. */
static int choose_tests(struct plan *plan, struct exercise *exercise)
{
    if (plan->test > (long)exercise->test_count) {
        fprintf(stderr, "TEST=%ld: %s has the tests 1 to %zu\n", plan->test,
                exercise->name, exercise->test_count);
        return 2;
    }
    for (size_t i = exercise->test_count; i-- > 0;) {
        struct grader_test *test = &exercise->tests[i];

        if (plan->test == 0 || plan->test == (long)i + 1)
            test->wanted = true;
        if (test->wanted && test->needs > 0 && (size_t)test->needs <= i)
            exercise->tests[test->needs - 1].wanted = true;
        test->plan = plan;
        test->exercise = exercise;
    }
    return 0;
}

static int read_exercises(struct plan *plan, const glob_t *contracts)
{
    if (contracts->gl_pathc > PLAN_EXERCISES) {
        fprintf(stderr, "exercises: more than %d\n", PLAN_EXERCISES);
        return 3;
    }
    plan->exercises = calloc(contracts->gl_pathc + 1, sizeof(struct exercise));
    if (plan->exercises == NULL) {
        fprintf(stderr, "no memory\n");
        return 3;
    }
    for (size_t i = 0; i < contracts->gl_pathc; i++) {
        struct exercise *exercise = &plan->exercises[plan->count];
        const char *name = strchr(contracts->gl_pathv[i], '/') + 1;
        char folder[PLAN_NAME];
        int status;

        (void)snprintf(folder, sizeof folder, "%.*s", (int)strcspn(name, "/"),
                       name);
        if (plan->only != NULL && !is_named(folder, plan->only))
            continue;
        status = read_exercise(plan, contracts->gl_pathv[i], exercise);
        if (status == 0)
            status = choose_tests(plan, exercise);
        if (status != 0)
            return status;
        plan->count++;
    }
    if (plan->count > 0)
        return 0;
    fprintf(stderr, "EX=%s: there is no such exercise; there is",
            plan->only != NULL ? plan->only : "");
    for (size_t i = 0; i < contracts->gl_pathc; i++) {
        const char *name = strchr(contracts->gl_pathv[i], '/') + 1;

        fprintf(stderr, " %.*s", (int)strcspn(name, "/"), name);
    }
    fprintf(stderr, "\n");
    return 2;
}

int plan_read(struct plan *plan)
{
    glob_t contracts;
    int status;

    if (glob("exercises/[0-9][0-9]-*/ex_*.h", 0, NULL, &contracts) != 0) {
        fprintf(stderr, "exercises: none here; run this in the course's "
                        "folder, with make check\n");
        return 3;
    }
    status = read_exercises(plan, &contracts);
    globfree(&contracts);
    return status != 0 ? status : read_builds(plan);
}

int exercise_points(const struct exercise *exercise)
{
    int points = 0;

    for (size_t i = 0; i < exercise->test_count; i++) {
        const struct grader_test *test = &exercise->tests[i];

        if (test->done && test->outcome.finding.verdict == VERDICT_PASSED)
            points += test->points;
    }
    return points;
}

int exercise_max(const struct exercise *exercise)
{
    int points = 0;

    for (size_t i = 0; i < exercise->test_count; i++)
        points += exercise->tests[i].points;
    return points;
}

void plan_free(struct plan *plan)
{
    for (int i = 0; i < PLAN_BUILDS; i++)
        free(plan->builds[i].text);
    free(plan->exercises);
}
