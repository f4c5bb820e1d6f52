/* clock - monotonic time for programs, tests and benchmarks
 *
 * Owns nothing. Any thread may call its functions. Depends on POSIX only.
 */
#include "common/clock.h"

#include <assert.h>
#include <time.h>

uint64_t asq_clock_now_ns(void)
{
    struct timespec now;
    int rc;

    /* UNTESTED: it can fail only for a clock that the system does not have,
     * and every system with threads has this one. */
    rc = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(rc == 0);
    (void)rc; /* read by the assertion only */
    return (uint64_t)now.tv_sec * ASQ_NS_PER_S + (uint64_t)now.tv_nsec;
}

void pretend_to_work(unsigned ms)
{
    uint64_t end = asq_clock_now_ns() + ms * ASQ_NS_PER_MS;

    /* It must not sleep: a thread that sleeps leaves the processor to others,
     * and one that works does not. */
    while (asq_clock_now_ns() < end) {
    }
}
