/* batch - one statement for many rows, a commit for each chunk of them */
#include "06-batches/batch.h"

#include "01-blocking/stmt.h"

#include <stdio.h>

static const uint64_t NS_PER_MS = 1000000;

static struct asq_batch *batch_of(struct asq_request *request)
{
    return ASQ_CONTAINER_OF(request, struct asq_batch, request);
}

static int say(struct asq_request *request, int code, const char *text)
{
    /* It is cut if it is too long. */
    (void)snprintf(request->message, sizeof request->message, "%s", text);
    return code;
}

/* On the worker */

static int run_row(struct asq_batch *batch, struct asq_stmt *stmt)
{
    struct asq_params params = {
        .values = batch->columns == 0
                      ? NULL
                      : &batch->values[batch->run.row * batch->columns],
        .count = batch->columns};
    int rc = asq_stmt_bind(stmt, &params);

    if (rc == 0)
        rc = asq_stmt_collect(stmt, NULL);
    if (rc == 0)
        batch->run.changes += asq_stmt_changes(stmt);
    asq_stmt_reset(stmt);
    return rc;
}

/* Runs a row in a savepoint of its own. If the row is refused, what it did is
 * undone; db keeps the message that says why. */
static int
run_row_alone(struct asq_db *db, struct asq_batch *batch, struct asq_stmt *stmt)
{
    int refused, rc = asq_db_run(db, "SAVEPOINT asq_row", NULL, NULL);

    if (rc != 0)
        return rc;
    refused = run_row(batch, stmt);
    if (!asq_db_in_transaction(db))
        return refused;
    if (refused != 0)
        rc = asq_db_run(db, "ROLLBACK TO asq_row", NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(db, "RELEASE asq_row", NULL, NULL);
    return rc != 0 ? rc : refused;
}

/* Says whether an error concerns only this row: then the others may still be
 * good, and the transaction goes on. */
static bool is_bad_row(const struct asq_db *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR: /* an SQL function refused its argument */
        return asq_db_in_transaction(db);
    default:
        return false;
    }
}

static void report(struct asq_batch *batch, int rc, const char *message)
{
    if (batch->run.failed < batch->errors_room) {
        struct asq_row_error *error = &batch->errors[batch->run.failed];

        error->row = batch->run.row;
        error->code = rc;
        /* It is cut if it is too long. */
        (void)snprintf(error->message, sizeof error->message, "%s", message);
    }
    batch->run.failed++;
}

/* SQLite nearly always undoes a row that it refuses. With OR FAIL, or a
 * trigger's RAISE(FAIL), the row leaves behind what it did until then, and
 * SQLite has counted that. */
static int run_rows(struct asq_db *db,
                    struct asq_batch *batch,
                    struct asq_stmt *stmt,
                    bool *ret_half)
{
    sqlite3 *handle = asq_db_handle(db);

    for (; batch->run.row < batch->run.end; batch->run.row++) {
        int64_t before = sqlite3_total_changes64(handle);
        int rc = batch->savepoints ? run_row_alone(db, batch, stmt)
                                   : run_row(batch, stmt);

        if (rc == 0 && !asq_db_in_transaction(db))
            return say(&batch->request, SQLITE_MISUSE,
                       "the statement has ended the transaction");
        if (rc != 0 && (!batch->keep_good || !is_bad_row(db, rc)))
            return say(&batch->request, rc, asq_db_message(db));
        if (rc == 0)
            continue;
        *ret_half =
            !batch->savepoints && sqlite3_total_changes64(handle) != before;
        if (*ret_half)
            return rc;
        report(batch, rc, asq_db_message(db));
    }
    return 0;
}

static int commit(struct asq_db *db, struct asq_batch *batch)
{
    int rc = asq_db_run(db, "COMMIT", NULL, NULL);

    return rc == 0 ? 0 : say(&batch->request, rc, asq_db_message(db));
}

static int run_transaction(struct asq_db *db,
                           struct asq_batch *batch,
                           struct asq_stmt *stmt,
                           struct asq_stmt *rollback,
                           bool *ret_half)
{
    int rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);

    if (rc != 0)
        return rc;
    rc = run_rows(db, batch, stmt, ret_half);
    if (rc == 0)
        rc = commit(db, batch);
    /* After many errors SQLite has rolled back already. One attempt is enough:
     * ROLLBACK cannot leave the transaction open. */
    if (rc != 0 && asq_db_in_transaction(db))
        (void)asq_stmt_step(rollback);
    return rc;
}

