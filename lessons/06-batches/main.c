/* main - why is one at a time slow?
 *
 * The same rows go into a table in five ways: by blocking calls with a commit
 * for each row, and through a batch with 1, 8, 64 and 512 rows a commit. All
 * the while a reader asks for one row through the same connection. On the slow
 * disk every commit waits for a sync; on the fast one nothing is synced.
 *
 * Run:      make lesson L=06
 * Expect:   more rows a commit, more rows a second; but the reader waits longer
 * See also: idea.c and its wrong twins; batch.h
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "06-batches/batch.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WAYS = 5,
    DATA_SIZE = 400 /* bytes of JSON in a row */
};

static const char insert_sql[] =
    "INSERT INTO items (id, data) VALUES (?1, coalesce(?2, '{}'))";
static const char read_sql[] = "SELECT data FROM items WHERE id = 1";

struct app {
    struct asq_stage stage; /* lanes of main and worker for each way */
    char data[DATA_SIZE + 1];
    struct asq_value *values; /* of all rows; every eighth has no data */
    struct asq_db db;         /* of the first way */
    struct asq_conn conn;     /* of the others */
    struct asq_batch batch;
    struct asq_request read;
    int way;
    bool slow;
    uint64_t ready_ns, end_ns; /* of the latest read; of the inserts */
};

/* The first way: a statement and a commit for each row, and then the read. */
static void insert_here(struct app *app);
/* The others: starts a batch on a conn, and submits the reader's read. */
static void insert_batch(struct app *app);
/* On the loop: after each commit, after the last one, and after each read. */
static void note_chunk(struct asq_batch *batch);
static void note_done(struct asq_batch *batch, int status);
static void read_again(struct asq_request *request, int status);

/* Keeps for the timeline what a lane of this way did on the slow disk. */
static void
note_span(struct app *app, int lane, uint64_t begin_ns, uint64_t end_ns)
{
    int first = app->way == 0 ? 0 : 2 * app->way - 1; /* one lane, then two */

    if (app->slow)
        asq_stage_waited(&app->stage, (unsigned)(first + lane), begin_ns,
                         end_ns, "database");
}

static void insert_here(struct app *app)
{
    long rows = app->stage.options.requests;
    int rc = 0;

    app->ready_ns = uv_hrtime(); /* (1) and the reader is ready, too */
    for (long i = 0; i < rows && rc == 0; i++) {
        struct asq_params row = {.values = &app->values[2 * i], .count = 2};

        rc = asq_db_run(&app->db, insert_sql, &row, NULL); /* (2) */
    }
    app->end_ns = uv_hrtime();
    if (rc == 0)
        rc = asq_db_run(&app->db, read_sql, NULL, NULL); /* (3) at last */
    if (rc != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->db));
    asq_stage_answered(&app->stage, app->ready_ns);
    note_span(app, 0, app->ready_ns, app->end_ns);
}

static void insert_batch(struct app *app)
{
    app->end_ns = 0;
    app->ready_ns = uv_hrtime();
    asq_stage_must(&app->stage, asq_batch_start(&app->batch, &app->conn,
                                                note_done)); /* (4) */
    asq_stage_must(&app->stage, asq_conn_run(&app->conn, &app->read, read_sql,
                                             NULL, read_again)); /* (5) */
    asq_stage_turn(&app->stage); /* until all is answered */
}

/* (6) The chunk is committed. A read that waits runs before the next chunk.
 */
static void note_chunk(struct asq_batch *batch)
{
    note_span(batch->data, 1, batch->request.started_ns,
              batch->request.ended_ns);
}

static void note_done(struct asq_batch *batch, int status)
{
    struct app *app = batch->data;

    app->end_ns = uv_hrtime();
    if (status != 0)
        asq_stage_fail(&app->stage, batch->request.message);
    else if (batch->changes != app->stage.options.requests)
        asq_stage_fail(&app->stage, "the batch has not changed all rows");
}

static void read_again(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0) {
        asq_stage_fail(&app->stage, request->message);
        return;
    }
    note_span(app, 1, request->started_ns, request->ended_ns);
    asq_stage_answered(&app->stage, app->ready_ns);
    app->ready_ns = uv_hrtime();
    if (app->end_ns == 0) /* the batch goes on */
        asq_stage_must(&app->stage, asq_conn_run(&app->conn, request, read_sql,
                                                 NULL, read_again));
}

/* ---- What is around it: the rows, the ways, what is printed -------------- */

