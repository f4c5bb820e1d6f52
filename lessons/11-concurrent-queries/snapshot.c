/* snapshot - reads on several connections that see one state of the database
 *
 * Each state waits for as many callbacks as it has asked for; the last one goes
 * on to the next state. After a failure it goes back by the same way.
 *
 * Loop thread. Depends on pool of lesson 10.
 */
#include "11-concurrent-queries/snapshot.h"

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

/* The end */

static void finish(struct asq_snapshot *snapshot)
{
    bool was_ready =
        snapshot->state == ASQ_SNAPSHOT_ENDING && snapshot->status == 0;
    bool must_tell = snapshot->end_called;

    snapshot->state = ASQ_SNAPSHOT_NONE;
    snapshot->end_called = false;
    if (!was_ready)
        snapshot->on_ready(snapshot, snapshot->status);
    if (must_tell)
        snapshot->on_ended(snapshot, 0);
}

static void finish_later(struct asq_later *later)
{
    finish(ASQ_CONTAINER_OF(later, struct asq_snapshot, later));
}

static void take_end(struct asq_request *request, int status)
{
    struct asq_snapshot_reader *reader = request->data;

    (void)status; /* what a lost connection held is free anyway */
    asq_loan_release(&reader->loan);
    if (--reader->snapshot->waiting == 0)
        finish(reader->snapshot);
}

/* Ends the transactions behind whatever still runs, and gives the readers
 * back. */
static void end_readers(struct asq_snapshot *snapshot)
{
    snapshot->state = ASQ_SNAPSHOT_ENDING;
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        struct asq_snapshot_reader *reader = &snapshot->reader[i];

        if (!has_reader(snapshot, i))
            continue;
        if (asq_conn_run(reader->loan.conn, &reader->begin, "ROLLBACK", NULL,
                         take_end) == 0)
            snapshot->waiting++;
        else
            asq_loan_release(&reader->loan); /* it is lost */
    }
    if (snapshot->waiting == 0)
        asq__later(&snapshot->later, snapshot->loop, finish_later);
}

static void be_ready(struct asq_snapshot *snapshot)
{
    if (snapshot->status != 0) {
        end_readers(snapshot);
        return;
    }
    snapshot->state = ASQ_SNAPSHOT_READY;
    snapshot->on_ready(snapshot, 0);
}

/* The write lock */

static void take_unlocked(struct asq_request *request, int status)
{
    struct asq_snapshot *snapshot = request->data;

    (void)status; /* release rolls back what is still open */
    asq_loan_release(&snapshot->writer);
    be_ready(snapshot);
}

static void unlock(struct asq_snapshot *snapshot)
{
    snapshot->state = ASQ_SNAPSHOT_UNLOCKING;
    if (snapshot->writer.conn != NULL &&
        asq_conn_run(snapshot->writer.conn, &snapshot->lock, "ROLLBACK", NULL,
                     take_unlocked) == 0)
        return;
    asq_loan_release(&snapshot->writer);
    be_ready(snapshot);
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

/* BEGIN alone sees nothing yet: the first read takes the snapshot. */
static void begin_readers(struct asq_snapshot *snapshot)
{
    static const char first_read[] = "SELECT 1 FROM sqlite_schema LIMIT 1";

    snapshot->state = ASQ_SNAPSHOT_BEGINNING;
    snapshot->waiting = 1;
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        struct asq_snapshot_reader *reader = &snapshot->reader[i];
        int rc;

        if (!has_reader(snapshot, i))
            continue;
        rc = asq_conn_run(reader->loan.conn, &reader->begin, "BEGIN", NULL,
                          take_begun);
        snapshot->waiting += rc == 0;
        if (rc == 0)
            rc = asq_conn_run(reader->loan.conn, &reader->read, first_read,
                              NULL, take_begun);
        snapshot->waiting += rc == 0;
        if (rc != 0)
            fail(snapshot, rc, uv_strerror(rc));
    }
    if (snapshot->waiting == 1)
        fail(snapshot, UV_ESHUTDOWN, "the pool has taken its readers back");
    if (--snapshot->waiting == 0)
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
    bool kept = false;

    for (unsigned i = 0; i < snapshot->wanted; i++) {
        if (kept)
            asq_loan_release(&snapshot->reader[i].loan);
        kept = kept || has_reader(snapshot, i);
    }
    snapshot->readers = 1;
}

