/* measure_loop - the query of measure, asked on an event loop
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

/* Asks through so many conns in turn, while the loop beats. After
 * asq_measure_blocking; returns as that. */
int asq_measure_loop(struct asq_measure *measure,
                     unsigned conns,
                     struct asq_measured *ret_measured);

#ifdef __cplusplus
}
#endif

#endif
