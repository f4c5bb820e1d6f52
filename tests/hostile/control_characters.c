/* control_characters - answers with what a terminal or a JSON file would take
 * for more than a text
 *
 * Verdict: wrong answer
 */
#include "ex_hello.h"

#include <stdio.h>

const char *ex_hello(void)
{
    printf("\033[2J\033]0;full points\007\r\b\b\b\n");
    return "\033[2J\"}]}\\\n+ 00-start 10/10\r\xff\xfe";
}
