/* run - runs a program to its end and takes what it prints
 *
 * Owns nothing that lasts. One thread enters. Depends on process and libuv.
 */
#include "process.h"

#include <sys/wait.h>
#include <uv.h>

enum {
    RUN_SECONDS = 20, /* for a program whose whole output is wanted */
    NO_PROGRAM = 127  /* what a child says that could not become one */
};

/* Takes what it prints until its end. Returns 0 or a negative UV_E*. */
static int
follow(struct class_process *process, size_t most, struct class_text *output)
{
    uint64_t end = uv_hrtime() + RUN_SECONDS * UINT64_C(1000000000);
    const struct class_process *all = process;
    int ended = 0;

    for (;;) {
        size_t room = most - output->size;
        size_t came;

        /* Asked first: what was written before the end is there to read. */
        ended = ended || class_process_ended(process);
        came = class_process_read(process, output, most);
        if (came > room)
            return UV_EFBIG;
        if (ended && came == 0)
            return 0;
        if (test__interrupted() && most > 0)
            return UV_ECANCELED;
        if (uv_hrtime() > end)
            return UV_ETIMEDOUT;
        if (!ended)
            class_process_wait(&all, 1, UINT64_C(100000000));
    }
}

int class_process_run(const char *const words[],
                      int input,
                      size_t most,
                      struct class_text *output)
{
    struct class_process process = {.output = -1};
    int rc = class_process_start(&process, words, input, 0);

    if (rc != 0)
        return rc;
    rc = follow(&process, most, output);
    class_process_kill(&process);
    if (rc != 0)
        return rc;
    if (!WIFEXITED(process.status))
        return 128 + WTERMSIG(process.status);
    if (WEXITSTATUS(process.status) == NO_PROGRAM)
        return UV_ENOENT;
    return WEXITSTATUS(process.status);
}
