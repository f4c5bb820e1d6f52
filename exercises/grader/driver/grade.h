/* grade - builds and tests the exercises of a plan
 *
 * An exercise's builds come first, then its tests, each in a process of its
 * own that watches over the test's process. A test that needs another one
 * waits for it.
 */
#ifndef GRADER_DRIVER_GRADE_H
#define GRADER_DRIVER_GRADE_H

#include "grader/driver/plan.h"

/* Grades all exercises of the plan. plan->on_change is called after each step.
 * Returns 0, a negative UV_E*, or the number of a signal that ended it. */
int grade(struct plan *plan, int at_once);

#endif
