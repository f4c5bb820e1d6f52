/* work - the same work for every way of waiting, and what came of it
 *
 * The work is a round of baskets, all ready at once. A way answers the rounds
 * and fills in an outcome; the sum of what it read must be the one that the
 * raw SQLite C API reads. Loop or main thread only, but for spans of the
 * trace: each lane belongs to the thread that it shows.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include "01-blocking/db.h"
#include "01-blocking/result.h"
#include "common/latency.h"
#include "common/report.h"
#include "common/trace.h"

#include <stdbool.h>
#include <stdint.h>

struct work {
    const char *path;  /* the shop */
    const char *vfs;   /* NULL: the fast disk */
    const char *disk;  /* "fast" or "slow" */
    int items;         /* of the shop */
    long requests;     /* of one round */
    uint64_t least_ns; /* rounds are repeated until this has passed */
    int64_t expected;  /* value of all baskets of one round */
};

struct outcome {
    const char *way;
    int connections;
    struct asq_latency latency; /* from "ready" to "answered" */
    uint64_t begin_ns, end_ns;
    uint64_t round_ns; /* when this round was ready */
    uint64_t stall_ns;
    uint64_t disk_reads;
    long rounds;
    int64_t value;          /* of all baskets answered */
    struct asq_trace trace; /* lane 0: main; then the connections */
    bool traced;            /* spans are wanted */
    char message[512];      /* why it failed */
};

/* How a way is run. Returns 0, or -1 with outcome->message. */
typedef int (*way_fn)(const struct work *work, struct outcome *outcome);

/* Reads a round through the raw API and keeps its value. Returns 0, or -1
 * after a line on stderr. */
int work_prepare(struct work *work);

/* Returns 0, or -1 when there is no memory. */
int outcome_init(struct outcome *outcome,
                 const struct work *work,
                 const char *way,
                 int connections,
                 bool traced);
void outcome_destroy(struct outcome *outcome);

/* Says whether another round is due, and begins it. The first call begins the
 * measurement. */
bool outcome_begin_round(struct outcome *outcome, const struct work *work);

/* Notes an answer: its value, and the time that has passed in this round.
 * Returns 0, or -1 with a message for an answer that is not one basket. */
int outcome_add(struct outcome *outcome,
                const struct asq_result *result,
                uint64_t now_ns);

/* Keeps a span of a lane; index counts connections from 0, -1 is main. */
void outcome_span(struct outcome *outcome,
                  int index,
                  uint64_t begin_ns,
                  uint64_t end_ns);

/* Returns the pages that this connection did not find in its cache. */
uint64_t count_disk_reads(struct asq_db *db);

/* Keeps the message and returns -1. */
int outcome_fail(struct outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Checks the value and the count of answers, and fills in a row. Returns 0,
 * or -1 with a message. */
int outcome_report(struct outcome *outcome,
                   const struct work *work,
                   struct asq_report_row *row);

#endif
