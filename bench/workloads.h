/* workloads - what is asked: each workload is one row of a table
 *
 * A workload is a sequence of operations, numbered from 0. Operation n is a
 * statement with its values, or a function on the connection, and its answer
 * is one number, known beforehand: the sum of all cells that it reads, or the
 * rows that it changes. So an answer can be checked however many operations a
 * run has.
 *
 * Main thread, but for the functions that say otherwise. Depends on the
 * modules of lesson 01 and on the shop.
 */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include "01-blocking/db.h"
#include "01-blocking/result.h"
#include "common/shop.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Which file a workload uses. */
enum source {
    SOURCE_SHOP,    /* 100,000 items, only read */
    SOURCE_COPY,    /* a smaller shop, a fresh copy for each run */
    SOURCE_LOG,     /* an empty table, made for each run */
    SOURCE_NUMBERS, /* a million short rows, only read */
    SOURCE_GROWING, /* as many rows as growth wants, removed at the end */
    SOURCE_QUEUE,   /* jobs of a queue, made for each run */
    SOURCES
};

enum {
    COPIED_ITEMS = 10000 /* of the smaller shop; they are the same as the
                            first of the larger one */
        ,
    JOBS = 20000 /* ready ones, where they are worked on */
};

/* The files, how long they are, and what is in them. */
struct data {
    char path[SOURCES][ASQ_SHOP_PATH_MAX];
    int items;
    long batch_rows; /* of one transaction of `batch` */
    long chunks;     /* of `stream` */
    long slow_reads; /* of one query of `stall` */
    int64_t *values; /* of item 1, 2 ...; freed by data_destroy */
    int64_t scan_sum;
};

/* One operation on its way. */
struct op {
    long number;
    int which; /* of the workload's statements */
    struct asq_value values[2];
    size_t count;
    uint64_t ready_ns; /* when it was asked for */
};

struct workload {
    const char *name;
    const char *ways; /* those that make sense, with a blank between two */
    int in_flight;
    enum source source;
    bool slow;       /* on the slow disk: reads take time, with hardly any page
                        cache; or syncs do, if it writes */
    int synchronous; /* 1 NORMAL, 2 FULL */
    long rows;       /* that one operation stands for; 0: data->batch_rows */
    bool whole;      /* every run has the same operations, see workload_ops */
    bool works;      /* an operation is a job: raw claims it by the first
                        statement and ends it by the second */
    bool looks;      /* at a file operation of libuv's meanwhile */
    bool rival;      /* another thread commits all the time */
    bool reads_wait; /* latencies are those of the reads alone */
    const char *sql[2];
    void (*fill)(const struct data *data, struct op *op);
    /* The answer to operation n. */
    int64_t (*expect)(const struct data *data, long n);
    /* Instead of statements; both return 0 or an SQLITE_* code. */
    int (*raw_call)(sqlite3 *db, const struct data *data, bool prepare_each);
    int (*call)(struct asq_db *db, const struct data *data);
};

extern const struct workload workloads[];
extern const int workload_count;

/* Returns the workload of that name, or NULL. */
const struct workload *workload_find(const char *name);

/* Returns the operations of a run that has a fixed number of them, or 0. */
long workload_ops(const struct workload *workload, const struct data *data);

/* Says whether the workload is run this way. */
bool workload_has(const struct workload *workload, const char *way);

/* Returns how a connection is set up for it. */
struct asq_profile workload_profile(const struct workload *workload,
                                    const struct data *data);

/* Sets the slow disk up for it: ms is what a read takes, or a sync. */
void workload_set_disk(const struct workload *workload, double ms);

/* Returns a query that brings all pages of the file into the cache, or NULL
 * where a run begins without. */
const char *workload_warm_sql(const struct workload *workload);

/* Says whether the operation writes. Any thread. */
bool op_writes(const struct workload *workload, const struct op *op);

/* Runs an operation on the connection. Any thread that owns db and result.
 * Returns 0 and its answer, or an SQLITE_* code. */
int op_run(const struct workload *workload,
           const struct data *data,
           struct asq_db *db,
           const struct op *op,
           struct asq_result *result,
           int64_t *ret_answer);

/* Returns the answer that lies in the result of a statement. Any thread. */
int64_t op_answer(const struct asq_result *result);

#endif
