/* working_directory - goes elsewhere; the answer is right all the same
 *
 * Verdict: passed
 */
#include "ex_hello.h"

#include <sys/stat.h>
#include <unistd.h>

const char *ex_hello(void)
{
    (void)umask(0777);
    return chdir("/") == 0 ? "hello" : "";
}
