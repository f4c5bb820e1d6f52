#include "asq.h"

#include <stdio.h>

struct job {
    struct asq_work work;
    int number;
};

static void run_on_worker(struct asq_worker *worker,
                          struct asq_work_list *batch)
{
    struct asq_work *work;

    while ((work = asq_work_pop(batch)) != NULL) {
        ASQ_CONTAINER_OF(work, struct job, work)->number *= 7;
        asq_worker_done(worker, work);
    }
    asq_worker_post(worker);
}

static void on_closed(struct asq_worker *worker)
{
    (void)worker; /* its memory may go now */
}

static void finish_on_loop(struct asq_worker *worker, struct asq_work *work)
{
    (void)printf("6 * 7 = %d\n",
                 ASQ_CONTAINER_OF(work, struct job, work)->number);
    asq_worker_close(worker, on_closed);
}

int main(void)
{
    const struct asq_worker_ops ops = {.run_on_worker = run_on_worker,
                                       .finish_on_loop = finish_on_loop};
    struct asq_worker worker = {.data = NULL};
    struct job job = {.number = 6};
    uv_loop_t *loop = uv_default_loop();

    if (asq_worker_open(&worker, loop, &ops, 8, 8) != 0)
        return 1;
    if (asq_worker_submit(&worker, &job.work, ASQ_LANE_NORMAL) != 0)
        asq_worker_close(&worker, on_closed);
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until the worker is closed */
    return uv_loop_close(loop) != 0;
}
