/* run_test - runs one test of an exercise under each of its builds
 *
 * Owns the folder of the test while it runs. Nothing that the test's process
 * says is believed but what explain_run makes of its end.
 */
#include "grader/driver/run_test.h"

#include "grader/driver/build.h"
#include "grader/driver/explain.h"
#include "grader/driver/files.h"
#include "grader/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ENDING = 8 /* seconds that the end of a test's process may take */
};

static void set_limits(const struct grader_test *test,
                       unsigned kind,
                       struct test__start *start)
{
    unsigned factor = kind == TEST_THREAD ? 10 : kind == TEST_ADDRESS ? 5 : 1;
    double seconds = test->seconds * test->plan->time_scale * factor;

    start->seconds = (unsigned)(seconds + 0.5);
    start->memory = UINT64_C(1) << 30;
    if (kind != TEST_PLAIN)
        start->memory *= 2; /* the sanitizer's own */
    start->output = UINT64_C(1) << 20;
    start->seed = test->plan->seed;
    start->sandbox = test->plan->sandbox;
}

static void say_grader(struct finding *finding, const char *what, int err)
{
    memset(finding, 0, sizeof *finding);
    finding->verdict = VERDICT_GRADER;
    (void)snprintf(finding->got, sizeof finding->got, "%.300s%s%s", what,
                   err != 0 ? ": " : "", err != 0 ? uv_strerror(err) : "");
}

/* Runs the test's process once under one build. */
static void run_once(const struct grader_test *test,
                     const struct plan_build *how,
                     const char *folder,
                     struct finding *finding)
{
    static struct test__run run; /* large */
    const struct exercise *exercise = test->exercise;
    char program[PLAN_PATH];
    struct test__start start = {
        .name = test->name,
        .program = build_program(test->plan, exercise, how->kind, test->hidden,
                                 program),
        .prefix = how->prefix[0] != NULL ? how->prefix : NULL,
        .folder = folder};
    struct explain_test about = {
        .program = program,
        .file = exercise->file,
        .shown = exercise->shown,
        .function = exercise->one_function && strcmp(test->function, "-") != 0
                        ? test->function
                        : NULL,
        .build = how->kind};
    struct file_mark before = file_mark(program);
    struct file_mark after;
    int err = test__folder_make(folder);

    set_limits(test, how->kind, &start);
    about.seconds = start.seconds;
    if (err != 0) {
        say_grader(finding, "cannot make the folder of a test", err);
        return;
    }
    err = test__process_run(&start, &run);
    if (err != 0)
        say_grader(finding, "cannot start the test's process", err);
    else
        explain_run(&run, &about, finding);
    after = file_mark(program);
    if (memcmp(&before, &after, sizeof before) != 0) {
        memset(finding, 0, sizeof *finding);
        finding->verdict = VERDICT_REFUSED;
        (void)snprintf(finding->got, sizeof finding->got,
                       "the test's program was changed while it ran");
    }
    folder_remove(folder);
}

void run_test_folder(const struct grader_test *test,
                     long pid,
                     char folder[PLAN_PATH])
{
    (void)snprintf(folder, PLAN_PATH, "%.300s/%s/tmp/%s-%ld", test->plan->work,
                   test->exercise->name, test->name, pid);
}

/* A crash whose place is not known: if the address sanitizer knows it, its
 * words are better. */
static void ask_sanitizer(const struct grader_test *test,
                          const char *folder,
                          struct test_outcome *outcome)
{
    struct finding finding;

    for (int i = 0; i < PLAN_BUILDS; i++) {
        const struct plan_build *how = &test->plan->builds[i];

        if (how->kind != TEST_ADDRESS || (test->builds & how->kind) == 0 ||
            how->off != NULL)
            continue;
        memset(&finding, 0, sizeof finding);
        run_once(test, how, folder, &finding);
        if (finding.verdict == VERDICT_PASSED || finding.where[0] == '\0')
            continue;
        outcome->finding = finding;
        outcome->build = how->kind;
    }
}

/* Runs a test under each of its builds, as often as it wants, up to the first
 * run that does not pass. */
void run_test(const void *input, void *result)
{
    const struct grader_test *test = input;
    struct test_outcome *outcome = result;
    const char *off = NULL;
    uint64_t begin = uv_hrtime();
    char folder[PLAN_PATH];

    test__process_prepare();
    run_test_folder(test, (long)getpid(), folder);
    for (int i = 0; i < PLAN_BUILDS; i++) {
        const struct plan_build *how = &test->plan->builds[i];

        if ((test->builds & how->kind) == 0)
            continue;
        if (how->off != NULL) {
            off = how->off;
            continue;
        }
        for (int time = 0; time < test->times; time++) {
            run_once(test, how, folder, &outcome->finding);
            outcome->seconds = (double)(uv_hrtime() - begin) / 1e9;
            if (outcome->finding.verdict != VERDICT_PASSED) {
                outcome->build = how->kind;
                if (outcome->finding.verdict == VERDICT_CRASHED &&
                    outcome->finding.where[0] == '\0')
                    ask_sanitizer(test, folder, outcome);
                return;
            }
        }
    }
    if (off != NULL) {
        outcome->finding.verdict = VERDICT_NOT_CHECKED;
        (void)snprintf(outcome->finding.got, sizeof outcome->finding.got,
                       "%.300s", off);
    }
}

unsigned run_test_seconds(const struct grader_test *test)
{
    unsigned sum = ENDING;

    for (int i = 0; i < PLAN_BUILDS; i++) {
        const struct plan_build *how = &test->plan->builds[i];
        struct test__start start = {0};

        if ((test->builds & how->kind) == 0)
            continue;
        set_limits(test, how->kind, &start);
        sum += (start.seconds + ENDING) * (unsigned)test->times;
    }
    return sum;
}
