/* wrong - tells a wrong answer in the words of the test
 *
 * Owns nothing. One thread enters.
 */
#ifndef GRADER_DRIVER_WRONG_H
#define GRADER_DRIVER_WRONG_H

#include "grader/driver/explain.h"

/* Returns what follows "file:line: " in the record of a failure. */
const char *wrong_skip_place(const char *fail);

/* Fills in verdict, expected, got, more and, where the test was called back
 * from the student's file, where. Expressions about the fields of a struct are
 * the test's own affair and are not shown; its line is, instead. */
void wrong_explain(const struct test__run *run,
                   const struct explain_test *test,
                   const char *fail,
                   struct finding *finding);

#endif
