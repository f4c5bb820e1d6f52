/* progress - a line on the terminal that says how far the grader is
 *
 * Owns that line. A stream that is not a terminal gets none: a log would be
 * full of it. One thread enters.
 */
#ifndef GRADER_DRIVER_PROGRESS_H
#define GRADER_DRIVER_PROGRESS_H

#include "grader/driver/plan.h"

/* The time begins. Call once, first. */
void progress_init(void);

/* Shows how many tests are done, once two seconds have passed, and which test
 * has been running for more than three. */
void progress_show(const struct plan *plan);

/* Takes the line away, so that something else can be printed. */
void progress_clear(void);

#endif
