/* box - one run of a workload one way, within a box of time */
#include "box.h"

#include "common/clock.h"
#include "rival.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

static uint64_t micros(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

uint64_t box_cpu_now_ns(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage); /* asked for ourselves it works */
    return (micros(usage.ru_utime) + micros(usage.ru_stime)) * ASQ_NS_PER_US;
}

void box_begin(struct box *box)
{
    asq_heartbeat_start(&box->heartbeat);
    box->cpu_ns = box_cpu_now_ns();
    box->begin_ns = asq_clock_now_ns();
    box->now_ns = box->begin_ns;
}

void box_end(struct box *box)
{
    box->end_ns = asq_clock_now_ns();
    box->cpu_ns = box_cpu_now_ns() - box->cpu_ns;
    box->stall_ns = asq_heartbeat_stop(&box->heartbeat);
}

bool box_ask(struct box *box, struct op *op)
{
    if (box->asked >= box->limit || box->message[0] != '\0')
        return false;
    if (box->length_ns > 0 && box->now_ns - box->begin_ns >= box->length_ns) {
        box->limit = box->asked;
        return false;
    }
    op->number = box->asked++;
    op->ready_ns = box->now_ns;
    box->workload->fill(box->data, op);
    return true;
}

void box_answer_now(struct box *box, const struct op *op, int64_t answer)
{
    box->answered++;
    box->sum += answer;
    if (box->workload->reads_wait && op_writes(box->workload, op))
        return;
    if (asq_latency_add(&box->latency, box->now_ns - op->ready_ns) != 0)
        (void)box_fail(box, "out of memory");
}

void box_answer(struct box *box, const struct op *op, int64_t answer)
{
    box->now_ns = asq_clock_now_ns();
    box_answer_now(box, op, answer);
}

int box_fail(struct box *box, const char *format, ...)
{
    va_list args;

    if (box->message[0] != '\0')
        return -1;
    va_start(args, format);
    /* Cut if it is too long. */
    (void)vsnprintf(box->message, sizeof box->message, format, args);
    va_end(args);
    return -1;
}

static int check(struct box *box)
{
    int64_t expected = 0;

    if (box->answered != box->asked || box->answered == 0)
        return box_fail(box, "%ld operations, %ld answers", box->asked,
                        box->answered);
    for (long n = 0; n < box->answered; n++)
        expected += box->workload->expect(box->data, n);
    if (box->sum != expected)
        return box_fail(box, "the answers sum up to %lld, expected %lld",
                        (long long)box->sum, (long long)expected);
    return data_check_run(box->data, box->workload, box->answered,
                          box->message);
}

static int run_beside(struct box *box, box_run_fn run)
{
    const char *path = box->data->path[box->workload->source];
    char message[BENCH_MESSAGE_MAX];
    struct rival rival;
    int rc;

    if (rival_start(&rival, path, box->message) != 0)
        return -1;
    rc = run(box);
    return rival_stop(&rival, message) == 0 ? rc : box_fail(box, "%s", message);
}

int box_run(struct box *box, box_run_fn run)
{
    asq_latency_reset(&box->latency);
    box->asked = 0;
    box->answered = 0;
    box->sum = 0;
    box->file_ns = 0;
    box->checkpoint_ns = 0;
    box->message[0] = '\0';
    if (data_begin_run(box->data, box->workload, box->message) != 0)
        return -1;
    if ((box->workload->rival ? run_beside(box, run) : run(box)) != 0 ||
        box->message[0] != '\0')
        return -1;
    return check(box);
}

void box_destroy(struct box *box)
{
    asq_latency_destroy(&box->latency);
}
