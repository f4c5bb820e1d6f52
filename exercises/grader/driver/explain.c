/* explain - turns the end of a test's process into what a student is told
 *
 * The most telling reason comes first: what the watcher ended, then a report
 * of a sanitizer, then what the test itself said, then how the process ended.
 */
#include "grader/driver/explain.h"

#include "grader/driver/frames.h"
#include "grader/driver/records.h"
#include "grader/driver/reports.h"
#include "grader/driver/signals.h"
#include "grader/driver/symbols.h"
#include "grader/driver/text.h"
#include "grader/driver/words.h"
#include "grader/driver/wrong.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum {
    TAIL_LINES = 8,
    OUTPUT_UNIT = 1 << 20
};

/* ---- What the test said ---------------------------------------------------
 */

/* Says why a loop does not close, by the first kind of handle that is open. */
static void explain_open(const char *open, struct finding *finding)
{
    static const struct {
        const char *part;
        const char *cause;
    } causes[] = {
        {"(closing)", "uv_close was called, but the loop did not run until "
                      "its callback"},
        {"timer", "uv_close was not called for a timer: uv_timer_stop alone "
                  "leaves it open"},
        {"async", "uv_close was not called for an async, or a connection or "
                  "worker was not closed"},
        {"idle", "uv_close was not called for an idle handle, which keeps the "
                 "loop turning without end"},
        {"request", "a request was submitted whose callback has not run"},
        {"", "uv_close was not called, or its callback has not run"},
    };
    const char *handle = open;
    size_t i = 0;

    while (strstr(open, causes[i].part) == NULL)
        i++;
    words_say(finding, VERDICT_OPEN, NULL, "the loop does not close; open: ");
    while (*handle != '\0') {
        char item[FINDING_LINE];
        int length = (int)strcspn(handle, ",");

        (void)snprintf(item, sizeof item, "%s%.*s", handle > open ? ", " : "",
                       length, handle);
        text_add(finding->got, sizeof finding->got, item);
        handle += length;
        handle += strspn(handle, ", ");
    }
    words_cause(finding, causes[i].cause); /* it says more than the test */
}

/* Returns whether the test said that its time is over. */
static bool says_time_over(const char *text)
{
    return strncmp(text, "still waits here after ", 23) == 0 ||
           strncmp(text, "no end after ", 13) == 0 ||
           strncmp(text, "the loop is busy, but never done", 32) == 0;
}

static void explain_hung(const struct test__run *run,
                         const struct explain_test *test,
                         struct finding *finding)
{
    struct frames frames;

    words_say(finding, VERDICT_HUNG, NULL, "no end after %u s", test->seconds);
    frames_read(run, test, &frames);
    if (frames_any_busy(&frames))
        words_cause(finding,
                    "a loop without end, or one that looks again and again "
                    "instead of waiting");
    frames_say(&frames, test, 1, finding);
}

static void explain_threads(const struct test__run *run,
                            const struct explain_test *test,
                            unsigned threads,
                            struct finding *finding)
{
    struct frames frames;

    words_say(finding, VERDICT_LEFT_RUNNING, NULL, "leaves %u thread%s running",
              threads, threads == 1 ? "" : "s");
    words_cause(finding, "a thread that was started was not joined");
    frames_read(run, test, &frames);
    frames_say(&frames, test, 0, finding);
}

static void explain_process(struct finding *finding)
{
    words_say(finding, VERDICT_LEFT_RUNNING, NULL, "leaves a process running");
    words_cause(finding, "fork in the exercise's code, without waitpid");
}

/* The test ended itself as failed. */
static void explain_fail(const struct test__run *run,
                         const struct explain_test *test,
                         const char *fail,
                         struct finding *finding)
{
    const char *text = wrong_skip_place(fail);
    const char *open = records_first(run, TEST__OPEN);
    static const char no_close[] = "the loop does not close";
    static const char left_process[] = "left a process running";
    unsigned threads;

    if (says_time_over(text)) {
        explain_hung(run, test, finding);
        return;
    }
    if (strncmp(text, no_close, strlen(no_close)) == 0 && open == NULL) {
        open = strstr(text, ": ");
        open = strncmp(text, "the loop does not close, open: ", 31) == 0
                   ? text + 31
               : open != NULL ? open + 2
                              : "unknown";
    }
    if (open != NULL) {
        explain_open(open, finding);
    } else if (sscanf(text, "leaves %u threads running", &threads) == 1) {
        explain_threads(run, test, threads, finding);
    } else if (strcmp(text, left_process) == 0) {
        explain_process(finding);
    } else {
        wrong_explain(run, test, fail, finding);
    }
}

/* ---- How the process ended -------------------------------------------------
 */

static void explain_signal(const struct test__run *run,
                           const struct explain_test *test,
                           struct finding *finding)
{
    struct frames frames;

    signals_explain(WTERMSIG(run->status),
                    records_first(run, TEST__FULL) != NULL, finding);
    frames_read(run, test, &frames);
    words_where(finding, test->shown, frames_first_line(&frames));
}

