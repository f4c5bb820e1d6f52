/* statement_pins_the_wal - wrong: a SELECT is left in the middle of its run
 *
 * One step gave the one row, and the statement is never released. It keeps its
 * view of the file, so what is written afterwards cannot be copied into the
 * file: every checkpoint succeeds and does nothing, and the WAL grows until the
 * connection is closed. All answers are right.
 *
 * Copy of: idea.c
 * Proof: prints statements left open: 1
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "09-lifetimes/tempdb.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct app {
    struct asq_conn writer, reader;
    struct asq_request look, write;
};

/* On the worker of the reader: there is one row, so one step is enough. */
static int count_tables(struct asq_db *db, struct asq_request *look)
{
    static const char sql[] = "SELECT count(*) FROM sqlite_schema";
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt);

    (void)look; /* nobody wants the number */
    if (rc == 0)
        rc = asq_stmt_step(stmt);
    return rc == SQLITE_ROW ? 0 : rc;
}

/* On the worker of the writer, afterwards. */
static int write_rows(struct asq_db *db, struct asq_request *write)
{
    int rc = asq_db_run(db, "CREATE TABLE items (id INTEGER PRIMARY KEY)", NULL,
                        NULL);

    for (int i = 0; i < 2000 && rc == 0; i++)
        rc = asq_db_run(db, "INSERT INTO items VALUES (NULL)", NULL, NULL);
    if (rc == 0) /* (3) a checkpoint */
        rc = asq_db_run(db, "PRAGMA wal_checkpoint", NULL, &write->result);
    return rc;
}

static void print(struct asq_request *request, int status)
{
    const struct asq_result *result = &request->result;
    const struct app *app = request->data;

    (void)printf("%s: %s\n", request == &app->look ? "look" : "write",
                 status == 0 ? "done" : request->message);
    if (result->columns > 0)
        (void)printf("  frames that are only in the WAL: %" PRId64 "\n",
                     asq_result_int64(result, 0, "log") -
                         asq_result_int64(result, 0, "checkpointed"));
}

static void take_closed(struct asq_conn *conn)
{
    struct app *app = conn->data;
    bool is_reader = conn == &app->reader;

    (void)printf("the %s is closed, statements left open: %u\n",
                 is_reader ? "reader" : "writer", conn->left_open.statements);
    if (is_reader)
        asq_conn_close(&app->writer, take_closed); /* (5) opened first */
}

/* Returns 0 if both connections are open. */
static int open_conns(struct app *app, uv_loop_t *loop, struct asq_tempdb *file)
{
    struct asq_profile profile = asq_tempdb_profile(file);
    int rc;

    asq_conn_init(&app->writer);
    asq_conn_init(&app->reader);
    app->reader.shared_tx = true; /* or the conn would release it */
    app->writer.data = app->reader.data = app;
    rc = asq_conn_open_wait(&app->writer, loop, &profile);
    return rc != 0 ? rc : asq_conn_open_wait(&app->reader, loop, &profile);
}

static void destroy(struct app *app) /* (6) goes last */
{
    asq_request_destroy(&app->look);
    asq_request_destroy(&app->write);
    free(app);
}

int main(void)
{
    struct app *app = calloc(1, sizeof *app); /* (1) comes first */
    uv_loop_t *loop = uv_default_loop();
    struct asq_tempdb file;

    if (app == NULL || loop == NULL ||
        asq_tempdb_open(&file, ASQ_TEMPDB_FILE, asq_build_dir()) != 0 ||
        open_conns(app, loop, &file) != 0) {
        (void)fprintf(stderr, "no memory, or the file cannot be opened\n");
        return 1;
    }
    app->look.data = app->write.data = app;
    if (asq_conn_call(&app->reader, &app->look, count_tables, print) == 0)
        (void)uv_run(loop, UV_RUN_DEFAULT); /* until it is answered */
    if (asq_conn_call(&app->writer, &app->write, write_rows, print) == 0)
        (void)uv_run(loop, UV_RUN_DEFAULT);
    asq_conn_close(&app->reader, take_closed); /* (4) opened last */
    (void)uv_run(loop, UV_RUN_DEFAULT);        /* until both are closed */
    destroy(app);
    (void)uv_loop_close(loop); /* nothing is left on it */
    return asq_tempdb_close(&file) != 0;
}
