/* destructor - a function that runs after main, to change the status
 *
 * Verdict: refused
 */
#include "ex_hello.h"

#include <unistd.h>

__attribute__((destructor)) static void end(void)
{
    _exit(0);
}

const char *ex_hello(void)
{
    return "goodbye";
}
