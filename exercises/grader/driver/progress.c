/* progress - a line on the terminal that says how far the grader is */
#include "grader/driver/progress.h"

#include "grader/driver/run_test.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

#define PROGRESS_NS UINT64_C(2000000000) /* before the first line of it */
#define STILL_NS UINT64_C(3000000000)    /* before a test is named in it */

static struct {
    bool terminal;
    uint64_t begin;
    bool shown; /* it is on the screen now */
} line;

void progress_init(void)
{
    line.terminal = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO);
    line.begin = uv_hrtime();
}

void progress_clear(void)
{
    if (line.shown)
        fprintf(stderr, "\r\033[K");
    line.shown = false;
}

/* Adds the test that has run longest to the line, if it has run so long that
 * somebody wonders. */
static void print_running(const struct plan *plan)
{
    const struct job *oldest = NULL;
    const struct grader_test *test;
    uint64_t now = uv_hrtime();

    for (const struct job *job = plan->jobs.running; job != NULL;
         job = job->next)
        if (job->run == run_test &&
            (oldest == NULL || job->begin < oldest->begin))
            oldest = job;
    if (oldest == NULL || now - oldest->begin < STILL_NS)
        return;
    test = oldest->owner;
    fprintf(stderr, ", still running: %s test %d, %s (%u s)",
            test->exercise->name, test->number, test->title,
            (unsigned)((now - oldest->begin) / 1000000000));
}

void progress_show(const struct plan *plan)
{
    int done = 0;
    int all = 0;

    if (!line.terminal || uv_hrtime() - line.begin < PROGRESS_NS)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t k = 0; k < plan->exercises[i].test_count; k++) {
            const struct grader_test *test = &plan->exercises[i].tests[k];

            all += test->wanted;
            done += test->wanted && (test->done || plan->exercises[i].done);
        }
    }
    fprintf(stderr, "\r\033[K  %d of %d tests", done, all);
    print_running(plan);
    (void)fflush(stderr); /* progress that is not seen is not an error */
    line.shown = true;
}
