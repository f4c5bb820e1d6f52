/* main - a million rows in little memory?
 *
 * Four ways to read all rows of a table: step by step on the loop's thread, in
 * one result, in a stream, and in a stream whose consumer pauses half way.
 *
 * Run:      make lesson L=12
 * Expect:   only the streams need little memory and hardly stall the loop
 * See also: idea.c and its wrong twins; case_consumer_pauses.c
 */
#include "03-event-loop/conn_wait.h"
#include "12-streaming/stream.h"
#include "common/slow_disk.h"
#include "common/stage.h"
#include "common/table.h"

#include <stdio.h>

enum {
    WAYS = 4
};

static const char rows_sql[] = "SELECT id, name, cents FROM items ORDER BY id";

struct app {
    struct asq_stage stage; /* lanes of main and worker for each way */
    struct asq_conn conn;
    struct asq_request all;
    struct asq_stream stream;
    uv_timer_t pause;
    int way;
    bool pauses;         /* the consumer will need a pause */
    long total;          /* rows of the table */
    int64_t rows, cents; /* that have come in this way */
    size_t before;       /* bytes of memory before the first way */
    size_t memory[WAYS]; /* on top of that, while there were rows */
};

/* In this order: of collect, of a stream, of every way. */
static void take_all(struct asq_request *all, int status);
static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows);
static void end_pause(uv_timer_t *pause);
static void note_end(struct asq_stream *stream, int status);
static void take_row(struct app *app, int64_t id, const char *name, int64_t c);
static void take_rows(struct app *app, const struct asq_result *rows);

static void step_here(struct app *app)
{
    const char *path = app->stage.path;
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, ASQ_SLOW_DISK) == 0)
        (void)sqlite3_prepare_v2(db, rows_sql, -1, &stmt, NULL);
    while (sqlite3_step(stmt) == SQLITE_ROW) /* (1) */
        take_row(app, sqlite3_column_int64(stmt, 0),
                 (const char *)sqlite3_column_text(stmt, 1),
                 sqlite3_column_int64(stmt, 2));
    (void)sqlite3_finalize(stmt); /* it is noticed if rows are missing */
    (void)sqlite3_close(db);
    asq_stage_waited(&app->stage, 0, app->stage.begin_ns, uv_hrtime(), "query");
}

static void collect(struct app *app)
{
    asq_stage_must(&app->stage, asq_conn_run(&app->conn, &app->all, rows_sql,
                                             NULL, take_all)); /* (2) */
}

static void take_all(struct asq_request *all, int status)
{
    struct app *app = all->data;

    if (status != 0)
        asq_stage_fail(&app->stage, all->message);
    take_rows(app, &all->result); /* (3) all of them, in one callback */
    asq_request_destroy(all);
}

static void stream(struct app *app)
{
    asq_stage_must(&app->stage,
                   asq_stream_start(&app->stream, &app->stage.loop, &app->conn,
                                    rows_sql, NULL, take_chunk,
                                    note_end)); /* (4) */
}

static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows)
{
    struct app *app = stream->data;

    take_rows(app, rows); /* (5) meanwhile the worker reads the next chunk */
    if (!app->pauses || app->rows < app->total / 2)
        return ASQ_CHUNK_DONE; /* (6) this one may be filled again */
    app->pauses = false;
    (void)uv_timer_start(&app->pause, end_pause, 100, 0);
    return ASQ_CHUNK_KEPT; /* (7) not yet */
}

static void end_pause(uv_timer_t *pause)
{
    struct app *app = pause->data;

    asq_stream_more(&app->stream); /* (8) but now */
}

/* (9) Once, after the last chunk. The status tells "all" from "not all". */
static void note_end(struct asq_stream *stream, int status)
{
    struct app *app = stream->data;

    if (status != 0)
        asq_stage_fail(&app->stage, stream->message);
}

/* ---- What is around it: the rows, the ways, what is printed -------------- */

static void take_row(struct app *app, int64_t id, const char *name, int64_t c)
{
    size_t memory = 0, *most = &app->memory[app->way];

    if (app->rows == 0 || app->rows == app->total - 1)
        asq_stage_answered(&app->stage, app->stage.begin_ns);
    if (app->rows % 50000 == 0 && uv_resident_set_memory(&memory) == 0 &&
        memory > app->before + *most)
        *most = memory - app->before;
    app->cents += c;
    if (id != ++app->rows || name == NULL)
        asq_stage_fail(&app->stage, "this row is not the next one");
}

