/* results - results.json, the file of Gradescope, and the state file
 *
 * Each is written beside its place and renamed, so a reader sees an old one
 * or a new one, and a grader that is killed leaves "incomplete".
 */
#ifndef GRADER_DRIVER_RESULTS_H
#define GRADER_DRIVER_RESULTS_H

#include "grader/driver/plan.h"

/* Writes the results as they are now (docs/grading.md describes the keys). An
 * incomplete file has 0 points. Returns 0 or a negative UV_E*. */
int results_write(const struct plan *plan,
                  const char *path,
                  int complete,
                  double seconds);

/* Writes the same for Gradescope. */
int results_write_gradescope(const struct plan *plan,
                             const char *path,
                             int complete);

/* Keeps the points of each exercise that was graded whole in the state file;
 * lines that it does not know stay. */
int results_keep(const struct plan *plan, const char *path);

/* Writes the message of a finding in one line. Returns text. */
char *results_message(const struct finding *finding, char *text, size_t size);

/* Returns the name of a test's build: "plain", or "" for none. */
const char *results_build(const struct plan *plan, unsigned kind);

#endif
