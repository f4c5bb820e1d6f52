/* main - why is one at a time slow?
 *
 * The same rows go into a table: by blocking calls on the loop's thread with a
 * commit for each, and through a batch with 1, 8, 64 and 512 rows a commit. On
 * the slow disk every sync takes its time, and somebody else reads through the
 * same connection all the while. Each table is checked before a figure of it
 * is printed.
 *
 * Run:      make lesson L=06
 * Expect:   more rows a commit, more rows a second, until others wait for long
 * See also: idea.c and its wrong twins; batch.h
 */
#include "01-blocking/stmt.h"
#include "04-measure-first/db_copy.h"
#include "06-batches/batch.h"
#include "common/clock.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/report.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "common/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WAYS = 5,
    LANES = 2 * WAYS - 1, /* main in each way, and four workers */
    DATA_SIZE = 400,      /* bytes of JSON in a row */
    PATH_SIZE = 512
};

static const char make_sql[] =
    "CREATE TABLE items (id INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT";
static const char insert_sql[] =
    "INSERT INTO items (id, data) VALUES (?1, coalesce(?2, '{}'))";
static const char read_sql[] = "SELECT data FROM items WHERE id = 1";

/* A disk, and how safe a commit on it is. */
struct disk {
    const char *vfs; /* NULL: the real one */
    int synchronous;
};

struct way {
    size_t chunk; /* rows a commit */
    size_t commits;
    double real_full_per_s, real_normal_per_s;
};

struct app {
    struct asq_options options;
    char path[PATH_SIZE];
    char data[DATA_SIZE];
    struct asq_value *values; /* of all rows; every eighth has no data */
    uv_loop_t *loop;
    struct asq_heartbeat beats;
    struct asq_latency latency; /* of who reads meanwhile */
    struct asq_trace trace;     /* each way begins at 0 */
    struct way ways[WAYS];
    struct asq_report_row rows[WAYS]; /* on the slow disk */
    uint64_t longest_ns;              /* of the ways there */
    /* of the run that is under way */
    struct asq_conn conn;
    struct asq_batch batch;
    struct asq_request read;
    unsigned lane; /* of main; that of the worker follows */
    bool slow, reading;
    uint64_t begin_ns, end_ns, asked_ns, stall_ns;
    bool failed;
};

/* What happens, in this order. Each int is 0, or 1 after a line on stderr. */

/* Makes the rows, the slow disk, and room for what is measured. */
static int prepare(struct app *app);
/* Inserts all rows in one way on one disk. ret_per_s: rows a second. */
static int
run(struct app *app, int way, const struct disk *disk, double *ret_per_s);
/* The first way: a statement and a commit for each row, on this thread. */
static void insert_here(struct app *app, const struct asq_profile *profile);
/* The others: a conn, a batch on it, and somebody who reads meanwhile. */
static void insert_batch(struct app *app, const struct asq_profile *profile);
/* On the loop: after each commit, after the last, and for who reads. */
static void note_chunk(struct asq_batch *batch);
static void note_done(struct asq_batch *batch, int status);
static void ask_again(struct asq_request *request, int status);
/* Looks into the file, through a connection of its own. */
static int check_table(struct app *app);
/* Shows what came out, and writes the files that were asked for. */
static int report(struct app *app);

/* Tells the first failure. */
static int fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
    return 1;
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app; the next run opens it again */
}

