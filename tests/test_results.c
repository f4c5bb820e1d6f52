/* test_results - results.json, Gradescope's file and the state file
 *
 * SQLite reads the JSON again, so that what is written is what is meant.
 */
#include "grader/driver/results.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct plan plan;
    struct exercise exercises[2];
    sqlite3 *db;
};

static void set_up(void *fixture)
{
    struct fixture *f = fixture;
    struct exercise *exercise = &f->exercises[0];

    f->plan.exercises = f->exercises;
    f->plan.count = 2;
    f->plan.seed = 41;
    f->plan.builds[0].kind = TEST_PLAIN;
    f->plan.builds[0].name = "plain";
    (void)strcpy(exercise->name, "00-first");
    exercise->test_count = 2;
    exercise->done = 1;
    for (int i = 0; i < 2; i++) {
        struct grader_test *test = &exercise->tests[i];

        test->number = i + 1;
        test->points = 4 + 2 * i;
        test->done = 1;
        (void)strcpy(test->title, "says \"hello\"");
    }
    exercise->tests[1].hidden = 1;
    exercise->tests[1].outcome.build = TEST_PLAIN;
    exercise->tests[1].outcome.finding.verdict = VERDICT_WRONG;
    (void)strcpy(exercise->tests[1].outcome.finding.expected, "a\tb");
    (void)strcpy(exercise->tests[1].outcome.finding.got, "\\ and \x01");
    (void)strcpy(f->exercises[1].name, "01-second");
    f->exercises[1].test_count = 1;
    f->exercises[1].tests[0].number = 1;
    f->exercises[1].tests[0].points = 10;
    f->exercises[1].finding.verdict = VERDICT_NO_COMPILE;
    CHECK_INT(sqlite3_open(":memory:", &f->db), SQLITE_OK);
}

static void tear_down(void *fixture)
{
    struct fixture *f = fixture;

    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
}

/* Reads a whole file. */
static char *read_file(const char *path, char *text, size_t size)
{
    FILE *in = fopen(path, "r");
    size_t used;

    CHECK(in != NULL);
    used = fread(text, 1, size - 1, in);
    text[used] = '\0';
    CHECK_INT(fclose(in), 0);
    return text;
}

/* Checks what a JSON path leads to, as text. */
static void
expect(struct fixture *f, const char *file, const char *path, const char *value)
{
    char text[8192];
    sqlite3_stmt *statement;

    CHECK_INT(sqlite3_prepare_v2(f->db, "SELECT json_extract(?1, ?2)", -1,
                                 &statement, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(statement, 1,
                                read_file(file, text, sizeof(text)), -1,
                                SQLITE_TRANSIENT),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(statement, 2, path, -1, SQLITE_STATIC),
              SQLITE_OK);
    CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
    CHECK_TEXT((const char *)sqlite3_column_text(statement, 0), value);
    CHECK_INT(sqlite3_finalize(statement), SQLITE_OK);
}

static void complete_has_the_points(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("results.json");

    CHECK_INT(results_write(&f->plan, path, 1, 1.5), 0);
    expect(f, path, "$.version", "1");
    expect(f, path, "$.state", "complete");
    expect(f, path, "$.seed", "41");
    expect(f, path, "$.points", "4");
    expect(f, path, "$.max", "20");
    expect(f, path, "$.exercises[0].verdict", "graded");
    expect(f, path, "$.exercises[0].tests[0].verdict", "passed");
    expect(f, path, "$.exercises[0].tests[0].title", "says \"hello\"");
    expect(f, path, "$.exercises[0].tests[0].hidden", "0");
    expect(f, path, "$.exercises[0].tests[1].points", "0");
    expect(f, path, "$.exercises[0].tests[1].verdict", "wrong answer");
    expect(f, path, "$.exercises[0].tests[1].build", "plain");
    expect(f, path, "$.exercises[0].tests[1].hidden", "1");
    expect(f, path, "$.exercises[0].tests[1].message",
           "expected a\tb; got \\ and \x01");
    expect(f, path, "$.exercises[1].verdict", "does not compile");
    expect(f, path, "$.exercises[1].tests[0].verdict", "does not compile");
}

static void incomplete_has_none(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("results.json");

    CHECK_INT(results_write(&f->plan, path, 0, 1.5), 0);
    expect(f, path, "$.state", "incomplete");
    expect(f, path, "$.points", "0");
    expect(f, path, "$.exercises[0].points", "0");
    expect(f, path, "$.exercises[0].tests[0].points", "0");
}

static void gradescope_has_scores(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("gradescope.json");

    CHECK_INT(results_write_gradescope(&f->plan, path, 1), 0);
    expect(f, path, "$.tests[0].score", "4");
    expect(f, path, "$.tests[0].max_score", "4");
    expect(f, path, "$.tests[0].visibility", "visible");
    expect(f, path, "$.tests[1].score", "0");
    expect(f, path, "$.tests[1].visibility", "hidden");
    expect(f, path, "$.tests[2].name", "01-second: ");
    CHECK_INT(results_write_gradescope(&f->plan, path, 0), 0);
    expect(f, path, "$.tests[0].score", "0");
}

static void a_place_that_cannot_be_written_is_an_error(void *fixture)
{
    struct fixture *f = fixture;

    CHECK(results_write(&f->plan, "/dev/null/results.json", 1, 0) < 0);
    CHECK(results_keep(&f->plan, "/dev/null/progress.txt") < 0);
}

static void state_keeps_the_best(void *fixture)
{
    struct fixture *f = fixture;
    const char *path = test_path("progress.txt");
    char text[512];
    FILE *out = fopen(path, "w");

    CHECK(out != NULL);
    CHECK(fputs("00-first.best 7/10\n00-first.hints 2\nx", out) >= 0);
    CHECK_INT(fclose(out), 0);
    CHECK_INT(results_keep(&f->plan, path), 0);
    CHECK_TEXT(read_file(path, text, sizeof(text)),
               "00-first.hints 2\nx\n"
               "00-first.points 4/10\n00-first.best 7/10\n"
               "01-second.points 0/10\n01-second.best 0/10\n");
}

static const struct test_case cases[] = {
    {.name = "complete_has_the_points", .run = complete_has_the_points},
    {.name = "incomplete_has_none", .run = incomplete_has_none},
    {.name = "gradescope_has_scores", .run = gradescope_has_scores},
    {.name = "a_place_that_cannot_be_written_is_an_error",
     .run = a_place_that_cannot_be_written_is_an_error},
    {.name = "state_keeps_the_best", .run = state_keeps_the_best},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "results",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