static void take_rows(struct app *app, const struct asq_result *rows)
{
    uint64_t begin_ns = uv_hrtime();

    for (size_t i = 0; i < rows->rows; i++)
        take_row(app, asq_result_at(rows, i, 0).as.int64,
                 asq_result_at(rows, i, 1).as.text,
                 asq_result_at(rows, i, 2).as.int64);
    asq_stage_worked(&app->stage, 2 * (unsigned)app->way, begin_ns, uv_hrtime(),
                     "rows");
}

/* On the worker. */
static void note_query(struct asq_conn *conn,
                       const struct asq_request *request,
                       enum asq_event event)
{
    struct app *app = conn->data;

    if (event == ASQ_EVENT_END)
        asq_stage_waited(&app->stage, 2 * (unsigned)app->way + 1,
                         request->started_ns, request->ended_ns, "query");
}

static void run_way(struct app *app, int i)
{
    static const char *const names[] = {"blocking", "collect", "stream",
                                        "paused"};
    static void (*const ways[])(struct app *) = {step_here, collect, stream,
                                                 stream};
    struct asq_stage *stage = &app->stage;
    struct asq_profile profile = asq_profile_default(stage->path);

    profile.vfs = ASQ_SLOW_DISK;
    profile.result_limit = 0; /* none, or collect fails at 64 MiB */
    asq_conn_init(&app->conn);
    app->conn.data = app;
    app->conn.observe = note_query;
    if (asq_conn_open_wait(&app->conn, &stage->loop, &profile) != 0)
        asq_stage_fail(stage, app->conn.message);
    app->way = i;
    app->pauses = i == WAYS - 1;
    app->rows = app->cents = 0;
    asq_stage_begin(stage, names[i],
                    stage->options.slow_disk_ms > 0 ? "slow" : "fast", 1);
    ways[i](app);
    asq_stage_turn(stage); /* until all rows have come */
    asq_stage_end(stage);
    stage->row->requests = (uint64_t)app->rows;
    stage->row->throughput_per_s *= (double)app->rows / 2; /* two are noted */
    asq_conn_close_wait(&app->conn);
    if (app->rows != app->total || app->cents != app->total / 1000 * 499500)
        asq_stage_fail(stage, "not all rows have come");
}

static void report(struct app *app)
{
    const struct asq_report_row *row = app->stage.rows;
    char rate[16], first[16], stall[16];

    printf("%ld rows:\n\n", app->total);
    asq_stage_print_timeline(&app->stage, 0);
    printf("\nway        per s  first row    stall     memory\n"
           "--------  ------  ---------  -------  ---------\n");
    for (int i = 0; i < WAYS; i++, row++)
        printf("%-8s  %6s  %9s  %7s  %5.1f MiB\n", row->way,
               asq_format_count(rate, row->throughput_per_s),
               asq_format_duration(first, row->p50_us),
               asq_format_duration(stall, row->stall_us),
               (double)app->memory[i] / (1 << 20));
}

static void make_table(struct asq_stage *stage, long rows)
{
    char sql[300];

    (void)snprintf(sql, sizeof sql, /* it fits */
                   "CREATE TABLE items (id INTEGER PRIMARY KEY, name, cents);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                   " FROM n WHERE i < %ld) INSERT INTO items"
                   " SELECT i, 'item ' || i, i %% 1000 FROM n",
                   rows);
    asq_stage_make(stage, sql);
}

int main(int argc, char **argv)
{
    static const char *const lanes[2 * WAYS + 1] = {
        "blocking  main", "  worker", "collect   main", "  worker",
        "stream    main", "  worker", "paused    main", "  worker"};
    static struct app app = {.stage.options.program = "build/12-streaming",
                             .stage.options.about =
                                 "A million rows in little memory?",
                             .stage.options.requests = 1000,
                             .stage.slow_reads = true,
                             .stage.lanes = lanes,
                             .stage.spans = 2};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    app.total = 1000 * app.stage.options.requests;
    make_table(&app.stage, app.total);
    asq_stream_init(&app.stream);
    app.stream.chunk_rows = 1000;
    app.stream.chunk_bytes = 64 << 20; /* more than there are */
    app.all.data = app.stream.data = app.pause.data = &app;
    (void)uv_timer_init(&app.stage.loop, &app.pause); /* it always succeeds */
    (void)uv_resident_set_memory(&app.before);        /* or it stays 0 */
    for (int i = 0; i < WAYS && !app.stage.failed; i++)
        run_way(&app, i);
    if (!app.stage.failed)
        report(&app);
    asq_stream_destroy(&app.stream);
    uv_close((uv_handle_t *)&app.pause, NULL);
    return asq_stage_close(&app.stage, 0);
}
