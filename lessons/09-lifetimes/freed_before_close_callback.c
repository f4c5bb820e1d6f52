/* freed_before_close_callback - wrong: close was called, so the memory goes
 *
 * Close only begins there. The worker runs on, finishes its request and closes
 * the file, and the loop calls back: all of them use memory that is gone. It
 * often looks right without a sanitizer.
 *
 * Copy of: idea.c
 * Proof: address heap-use-after-free
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "09-lifetimes/tempdb.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK,
    WRITE,
    RUNS,
    WAITS,
    ASKS
};

struct work {
    struct asq_conn writer, reader;
    struct asq_request asks[ASKS];
    uv_sem_t running, reader_closed; /* posted when it is so */
};

/* On the worker of the reader: there is one row, so one step is enough. */
static int count_tables(struct asq_db *db, struct asq_request *ask)
{
    static const char sql[] = "SELECT count(*) FROM sqlite_schema";
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt);

    (void)ask; /* nobody wants to know it */
    if (rc == 0)
        rc = asq_stmt_step(stmt);
    asq_stmt_release(stmt); /* (2) its view of the file ends with it */
    return rc == SQLITE_ROW ? 0 : rc;
}

/* On the worker of the writer, as the next one. */
static int write_rows(struct asq_db *db, struct asq_request *ask)
{
    int rc = asq_db_run(db, "CREATE TABLE items (id INTEGER PRIMARY KEY)", NULL,
                        NULL);

    for (int i = 0; i < 2000 && rc == 0; i++)
        rc = asq_db_run(db, "INSERT INTO items VALUES (NULL)", NULL, NULL);
    if (rc == 0) /* (3) what may be brought back into the file, is */
        rc = asq_db_run(db, "PRAGMA wal_checkpoint", NULL, &ask->result);
    return rc;
}

static int wait_for_the_reader(struct asq_db *db, struct asq_request *ask)
{
    struct work *work = ask->data;
    int rc = asq_db_run(db, "INSERT INTO items VALUES (NULL)", NULL, NULL);

    uv_sem_post(&work->running);
    uv_sem_wait(&work->reader_closed);
    return rc;
}

static void print(struct asq_request *ask, int status)
{
    static const char *const names[ASKS] = {"look", "write", "runs", "waits"};
    const struct work *work = ask->data;
    const struct asq_result *result = &ask->result;

    (void)printf("%s: %s\n", names[ask - work->asks],
                 status == 0 ? "done" : ask->message);
    if (result->columns > 0)
        (void)printf("  frames that are only in the WAL: %" PRId64 "\n",
                     asq_result_int64(result, 0, "log") -
                         asq_result_int64(result, 0, "checkpointed"));
}

static void note_opened(struct asq_conn *conn, int status)
{
    (void)printf("open: %s\n",
                 status == 0 ? conn->journal_mode : conn->message);
}

static void note_closed(struct asq_conn *conn) /* (6) nobody uses it now */
{
    struct work *work = conn->data;

    (void)printf("the %s is closed, statements left open: %u\n",
                 conn == &work->reader ? "reader" : "writer",
                 conn->left_open.statements);
    if (conn == &work->reader)
        uv_sem_post(&work->reader_closed);
}

static int ask(struct work *work, int i, asq_call_cb call)
{
    struct asq_conn *conn = i == LOOK ? &work->reader : &work->writer;

    return asq_conn_call(conn, &work->asks[i], call, print);
}

static int use(struct work *work)
{
    int rc;

    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until both are open */
    rc = ask(work, LOOK, count_tables);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT); /* until answered */
    if (rc == 0)
        rc = ask(work, WRITE, write_rows);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    if (rc == 0)
        rc = ask(work, RUNS, wait_for_the_reader);
    if (rc == 0)
        rc = ask(work, WAITS, count_tables);
    if (rc == 0)
        uv_sem_wait(&work->running); /* (4) one runs now, one waits */
    return rc;
}

/* (7) The last to go. Returns 0 if all went well. */
static int destroy(struct work *work)
{
    int rc = 0;

    for (int i = 0; i < ASKS; i++) {
        rc |= i != WAITS && work->asks[i].status != 0;
        asq_request_destroy(&work->asks[i]);
    }
    uv_sem_destroy(&work->running);
    uv_sem_destroy(&work->reader_closed);
    free(work);
    return rc;
}

int main(void)
{
    struct work *work = calloc(1, sizeof *work); /* (1) the first to come */
    uv_loop_t *loop = uv_default_loop();
    struct asq_profile profile;
    struct asq_tempdb file;
    int rc;

    if (work == NULL || loop == NULL || uv_sem_init(&work->running, 0) ||
        uv_sem_init(&work->reader_closed, 0) ||
        asq_tempdb_open(&file, ASQ_TEMPDB_FILE, asq_build_dir())) {
        (void)fprintf(stderr, "no memory, or no folder for the file\n");
        return 1;
    }
    profile = asq_tempdb_profile(&file);
    asq_conn_init(&work->writer);
    asq_conn_init(&work->reader);
    work->writer.data = work->reader.data = work;
    for (int i = 0; i < ASKS; i++) {
        asq_request_init(&work->asks[i]);
        work->asks[i].data = work;
    }
    if (asq_conn_open(&work->writer, loop, &profile, note_opened) ||
        asq_conn_open(&work->reader, loop, &profile, note_opened) || use(work))
        return 1;
    asq_conn_close(&work->reader, note_closed); /* (5) what came last */
    asq_conn_close(&work->writer, note_closed);
    rc = destroy(work);
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until both are closed */
    (void)uv_loop_close(loop);          /* nothing is left on it */
    return asq_tempdb_close(&file) == 0 ? rc : 1;
}
