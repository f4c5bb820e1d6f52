/* build - makes the test program of a student's file
 *
 * A build is a job: it compiles the file, looks at what it defines and links
 * it with the tests. What has not changed since the last time is not built
 * again.
 */
#ifndef GRADER_DRIVER_BUILD_H
#define GRADER_DRIVER_BUILD_H

#include "grader/driver/plan.h"

enum {
    BUILD_SECONDS = 200 /* for all steps, each of which has its own limit */
};

/* Writes the path of a test program; hidden tests are a program of their own.
 * Returns path. */
char *build_program(const struct plan *plan,
                    const struct exercise *exercise,
                    unsigned kind,
                    int hidden,
                    char path[PLAN_PATH]);

/* A job's function: input is a struct exercise_build, result a struct
 * build_outcome. */
void build_run(const void *input, void *result);

#endif
