/* environment - changes what later processes would read; the answer is right
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <stdlib.h>

const char *ex_hello(void)
{
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    (void)setenv("LD_PRELOAD", "/nowhere/evil.so", 1);
    (void)setenv("TEST_FOLDER", "/", 1);
    (void)setenv("TEST_SEED", "0", 1);
    (void)setenv("PATH", "", 1);
    return "hello";
}
