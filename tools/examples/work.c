#include "asq.h"

#include <stdio.h>

struct job {
    struct asq_work work;
    int number;
};

int main(void)
{
    struct job job = {.number = 42};
    struct asq_work_list list = {0};

    asq_work_push(&list, &job.work);
    (void)printf(
        "job %d is first\n",
        ASQ_CONTAINER_OF(asq_work_pop(&list), struct job, work)->number);
    return 0;
}