static void have_readers(struct asq_snapshot *snapshot)
{
    int rc;

    if (snapshot->readers == 0 || snapshot->end_called) {
        be_ready(snapshot);
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
        be_ready(snapshot);
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

/* Use */

void asq_snapshot_init(struct asq_snapshot *snapshot)
{
    *snapshot = (struct asq_snapshot){.wanted = 2, .timeout_ms = 5000};
    asq_loan_init(&snapshot->writer);
    asq_request_init(&snapshot->lock);
    for (unsigned i = 0; i < ASQ_SNAPSHOT_READERS; i++) {
        asq_loan_init(&snapshot->reader[i].loan);
        asq_request_init(&snapshot->reader[i].begin);
        asq_request_init(&snapshot->reader[i].read);
    }
}

void asq_snapshot_destroy(struct asq_snapshot *snapshot)
{
    asq_request_destroy(&snapshot->lock);
    for (unsigned i = 0; i < ASQ_SNAPSHOT_READERS; i++) {
        asq_request_destroy(&snapshot->reader[i].begin);
        asq_request_destroy(&snapshot->reader[i].read);
    }
}

int asq_snapshot_begin(struct asq_snapshot *snapshot,
                       struct asq_pool *readers,
                       struct asq_pool *writer,
                       asq_snapshot_cb on_ready)
{
    int rc = 0;

    if (snapshot->state != ASQ_SNAPSHOT_NONE || on_ready == NULL ||
        snapshot->wanted == 0 || snapshot->wanted > ASQ_SNAPSHOT_READERS)
        return UV_EINVAL;
    snapshot->readers = snapshot->waiting = 0;
    snapshot->status = 0;
    snapshot->message[0] = '\0';
    snapshot->end_called = false;
    snapshot->loop = readers->loop;
    snapshot->writer_of = writer;
    snapshot->on_ready = on_ready;
    snapshot->lock.data = snapshot;
    snapshot->writer.data = snapshot;
    snapshot->writer.who = snapshot->who;
    snapshot->writer.timeout_ms = snapshot->timeout_ms;
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        struct asq_snapshot_reader *reader = &snapshot->reader[i];

        reader->snapshot = snapshot;
        reader->loan.data = reader->begin.data = reader->read.data = reader;
        reader->loan.who = snapshot->who;
        reader->loan.timeout_ms = snapshot->timeout_ms;
        rc = asq_pool_acquire(readers, &reader->loan, take_reader);
        if (rc != 0 && i == 0)
            return rc;
        snapshot->waiting += rc == 0;
    }
    snapshot->state = ASQ_SNAPSHOT_BORROWING;
    return 0;
}

int asq_snapshot_run(struct asq_snapshot *snapshot,
                     struct asq_request *request,
                     const char *sql,
                     const struct asq_params *params,
                     asq_done_cb on_done)
{
    struct asq_conn *least = NULL;

    if (snapshot->state != ASQ_SNAPSHOT_READY)
        return UV_EINVAL;
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        struct asq_conn *conn = snapshot->reader[i].loan.conn;

        if (conn != NULL && (least == NULL || conn->pending < least->pending))
            least = conn;
    }
    return least == NULL ? UV_ESHUTDOWN
                         : asq_conn_run(least, request, sql, params, on_done);
}

int asq_snapshot_end(struct asq_snapshot *snapshot, asq_snapshot_cb on_ended)
{
    if (snapshot->state == ASQ_SNAPSHOT_NONE || snapshot->end_called ||
        on_ended == NULL)
        return UV_EINVAL;
    snapshot->end_called = true;
    snapshot->on_ended = on_ended;
    if (snapshot->state == ASQ_SNAPSHOT_READY) {
        end_readers(snapshot);
        return 0;
    }
    /* Whatever is under way is cut short, and its callback goes on. */
    snapshot->status = 0; /* this counts, whatever failed before */
    fail(snapshot, UV_ECANCELED, "ended before it was ready");
    asq_request_cancel(&snapshot->lock);
    asq_loan_give_up(&snapshot->writer);
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        asq_loan_give_up(&snapshot->reader[i].loan);
        asq_request_cancel(&snapshot->reader[i].begin);
        asq_request_cancel(&snapshot->reader[i].read);
    }
    return 0;
}