/* One chunk, one transaction, one statement. When a refused row has left
 * changes behind, the chunk is undone and runs again with a savepoint for each
 * row, and so do the chunks after it. ROLLBACK is prepared before BEGIN,
 * because without memory for it the transaction would stay open. */
static int run_chunk(struct asq_db *db, struct asq_request *request)
{
    struct asq_batch *batch = batch_of(request);
    struct asq_stmt *stmt = NULL, *rollback = NULL;
    size_t failed = batch->run.failed, first = batch->run.row;
    bool half = false;
    int rc = asq_stmt_prepare(db, batch->sql, ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_stmt_prepare(db, "ROLLBACK", ASQ_WHOLE_TEXT, &rollback);
    if (rc == 0 && first < batch->run.end)
        rc = run_transaction(db, batch, stmt, rollback, &half);
    if (half) {
        batch->savepoints = true;
        batch->run.row = first;
        batch->run.changes = 0;
        batch->run.failed = failed;
        asq_stmt_reset(rollback);
        rc = run_transaction(db, batch, stmt, rollback, &half);
    }
    asq_stmt_release(rollback);
    asq_stmt_release(stmt);
    return rc;
}

/* On the loop */

static void take_chunk(struct asq_request *request, int status);

static int submit_chunk(struct asq_batch *batch)
{
    size_t left = batch->rows - batch->settled;
    size_t chunk =
        batch->chunk == 0 || batch->chunk > left ? left : batch->chunk;
    int rc;

    if (atomic_load(&batch->cancelled))
        return say(&batch->request, UV_ECANCELED,
                   "cancelled between two chunks");
    if (batch->deadline_ns != 0 && uv_hrtime() >= batch->deadline_ns)
        return say(&batch->request, UV_ETIMEDOUT,
                   "the deadline passed between two chunks");
    batch->run.row = batch->settled;
    batch->run.end = batch->settled + chunk;
    batch->run.changes = 0;
    batch->run.failed = batch->failed;
    batch->request.timeout_ms = asq_time_left_ms(batch->deadline_ns);
    rc = asq_conn_call(batch->conn, &batch->request, run_chunk, take_chunk);
    return rc == 0 ? 0 : say(&batch->request, rc, uv_strerror(rc));
}

static void finish(struct asq_batch *batch, int status)
{
    batch->active = false;
    batch->stopped_at = batch->run.row;
    batch->on_done(batch, status);
}

static void settle(struct asq_batch *batch)
{
    if (batch->settled < batch->run.end)
        batch->commits++;
    batch->settled = batch->run.end;
    batch->changes += batch->run.changes;
    batch->failed = batch->run.failed;
    if (batch->on_chunk != NULL && batch->rows > 0)
        batch->on_chunk(batch);
}

static void take_chunk(struct asq_request *request, int status)
{
    struct asq_batch *batch = batch_of(request);

    if (status == 0)
        settle(batch);
    if (status == 0 && batch->settled < batch->rows) {
        status = submit_chunk(batch);
        if (status == 0)
            return;
    }
    finish(batch, status);
}

void asq_batch_init(struct asq_batch *batch)
{
    *batch = (struct asq_batch){0};
    asq_request_init(&batch->request);
}

void asq_batch_destroy(struct asq_batch *batch)
{
    if (batch != NULL)
        asq_request_destroy(&batch->request);
}

int asq_batch_start(struct asq_batch *batch,
                    struct asq_conn *conn,
                    asq_batch_cb on_done)
{
    int rc;

    if (batch->active || batch->sql == NULL || on_done == NULL ||
        (batch->values == NULL && batch->columns > 0 && batch->rows > 0))
        return UV_EINVAL;
    batch->settled = 0;
    batch->changes = 0;
    batch->failed = 0;
    batch->commits = 0;
    batch->savepoints = false;
    batch->conn = conn;
    batch->on_done = on_done;
    atomic_store(&batch->cancelled, false);
    batch->deadline_ns = batch->timeout_ms == 0
                             ? 0
                             : uv_hrtime() + batch->timeout_ms * NS_PER_MS;
    rc = submit_chunk(batch);
    batch->active = rc == 0;
    return rc;
}

void asq_batch_cancel(struct asq_batch *batch)
{
    if (!batch->active)
        return;
    atomic_store(&batch->cancelled, true);
    asq_request_cancel(&batch->request);
}
