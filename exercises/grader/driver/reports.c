/* reports - reads the report of a sanitizer
 *
 * A report begins with a line that names its kind. Its stacks are runs of
 * lines that begin with a number sign, and the line before a run says what
 * the stack is about.
 */
#include "grader/driver/reports.h"

#include "grader/driver/symbols.h"
#include "grader/driver/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where in the report the reader is. */
struct reader {
    const struct explain_test *test;
    struct report report;
    struct report_stack *stack; /* the one whose frames are read, or NULL */
    enum report_role role;      /* of the next one */
    bool writes;                /* likewise */
};

static int has(const char *line, const char *part)
{
    return strstr(line, part) != NULL;
}

/* Reports about the signal handlers of the runner, not about the student. */
static bool is_ours(const char *kind)
{
    return strncmp(kind, "signal-unsafe", 13) == 0 ||
           strncmp(kind, "signal handler spoils", 21) == 0;
}

/* Returns whether the text before is a place, "FILE:LINE:COLUMN" or
 * "<unknown>", and not just a text of the student. */
static bool ends_a_place(const char *line, const char *at)
{
    return at > line && (isdigit((unsigned char)at[-1]) || at[-1] == '>');
}

/* Returns whether a report begins here, and then what it says. */
static int begins(const char *line, struct report *ret_report)
{
    static const struct {
        const char *mark;
        enum report_tool tool;
    } marks[] = {
        {"ERROR: LeakSanitizer: ", REPORT_LEAK},
        {"WARNING: ThreadSanitizer: ", REPORT_THREAD},
        {"ERROR: ThreadSanitizer: ", REPORT_THREAD},
        {"ERROR: AddressSanitizer: ", REPORT_ADDRESS},
        {"ERROR: UndefinedBehaviorSanitizer: ", REPORT_ADDRESS}, /* a signal */
        {": runtime error: ", REPORT_UNDEFINED},
    };

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *at = strstr(line, marks[i].mark);

        if (at == NULL ||
            (marks[i].tool == REPORT_UNDEFINED && !ends_a_place(line, at)))
            continue;
        memset(ret_report, 0, sizeof *ret_report);
        ret_report->tool = marks[i].tool;
        text_set(ret_report->kind, sizeof ret_report->kind,
                 at + strlen(marks[i].mark));
        return 1;
    }
    return 0;
}

/* Starts the stack that the lines before have announced. */
static void start_stack(struct reader *reader)
{
    struct report *report = &reader->report;
    size_t most = sizeof report->stacks / sizeof report->stacks[0];

    reader->stack = NULL;
    if (report->stack_count == most)
        return;
    reader->stack = &report->stacks[report->stack_count++];
    reader->stack->role = reader->role;
    reader->stack->writes = reader->writes;
}

/* Takes the offset of "(PROGRAM+0x12ab)" from a frame without a file. */
static void
take_offset(struct report_stack *stack, const char *line, const char *program)
{
    char part[160];
    const char *at;
    size_t most = sizeof stack->offsets / sizeof stack->offsets[0];

    (void)snprintf(part, sizeof part, "%.150s+0x", text_base(program));
    at = strstr(line, part);
    if (at != NULL && stack->offset_count < most)
        stack->offsets[stack->offset_count++] =
            strtoull(at + strlen(part), NULL, 16);
}

/* check.c and the headers beside it are the test. */
static bool is_in_test(const char *line)
{
    return text_line_of(line, "check.c", NULL) > 0 ||
           (has(line, "exercises/") && !has(line, "exercises/grader/") &&
            has(line, ".h:"));
}

/* "#1 0x55 in ex_get /home/x/ex_x.c:57:3" or "#1 ex_get ex_x.c:57 (ex+0x5)" */
static void take_frame(struct reader *reader, const char *line)
{
    struct report_stack *stack = reader->stack;
    bool first = strncmp(line, "#0 ", 3) == 0;
    const char *in = strstr(line, " in ");
    const char *function = in != NULL ? in + 4 : strchr(line, ' ') + 1;
    int in_sqlite = has(line, "sqlite3");

    if (first && (strncmp(function, "free ", 5) == 0 ||
                  has(function, "interceptor_free ")))
        stack->frees = true;
    if (has(line, "__wrap_sqlite3_") || has(line, "thread_check.c"))
        stack->connection = true;
    if (stack->line != 0)
        return;
    stack->line = text_line_of(line, reader->test->file, NULL);
    stack->in_test |= is_in_test(line);
    if (stack->library == REPORT_NO_LIBRARY && !stack->in_test)
        stack->library = in_sqlite ? REPORT_SQLITE
                         : has(line, "libuv") || has(function, "uv__")
                             ? REPORT_UV
                             : REPORT_NO_LIBRARY;
    if (stack->line == 0 && !has(line, ".c:"))
        take_offset(stack, line, reader->test->program);
}

