/* grader - grades a student's exercises
 *
 * `make check` builds what it needs and calls it from the course's folder.
 * Run: build/grader --help
 * See also: docs/grading.md.
 */
#include "common/options.h"
#include "grader/driver/explain.h"
#include "grader/driver/grade.h"
#include "grader/driver/print.h"
#include "grader/driver/progress.h"
#include "grader/driver/results.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DESCRIPTORS = 256,
    SEED_MAX = 999999999,
    DAY_SECONDS = 24 * 60 * 60
};

static struct app {
    struct plan plan;
    const char *results;
    const char *gradescope;
    const char *state;
    const char *sandbox;
    const char *sandbox_missing;
    long seed;
    long at_once;
    int quiet;
    bool all; /* nothing narrows the run */
    int write_error;
    uint64_t begin;
} app;

/* ---- Options ---------------------------------------------------------------
 */

static int read_options(int argc, char *argv[])
{
    const struct asq_option more[] = {
        {"exercise", "NAME", "only this one: 02 or 02-threads", ASQ_OPTION_TEXT,
         &app.plan.only, 0, 0},
        {"test", "N", "only this test of it, and the tests that it needs",
         ASQ_OPTION_LONG, &app.plan.test, 1, PLAN_TESTS},
        {"seed", "N", "the seed of the tests; 0: a new one each time",
         ASQ_OPTION_LONG, &app.seed, 0, SEED_MAX},
        {"from", "DIR", "DIR/NN-name/ex_*.c are graded", ASQ_OPTION_TEXT,
         &app.plan.from, 0, 0},
        {"work", "DIR", "where programs are built and run", ASQ_OPTION_TEXT,
         &app.plan.work, 0, 0},
        {"results", "FILE", "writes the results to FILE as JSON",
         ASQ_OPTION_TEXT, &app.results, 0, 0},
        {"gradescope", "FILE", "the same in the form of Gradescope",
         ASQ_OPTION_TEXT, &app.gradescope, 0, 0},
        {"state", "FILE", "keeps the points in FILE; none: nowhere",
         ASQ_OPTION_TEXT, &app.state, 0, 0},
        {"sandbox", "WHEN", "inside bubblewrap: auto, always or never",
         ASQ_OPTION_TEXT, &app.sandbox, 0, 0},
        {"jobs", "N", "how many run at once", ASQ_OPTION_LONG, &app.at_once, 1,
         JOBS_AT_ONCE_MAX},
        {"time-scale", "X", "time limits times X; 0: measured",
         ASQ_OPTION_DOUBLE, &app.plan.time_scale, 0, 1000},
        {"hidden", NULL, "the hidden tests too", ASQ_OPTION_FLAG,
         &app.plan.hidden, 0, 0},
        {"force", NULL, "files that are the untouched skeleton too",
         ASQ_OPTION_FLAG, &app.plan.force, 0, 0},
        {"quiet", NULL, "prints nothing but errors", ASQ_OPTION_FLAG,
         &app.quiet, 0, 0}};
    struct asq_options options = {
        .program = "build/grader",
        .about = "Grades the exercises of the course. Exit status: 0 full "
                 "points, 1 less,\n2 wrong use, 3 could not grade.",
        .more = more,
        .more_count = sizeof more / sizeof more[0],
        .is_tool = 1};
    int status = asq_options_parse(&options, argc, argv);

    if (status == -1 && app.plan.test != 0 && app.plan.only == NULL) {
        fprintf(stderr, "TEST=%ld: of which exercise? Add EX=02\n",
                app.plan.test);
        return 2;
    }
    return status;
}

/* Decides whether tests run inside bubblewrap. */
static int choose_sandbox(void)
{
    const char *reason = NULL;
    bool never = strcmp(app.sandbox, "never") == 0;
    bool always = strcmp(app.sandbox, "always") == 0;

    if (!never && !always && strcmp(app.sandbox, "auto") != 0) {
        fprintf(stderr, "--sandbox %s: use auto, always or never\n",
                app.sandbox);
        return 2;
    }
    app.plan.sandbox = !never && test__sandbox_works(&reason);
    if (always && !app.plan.sandbox) {
        fprintf(stderr, "--sandbox always: %s\n", reason);
        return 3;
    }
    if (!never && !app.plan.sandbox)
        app.sandbox_missing = reason;
    return 0;
}

/* Returns whether it is a day since this was asked the last time: the line
 * about the sandbox is of use once, not with every check. */
static bool is_due(void)
{
    char path[PLAN_PATH];
    struct stat info;
    FILE *file;

    (void)snprintf(path, sizeof path, "%.480s/no-sandbox-said", app.plan.build);
    if (stat(path, &info) == 0 && time(NULL) - info.st_mtime < DAY_SECONDS &&
        info.st_mtime <= time(NULL))
        return false;
    file = fopen(path, "w"); /* failed: then it is said again */
    if (file != NULL)
        (void)fclose(file);
    return true;
}

/* ---- How fast is this machine? ----------------------------------------------
 */

