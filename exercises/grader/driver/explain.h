/* explain - turns the end of a test's process into what a student is told
 *
 * Owns nothing. Reads the records, the output with its sanitizer reports and
 * the stacks of a struct test__run, and asks addr2line for the lines of a
 * program. One thread enters.
 */
#ifndef GRADER_DRIVER_EXPLAIN_H
#define GRADER_DRIVER_EXPLAIN_H

#include "grader/driver/finding.h"
#include "grader/runner.h"

struct explain_test {
    const char *program;  /* the test's program, for addr2line */
    const char *file;     /* base name of the student's file, "ex_x.c" */
    const char *shown;    /* its path as a student writes it:
                             "exercises/02-threads/ex_x.c" */
    const char *function; /* the only one of the contract, or NULL */
    unsigned build;       /* TEST_PLAIN, TEST_ADDRESS or TEST_THREAD */
    unsigned seconds;     /* the limit it had */
};

/* Decides the verdict and fills in what is known. A finding other than passed,
 * not checked always has got. It has where only if a line of the student's
 * file is known to be the place: of a report, of a stack, or that of function,
 * which then is the only one that could have given a wrong answer. Paths
 * outside of the course, addresses and process ids do not show. */
void explain_run(const struct test__run *run,
                 const struct explain_test *test,
                 struct finding *ret_finding);

#endif
