/* print - shows what came of the exercises on the terminal
 *
 * Owns what it has printed so far. One thread enters. Texts of a student's
 * program have no control characters any more (explain).
 */
#include "grader/driver/print.h"
#include "common/table.h"
#include "grader/driver/progress.h"
#include "grader/driver/results.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    BAR = 10,
    WIDTH = 78
};

static struct {
    bool utf8;
    bool colour;
    size_t printed; /* exercises */
} screen;

void print_init(void)
{
    const char *plain = getenv("NO_COLOR");

    (void)setlocale(LC_CTYPE, ""); /* failed: then it is not UTF-8 */
    screen.utf8 = asq_terminal_is_utf8();
    screen.colour =
        isatty(STDOUT_FILENO) && (plain == NULL || plain[0] == '\0');
    progress_init();
}

static const char *pick(const char *utf8, const char *ascii)
{
    return screen.utf8 ? utf8 : ascii;
}

static const char *dot(void)
{
    return pick("·", "-");
}

static void print_mark(const char *mark, const char *colour)
{
    if (screen.colour)
        printf("\033[%sm%s\033[0m", colour, mark);
    else
        printf("%s", mark);
}

static void print_bar(int points, int max)
{
    int full = max > 0 ? points * BAR / max : 0;

    for (int i = 0; i < BAR; i++)
        printf("%s", i < full ? pick("█", "#") : pick("░", "."));
}

static void print_line(const char *name, const char *text)
{
    if (text[0] != '\0')
        printf("  %-10s %s\n", name, text);
}

/* The short name that EX= takes. */
static int number_of(const struct exercise *exercise)
{
    return atoi(exercise->name);
}

