/* box - one run of a workload one way, within a box of time
 *
 * So many clients each ask for an operation, wait for its answer and ask for
 * the next, until the box is over. A way takes operations from the box and
 * brings answers back; the box counts, checks, and measures.
 *
 * Main (loop) thread only. Depends on workloads and on common.
 */
#ifndef BENCH_BOX_H
#define BENCH_BOX_H

#include "common/heartbeat.h"
#include "common/latency.h"
#include "data_files.h"
#include "workloads.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    IN_FLIGHT_MAX = 1024,
    CONNECTIONS_MAX = 32
};

struct box {
    /* set by whoever runs it */
    const struct workload *workload;
    const struct data *data;
    int in_flight;      /* clients, 1 to IN_FLIGHT_MAX */
    int connections;    /* 1 to CONNECTIONS_MAX, where the way has several */
    const char *way;    /* its name */
    uint64_t length_ns; /* of the box; 0: until limit */
    long limit;         /* of operations */
    /* for the ways */
    struct asq_heartbeat heartbeat;
    uint64_t now_ns; /* when the last answer came */
    /* what came of it */
    long asked, answered;
    int64_t sum; /* of all answers */
    struct asq_latency latency;
    uint64_t begin_ns, end_ns, cpu_ns, stall_ns;
    uint64_t file_ns;       /* what a file operation took meanwhile; 0: none */
    uint64_t checkpoint_ns; /* of a store, all together */
    char message[BENCH_MESSAGE_MAX];
};

/* How a way is run. Returns 0, or -1 with box->message. */
typedef int (*box_run_fn)(struct box *box);

/* Makes the file, runs the way, and checks the sum of the answers and the
 * file. Returns 0, or -1 with box->message. The latency's room is used again
 * by the next run; box_destroy frees it. */
int box_run(struct box *box, box_run_fn run);
void box_destroy(struct box *box);

/* Returns the processor time that all threads have used so far. */
uint64_t box_cpu_now_ns(void);

/* Called by a way: once everything is open, and once all is answered. */
void box_begin(struct box *box);
void box_end(struct box *box);

/* Takes the next operation. Returns false when the box is over; after that
 * always. */
bool box_ask(struct box *box, struct op *op);

/* Brings the answer of an operation. Reads the clock. */
void box_answer(struct box *box, const struct op *op, int64_t answer);

/* The same for one of many that came at the same time, box->now_ns. */
void box_answer_now(struct box *box, const struct op *op, int64_t answer);

/* Keeps the first message and returns -1. */
int box_fail(struct box *box, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