/* A line between the stacks: it says what the next one is about. */
static void take_heading(struct reader *reader, const char *line)
{
    struct report *report = &reader->report;
    const char *leaked = strstr(line, " leaked in ");

    reader->stack = NULL;
    if (leaked != NULL &&
        sscanf(line, "SUMMARY: %*[^:]: %llu", &report->bytes) == 1) {
        (void)sscanf(leaked, " leaked in %llu", &report->blocks);
    } else if (has(line, " to the left of ") || has(line, " bytes before ")) {
        report->before = true;
    } else if (has(line, "created by") || has(line, "created at") ||
               has(line, "sleep:")) {
        reader->role = REPORT_MADE;
    } else if (has(line, "freed by")) {
        reader->role = REPORT_FREED;
    } else if (has(line, "allocated by") || has(line, "allocated from") ||
               has(line, "is located in stack")) {
        reader->role = REPORT_ALLOCATED;
    } else if (has(line, "acquired here")) {
        reader->role = REPORT_LOCKED;
    } else if (has(line, " of size ") && has(line, " by ")) {
        reader->role = REPORT_ACCESS; /* of the thread sanitizer */
        reader->writes = has(line, "rite of size");
    } else if (strncmp(line, "WRITE of size", 13) == 0) {
        reader->writes = true;
    } else if (has(line, "caused by a WRITE")) {
        reader->writes = true;
    }
}

/* Where the sanitizer had no names, addr2line may. */
static void find_lines(struct report *report, const struct explain_test *test)
{
    for (size_t i = 0; i < report->stack_count; i++) {
        struct report_stack *stack = &report->stacks[i];
        struct symbols_place places[8];

        if (stack->line != 0 || stack->offset_count == 0)
            continue;
        memset(places, 0, sizeof places);
        for (size_t j = 0; j < stack->offset_count; j++)
            places[j].offset = stack->offsets[j];
        symbols_find(test->program, test->file, places, stack->offset_count);
        for (size_t j = 0; j < stack->offset_count && stack->line == 0; j++)
            if (places[j].own)
                stack->line = places[j].line;
    }
}

static bool knows_line(const struct report *report)
{
    for (size_t i = 0; i < report->stack_count; i++)
        if (report->stacks[i].line != 0 &&
            report->stacks[i].role != REPORT_MADE)
            return true;
    return report->line != 0;
}

/* Keeps the report that was read if it says more than the one that is kept.
 * Returns whether there is one. */
static int
keep(struct reader *reader, int reading, int kept, struct report *ret_report)
{
    if (!reading || is_ours(reader->report.kind))
        return kept;
    find_lines(&reader->report, reader->test);
    if (!kept || (!knows_line(ret_report) && knows_line(&reader->report)))
        *ret_report = reader->report;
    return 1;
}

bool report_find(const char *text,
                 size_t size,
                 const struct explain_test *test,
                 struct report *ret_report,
                 size_t *ret_begin)
{
    struct reader reader = {.test = test};
    struct report next;
    char line[TEXT_LINE];
    size_t at = 0;
    bool reading = false;
    int kept = 0;

    *ret_begin = size;
    for (size_t start = 0; text_next(text, size, &at, line); start = at) {
        const char *words = line + strspn(line, " ");

        if (begins(line, &next)) {
            kept = keep(&reader, reading, kept, ret_report);
            if (!reading && *ret_begin == size)
                *ret_begin = start;
            reader = (struct reader){.test = test, .report = next};
            reader.report.line = text_line_of(line, test->file, NULL);
            reading = true;
        } else if (reading && words[0] == '#' &&
                   isdigit((unsigned char)words[1])) {
            if (reader.stack == NULL || words[1] == '0')
                start_stack(&reader);
            if (reader.stack != NULL && strchr(words, ' ') != NULL)
                take_frame(&reader, words);
        } else if (reading) {
            take_heading(&reader, words);
        }
    }
    return keep(&reader, reading, kept, ret_report);
}

const struct report_stack *report_stack_of(const struct report *report,
                                           enum report_role role)
{
    for (size_t i = 0; i < report->stack_count; i++)
        if (report->stacks[i].role == role)
            return &report->stacks[i];
    return NULL;
}
