/* main - who closes what, and when?
 *
 * A writer and two readers are at work on the slow disk when the program is
 * told to end: it closes all of them at once, or it drains them first, for so
 * long. Afterwards the file is compared with what was acknowledged.
 *
 * Run:      make lesson L=09
 * Expect:   who drains for longer cancels less; close waits for what is longest
 * See also: idea.c and its wrong twins; shutdown.h, tempdb.h; case_killed.c
 */
#include "01-blocking/stmt.h"
#include "09-lifetimes/shutdown.h"
#include "09-lifetimes/tempdb.h"
#include "common/clock.h"
#include "common/elsewhere.h"
#include "common/heartbeat.h"
#include "common/options.h"
#include "common/report.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/table.h"
#include "common/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    WRITER,
    READER_1,
    READER_2,
    CONNS,
    LANES = 1 + CONNS, /* of a way: main and the workers */
    WAYS = 4,
    FRAME = 4096 + 24 /* a page and its head in the WAL */
};

static const char insert_sql[] =
    "INSERT INTO orders (user_id, created_at) VALUES (?1, '2024-05-17')";
static const char read_sql[] = "SELECT id AS got FROM items WHERE id = ?1";
static const char long_sql[] = /* reads all pages of the table */
    "SELECT count(*) FILTER (WHERE value > 0) AS got FROM items WHERE id <= ?1";

struct ask {
    struct asq_request request;
    struct app *app;
    int conn;
    struct asq_value value; /* what is asked with, and the answer of a query */
};

/* A way to end, and what came of it. */
struct way {
    int drain_ms; /* below 0: close at once */
    long answered, cancelled, stopped;
    uint64_t told_ns, end_ns; /* from the beginning */
    long wal_frames;
    unsigned left_open;
    char said[CONNS][128];
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    uv_loop_t *loop;
    struct asq_heartbeat beats;
    struct asq_trace trace; /* each way begins at 0 */
    struct way ways[WAYS];
    struct asq_report_row rows[WAYS];
    struct ask *asks;
    /* of the run that is under way */
    struct way *way;
    struct asq_tempdb file;
    struct asq_conn conns[CONNS];
    struct asq_shutdown shutdown;
    struct asq_shutdown_part parts[CONNS];
    long submitted, closed, written;
    uint64_t begin_ns, reads;
    bool failed;
};

/* What happens, in this order. */

/* Works until the end has come in one way. Returns 0 or 1. */
static int run_way(struct app *app);
static void submit_all(struct app *app);
/* On the worker of reader 1. */
static int begin_export(struct asq_db *db, struct asq_request *request);
/* On the loop, for each request; a quarter into the writes comes the end, by
 * close_at_once or shut_down, and then note_end. */
static void note_answer(struct asq_request *request, int status);
/* Looks at what is left, and into the file. */
static void check_end(struct app *app);

static const char *const names[CONNS] = {"writer", "reader 1", "reader 2"};
static const char *const mains[WAYS] = {"close-at-once main", "drain-0 main",
                                        "drain-250 main", "drain-all main"};

static int fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
    return 1;
}

static int prepare(struct app *app)
{
    uint64_t us = (uint64_t)(app->options.slow_disk_ms * 1000);
    size_t asks = (size_t)(CONNS * app->options.requests + 2);

    app->asks = calloc(asks, sizeof *app->asks);
    if (app->asks == NULL || asq_slow_disk_register() != 0 ||
        asq_trace_init(&app->trace, WAYS * LANES, asks) != 0)
        return fail(app, "out of memory");
    asq_slow_disk_delay(ASQ_DISK_READ, us);
    asq_slow_disk_delay(ASQ_DISK_SYNC, us);
    for (unsigned i = 0; i < WAYS * LANES; i++)
        asq_trace_name(&app->trace, i,
                       i % LANES == 0 ? mains[i / LANES]
                                      : names[i % LANES - 1]);
    for (size_t i = 0; i < asks; i++) {
        asq_request_init(&app->asks[i].request);
        app->asks[i].request.data = &app->asks[i];
        app->asks[i].app = app;
    }
    return 0;
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fail(conn->data, conn->message);
}

