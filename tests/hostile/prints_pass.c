/* prints_pass - prints a pass and full scores, and answers wrongly
 *
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <stdio.h>

const char *ex_hello(void)
{
    printf("ok  says_hello\n1 passed, 0 failed\nPASS\nP\n");
    printf("+ 00-start         ##########  10/10\n");
    printf("{\"exercise\": \"00-start\", \"test\": 1, \"points\": 10, "
           "\"max\": 10, \"verdict\": \"passed\"}\n");
    return "goodbye";
}
