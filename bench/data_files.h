/* data_files - the files that the workloads read and write
 *
 * All lie under build/data. Main thread. Depends on the shop and on SQLite.
 */
#ifndef BENCH_DATA_FILES_H
#define BENCH_DATA_FILES_H

#include "workloads.h"

enum {
    BENCH_MESSAGE_MAX = 1024
};

/* Makes the files that are only read, and learns what is in them. requests is
 * the most operations that a run will have. Returns 0, or -1 with message;
 * data_destroy is owed in any case. */
int data_init(struct data *data,
              long requests,
              char message[static BENCH_MESSAGE_MAX]);

/* Frees what init made and removes the files that runs have written. */
void data_destroy(struct data *data);

/* Makes the file that a run of the workload writes, if it does. Returns 0, or
 * -1 with message. */
int data_begin_run(const struct data *data,
                   const struct workload *workload,
                   char message[static BENCH_MESSAGE_MAX]);

/* Looks through the raw API whether the file holds what ops operations have
 * written, if they did. Returns 0, or -1 with message. */
int data_check_run(const struct data *data,
                   const struct workload *workload,
                   long ops,
                   char message[static BENCH_MESSAGE_MAX]);

/* Makes a table of `rows` short rows in a new file at path. Returns 0, or -1
 * with message. */
int data_make_numbers(const char *path,
                      long rows,
                      char message[static BENCH_MESSAGE_MAX]);

#endif