static int run_way(struct app *app)
{
    struct asq_profile profile;
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = 0;

    app->submitted = app->closed = app->written = 0;
    if (asq_tempdb_open(&app->file, ASQ_TEMPDB_FILE, asq_build_dir()) != 0)
        return fail(app, app->file.message);
    if (asq_shop_copy(&app->shop, app->file.path, message) != 0)
        return fail(app, message);
    profile = asq_tempdb_profile(&app->file);
    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = 2; /* a commit waits for the disk */
    for (int i = 0; i < CONNS && rc == 0; i++) {
        asq_conn_init(&app->conns[i]);
        app->conns[i].data = app;
        app->conns[i].capacity = SIZE_MAX;
        app->conns[i].shared_tx = true; /* for (2): by default it is undone */
        profile.mode = i == WRITER ? ASQ_OPEN_WRITE : ASQ_OPEN_READ;
        rc = asq_conn_open(&app->conns[i], app->loop, &profile, note_opened);
        (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is open */
    }
    if (rc != 0 || app->failed)
        return fail(app, uv_strerror(rc));
    asq_heartbeat_start(&app->beats);
    app->reads = asq_slow_disk_count(ASQ_DISK_READ);
    app->begin_ns = asq_clock_now_ns();
    submit_all(app);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all are closed */
    if (app->closed != CONNS)
        return fail(app, "the end has not come");
    check_end(app);
    return asq_tempdb_close(&app->file) == 0 ? app->failed
                                             : fail(app, app->file.message);
}

static void submit(struct app *app, int conn, const char *sql, int64_t value)
{
    struct ask *ask = &app->asks[app->submitted++];
    struct asq_params params = {.values = &ask->value, .count = 1};

    ask->conn = conn;
    ask->value = asq_int64(value);
    if ((sql == NULL ? asq_conn_call(&app->conns[conn], &ask->request,
                                     begin_export, note_answer)
                     : asq_conn_run(&app->conns[conn], &ask->request, sql,
                                    &params, note_answer)) != 0)
        (void)fail(app, "a request was refused");
}

static void submit_all(struct app *app)
{
    submit(app, READER_2, long_sql, app->shop.items); /* (1) */
    submit(app, READER_1, NULL, 0);
    for (long i = 0; i < app->options.requests; i++) {
        int64_t id = 1 + i * 97 % app->shop.items;

        submit(app, WRITER, insert_sql, 1);
        submit(app, READER_1, read_sql, id);
        submit(app, READER_2, read_sql, id);
    }
}

/* (2) Its client goes away: the statement is not given back. */
static int begin_export(struct asq_db *db, struct asq_request *request)
{
    struct asq_stmt *stmt = NULL;
    int rc =
        asq_stmt_prepare(db, "SELECT data FROM items", ASQ_WHOLE_TEXT, &stmt);

    (void)request; /* nobody wants the row */
    rc = rc == 0 ? asq_stmt_step(stmt) : rc;
    return rc == SQLITE_ROW ? 0 : rc;
}

static void note_end(struct app *app)
{
    struct way *way = app->way;
    struct asq_report_row *row = &app->rows[way - app->ways];

    way->end_ns = asq_clock_now_ns() - app->begin_ns;
    row->disk = "slow";
    row->connections = CONNS;
    row->requests = (uint64_t)app->submitted;
    row->disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - app->reads;
    row->p50_us = row->p99_us = NAN; /* not measured */
    row->throughput_per_s = 1e9 * (double)way->answered / (double)way->end_ns;
    row->stall_us = (double)asq_heartbeat_stop(&app->beats) / 1e3;
}

static void note_closed(struct asq_conn *conn)
{
    struct app *app = conn->data;

    if (++app->closed == CONNS)
        note_end(app);
}

/* (4) What runs is finished, and whoever has finished closes. */
static void close_at_once(struct app *app)
{
    for (int i = 0; i < CONNS; i++)
        asq_conn_close(&app->conns[i], note_closed);
}

static void note_down(struct asq_shutdown *shutdown)
{
    struct app *app = shutdown->data;

    for (int i = 0; i < CONNS; i++)
        (void)asq_shutdown_report(&app->parts[i], app->way->said[i],
                                  sizeof app->way->said[i]);
    app->closed = CONNS;
    note_end(app);
}

/* (5) Nothing new is let in, what was let in has so long. (6) Then the readers
 * are closed, the writer brings back the WAL, and is closed as the last. */
static void shut_down(struct app *app)
{
    asq_shutdown_init(&app->shutdown);
    app->shutdown.data = app;
    app->shutdown.drain_ms = (unsigned)app->way->drain_ms;
    for (int i = 0; i < CONNS; i++) {
        app->parts[i] = (struct asq_shutdown_part){.name = names[i],
                                                   .conn = &app->conns[i],
                                                   .checkpoint = i == WRITER};
        asq_shutdown_add(&app->shutdown, &app->parts[i]);
    }
    /* It cannot fail: it is started once. */
    (void)asq_shutdown_start(&app->shutdown, app->loop, note_down);
}

static void note_answer(struct asq_request *request, int status)
{
    struct ask *ask = request->data;
    struct app *app = ask->app;
    struct way *way = app->way;
    struct asq_span span = {request->started_ns - app->begin_ns,
                            request->ended_ns - app->begin_ns, ASQ_TRACE_WAIT,
                            "request"};
    unsigned lane =
        LANES * (unsigned)(way - app->ways) + 1 + (unsigned)ask->conn;

    if (request->started_ns >= app->begin_ns) /* it has run */
        asq_trace_add(&app->trace, lane, &span);
    way->answered += status == 0;
    way->cancelled += status == UV_ECANCELED;
    way->stopped += status == SQLITE_INTERRUPT;
    if (request->result.rows > 0 &&
        asq_result_int64(&request->result, 0, "got") != ask->value.as.int64)
        (void)fail(app, "a query gave a wrong answer");
    if (status != 0 || ask->conn != WRITER ||
        ++app->written != 1 + app->options.requests / 4)
        return;
    way->told_ns = asq_clock_now_ns() - app->begin_ns; /* (3) Ctrl-C */
    if (way->drain_ms < 0)
        close_at_once(app);
    else
        shut_down(app);
}

static void check_end(struct app *app)
{
    struct way *way = app->way;
    char wal[ASQ_TEMPDB_PATH + 8], message[ASQ_MESSAGE_SIZE];
    struct stat file;
    int64_t rows;

    for (int i = 0; i < CONNS; i++)
        way->left_open += app->conns[i].left_open.statements;
    (void)snprintf(wal, sizeof wal, "%s-wal", app->file.path); /* it fits */
    if (stat(wal, &file) == 0)
        way->wal_frames = (long)(file.st_size / FRAME);
    if (way->answered + way->cancelled + way->stopped != app->submitted)
        (void)fail(app, "a request has failed, or its answer is missing");
    /* What was acknowledged is in the file, and nothing else is. */
    if (asq_ask_elsewhere(app->file.path, "SELECT count(*) FROM orders", &rows,
                          message, sizeof message) != 0)
        (void)fail(app, message);
    else if (rows != app->shop.orders + app->written)
        (void)fail(app, "the file does not hold what was acknowledged");
}

static int print_table(const struct app *app)
{
    static const char *const headers[] = {"way",     "answered", "cancelled",
                                          "stopped", "to end",   "stall",
                                          "WAL",     "left open"};
    struct asq_table table;
    char text[16];
    int rc;

    asq_table_init(&table, headers, sizeof headers / sizeof headers[0]);
    for (int i = 0; i < WAYS; i++) {
        const struct way *way = &app->ways[i];
        double us = (double)(way->end_ns - way->told_ns) / 1e3;

        asq_table_add(&table, "%s", app->rows[i].way);
        asq_table_add(&table, "%ld", way->answered);
        asq_table_add(&table, "%ld", way->cancelled);
        asq_table_add(&table, "%ld", way->stopped);
        asq_table_add(&table, "%s", asq_format_duration(text, us));
        asq_table_add(&table, "%s",
                      asq_format_duration(text, app->rows[i].stall_us));
        asq_table_add(&table, "%ld", way->wal_frames);
        asq_table_add(&table, "%u", way->left_open);
    }
    rc = asq_table_print(&table, stdout);
    asq_table_destroy(&table);
    return rc;
}

static int report(struct app *app)
{
    uint64_t longest_ns = 0;

    for (int i = 0; i < WAYS; i++)
        if (app->ways[i].end_ns > longest_ns)
            longest_ns = app->ways[i].end_ns;
    printf("A writer and two readers have %ld requests, one of them long; a "
           "read or sync\nof the slow disk takes %g ms. A quarter into the "
           "writes the end is asked for.\n\n",
           app->submitted, app->options.slow_disk_ms);
    asq_trace_print(&app->trace, stdout, 0, longest_ns);
    printf("\nclose-at-once: the end cancelled what waited, and waited for the "
           "long query.\n"
           "drain-0: it cancelled what waited, and stopped what ran.\n"
           "drain-250: it waited for writer and reader 1, and then stopped the "
           "long query.\n"
           "drain-all: it waited for every answer.\n\n");
    if (print_table(app) != 0)
        return fail(app, "out of memory");
    printf("\nWhat the shutdown reports:\n\n");
    for (int i = 0; i < WAYS * CONNS; i++) {
        if (app->ways[i / CONNS].said[i % CONNS][0] != '\0')
            printf("%s: %s\n", app->rows[i / CONNS].way,
                   app->ways[i / CONNS].said[i % CONNS]);
    }
    return asq_report_save(app->rows, WAYS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    static const int drain_ms[WAYS] = {-1, 0, 250, 60000};
    struct app app = {
        .options = {.program = "build/09-lifetimes",
                    .about = "Who closes what, and when?",
                    .slow_disk_ms = 1,
                    .requests = 100},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
        .rows = {{.way = "close-at-once"},
                 {.way = "drain-0"},
                 {.way = "drain-250"},
                 {.way = "drain-all"}},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (app.loop == NULL || asq_heartbeat_attach(&app.beats, app.loop) != 0)
        return fail(&app, "no memory or descriptor is left");
    rc = prepare(&app);
    for (int i = 0; i < WAYS && rc == 0; i++) {
        app.way = &app.ways[i];
        app.way->drain_ms = drain_ms[i];
        rc = run_way(&app);
    }
    if (rc == 0)
        rc = report(&app);
    for (long i = 0; i < app.submitted; i++)
        asq_request_destroy(&app.asks[i].request);
    free(app.asks);
    asq_trace_destroy(&app.trace);
    asq_heartbeat_detach(&app.beats, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timer is closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    return asq_options_finish(&app.options, rc);
}
