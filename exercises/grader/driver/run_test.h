/* run_test - runs one test of an exercise under each of its builds
 *
 * One thread enters, in a process of its own (jobs.h).
 */
#ifndef GRADER_DRIVER_RUN_TEST_H
#define GRADER_DRIVER_RUN_TEST_H

#include "grader/driver/plan.h"

#include <stdint.h>

/* A job's function: runs the test as often as it wants under each build, up to
 * the first run that does not pass. input is the struct grader_test, result a
 * struct test_outcome. */
void run_test(const void *input, void *result);

/* Writes the name of the folder in which the process runs the test. */
void run_test_folder(const struct grader_test *test,
                     long pid,
                     char folder[PLAN_PATH]);

/* Returns the seconds after which the process that watches the test must have
 * ended, as it would have ended the test long before. */
unsigned run_test_seconds(const struct grader_test *test);

#endif
