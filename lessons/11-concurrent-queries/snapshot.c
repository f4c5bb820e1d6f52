/* snapshot - reads on several connections that see one state of the database
 *
 * What a caller sees, and the end. How the readers begin is in snapshot_begin.
 *
 * Loop thread. Depends on snapshot_begin, later, and pool of lesson 10.
 */
#include "11-concurrent-queries/snapshot.h"

#include "11-concurrent-queries/snapshot_begin.h"

#include <stdio.h>

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

        if (reader->loan.conn == NULL)
            continue;
        if (asq_conn_run(reader->loan.conn, &reader->request, "ROLLBACK", NULL,
                         take_end) == 0)
            snapshot->waiting++;
        else
            asq_loan_release(&reader->loan); /* it is lost */
    }
    if (snapshot->waiting == 0)
        asq__later(&snapshot->later, snapshot->loop, finish_later);
}

void asq__snapshot_begun(struct asq_snapshot *snapshot)
{
    if (snapshot->status != 0) {
        end_readers(snapshot);
        return;
    }
    snapshot->state = ASQ_SNAPSHOT_READY;
    snapshot->on_ready(snapshot, 0);
}

/* Use */

void asq_snapshot_init(struct asq_snapshot *snapshot)
{
    *snapshot = (struct asq_snapshot){.wanted = 2, .timeout_ms = 5000};
    asq_loan_init(&snapshot->writer);
    asq_request_init(&snapshot->lock);
    for (unsigned i = 0; i < ASQ_SNAPSHOT_READERS; i++) {
        asq_loan_init(&snapshot->reader[i].loan);
        asq_request_init(&snapshot->reader[i].request);
    }
}

void asq_snapshot_destroy(struct asq_snapshot *snapshot)
{
    asq_request_destroy(&snapshot->lock);
    for (unsigned i = 0; i < ASQ_SNAPSHOT_READERS; i++)
        asq_request_destroy(&snapshot->reader[i].request);
}

int asq_snapshot_begin(struct asq_snapshot *snapshot,
                       struct asq_pool *readers,
                       struct asq_pool *writer,
                       asq_snapshot_cb on_ready)
{
    if (snapshot->state != ASQ_SNAPSHOT_NONE || on_ready == NULL ||
        snapshot->wanted == 0 || snapshot->wanted > ASQ_SNAPSHOT_READERS)
        return UV_EINVAL;
    snapshot->readers = snapshot->waiting = 0;
    snapshot->status = 0;
    snapshot->message[0] = '\0';
    snapshot->end_called = false;
    snapshot->readers_of = readers;
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
        reader->loan.data = reader->request.data = reader;
        reader->loan.who = snapshot->who;
        reader->loan.timeout_ms = snapshot->timeout_ms;
    }
    return asq__snapshot_begin(snapshot);
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
    snapshot->status = UV_ECANCELED; /* whatever failed before */
    (void)snprintf(snapshot->message, sizeof snapshot->message,
                   "ended before it was ready");
    asq_request_cancel(&snapshot->lock);
    asq_loan_give_up(&snapshot->writer);
    for (unsigned i = 0; i < snapshot->wanted; i++) {
        asq_loan_give_up(&snapshot->reader[i].loan);
        asq_request_cancel(&snapshot->reader[i].request);
    }
    return 0;
}