static int prepare(struct app *app)
{
    static const char *const lanes[LANES] = {
        "blocking-1  main", "batch-1     main", "  worker",
        "batch-8     main", "  worker",         "batch-64    main",
        "  worker",         "batch-512   main", "  worker"};
    size_t rows = (size_t)app->options.requests;

    (void)snprintf(app->path, sizeof app->path, "%s/tmp/batches-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (asq_make_parents(app->path) != 0)
        return fail(app, "the folder of the database cannot be made");
    if (asq_slow_disk_register() != 0)
        return fail(app, "the slow disk cannot be registered");
    asq_slow_disk_delay(ASQ_DISK_SYNC,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    app->values = calloc(2 * rows, sizeof *app->values);
    if (app->values == NULL || asq_latency_init(&app->latency, rows) != 0 ||
        asq_trace_init(&app->trace, LANES, 4 * rows) != 0)
        return fail(app, "out of memory");
    for (unsigned i = 0; i < LANES; i++)
        asq_trace_name(&app->trace, i, lanes[i]);
    memset(app->data, ' ', sizeof app->data); /* blanks are JSON too */
    app->data[0] = '[';
    app->data[DATA_SIZE - 1] = ']';
    for (size_t i = 0; i < rows; i++) {
        app->values[2 * i] = asq_int64((int64_t)i + 1);
        app->values[2 * i + 1] =
            asq_text_n(i % 8 == 7 ? NULL : app->data, DATA_SIZE);
    }
    return 0;
}

static int make_table(struct app *app, const struct asq_profile *profile)
{
    struct asq_db db;
    int rc = asq_db_open(&db, profile);

    if (rc == 0)
        rc = asq_db_run(&db, make_sql, NULL, NULL);
    if (rc != 0)
        (void)fail(app, asq_db_message(&db));
    (void)asq_db_close(&db); /* every statement was released */
    return rc != 0;
}

static int
run(struct app *app, int way, const struct disk *disk, double *ret_per_s)
{
    struct asq_profile profile = asq_profile_default(app->path);
    double ns;

    (void)asq_db_remove(app->path); /* what cannot be removed stays */
    profile.vfs = disk->vfs;
    profile.synchronous = disk->synchronous;
    if (make_table(app, &profile) != 0)
        return 1;
    app->slow = disk->vfs != NULL;
    app->batch.chunk = way == 0 ? 0 : app->ways[way].chunk;
    asq_latency_reset(&app->latency);
    if (way == 0)
        insert_here(app, &profile);
    else
        insert_batch(app, &profile);
    ns = (double)(app->end_ns - app->begin_ns);
    *ret_per_s = 1e9 * (double)app->options.requests / ns;
    if (!app->failed)
        (void)check_table(app);
    (void)asq_db_remove(app->path); /* what cannot be removed stays */
    return app->failed;
}

static void keep_span(struct app *app,
                      unsigned lane,
                      uint64_t begin_ns,
                      uint64_t end_ns,
                      const char *name)
{
    struct asq_span span = {begin_ns - app->begin_ns, end_ns - app->begin_ns,
                            ASQ_TRACE_WAIT, name};

    if (!app->slow || begin_ns < app->begin_ns)
        return;
    asq_trace_add(&app->trace, lane, &span);
    if (span.end_ns > app->longest_ns)
        app->longest_ns = span.end_ns;
}

static void insert_here(struct app *app, const struct asq_profile *profile)
{
    struct asq_db db;
    int rc = asq_db_open(&db, profile);

    asq_heartbeat_start(&app->beats);
    app->begin_ns = asq_clock_now_ns(); /* (1) somebody wants to read, too */
    for (long i = 0; i < app->options.requests && rc == 0; i++) {
        struct asq_params row = {.values = &app->values[2 * i], .count = 2};

        rc = asq_db_run(&db, insert_sql, &row, NULL); /* (2) */
    }
    app->stall_ns = asq_heartbeat_stop(&app->beats);
    app->end_ns = asq_clock_now_ns();
    if (rc == 0)
        rc = asq_db_run(&db, read_sql, NULL, NULL); /* (3) now he may */
    (void)asq_latency_add(&app->latency,            /* there is room */
                          asq_clock_now_ns() - app->begin_ns);
    if (rc != 0)
        (void)fail(app, asq_db_message(&db));
    app->ways[0].commits = (size_t)app->options.requests;
    keep_span(app, app->lane, app->begin_ns, app->end_ns, "inserts");
    (void)asq_db_close(&db); /* every statement was released */
}

static void insert_batch(struct app *app, const struct asq_profile *profile)
{
    int rc;

    asq_conn_init(&app->conn);
    app->conn.data = app;
    rc = asq_conn_open(&app->conn, app->loop, profile, note_opened);
    if (rc != 0) {
        (void)fail(app, uv_strerror(rc));
        return;
    }
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is open */
    asq_heartbeat_start(&app->beats);
    app->begin_ns = app->asked_ns = asq_clock_now_ns();
    app->reading = true;
    rc = asq_batch_start(&app->batch, &app->conn, note_done); /* (4) */
    if (rc == 0)
        rc = asq_conn_run(&app->conn, &app->read, read_sql, NULL,
                          ask_again); /* (5) */
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
}

/* (6) The chunk is committed; who reads comes before the next one. */
static void note_chunk(struct asq_batch *batch)
{
    struct app *app = batch->data;

    keep_span(app, app->lane + 1, batch->request.started_ns,
              batch->request.ended_ns, "chunk");
}

static void note_done(struct asq_batch *batch, int status)
{
    struct app *app = batch->data;

    app->stall_ns = asq_heartbeat_stop(&app->beats);
    app->end_ns = asq_clock_now_ns();
    app->reading = false;
    if (status != 0)
        (void)fail(app, batch->request.message);
    else if (batch->changes != app->options.requests)
        (void)fail(app, "the batch has not changed all rows");
}

static void ask_again(struct asq_request *request, int status)
{
    struct app *app = request->data;
    uint64_t now_ns = asq_clock_now_ns();
    int rc = 0;

    keep_span(app, app->lane + 1, request->started_ns, request->ended_ns,
              "read");
    if (status != 0)
        (void)fail(app, request->message);
    else if (asq_latency_add(&app->latency, now_ns - app->asked_ns) != 0)
        (void)fail(app, "out of memory");
    app->asked_ns = now_ns;
    if (app->reading && status == 0)
        rc = asq_conn_run(&app->conn, request, read_sql, NULL, ask_again);
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
}

static int check_table(struct app *app)
{
    static const char sql[] =
        "SELECT count(*) AS rows, coalesce(sum(id), 0) AS ids,"
        " count(*) FILTER (WHERE data = '{}') AS empty FROM items";
    struct asq_profile profile = asq_profile_default(app->path);
    struct asq_result result = {0};
    int64_t rows = app->options.requests;
    struct asq_db db;
    int rc = asq_db_open(&db, &profile);

    if (rc == 0)
        rc = asq_db_run(&db, sql, NULL, &result);
    if (rc != 0)
        (void)fail(app, asq_db_message(&db));
    else if (asq_result_int64(&result, 0, "rows") != rows ||
             asq_result_int64(&result, 0, "ids") != rows * (rows + 1) / 2 ||
             asq_result_int64(&result, 0, "empty") != rows / 8)
        (void)fail(app, "the table does not hold the rows");
    asq_result_destroy(&result);
    (void)asq_db_close(&db); /* every statement was released */
    return app->failed;
}

static int run_way(struct app *app, int i)
{
    static const struct disk slow = {ASQ_SLOW_DISK, 2};
    static const struct disk real_full = {NULL, 2};
    static const struct disk real_normal = {NULL, 1};
    struct asq_report_row *row = &app->rows[i];
    struct way *way = &app->ways[i];
    uint64_t reads = asq_slow_disk_count(ASQ_DISK_READ);
    int rc = run(app, i, &slow, &row->throughput_per_s);

    row->stall_us = (double)app->stall_ns / 1e3;
    row->p50_us = (double)asq_latency_percentile(&app->latency, 50) / 1e3;
    row->p99_us = (double)asq_latency_percentile(&app->latency, 99) / 1e3;
    row->requests = (uint64_t)app->options.requests;
    row->disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - reads;
    if (i > 0)
        way->commits = app->batch.commits;
    app->lane += i == 0 ? 1 : 2;
    if (rc == 0)
        rc = run(app, i, &real_full, &way->real_full_per_s);
    if (rc == 0)
        rc = run(app, i, &real_normal, &way->real_normal_per_s);
    return rc;
}

static int print_table(const struct app *app)
{
    static const char *const headers[] = {
        "way", "commits", "slow FULL", "p50", "p99", "stall", "FULL", "NORMAL"};
    struct asq_table table;
    char text[16];
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < WAYS; i++) {
        const struct asq_report_row *row = &app->rows[i];
        const struct way *way = &app->ways[i];

        asq_table_add(&table, "%s", row->way);
        asq_table_add(&table, "%zu", way->commits);
        asq_table_add(&table, "%s",
                      asq_format_count(text, row->throughput_per_s));
        asq_table_add(&table, "%s", asq_format_duration(text, row->p50_us));
        asq_table_add(&table, "%s", asq_format_duration(text, row->p99_us));
        asq_table_add(&table, "%s", asq_format_duration(text, row->stall_us));
        asq_table_add(&table, "%s",
                      asq_format_count(text, way->real_full_per_s));
        asq_table_add(&table, "%s",
                      asq_format_count(text, way->real_normal_per_s));
    }
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc;
}

static int report(struct app *app)
{
    printf("%ld rows; a sync of the slow disk takes %g ms. Each batch has a "
           "conn,\nand somebody reads through it all the while.\n\n",
           app->options.requests, app->options.slow_disk_ms);
    asq_trace_print(&app->trace, stdout, 0, app->longest_ns);
    printf(
        "\nblocking-1: main waited for each commit, and nobody was answered.\n"
        "batch-1: a worker waited in its place, as often.\n"
        "batch-512: it waited once for up to 512 rows.\n\n"
        "Rows a second on the slow disk, what its reader waits, the stall "
        "of the loop;\nand rows a second on the real disk, with "
        "synchronous FULL and NORMAL:\n\n");
    if (print_table(app) != 0)
        return fail(app, "out of memory");
    return asq_report_save(app->rows, WAYS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    static const size_t chunks[WAYS] = {1, 1, 8, 64, 512};
    static const char *const names[WAYS] = {"blocking-1", "batch-1", "batch-8",
                                            "batch-64", "batch-512"};
    struct app app = {
        .options = {.program = "build/06-batches",
                    .about = "Why is one at a time slow?",
                    .slow_disk_ms = 1,
                    .requests = 512},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (app.loop == NULL || asq_heartbeat_attach(&app.beats, app.loop) != 0)
        return fail(&app, "no memory or descriptor is left");
    asq_request_init(&app.read);
    app.read.data = &app;
    asq_batch_init(&app.batch);
    app.batch.data = &app;
    app.batch.sql = insert_sql;
    app.batch.rows = (size_t)app.options.requests;
    app.batch.columns = 2;
    app.batch.on_chunk = note_chunk;
    rc = prepare(&app);
    app.batch.values = app.values;
    for (int i = 0; i < WAYS && rc == 0; i++) {
        app.ways[i].chunk = chunks[i];
        app.rows[i] = (struct asq_report_row){
            .way = names[i], .disk = "slow", .connections = 1};
        rc = run_way(&app, i);
    }
    if (rc == 0)
        rc = report(&app);
    asq_batch_destroy(&app.batch);
    asq_request_destroy(&app.read);
    free(app.values);
    asq_latency_destroy(&app.latency);
    asq_trace_destroy(&app.trace);
    asq_heartbeat_detach(&app.beats, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timer is closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    return asq_options_finish(&app.options, rc);
}
