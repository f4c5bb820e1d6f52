/* memory_50g - asks for 50 GiB and fills what it got (here: up to 3 GiB)
 *
 * Verdict: too much memory | wrong answer
 * Time: 1
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "ex_hello.h"

#include <stddef.h>
#include <sys/mman.h>

const char *ex_hello(void)
{
    const size_t asked = (size_t)50 << 30;
    const size_t most = (size_t)3 << 30;
    char *memory = mmap(NULL, asked, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return "no memory";
    for (size_t at = 0; at < most; at += 4096)
        memory[at] = 1;
    return "hello";
}
