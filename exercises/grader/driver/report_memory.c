/* report_memory - says reports about memory and undefined behaviour in words
 *
 * Nothing of the report itself is shown but lines of the student's file; the
 * rest is about addresses and other people's functions.
 */
#include "grader/driver/reports.h"

#include "grader/driver/words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* A report that does not touch the student's file has these usual causes. */
static void blame_library(const struct report *report, struct finding *finding)
{
    enum report_library library = REPORT_NO_LIBRARY;
    bool leak = report->tool == REPORT_LEAK;

    if (finding->where[0] != '\0')
        return;
    for (size_t i = 0; i < report->stack_count && library == 0; i++)
        if (leak || report->stacks[i].role == REPORT_ACCESS)
            library = report->stacks[i].library;
    if (library == REPORT_SQLITE)
        words_cause(finding, leak ? "a statement that was not finalized, or a "
                                    "connection that was not closed"
                                  : "a statement or a connection that is used "
                                    "after it was finalized or closed");
    else if (library == REPORT_UV)
        words_cause(finding, leak ? "a uv loop that was not closed"
                                  : "a uv handle or request that lies on the "
                                    "stack, or was freed before its callback "
                                    "has run");
}

static const struct memory_words {
    const char *kind;
    enum verdict verdict;
    const char *reads;
    const char *writes; /* NULL: the same */
    const char *cause;
} memory_words[] = {
    {"heap-use-after-free", VERDICT_MEMORY, "reads memory that was freed",
     "writes to memory that was freed",
     "something still points to it, or a callback still needs it"},
    {"heap-buffer-overflow", VERDICT_MEMORY,
     "reads past the end of an allocation",
     "writes past the end of an allocation",
     "an index or a length that is too large; a text needs one byte more"},
    {"stack-use-after-return", VERDICT_MEMORY,
     "reads a local variable of a function that has returned",
     "writes to a local variable of a function that has returned",
     "a request or an argument on the stack of a function that did not wait"},
    {"stack-use-after-scope", VERDICT_MEMORY,
     "reads a local variable of a block that is over",
     "writes to a local variable of a block that is over",
     "a pointer that outlives what it points to"},
    {"stack-buffer-underflow", VERDICT_MEMORY,
     "reads before the beginning of a local variable",
     "writes before the beginning of a local variable", "a negative index"},
    {"stack-buffer-overflow", VERDICT_MEMORY,
     "reads past the end of a local variable",
     "writes past the end of a local variable",
     "an index or a length that is too large"},
    {"global-buffer-overflow", VERDICT_MEMORY,
     "reads past the end of a constant or a global variable",
     "writes past the end of a global variable",
     "an index or a length that is too large"},
    {"double-free", VERDICT_MEMORY, "frees the same memory twice", NULL,
     "two owners: one of them must forget the pointer"},
    {"not malloc()-ed", VERDICT_MEMORY,
     "frees memory that did not come from malloc", NULL,
     "a pointer that was moved, or that points to a variable"},
    {"param-overlap", VERDICT_MEMORY, "copies between two places that overlap",
     NULL, "memmove can copy between such places"},
    {"negative-size-param", VERDICT_MEMORY,
     "gives a negative size to a function", NULL,
     "a difference or an error code that is used as a length"},
    {"allocation-size-too-big", VERDICT_TOO_BIG,
     "asks for more memory than there can be", NULL,
     "a negative number that is used as a size"},
    {"requested allocation size", VERDICT_TOO_BIG,
     "asks for more memory than there can be", NULL,
     "a negative number that is used as a size"},
    {"calloc-overflow", VERDICT_TOO_BIG,
     "asks for more memory than there can be", NULL,
     "a negative number that is used as a size"},
    {"out of memory", VERDICT_TOO_BIG, "took more memory than there is", NULL,
     "something that grows without end"},
    {"out-of-memory", VERDICT_TOO_BIG, "took more memory than there is", NULL,
     "something that grows without end"},
    {"stack-overflow", VERDICT_CRASHED, "the stack is full", NULL,
     "a function that calls itself without end, or a very large array"},
    {"SEGV", VERDICT_CRASHED, "SIGSEGV: reads at an invalid address",
     "SIGSEGV: writes at an invalid address",
     "a pointer that is NULL, was never set, or is no longer valid"},
    {"BUS", VERDICT_CRASHED, "SIGBUS: uses an invalid address", NULL,
     "a pointer that was never set, or is no longer valid"},
    {"FPE", VERDICT_CRASHED, "SIGFPE: divides by zero", NULL, NULL},
    {"ILL", VERDICT_CRASHED,
     "SIGILL: runs something that is not an instruction", NULL, NULL},
    {"ABRT", VERDICT_CRASHED, "SIGABRT: abort was called", NULL,
     "an assert that does not hold, or a library that gives up"},
    {"", VERDICT_MEMORY, "uses memory that is not its own", NULL, NULL},
};

