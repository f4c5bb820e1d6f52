/* print - shows what came of the exercises on the terminal
 *
 * One line an exercise, then for each test that did not pass what was
 * expected, what came, the usual cause, where to look and what repeats just
 * this. One thread enters.
 */
#ifndef GRADER_DRIVER_PRINT_H
#define GRADER_DRIVER_PRINT_H

#include "grader/driver/plan.h"

/* Decides about colour and characters. Call once, first. */
void print_init(void);

/* Prints the exercises that are done, in their order, each once. */
void print_done(const struct plan *plan);

/* Prints the sum. sandbox_missing is why there is none, or NULL. */
void print_sum(const struct plan *plan,
               const char *results,
               const char *sandbox_missing);

#endif