/* Makes the values of all rows, and the batch. */
static void prepare(struct app *app)
{
    size_t rows = (size_t)app->stage.options.requests;

    /* It fits: blanks between two brackets are JSON too. */
    (void)snprintf(app->data, sizeof app->data, "[%*s]", DATA_SIZE - 2, "");
    app->values = calloc(2 * rows, sizeof *app->values);
    if (app->values == NULL)
        asq_stage_fail(&app->stage, "out of memory");
    for (size_t i = 0; i < rows && app->values != NULL; i++) {
        app->values[2 * i] = asq_int64((int64_t)i + 1);
        app->values[2 * i + 1] =
            asq_text_n(i % 8 == 7 ? NULL : app->data, DATA_SIZE);
    }
    asq_request_init(&app->read);
    app->read.data = app;
    asq_batch_init(&app->batch);
    app->batch.data = app;
    app->batch.sql = insert_sql;
    app->batch.values = app->values;
    app->batch.rows = rows;
    app->batch.columns = 2;
    app->batch.on_chunk = note_chunk;
}

/* Opens what the way needs: a db, or a conn. */
static void open_way(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.vfs = app->slow ? ASQ_SLOW_DISK : NULL;
    profile.synchronous = app->slow ? 2 : 1; /* FULL, NORMAL */
    asq_conn_init(&app->conn);
    if (app->way == 0) {
        if (asq_db_open(&app->db, &profile) != 0)
            asq_stage_fail(&app->stage, asq_db_message(&app->db));
    } else if (asq_conn_open_wait(&app->conn, &app->stage.loop, &profile)) {
        asq_stage_fail(&app->stage, app->conn.message);
    }
}

static void run(struct app *app, int i)
{
    static const size_t chunks[] = {1, 1, 8, 64, 512};
    static const char *const names[] = {"blocking-1", "batch-1", "batch-8",
                                        "batch-64", "batch-512"};
    struct asq_stage *stage = &app->stage;
    long rows = stage->options.requests;

    app->way = i % WAYS;
    app->slow = i < WAYS;
    app->batch.chunk = chunks[app->way];
    asq_stage_make(stage, "CREATE TABLE items (id INTEGER PRIMARY KEY,"
                          " data TEXT NOT NULL) STRICT");
    open_way(app);
    if (stage->failed)
        return;
    asq_stage_begin(stage, names[app->way], app->slow ? "slow" : "fast", 1);
    if (app->way == 0)
        insert_here(app);
    else
        insert_batch(app);
    asq_stage_end(stage);
    stage->row->requests = (uint64_t)rows; /* rows, not reads */
    stage->row->throughput_per_s =
        1e9 * (double)rows / (double)(app->end_ns - stage->begin_ns);
    if (app->way == 0)
        (void)asq_db_close(&app->db); /* every statement was released */
    asq_conn_close_wait(&app->conn);
    if (asq_stage_look(stage, "SELECT count(*) FROM items") != rows ||
        asq_stage_look(stage, "SELECT max(id) FROM items") != rows ||
        asq_stage_look(stage, "SELECT sum(data = '{}') FROM items") != rows / 8)
        asq_stage_fail(stage, "the table does not hold the rows");
}

static void report(struct asq_stage *stage)
{
    printf("%ld rows; a sync of the slow disk takes %g ms. Each batch has a "
           "conn,\nand a reader reads through it all the while.\n\n",
           stage->options.requests, stage->options.slow_disk_ms);
    asq_stage_print_timeline(stage, 0);
    printf("\nblocking-1: main waited for each commit, nobody was answered.\n"
           "batch-1: a worker waited instead of main, once for each row.\n"
           "batch-512: the worker waited once for up to 512 rows.\n\n"
           "Rows a second, how long the reader waits, the loop's stall:\n\n");
    asq_stage_print_rows(stage);
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {"blocking-1  main", "batch-1     main",
                                        "  worker",         "batch-8     main",
                                        "  worker",         "batch-64    main",
                                        "  worker",         "batch-512   main",
                                        "  worker",         NULL};
    struct app app = {
        .stage = {.options = {.program = "build/06-batches",
                              .about = "Why is one at a time slow?",
                              .slow_disk_ms = 1,
                              .requests = 512},
                  .slow_syncs = true,
                  .lanes = lanes,
                  .spans = 4},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    prepare(&app);
    for (int i = 0; i < 2 * WAYS && !app.stage.failed; i++)
        run(&app, i);
    if (!app.stage.failed)
        report(&app.stage);
    asq_batch_destroy(&app.batch);
    asq_request_destroy(&app.read);
    free(app.values);
    return asq_stage_close(&app.stage, 0);
}
