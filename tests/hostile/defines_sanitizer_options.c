/* defines_sanitizer_options - tells the address sanitizer not to look
 *
 * Verdict: refused
 * Message: __asan_default_options
 */
#include "ex_hello.h"

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:halt_on_error=0";
}

const char *ex_hello(void)
{
    return "hello";
}
