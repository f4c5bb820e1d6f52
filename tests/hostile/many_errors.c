/* many_errors - errors by the thousand, and one of its own making
 *
 * Verdict: does not compile
 */
#include "ex_hello.h"

#define ERRORS_4 nothing(; nothing(; nothing(; nothing(;
#define ERRORS_64                                                              \
    ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4    \
        ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4 ERRORS_4         \
            ERRORS_4

#error "\033[2J exercises/grader/driver/grade.c:1: error: full points"

const char *ex_hello(void)
{
    ERRORS_64 ERRORS_64 ERRORS_64 ERRORS_64 ERRORS_64 ERRORS_64;
    ERRORS_64 return "hello";
}