/* Returns whether the run was ended from outside, and says why. */
static bool explain_stopped(const struct test__run *run,
                            const struct explain_test *test,
                            struct finding *finding)
{
    switch (run->end) {
    case TEST__TIME_OVER:
        explain_hung(run, test, finding);
        return true;
    case TEST__TOO_MUCH_OUTPUT:
        words_say(finding, VERDICT_OUTPUT, "a loop that prints without end",
                  "printed more than %" PRIu64 " MiB",
                  run->output_total / OUTPUT_UNIT);
        return true;
    case TEST__TOO_MUCH_MEMORY:
        words_say(finding, VERDICT_TOO_BIG, "a loop that allocates without end",
                  "took more memory than a test may have");
        return true;
    case TEST__TOO_MANY_PROCESSES:
        words_say(finding, VERDICT_TOO_BIG,
                  "fork, or threads that are started in a loop without end",
                  "started more processes or threads than a test may have");
        return true;
    case TEST__BY_ITSELF:
        break;
    }
    return false;
}

/* Returns whether a sanitizer could not do its work on this machine. */
static bool sanitizer_gave_up(const struct test__run *run)
{
    static const char *const texts[] = {
        "FATAL: ThreadSanitizer: unexpected memory mapping",
        "ReserveShadowMemoryRange failed",
        "Shadow memory range interleaves",
        "LeakSanitizer has encountered a fatal error",
    };
    char line[TEXT_LINE];
    size_t at = 0;

    while (text_next(run->output, run->output_size, &at, line))
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            if (strstr(line, texts[i]) != NULL)
                return true;
    return false;
}

/* No report, no record of a failure: the process itself has to say it. */
static void explain_end(const struct test__run *run,
                        const struct explain_test *test,
                        struct finding *finding)
{
    const char *pass = records_first(run, TEST__PASS);
    bool returned = pass != NULL && strcmp(pass, run->nonce) == 0;

    if (run->status != 0 && sanitizer_gave_up(run)) {
        words_say(finding, VERDICT_GRADER, "make doctor says what works here",
                  "the sanitizer cannot work on this machine");
    } else if (WIFSIGNALED(run->status)) {
        explain_signal(run, test, finding);
    } else if (!returned || WEXITSTATUS(run->status) != 0) {
        words_say(finding, VERDICT_LEFT_EARLY,
                  "exit, _exit or exec in the exercise's code",
                  "exit with status %d %s the test was over",
                  WEXITSTATUS(run->status), returned ? "after" : "before");
    } else if (run->left_behind) {
        explain_process(finding);
    } else {
        const char *note = records_first(run, TEST__NOTE);

        finding->verdict = VERDICT_PASSED;
        text_set(finding->more, sizeof finding->more, note != NULL ? note : "");
    }
}

/* The last lines of the output, of what may explain itself by them. */
static void
add_output(const struct test__run *run, size_t size, struct finding *finding)
{
    if (finding->more[0] == '\0' && (finding->verdict == VERDICT_WRONG ||
                                     finding->verdict == VERDICT_CRASHED))
        text_add_tail(finding->more, sizeof finding->more, run->output, size,
                      TAIL_LINES);
}

/* A test that ends itself as failed cannot join its threads any more. */
static bool is_about_the_end(const struct report *report)
{
    return report->tool == REPORT_LEAK ||
           strncmp(report->kind, "thread leak", 11) == 0;
}

void explain_run(const struct test__run *run,
                 const struct explain_test *test,
                 struct finding *ret_finding)
{
    const char *fail = records_first(run, TEST__FAIL);
    const char *skip = records_first(run, TEST__SKIP);
    const char *cause = records_first(run, TEST__CAUSE);
    const char *doing = records_first(run, TEST__WHILE);
    size_t output_size = run->output_size;
    struct report report;

    memset(ret_finding, 0, sizeof *ret_finding);
    if (explain_stopped(run, test, ret_finding)) {
        /* Nothing else counts. */
    } else if (report_find(run->output, run->output_size, test, &report,
                           &output_size) &&
               !(fail != NULL && is_about_the_end(&report))) {
        report_explain(&report, test, ret_finding);
    } else if (fail != NULL) {
        if (cause != NULL && !says_time_over(wrong_skip_place(fail)))
            text_set(ret_finding->cause, sizeof ret_finding->cause, cause);
        explain_fail(run, test, fail, ret_finding);
    } else if (skip != NULL) {
        words_say(ret_finding, VERDICT_NOT_CHECKED, NULL, "%s", skip);
    } else {
        explain_end(run, test, ret_finding);
    }
    if (fail != NULL && doing != NULL)
        text_set(ret_finding->doing, sizeof ret_finding->doing, doing);
    if (ret_finding->got[0] == '\0' && ret_finding->verdict != VERDICT_PASSED)
        text_set(ret_finding->got, sizeof ret_finding->got, "nothing");
    add_output(run, output_size, ret_finding);
    if (ret_finding->where[0] == '\0' && test->function != NULL &&
        ret_finding->verdict == VERDICT_WRONG)
        words_where(ret_finding, test->shown,
                    symbols_line_of(test->program, test->file, test->function));
}