/* Says where the memory came from. */
static void say_origin(struct finding *finding,
                       const char *shown,
                       const char *what,
                       const struct report_stack *stack)
{
    if (stack == NULL || stack->line == 0)
        return;
    words_where(finding, shown, stack->line);
    if (finding->more[0] == '\0')
        (void)snprintf(finding->more, sizeof finding->more, "%s at %.180s:%d",
                       what, shown, stack->line);
}

void report_explain_memory(const struct report *report,
                           const struct explain_test *test,
                           struct finding *finding)
{
    const struct report_stack *access = report_stack_of(report, REPORT_ACCESS);
    const struct report_stack *freed = report_stack_of(report, REPORT_FREED);
    const struct memory_words *words = memory_words;
    bool writes = access != NULL && access->writes;

    while (!has(report->kind, words->kind))
        words++;
    if (report->before && has(words->kind, "heap-buffer"))
        words_say(finding, words->verdict, "a negative index",
                  "%s before the beginning of an allocation",
                  writes ? "writes" : "reads");
    else
        words_say(finding, words->verdict, words->cause, "%s",
                  writes && words->writes != NULL ? words->writes
                                                  : words->reads);
    if (access != NULL)
        words_where(finding, test->shown, access->line);
    blame_library(report, finding);
    /* Of the thread sanitizer, the free is another access. */
    for (size_t i = 1; i < report->stack_count && freed == NULL; i++)
        if (report->stacks[i].frees)
            freed = &report->stacks[i];
    say_origin(finding, test->shown, "it was freed", freed);
    say_origin(finding, test->shown,
               has(words->kind, "stack") ? "its function begins"
                                         : "it was allocated",
               report_stack_of(report, REPORT_ALLOCATED));
}

/* Of several leaks, the first that the student's file has made. */
void report_explain_leak(const struct report *report,
                         const struct explain_test *test,
                         struct finding *finding)
{
    if (report->bytes == 0)
        words_say(finding, VERDICT_LEAKED, NULL, "memory is never freed");
    else
        words_say(finding, VERDICT_LEAKED, NULL,
                  "%llu byte%s in %llu allocation%s %s never freed",
                  report->bytes, report->bytes == 1 ? "" : "s", report->blocks,
                  report->blocks == 1 ? "" : "s",
                  report->bytes == 1 ? "is" : "are");
    for (size_t i = 0; i < report->stack_count; i++)
        if (finding->where[0] == '\0')
            words_where(finding, test->shown, report->stacks[i].line);
    blame_library(report, finding);
}

void report_explain_undefined(const struct report *report,
                              const struct explain_test *test,
                              struct finding *finding)
{
    static const struct {
        const char *part;
        const char *cause;
    } causes[] = {
        {"null pointer", "a pointer that should point to something is NULL"},
        {"insufficient space", "an index or a length that is too large"},
        {"out of bounds", "an index or a length that is too large"},
        {"misaligned", "a pointer that was never set, or of another type"},
        {"division by zero", "a divisor that was not checked"},
        {"overflow", "numbers that are too large for their type"},
        {"shift", "a shift by too many bits, or of a negative number"},
        {"not a valid value", "a variable that was never set"},
        {"incorrect function type", "a function that is called as another"},
    };
    const char *cause = NULL;

    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (cause == NULL && has(report->kind, causes[i].part))
            cause = causes[i].cause;
    words_say(finding, VERDICT_UNDEFINED, cause, "%s",
              report->kind[0] != '\0' ? report->kind : "undefined behaviour");
    words_where(finding, test->shown, report->line);
    for (size_t i = 0; i < report->stack_count; i++)
        if (finding->where[0] == '\0')
            words_where(finding, test->shown, report->stacks[i].line);
    blame_library(report, finding);
}
