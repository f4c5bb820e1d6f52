/* clock - monotonic time for programs, tests and benchmarks
 *
 * Owns nothing. Any thread may call its functions. Modules do not use it: those
 * of the event loop call uv_hrtime, and db calls clock_gettime.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#define ASQ_NS_PER_US UINT64_C(1000)
#define ASQ_NS_PER_MS UINT64_C(1000000)
#define ASQ_NS_PER_S UINT64_C(1000000000)

/* Returns the nanoseconds since some fixed moment; it never goes back. */
uint64_t asq_clock_now_ns(void);

/* Keeps the calling thread computing for ms milliseconds, in place of work that
 * a demonstration does not spell out. */
void pretend_to_work(unsigned ms);

#endif
