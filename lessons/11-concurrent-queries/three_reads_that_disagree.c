/* three_reads_that_disagree - BEGIN on each reader, and no read
 *
 * snapshot_begin.c without the first read: each reader begins a transaction
 * under the write lock, and it looks as if all had begun at once. But BEGIN
 * takes no snapshot, the first read does. So each query sees the database as it
 * is when that query begins, and commits come in between.
 *
 * Copy of: snapshot_begin.c
 * Proof: prints snapshot  20 of 20 disagree
 */
#include "11-concurrent-queries/snapshot_begin.h"

#include "01-blocking/stmt.h"

#include <stdio.h>
#include <string.h>

static void fail(struct asq_snapshot *snapshot, int status, const char *message)
{
    if (snapshot->status != 0)
        return;
    snapshot->status = status;
    (void)snprintf(snapshot->message, sizeof snapshot->message, "%s", message);
}

static bool has_reader(const struct asq_snapshot *snapshot, unsigned i)
{
    return snapshot->reader[i].loan.conn != NULL;
}

/* The write lock */

static void take_unlocked(struct asq_request *request, int status)
{
    struct asq_snapshot *snapshot = request->data;

    (void)status; /* release rolls back what is still open */
    asq_loan_release(&snapshot->writer);
    asq__snapshot_begun(snapshot);
}

static void unlock(struct asq_snapshot *snapshot)
{
    snapshot->state = ASQ_SNAPSHOT_UNLOCKING;
    if (snapshot->writer.conn != NULL &&
        asq_conn_run(snapshot->writer.conn, &snapshot->lock, "ROLLBACK", NULL,
                     take_unlocked) == 0)
        return;
    asq_loan_release(&snapshot->writer);
    asq__snapshot_begun(snapshot);
}

static void take_begun(struct asq_request *request, int status)
{
    struct asq_snapshot_reader *reader = request->data;
    struct asq_snapshot *snapshot = reader->snapshot;

    if (status != 0)
        fail(snapshot, status, request->message);
    if (--snapshot->waiting == 0)
        unlock(snapshot);
}

/* On the worker. */
static int begin_on_worker(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_db_run(db, "BEGIN", NULL, NULL);

    (void)request; /* it has no result */
    return rc;
}

static void begin_readers(struct asq_snapshot *snapshot)
{
    snapshot->state = ASQ_SNAPSHOT_BEGINNING;
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        struct asq_snapshot_reader *reader = &snapshot->reader[i];
        int rc;

        if (!has_reader(snapshot, i))
            continue;
        rc = asq_conn_call(reader->loan.conn, &reader->request, begin_on_worker,
                           take_begun);
        snapshot->waiting += rc == 0;
        if (rc != 0)
            fail(snapshot, rc, uv_strerror(rc));
    }
    if (snapshot->waiting > 0)
        return;
    fail(snapshot, UV_ESHUTDOWN, "the pool has taken its readers back");
    unlock(snapshot);
}

static void take_locked(struct asq_request *request, int status)
{
    struct asq_snapshot *snapshot = request->data;

    if (status != 0)
        fail(snapshot, status, request->message);
    if (snapshot->end_called || snapshot->status != 0)
        unlock(snapshot);
    else
        begin_readers(snapshot);
}

static void take_writer(struct asq_loan *loan, int status)
{
    struct asq_snapshot *snapshot = loan->data;

    if (status == 0) {
        snapshot->state = ASQ_SNAPSHOT_LOCKING;
        snapshot->lock.timeout_ms = snapshot->timeout_ms;
        status = asq_conn_run(loan->conn, &snapshot->lock, "BEGIN IMMEDIATE",
                              NULL, take_locked);
        snapshot->lock.timeout_ms = 0; /* unlocking has no deadline */
        if (status == 0)
            return;
        fail(snapshot, status, uv_strerror(status));
    } else {
        fail(snapshot, status, loan->message);
    }
    unlock(snapshot);
}

/* The readers */

static bool is_wal(const struct asq_snapshot *snapshot)
{
    for (unsigned i = 0; i < snapshot->wanted; i++)
        if (has_reader(snapshot, i))
            return strcmp(snapshot->reader[i].loan.conn->journal_mode, "wal") ==
                   0;
    return false;
}

/* Keeps only one reader where several could disagree. */
static void keep_one(struct asq_snapshot *snapshot)
{
    for (unsigned i = 0; snapshot->readers > 1; i++) {
        snapshot->readers -= has_reader(snapshot, i);
        asq_loan_release(&snapshot->reader[i].loan); /* harmless without one */
    }
}

static void have_readers(struct asq_snapshot *snapshot)
{
    int rc;

    if (snapshot->readers == 0 || snapshot->end_called) {
        asq__snapshot_begun(snapshot);
        return;
    }
    snapshot->status = 0; /* was that of a reader that was given up */
    snapshot->message[0] = '\0';
    if (snapshot->readers > 1 &&
        (snapshot->writer_of == NULL || !is_wal(snapshot)))
        keep_one(snapshot);
    if (snapshot->readers == 1) {
        begin_readers(snapshot);
        return;
    }
    rc = asq_pool_acquire(snapshot->writer_of, &snapshot->writer, take_writer);
    if (rc != 0) {
        fail(snapshot, rc, uv_strerror(rc));
        asq__snapshot_begun(snapshot);
    }
}

/* The first one that comes is enough: those that would have to wait are given
 * up. */
static void take_reader(struct asq_loan *loan, int status)
{
    struct asq_snapshot_reader *reader = loan->data;
    struct asq_snapshot *snapshot = reader->snapshot;

    snapshot->waiting--;
    snapshot->readers += status == 0;
    if (status != 0)
        fail(snapshot, status, loan->message);
    for (unsigned i = 0; i < snapshot->wanted && status == 0; i++)
        if (snapshot->reader[i].loan.state == ASQ_LOAN_WAITING)
            asq_loan_give_up(&snapshot->reader[i].loan);
    if (snapshot->waiting == 0)
        have_readers(snapshot);
}

int asq__snapshot_begin(struct asq_snapshot *snapshot)
{
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        int rc = asq_pool_acquire(snapshot->readers_of,
                                  &snapshot->reader[i].loan, take_reader);

        if (rc != 0 && i == 0)
            return rc;
        snapshot->waiting += rc == 0;
    }
    snapshot->state = ASQ_SNAPSHOT_BORROWING;
    return 0;
}

/* The program that it is tried with. */
#include "11-concurrent-queries/case_snapshot.c"
