/* operations - what the operations of the workloads are
 *
 * Each workload has a function that writes the statement and the values of
 * operation op->number, and one that tells the answer to operation n. Main
 * thread, but for the two of `batch`, which belong to the thread that owns the
 * connection. Depends on lesson 01.
 */
#ifndef BENCH_OPERATIONS_H
#define BENCH_OPERATIONS_H

#include "workloads.h"

enum {
    BENCH_CHUNK = 1000 /* rows of one chunk of `stream` */
};

#define BENCH_INSERT_SQL "INSERT INTO log (value) VALUES (?1)"

void fill_nothing(const struct data *data, struct op *op); /* no values */

/* One item; spread out, so that neighbours in time share no page. */
void fill_read(const struct data *data, struct op *op);
int64_t expect_read(const struct data *data, long n);

/* The same, of the smaller shop. */
void fill_read_copied(const struct data *data, struct op *op);
int64_t expect_read_copied(const struct data *data, long n);

/* The whole table. */
int64_t expect_scan(const struct data *data, long n);

/* Nine reads and a write. Reads go to odd ids and writes to even ones, so that
 * an answer does not depend on who was first. */
void fill_mixed(const struct data *data, struct op *op);
int64_t expect_mixed(const struct data *data, long n);

/* One row into the log. */
void fill_row(const struct data *data, struct op *op);
int64_t expect_row(const struct data *data, long n);

/* The next chunk, by a range of keys. */
void fill_stream(const struct data *data, struct op *op);
int64_t expect_stream(const struct data *data, long n);

/* Many items, a page each: on the slow disk that takes long. */
void fill_stall(const struct data *data, struct op *op);
int64_t expect_stall(const struct data *data, long n);

/* All rows in one transaction, as a function. Both return 0 or an SQLITE_*
 * code. */
int64_t expect_batch(const struct data *data, long n);
int batch_raw(sqlite3 *db, const struct data *data, bool prepare_each);
int batch_call(struct asq_db *db, const struct data *data);

#endif
