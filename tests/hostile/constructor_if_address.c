/* constructor_if_address - the same, in the build with the address sanitizer
 * only, where constructors are usual
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

#if defined(__SANITIZE_ADDRESS__)
__attribute__((constructor)) static void begin(void)
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
