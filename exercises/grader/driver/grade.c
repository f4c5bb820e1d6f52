/* grade - builds and tests the exercises of a plan
 *
 * Owns the order of things: what is built, which test runs when, and what
 * counts. One thread enters; tests and builds run in processes of their own
 * (jobs.h), and nothing that a test's process says is believed but what
 * explain_run makes of its end.
 */
#include "grader/driver/grade.h"
#include "grader/driver/build.h"
#include "grader/driver/explain.h"
#include "grader/driver/files.h"
#include "grader/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SOURCE_MAX = 1 << 20,
    ENDING = 8 /* seconds that the end of a test's process may take */
};

/* ---- One test, in a process of its own -------------------------------------
 */

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
    memset(finding, 0, sizeof(*finding));
    finding->verdict = VERDICT_GRADER;
    (void)snprintf(finding->got, sizeof(finding->got), "%.300s%s%s", what,
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
        .function = strcmp(test->function, "-") != 0 ? test->function : NULL,
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
    if (memcmp(&before, &after, sizeof(before)) != 0) {
        memset(finding, 0, sizeof(*finding));
        finding->verdict = VERDICT_REFUSED;
        (void)snprintf(finding->got, sizeof(finding->got),
                       "the test's program was changed while it ran");
    }
    folder_remove(folder);
}

static void make_folder_name(const struct grader_test *test,
                             long pid,
                             char folder[PLAN_PATH])
{
    (void)snprintf(folder, PLAN_PATH, "%.300s/%s/tmp/%s-%ld", test->plan->work,
                   test->exercise->name, test->name, pid);
}

/* Runs a test under each of its builds, as often as it wants, up to the first
 * run that does not pass. input is the struct grader_test. */
static void run_test(const void *input, void *result)
{
    const struct grader_test *test = input;
    struct test_outcome *outcome = result;
    const char *off = NULL;
    uint64_t begin = uv_hrtime();
    char folder[PLAN_PATH];

    test__process_prepare();
    make_folder_name(test, (long)getpid(), folder);
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
                return;
            }
        }
    }
    if (off != NULL) {
        outcome->finding.verdict = VERDICT_NOT_CHECKED;
        (void)snprintf(outcome->finding.got, sizeof(outcome->finding.got),
                       "%.300s", off);
    }
}

/* ---- The order of things ----------------------------------------------------
 */

static void look_on(struct exercise *exercise, struct plan *plan);

static void end_exercise(struct exercise *exercise, struct plan *plan)
{
    exercise->done = 1;
    plan->on_change(plan);
}

static void finish_test(struct grader_test *test)
{
    test->done = 1;
    look_on(test->exercise, test->plan);
    test->plan->on_change(test->plan);
}

static void on_test_done(struct job *job, int ok)
{
    struct grader_test *test = job->owner;
    char folder[PLAN_PATH];

    if (!ok) {
        make_folder_name(test, (long)job->pid, folder);
        folder_remove(folder);
        memset(&test->outcome, 0, sizeof(test->outcome));
        test->outcome.finding.verdict = VERDICT_LEFT_EARLY;
        (void)snprintf(test->outcome.finding.got,
                       sizeof(test->outcome.finding.got),
                       "the process that watches the test was stopped");
    }
    finish_test(test);
}

static void skip(struct grader_test *test)
{
    test->outcome.finding.verdict = VERDICT_SKIPPED;
    (void)snprintf(test->outcome.finding.got, sizeof(test->outcome.finding.got),
                   "first make test %d pass", test->needs);
    test->done = 1;
}

/* The seconds after which the process that watches a test must have ended,
 * as it would have ended the test long before. */
static unsigned limit_all_runs(const struct grader_test *test)
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

static void start_test(struct grader_test *test)
{
    test->job.seconds = limit_all_runs(test);
    test->job.run = run_test;
    test->job.input = test;
    test->job.result = &test->outcome;
    test->job.result_size = sizeof(test->outcome);
    test->job.done = on_test_done;
    test->job.owner = test;
    jobs_add(&test->plan->jobs, &test->job);
}

