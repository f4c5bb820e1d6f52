/* memory_of_children - four processes that hold 512 MiB each, for a while
 *
 * Verdict: too much memory
 */
#include "ex_hello.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void hold(void)
{
    const size_t size = (size_t)512 << 20;
    char *memory = malloc(size);

    if (memory != NULL)
        memset(memory, 1, size);
    (void)sleep(60);
    _exit(memory != NULL && memory[size / 2] == 1 ? 0 : 1);
}

const char *ex_hello(void)
{
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            hold();
    while (wait(NULL) > 0) {
        /* Until the last one has ended. */
    }
    return "hello";
}
