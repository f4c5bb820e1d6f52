/* signals - what a signal that ends a test means, in words
 *
 * Owns nothing; any thread may enter.
 */
#ifndef GRADER_DRIVER_SIGNALS_H
#define GRADER_DRIVER_SIGNALS_H

#include "grader/driver/finding.h"

#include <stdbool.h>

/* Sets verdict, got and the usual cause. */
void signals_explain(int number, bool stack_is_full, struct finding *finding);

#endif
