/* measure_loop - asks the query of measure on an event loop
 *
 * Main's thread enters it; the loop is made and closed inside. Depends on
 * measure, and on conn of lesson 03.
 */
#ifndef ASQ_MEASURE_LOOP_H
#define ASQ_MEASURE_LOOP_H

#include "04-measure-first/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Asks through this many conns in turn, while the loop beats. Call it after
 * asq_measure_blocking; returns as that. */
int asq_measure_loop(struct asq_measure *measure,
                     unsigned conns,
                     struct asq_measured *ret_measured);

#ifdef __cplusplus
}
#endif

#endif
