/* checkpoint - copies the WAL into the database file, and can be stopped */
#include "03-event-loop/checkpoint.h"

#include "01-blocking/db_tidy.h"

#include <stdint.h>
#include <stdio.h>

int asq__checkpoint_init(struct asq_checkpoint *checkpoint)
{
    *checkpoint = (struct asq_checkpoint){0};
    return uv_mutex_init(&checkpoint->lock);
}

void asq__checkpoint_destroy(struct asq_checkpoint *checkpoint)
{
    uv_mutex_destroy(&checkpoint->lock);
}

static void note_running(struct asq_checkpoint *checkpoint,
                         struct asq_request *request)
{
    uv_mutex_lock(&checkpoint->lock);
    checkpoint->running = request;
    if (request != NULL)
        checkpoint->interrupted = false;
    uv_mutex_unlock(&checkpoint->lock);
}

/* If an interrupt comes too late, its flag stays set and would stop the next
 * checkpoint. A statement that begins clears it. */
static void clear_interrupt(sqlite3 *handle)
{
    (void)sqlite3_exec(handle, "SELECT 1", NULL, NULL, NULL);
}

/* It fits. */
static int refuse(struct asq_request *request, int code, const char *text)
{
    (void)snprintf(request->message, sizeof request->message, "%s", text);
    return code;
}

static int fill(struct asq_result *result, bool busy, int log, int done)
{
    const struct asq_value cells[] = {
        asq_text("busy"), asq_text("log"), asq_text("checkpointed"),
        asq_int64(busy),  asq_int64(log),  asq_int64(done)};
    int rc = 0;

    result->columns = 3;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0] && rc == 0; i++)
        rc = asq_result_add(result, &cells[i]);
    return rc;
}

int asq__checkpoint_run(struct asq_checkpoint *checkpoint,
                        struct asq_db *db,
                        struct asq_guard *guard,
                        struct asq_request *request)
{
    int log = -1, done = -1;
    int rc;

    if (db->read_only) /* it would fail in the middle */
        return refuse(request, SQLITE_READONLY, "the connection only reads");
    /* SQLite allows it where no table has been read yet. But an interrupt would
     * stop the open statement, and all others until that one is closed. */
    if (asq__db_is_busy(db))
        return refuse(
            request, SQLITE_LOCKED,
            "a transaction or a statement of this connection is open");
    note_running(checkpoint, request);
    rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, request->checkpoint_mode,
                                   &log, &done);
    note_running(checkpoint, NULL);
    if (rc == SQLITE_INTERRUPT)
        (void)asq__guard_ask(guard); /* it says why */
    if (rc != 0)
        (void)asq__db_fail_sqlite(db);
    if (checkpoint->interrupted) /* nobody sets it any more */
        clear_interrupt(db->handle);
    if (rc == 0 || (rc == SQLITE_BUSY && guard->stop == 0))
        return fill(&request->result, rc != 0, log, done);
    return rc;
}

void asq__checkpoint_interrupt(struct asq_checkpoint *checkpoint,
                               const struct asq_db *db,
                               const struct asq_guard *guard)
{
    uv_mutex_lock(&checkpoint->lock);
    if (checkpoint->running != NULL &&
        asq__guard_is_due(guard, checkpoint->running, uv_hrtime())) {
        checkpoint->interrupted = true;
        sqlite3_interrupt(db->handle);
    }
    uv_mutex_unlock(&checkpoint->lock);
}
