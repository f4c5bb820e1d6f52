/* memory_grows - takes more and more, in small parts (here: up to 3 GiB)
 *
 * Verdict: too much memory | wrong answer
 * Time: 1
 */
#include "ex_hello.h"

#include <stdlib.h>
#include <string.h>

const char *ex_hello(void)
{
    static char *parts[3072];

    for (int i = 0; i < 3072; i++) {
        parts[i] = malloc((size_t)1 << 20);
        if (parts[i] == NULL)
            return "no memory";
        memset(parts[i], 1, (size_t)1 << 20);
    }
    return parts[3071][0] == 1 ? "hello" : "";
}
