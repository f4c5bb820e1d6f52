/* reports - reads the report of a sanitizer
 *
 * Owns nothing. One thread enters. Knows what gcc's and clang's sanitizers
 * for addresses, leaks, undefined behaviour and threads print.
 */
#ifndef GRADER_DRIVER_REPORTS_H
#define GRADER_DRIVER_REPORTS_H

#include "grader/driver/explain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_tool {
    REPORT_ADDRESS,
    REPORT_LEAK,
    REPORT_UNDEFINED,
    REPORT_THREAD
};

/* What a stack of a report is about. */
enum report_role {
    REPORT_ACCESS, /* where it was done: an access, a free, an unlock */
    REPORT_FREED,
    REPORT_ALLOCATED,
    REPORT_LOCKED, /* of two mutexes, one was locked here */
    REPORT_MADE    /* a thread or a mutex was */
};

enum report_library {
    REPORT_NO_LIBRARY,
    REPORT_UV,
    REPORT_SQLITE
};

struct report_stack {
    enum report_role role;
    bool writes; /* of an access */
    bool frees;
    bool connection; /* it is a use of a connection, see thread_check.c */
    int line;        /* innermost of the student's file; 0: none */
    bool in_test;    /* it passes through check.c or a header beside it */
    enum report_library library;
    /* For addr2line, when the sanitizer could not find names: places in the
     * test's program. */
    uint64_t offsets[8];
    size_t offset_count;
};

struct report {
    enum report_tool tool;
    char kind[200]; /* "heap-use-after-free on address", "data race" */
    bool before;    /* it is before the beginning of an allocation */
    int line;       /* of the student's file, if the report begins with it */
    unsigned long long bytes; /* leaked */
    unsigned long long blocks;
    struct report_stack stacks[6]; /* the first ones */
    size_t stack_count;
};

/* Looks for the report that is worth telling: the first that knows a line of
 * the student's file, else the first. Returns whether there is one. ret_begin
 * is set to where the first one begins, or to size. */
bool report_find(const char *text,
                 size_t size,
                 const struct explain_test *test,
                 struct report *ret_report,
                 size_t *ret_begin);

/* Returns the first stack of a role, or NULL. */
const struct report_stack *report_stack_of(const struct report *report,
                                           enum report_role role);

/* Fills in verdict, got, cause, where, where2 and more. */
void report_explain(const struct report *report,
                    const struct explain_test *test,
                    struct finding *finding);

/* The same for one kind of report. */
void report_explain_memory(const struct report *report,
                           const struct explain_test *test,
                           struct finding *finding);
void report_explain_leak(const struct report *report,
                         const struct explain_test *test,
                         struct finding *finding);
void report_explain_undefined(const struct report *report,
                              const struct explain_test *test,
                              struct finding *finding);

#endif
