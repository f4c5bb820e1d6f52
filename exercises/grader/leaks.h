/* leaks - lets a leak cost the points of the tests that are about it
 *
 * The leak sanitizer looks when a test's process ends, whatever the test is
 * about, so a single forgotten free would fail all of them.
 */
#ifndef GRADER_LEAKS_H
#define GRADER_LEAKS_H

#if defined(__linux__)
/* Of the address sanitizer; NULL in a build without it. */
void __lsan_disable(void) __attribute__((weak));
#endif

/* What this thread allocates from now on does not count as a leak. Called first
 * in a test that is about something else. */
static inline void test_leaks_do_not_count(void)
{
#if defined(__linux__)
    if (__lsan_disable != 0)
        __lsan_disable();
#endif
}

#endif
