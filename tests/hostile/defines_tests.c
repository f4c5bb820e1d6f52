/* defines_tests - brings its own tests along
 *
 * Verdict: refused
 * Message: test_suite
 */
#include "ex_hello.h"

const struct {
    const char *name;
    const void *cases;
} test_suite = {"00-start", 0};

const char *ex_hello(void)
{
    return "goodbye";
}
