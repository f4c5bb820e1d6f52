/* measure_threads - asks the query of measure on threads
 *
 * Main's thread enters it. Depends on measure, and on offload of lesson 02.
 */
#ifndef ASQ_MEASURE_THREADS_H
#define ASQ_MEASURE_THREADS_H

#include "04-measure-first/measure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Asks on this many threads with a connection each, while main beats. Call it
 * after asq_measure_blocking; returns as that. */
int asq_measure_threads(struct asq_measure *measure,
                        unsigned threads,
                        struct asq_measured *ret_measured);

#ifdef __cplusplus
}
#endif

#endif
