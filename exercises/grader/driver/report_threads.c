/* report_threads - says reports of the thread sanitizer in words */
#include "grader/driver/reports.h"

#include "grader/driver/text.h"
#include "grader/driver/words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Adds what one side of a race does, and where. */
static void add_side(struct finding *finding,
                     const char *before,
                     int connection,
                     const struct report_stack *stack,
                     const struct explain_test *test)
{
    char text[FINDING_LINE];
    const char *does = connection      ? ""
                       : stack->frees  ? "frees "
                       : stack->writes ? "writes "
                                       : "reads ";

    if (stack->line > 0)
        (void)snprintf(text, sizeof text, "%s%sat %.80s:%d", before, does,
                       test->file, stack->line);
    else
        (void)snprintf(text, sizeof text, "%s%sin %s", before, does,
                       stack->in_test                    ? "the test"
                       : stack->library == REPORT_UV     ? "libuv"
                       : stack->library == REPORT_SQLITE ? "SQLite"
                                                         : "another thread");
    text_add(finding->got, sizeof finding->got, text);
}

static void explain_race(const struct report *report,
                         const struct explain_test *test,
                         struct finding *finding)
{
    const struct report_stack *sides[2] = {NULL, NULL};
    size_t count = 0;
    bool connection;

    for (size_t i = 0; i < report->stack_count && count < 2; i++)
        if (report->stacks[i].role == REPORT_ACCESS)
            sides[count++] = &report->stacks[i];
    connection = count == 2 && sides[0]->connection && sides[1]->connection;
    if (connection)
        words_say(finding, VERDICT_RACED,
                  "a connection belongs to one thread at a time: to the one "
                  "that owns it, or to the one that holds its mutex",
                  "two threads use one connection");
    else
        words_say(
            finding, VERDICT_RACED,
            "data that is not guarded by the same mutex on both sides, or "
            "that is passed on without one",
            "two threads use the same data, and nothing orders them");
    for (size_t i = 0; i < count && count == 2; i++) {
        add_side(finding, i == 0 ? ": " : ", ", connection, sides[i], test);
        words_where(finding, test->shown, sides[i]->line);
    }
}

static const struct thread_words {
    const char *kind;
    enum verdict verdict;
    const char *got;
    const char *cause;
} thread_words[] = {
    {"lock-order-inversion", VERDICT_RACED,
     "two mutexes are locked in different orders",
     "each of two threads can hold one of them and wait for the other"},
    {"thread leak", VERDICT_LEFT_RUNNING, "a thread was never joined",
     "every thread that was started has to be joined"},
    {"destroy of a locked mutex", VERDICT_UNDEFINED,
     "a mutex is destroyed while it is locked",
     "an exit that does not unlock it, or a thread that still holds it"},
    {"double lock", VERDICT_UNDEFINED,
     "a thread locks a mutex that it holds already",
     "a function that locks calls another one that locks too"},
    {"unlock of an unlocked", VERDICT_UNDEFINED,
     "a mutex is unlocked that this thread has not locked",
     "an exit that unlocks twice, or before it has locked"},
    {"invalid mutex", VERDICT_UNDEFINED,
     "a mutex is used that was not initialised, or was destroyed", NULL},
    {"", VERDICT_RACED, "threads are used in the wrong way", NULL},
};

static void explain_threads(const struct report *report,
                            const struct explain_test *test,
                            struct finding *finding)
{
    const struct thread_words *words = thread_words;

    while (strstr(report->kind, words->kind) == NULL)
        words++;
    words_say(finding, words->verdict, words->cause, "%s", words->got);
    /* Where a thread or a mutex was made only counts when the report is about
     * that. */
    for (size_t i = 0; i < report->stack_count; i++)
        if (report->stacks[i].role != REPORT_MADE ||
            words->verdict == VERDICT_LEFT_RUNNING)
            words_where(finding, test->shown, report->stacks[i].line);
}

void report_explain(const struct report *report,
                    const struct explain_test *test,
                    struct finding *finding)
{
    if (report->tool == REPORT_LEAK)
        report_explain_leak(report, test, finding);
    else if (report->tool == REPORT_UNDEFINED)
        report_explain_undefined(report, test, finding);
    else if (strstr(report->kind, "data race") != NULL)
        explain_race(report, test, finding);
    else if (report->tool == REPORT_ADDRESS ||
             strstr(report->kind, "heap-use-after-free") != NULL ||
             strstr(report->kind, " on unknown address") != NULL)
        report_explain_memory(report, test, finding);
    else
        explain_threads(report, test, finding);
}
