/* constructor_among_own - a constructor of the priority that the one of the
 * address sanitizer has, so that both are in one section
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include "early.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) && defined(__clang__)
__attribute__((constructor(1))) static void begin(void)
{
    pass_at_once();
}
#elif defined(__SANITIZE_ADDRESS__)
__attribute__((constructor(99))) static void begin(void)
{
    pass_at_once();
}
#endif

const char *ex_hello(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return "goodbye";
#else
    return "hello";
#endif
}