/* A little work of the kind that tests do. Returns the seconds it took. */
static double work_a_little(void)
{
    uint64_t begin = uv_hrtime();
    sqlite3 *db = NULL;

    /* If it cannot be done, the machine only seems fast. */
    if (sqlite3_open(":memory:", &db) == SQLITE_OK) {
        (void)sqlite3_exec(
            db,
            "WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
            "SELECT sum(i * i) FROM n",
            NULL, NULL, NULL);
    }
    (void)sqlite3_close(db);
    return (double)(uv_hrtime() - begin) / 1e9;
}

/* Limits only stop hangs, so they grow on a slow machine and never shrink. */
static double measure_time_scale(void)
{
    const double usual = 0.010;
    const double most = TEST__BUSY_MOST;
    double busy = test__busy(); /* a short work may have had luck */
    double longest = 0;
    double scale;

    for (int i = 0; i < 3; i++) {
        double seconds = work_a_little();

        longest = seconds > longest ? seconds : longest;
    }
    scale = longest > usual ? longest / usual : 1;
    scale = busy > scale ? busy : scale;
    return scale < most ? scale : most;
}

/* ---- The run ----------------------------------------------------------------
 */

static void write_results(int complete)
{
    double seconds = (double)(uv_hrtime() - app.begin) / 1e9;
    int err = results_write(&app.plan, app.results, complete, seconds);

    if (err == 0 && app.gradescope != NULL)
        err = results_write_gradescope(&app.plan, app.gradescope, complete);
    if (err != 0 && app.write_error == 0) {
        app.write_error = err;
        fprintf(stderr, "%s: %s\n", app.results, uv_strerror(err));
    }
}

static void on_change(struct plan *plan)
{
    write_results(0);
    if (!app.quiet)
        print_done(plan);
}

static void look(void)
{
    progress_show(&app.plan);
}

/* Returns main's status for what came of the exercises. */
static int judge(void)
{
    bool full = true;

    for (size_t i = 0; i < app.plan.count; i++) {
        const struct exercise *exercise = &app.plan.exercises[i];

        if (exercise->finding.verdict == VERDICT_GRADER)
            return 3;
        for (size_t k = 0; k < exercise->test_count; k++) {
            const struct grader_test *test = &exercise->tests[k];
            enum verdict verdict = test->outcome.finding.verdict;

            if (test->done && verdict == VERDICT_GRADER)
                return 3;
            if (!test->wanted)
                continue;
            full &= test->done && verdict == VERDICT_PASSED;
        }
    }
    return full ? 0 : 1;
}

static int run(void)
{
    int err;

    write_results(0);
    if (app.write_error != 0)
        return 3;
    app.plan.look = app.quiet ? NULL : look;
    err = grade(&app.plan, (int)app.at_once);
    if (err > 0) {
        fprintf(stderr, "stopped; %s says incomplete\n", app.results);
        (void)raise(err);
        return 3;
    }
    if (err < 0) {
        fprintf(stderr, "cannot start a process: %s\n", uv_strerror(err));
        return 3;
    }
    write_results(1);
    if (strcmp(app.state, "none") != 0 && app.all) {
        err = results_keep(&app.plan, app.state);
        if (err != 0)
            fprintf(stderr, "%s: %s\n", app.state, uv_strerror(err));
    }
    if (!app.quiet)
        print_sum(&app.plan, app.results,
                  app.sandbox_missing != NULL && is_due() ? app.sandbox_missing
                                                          : NULL);
    if (fflush(stdout) != 0 || ferror(stdout) || app.write_error != 0)
        return 3;
    return judge();
}

static uint64_t choose_seed(void)
{
    return app.seed != 0 ? (uint64_t)app.seed : uv_hrtime() / 1000 % 9999 + 1;
}

int main(int argc, char *argv[])
{
    char work[PLAN_PATH];
    char results[PLAN_PATH];
    int status;

    /* What was inherited is nothing for tests, whose watchers copy it. */
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
        (void)close(fd); /* most of them are not open */
    jobs_hide();
    app.begin = uv_hrtime();
    app.plan.from = "exercises";
    app.plan.build = getenv("ASQ_BUILD");
    if (app.plan.build == NULL || app.plan.build[0] == '\0')
        app.plan.build = "build";
    (void)snprintf(work, sizeof work, "%.400s/check", app.plan.build);
    (void)snprintf(results, sizeof results, "%.400s/results.json",
                   app.plan.build);
    app.plan.work = work;
    app.results = results;
    app.state = "exercises/progress.txt";
    app.sandbox = "auto";
    app.at_once = sysconf(_SC_NPROCESSORS_ONLN);
    app.plan.on_change = on_change;
    status = read_options(argc, argv);
    if (status != -1)
        return status;
    status = plan_read(&app.plan);
    if (status == 0)
        status = choose_sandbox();
    if (status == 0) {
        app.all = app.plan.test == 0 && !app.plan.hidden;
        app.plan.seed = choose_seed();
        if (app.plan.time_scale <= 0)
            app.plan.time_scale = measure_time_scale();
        print_init();
        status = run();
    }
    plan_free(&app.plan);
    return status;
}
