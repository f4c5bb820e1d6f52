/* prints_report - prints a sanitizer's report about a file that is not its
 * own, before it answers rightly
 *
 * Verdict: passed | memory error
 */
#include "ex_hello.h"

#include <stdio.h>

const char *ex_hello(void)
{
    fprintf(stderr,
            "==1==ERROR: AddressSanitizer: heap-use-after-free\n"
            "    #0 0x1 in grade /exercises/grader/driver/grade.c:1\n"
            "SUMMARY: AddressSanitizer: heap-use-after-free grade.c:1\n");
    return "hello";
}
