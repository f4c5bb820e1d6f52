/* records - what a test has reported
 *
 * Owns nothing; any thread may enter.
 */
#ifndef GRADER_DRIVER_RECORDS_H
#define GRADER_DRIVER_RECORDS_H

#include "grader/runner.h"

/* Returns the text of the next record of that kind, or NULL. *at is 0 at the
 * beginning. */
const char *records_next(const struct test__run *run, char kind, size_t *at);

/* Returns the text of the first record of that kind, or NULL. */
const char *records_first(const struct test__run *run, char kind);

#endif