/* Decides about each test that waits for a test that is done by now. A test
 * comes after those that it needs, so one pass is enough. */
static void look_on(struct exercise *exercise, struct plan *plan)
{
    int left = 0;

    for (size_t i = 0; i < exercise->test_count; i++) {
        struct grader_test *test = &exercise->tests[i];
        const struct grader_test *needed =
            test->needs > 0 && (size_t)test->needs <= i
                ? &exercise->tests[test->needs - 1]
                : NULL;

        if (!test->wanted || test->done)
            continue;
        left++;
        if (test->job.owner != NULL || (needed != NULL && !needed->done))
            continue;
        if (needed == NULL ||
            needed->outcome.finding.verdict == VERDICT_PASSED) {
            start_test(test);
        } else {
            skip(test);
            left--;
        }
    }
    if (left == 0 && !exercise->done)
        end_exercise(exercise, plan);
}

/* The plain build speaks first; the others only if it is all right. */
static void on_built(struct exercise *exercise, struct plan *plan)
{
    for (int i = 0; i < PLAN_BUILDS; i++) {
        const struct finding *finding = &exercise->builds[i].outcome.finding;

        if (finding->verdict != VERDICT_PASSED) {
            exercise->finding = *finding;
            end_exercise(exercise, plan);
            return;
        }
    }
    look_on(exercise, plan);
}

static void on_build_done(struct job *job, int ok)
{
    struct exercise_build *build = job->owner;

    if (!ok)
        say_grader(&build->outcome.finding, "a build was killed", 0);
    if (--build->exercise->builds_left == 0)
        on_built(build->exercise, build->plan);
}

static void add_build(struct plan *plan,
                      struct exercise *exercise,
                      struct exercise_build *build,
                      unsigned kind)
{
    build->kind = kind;
    build->plan = plan;
    build->exercise = exercise;
    build->job.run = build_run;
    build->job.input = build;
    build->job.result = &build->outcome;
    build->job.result_size = sizeof(build->outcome);
    build->job.done = on_build_done;
    build->job.owner = build;
    build->job.seconds = BUILD_SECONDS;
    exercise->builds_left++;
    jobs_add(&plan->jobs, &build->job);
}

static void start_exercise(struct plan *plan, struct exercise *exercise)
{
    unsigned builds = TEST_PLAIN; /* it also tells of errors and warnings */

    if (access(exercise->source, R_OK) != 0) {
        exercise->finding.verdict = VERDICT_MISSING;
        (void)snprintf(exercise->finding.got, sizeof(exercise->finding.got),
                       "there is no %.300s", exercise->shown);
    } else if (!file_is_plain(exercise->source, SOURCE_MAX)) {
        exercise->finding.verdict = VERDICT_REFUSED;
        (void)snprintf(exercise->finding.got, sizeof(exercise->finding.got),
                       "no file, or one of more than 1 MiB");
    } else if (!plan->force &&
               file_is_same(exercise->source, exercise->skeleton)) {
        exercise->finding.verdict = VERDICT_NOT_STARTED;
    }
    if (exercise->finding.verdict != VERDICT_PASSED) {
        end_exercise(exercise, plan);
        return;
    }
    for (size_t i = 0; i < exercise->test_count; i++)
        if (exercise->tests[i].wanted)
            builds |= exercise->tests[i].builds;
    for (int i = 0; i < PLAN_BUILDS; i++)
        if ((builds & plan->builds[i].kind) != 0 && plan->builds[i].off == NULL)
            add_build(plan, exercise, &exercise->builds[i],
                      plan->builds[i].kind);
}

int grade(struct plan *plan, int at_once)
{
    jobs_init(&plan->jobs, at_once);
    plan->jobs.look = plan->look;
    for (size_t i = 0; i < plan->count; i++)
        start_exercise(plan, &plan->exercises[i]);
    return jobs_run(&plan->jobs);
}
