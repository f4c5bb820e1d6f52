/* grade - builds and tests the exercises of a plan
 *
 * Owns the order of things: what is built, which test runs when, and what
 * counts. One thread enters; tests (run_test.h) and builds (build.h) run in
 * processes of their own (jobs.h).
 */
#include "grader/driver/grade.h"
#include "grader/driver/build.h"
#include "grader/driver/contract.h"
#include "grader/driver/files.h"
#include "grader/driver/run_test.h"
#include "grader/driver/words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SOURCE_MAX = 1 << 20
};

static void look_on(struct exercise *exercise, struct plan *plan);

static void end_exercise(struct exercise *exercise, struct plan *plan)
{
    exercise->done = true;
    plan->on_change(plan);
}

static void finish_test(struct grader_test *test)
{
    test->done = true;
    look_on(test->exercise, test->plan);
    test->plan->on_change(test->plan);
}

static void on_test_done(struct job *job, int ok)
{
    struct grader_test *test = job->owner;
    char folder[PLAN_PATH];

    if (!ok) {
        run_test_folder(test, (long)job->pid, folder);
        folder_remove(folder);
        memset(&test->outcome, 0, sizeof test->outcome);
        test->outcome.finding.verdict = VERDICT_LEFT_EARLY;
        (void)snprintf(test->outcome.finding.got,
                       sizeof test->outcome.finding.got,
                       "the process that watches the test was stopped");
    }
    finish_test(test);
}

static void skip(struct grader_test *test)
{
    test->outcome.finding.verdict = VERDICT_SKIPPED;
    (void)snprintf(test->outcome.finding.got, sizeof test->outcome.finding.got,
                   "first make test %d pass", test->needs);
    test->done = true;
}

static void start_test(struct grader_test *test)
{
    test->job.seconds = run_test_seconds(test);
    test->job.run = run_test;
    test->job.input = test;
    test->job.result = &test->outcome;
    test->job.result_size = sizeof test->outcome;
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
        words_say(&build->outcome.finding, VERDICT_GRADER, NULL,
                  "a build was killed");
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
    build->job.result_size = sizeof build->outcome;
    build->job.done = on_build_done;
    build->job.owner = build;
    build->job.seconds = BUILD_SECONDS;
    exercise->builds_left++;
    jobs_add(&plan->jobs, &build->job);
}

/* If the contract cannot be read, the build will say so. */
static bool has_one_function(const struct exercise *exercise)
{
    struct contract *contract;
    bool one;

    if (contract_new(exercise->contract, "lessons", &contract) != 0)
        return false;
    one = contract_count(contract->own) == 1;
    contract_free(contract);
    return one;
}

static void start_exercise(struct plan *plan, struct exercise *exercise)
{
    unsigned builds = TEST_PLAIN; /* it also tells of errors and warnings */

    exercise->one_function = has_one_function(exercise);

    if (access(exercise->source, R_OK) != 0) {
        exercise->finding.verdict = VERDICT_MISSING;
        (void)snprintf(exercise->finding.got, sizeof exercise->finding.got,
                       "there is no %.300s", exercise->shown);
    } else if (!file_is_plain(exercise->source, SOURCE_MAX)) {
        exercise->finding.verdict = VERDICT_REFUSED;
        (void)snprintf(exercise->finding.got, sizeof exercise->finding.got,
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