/* Prints lines that are apart by '\n', set in. */
static void print_more(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        if (length > 0)
            printf("             %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_finding(const struct finding *finding, const char *found_by)
{
    print_line("while", finding->doing);
    print_line("expected", finding->expected);
    if (finding->verdict == VERDICT_WRONG || finding->got[0] == '\0') {
        print_line("got", finding->got);
    } else {
        printf("  %-10s %s: %s\n", "got", verdict_name(finding->verdict),
               finding->got);
    }
    print_more(finding->more);
    if (strcmp(found_by, "address") == 0)
        print_line("found by", "the address and undefined sanitizers");
    if (strcmp(found_by, "thread") == 0)
        print_line("found by", "the thread sanitizer");
    if (finding->cause[0] != '\0')
        printf("  usual cause  %s\n", finding->cause);
    if (finding->where[0] != '\0') {
        printf("  %-10s %s%s%s\n", "look at", finding->where,
               finding->where2[0] != '\0' ? " and " : "", finding->where2);
    }
}

/* The line that every message about a test begins with. The seed is at
 * the right edge. */
static void print_head(const struct plan *plan,
                       const struct exercise *exercise,
                       const struct grader_test *test)
{
    char head[512];
    char seed[32];
    size_t width;

    (void)snprintf(head, sizeof head,
                   " %s %s test %d of %zu %s %d point%s %s %s%s",
                   exercise->name, dot(), test->number, exercise->test_count,
                   dot(), test->points, test->points == 1 ? "" : "s", dot(),
                   test->title, test->hidden ? " (hidden)" : "");
    (void)snprintf(seed, sizeof seed, "seed %llu",
                   (unsigned long long)plan->seed);
    width = 1 + asq_text_width(head) + strlen(seed);
    printf("%s%*s%s\n", head, width + 2 < WIDTH ? (int)(WIDTH - width) : 2, "",
           seed);
}

/* Tests that were not run for the same reason share a line. */
static void print_not_run(const struct exercise *exercise,
                          const struct grader_test *first)
{
    const struct grader_test *end = exercise->tests + exercise->test_count;
    const struct finding *finding = &first->outcome.finding;
    int points = 0;

    for (const struct grader_test *test = exercise->tests; test < end; test++) {
        const struct finding *other = &test->outcome.finding;

        if (!test->done || other->verdict != finding->verdict ||
            strcmp(other->got, finding->got) != 0)
            continue;
        if (test < first)
            return; /* that one's line has it */
        if (test == first) {
            print_mark(pick("–", "-"), "33");
            printf(" %s %s test", exercise->name, dot());
        }
        printf(" %d", test->number);
        points += test->points;
    }
    printf(" of %zu %s %d point%s %s %s: %s\n", exercise->test_count, dot(),
           points, points == 1 ? "" : "s", dot(),
           verdict_name(finding->verdict), finding->got);
}

static void print_test(const struct plan *plan,
                       const struct exercise *exercise,
                       const struct grader_test *test)
{
    const struct finding *finding = &test->outcome.finding;

    if (finding->verdict == VERDICT_PASSED)
        return;
    if (finding->verdict == VERDICT_SKIPPED ||
        finding->verdict == VERDICT_NOT_CHECKED) {
        print_not_run(exercise, test);
        return;
    }
    print_mark(pick("✗", "x"), "31");
    print_head(plan, exercise, test);
    print_finding(finding, results_build(plan, test->outcome.build));
    if (test->hidden)
        return; /* the reader cannot run it again */
    printf("  %-10s make check EX=%02d TEST=%d SEED=%llu        "
           "hints: make hint EX=%02d\n",
           "again", number_of(exercise), test->number,
           (unsigned long long)plan->seed, number_of(exercise));
}

/* Says in words what the points do not say. */
static void print_remark(const struct exercise *exercise)
{
    const struct finding *finding = &exercise->finding;
    int failed = 0;
    int run = 0;

    if (finding->verdict == VERDICT_NOT_STARTED) {
        printf("   not started: edit %s", exercise->shown);
        return;
    }
    if (finding->verdict != VERDICT_PASSED) {
        printf("   %s", verdict_name(finding->verdict));
        return;
    }
    for (size_t i = 0; i < exercise->test_count; i++) {
        const struct grader_test *test = &exercise->tests[i];

        run += test->done;
        failed += test->done && test->outcome.finding.verdict != VERDICT_PASSED;
    }
    if (run < (int)exercise->test_count)
        printf("   %d of %zu tests run", run, exercise->test_count);
    if (failed > 0)
        printf("   %d of %d test%s did not pass", failed, run,
               run == 1 ? "" : "s");
}

static void print_exercise(const struct plan *plan,
                           const struct exercise *exercise)
{
    int points = exercise_points(exercise);
    int max = exercise_max(exercise);
    int warnings = exercise->builds[0].outcome.warnings;
    const struct finding *finding = &exercise->finding;

    if (points == max && max > 0)
        print_mark(pick("✓", "+"), "32");
    else if (finding->verdict == VERDICT_NOT_STARTED)
        printf("%s", dot());
    else
        print_mark(pick("✗", "x"), "31");
    printf(" %-16s ", exercise->name);
    print_bar(points, max);
    printf(" %3d/%d", points, max);
    print_remark(exercise);
    printf("\n");
    if (finding->verdict != VERDICT_PASSED &&
        finding->verdict != VERDICT_NOT_STARTED)
        print_finding(finding, "");
    if (warnings > 0) {
        print_line("warnings", "they cost no points");
        print_more(exercise->builds[0].outcome.text);
    }
    for (size_t i = 0; i < exercise->test_count; i++)
        if (exercise->tests[i].done)
            print_test(plan, exercise, &exercise->tests[i]);
}

void print_done(const struct plan *plan)
{
    progress_clear();
    while (screen.printed < plan->count && plan->exercises[screen.printed].done)
        print_exercise(plan, &plan->exercises[screen.printed++]);
    (void)fflush(stdout); /* main looks at whether all could be written */
}

void print_sum(const struct plan *plan,
               const char *results,
               const char *sandbox_missing)
{
    int points = 0;
    int max = 0;

    for (size_t i = 0; i < plan->count; i++) {
        points += exercise_points(&plan->exercises[i]);
        max += exercise_max(&plan->exercises[i]);
    }
    if (plan->count > 1)
        printf("\n  %d of %d points\n", points, max);
    if (sandbox_missing != NULL)
        printf("  no sandbox: %s\n", sandbox_missing);
    printf("  all of it: %s\n", results);
}
