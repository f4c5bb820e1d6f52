#include "asq.h"

#include <stdio.h>

static void multiply(struct asq_job *job, unsigned thread)
{
    int *number = job->data;

    (void)thread;
    *number *= 7;
}

int main(void)
{
    int number = 6;
    struct asq_job job = {.run_on_thread = multiply, .data = &number};
    struct asq_offload offload;
    int rc = asq_offload_start(&offload, 2, 8);

    if (rc != 0)
        return 1;
    rc = asq_offload_submit(&offload, &job, ASQ_FULL_WAITS);
    if (rc == 0)
        rc = asq_offload_wait(&offload, &job);
    if (rc == 0)
        (void)printf("6 * 7 = %d\n", number);
    asq_offload_stop(&offload, ASQ_REST_RUNS);
    asq_offload_destroy(&offload);
    return rc != 0;
}
