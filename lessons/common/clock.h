/* clock - monotonic time for programs, tests and benchmarks
 *
 * Owns nothing; any thread may call it. Modules do not use it: those of the
 * event loop call uv_hrtime, db calls clock_gettime.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#define ASQ_NS_PER_US UINT64_C(1000)
#define ASQ_NS_PER_MS UINT64_C(1000000)
#define ASQ_NS_PER_S UINT64_C(1000000000)

/* Returns nanoseconds since an arbitrary point that never moves back. */
uint64_t asq_clock_now_ns(void);

/* Keeps the calling thread busy computing for ms milliseconds. It stands for
 * the work of a program that a demonstration does not want to spell out. */
void pretend_to_work(unsigned ms);

#endif
