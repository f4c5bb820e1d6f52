/* main - who closes what, and when?
 *
 * A writer and a reader are at work on the slow disk when the program is told
 * to end. It closes both connections at once, or it drains them first: nothing
 * new is let in, and what was submitted has some time to finish. In the end the
 * file is compared with what was acknowledged.
 *
 * Run:      make lesson L=09
 * Expect:   the longer it drains, the fewer requests are cancelled
 * See also: idea.c and its wrong twins; shutdown.h; case_killed.c
 */
#include "03-event-loop/conn_wait.h"
#include "09-lifetimes/shutdown.h"
#include "common/slow_disk.h"
#include "common/stage.h"
#include "common/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    WRITER,
    READER,
    CONNS,
    WAYS = 4
};

static const char write_sql[] =
    "INSERT INTO orders (user_id, created_at) VALUES (1, '2024-05-17')";
static const char long_sql[] = /* reads all pages of the table */
    "SELECT count(*) FILTER (WHERE value > 0) AS count FROM items";

/* A way to end, and what came of it. */
struct way {
    const char *name;
    int drain_ms; /* below 0: close at once */
    struct asq_conn conns[CONNS];
    struct asq_shutdown shutdown;
    struct asq_shutdown_part parts[CONNS];
    long answered, cancelled, stopped, written;
    uint64_t told_ns, end_ns; /* when it is told to end, and has ended */
    long wal_frames;          /* left beside the file */
};

struct app {
    struct asq_stage stage;
    struct way ways[WAYS];
    struct way *way;              /* the current one */
    struct asq_request *requests; /* the first is the long query */
};

static void take_answer(struct asq_request *request, int status);
static void count(struct app *app, struct asq_request *request, int status);
static void close_at_once(struct way *way);
static void shut_down(struct way *way, uv_loop_t *loop);

static void open_conns(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = 2; /* a commit waits for the disk */
    for (int i = 0; i < CONNS; i++) {
        struct asq_conn *conn = &app->way->conns[i];

        asq_conn_init(conn);
        conn->capacity = SIZE_MAX;
        profile.mode = i == WRITER ? ASQ_OPEN_WRITE : ASQ_OPEN_READ;
        if (asq_conn_open_wait(conn, &app->stage.loop, &profile) != 0)
            asq_stage_fail(&app->stage, conn->message);
    }
}

/* (1) A long query for the reader, and many writes for the writer. */
static void submit(struct app *app, long i)
{
    struct asq_conn *conn = &app->way->conns[i == 0 ? READER : WRITER];
    const char *sql = i == 0 ? long_sql : write_sql;

    app->requests[i].data = app;
    asq_stage_must(&app->stage, asq_conn_run(conn, &app->requests[i], sql, NULL,
                                             take_answer));
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;
    struct way *way = app->way;

    count(app, request, status);
    if (status != 0 || request == app->requests ||
        ++way->written != 1 + app->stage.options.requests / 4)
        return;
    way->told_ns = uv_hrtime(); /* (2) Ctrl-C */
    if (way->drain_ms < 0)
        close_at_once(way);
    else
        shut_down(way, &app->stage.loop);
}

static void take_closed(struct asq_conn *conn)
{
    (void)conn; /* its memory may be freed from here on */
}

/* (3) A running request is finished, those that wait are cancelled. */
static void close_at_once(struct way *way)
{
    for (int i = 0; i < CONNS; i++)
        asq_conn_close(&way->conns[i], take_closed);
}

static void take_down(struct asq_shutdown *shutdown)
{
    (void)shutdown; /* all memory may be freed from here on */
}

/* (4) Nothing new is let in; what was submitted has drain_ms to finish. (5)
 * Then the reader closes, and the writer, which empties the WAL first. */
static void shut_down(struct way *way, uv_loop_t *loop)
{
    asq_shutdown_init(&way->shutdown);
    way->shutdown.drain_ms = (unsigned)way->drain_ms;
    for (int i = 0; i < CONNS; i++) {
        way->parts[i].name = i == WRITER ? "writer" : "reader";
        way->parts[i].conn = &way->conns[i];
        way->parts[i].checkpoint = i == WRITER;
        asq_shutdown_add(&way->shutdown, &way->parts[i]);
    }
    /* It cannot fail: it is started once. */
    (void)asq_shutdown_start(&way->shutdown, loop, take_down);
}

/* ---- What is around it: the counts, the ways, the report ----------------- */

static void count(struct app *app, struct asq_request *request, int status)
{
    bool is_long = request == app->requests;
    unsigned lane = 1 + CONNS * (unsigned)(app->way - app->ways) + is_long;

    if (request->started_ns != 0) /* else it never ran */
        asq_stage_waited(&app->stage, lane, request->started_ns,
                         request->ended_ns, "request");
    app->way->answered += status == 0;
    app->way->cancelled += status == UV_ECANCELED;
    app->way->stopped += status == SQLITE_INTERRUPT;
    if (status != 0)
        return;
    asq_stage_answered(&app->stage, request->submitted_ns);
    if (is_long &&
        asq_result_int64(&request->result, 0, "count") != app->stage.shop.items)
        asq_stage_fail(&app->stage, "the long query gave a wrong answer");
}

static void run(struct app *app, struct way *way)
{
    char wal[sizeof app->stage.path + 8];
    struct stat file;

    app->way = way;
    asq_stage_copy_shop(&app->stage);
    open_conns(app);
    if (app->stage.failed)
        return;
    asq_stage_begin(&app->stage, way->name, "slow", CONNS);
    for (long i = 0; i <= app->stage.options.requests; i++)
        submit(app, i);
    asq_stage_turn(&app->stage); /* until both are closed */
    way->end_ns = uv_hrtime();
    asq_stage_end(&app->stage);
    if (way->answered + way->cancelled + way->stopped !=
        1 + app->stage.options.requests)
        asq_stage_fail(&app->stage, "a request has failed, or is not answered");
    (void)snprintf(wal, sizeof wal, "%s-wal", app->stage.path); /* it fits */
    if (stat(wal, &file) == 0)
        way->wal_frames = (long)(file.st_size / (4096 + 24)); /* page, head */
    /* What was acknowledged is in the file, and nothing else is. */
    if (asq_stage_look(&app->stage, "SELECT count(*) FROM orders") !=
        app->stage.shop.orders + way->written)
        asq_stage_fail(&app->stage, "the file is not what was acknowledged");
}

static void report(struct app *app)
{
    char end[16], stall[16], said[128];

    printf("A writer has %ld writes, a reader one long query; a read or sync "
           "takes %g ms.\nA quarter into the writes the end is asked for.\n\n",
           app->stage.options.requests, app->stage.options.slow_disk_ms);
    asq_stage_print_timeline(&app->stage, 0);
    printf(
        "\nclose-at-once: waiting requests are cancelled, running ones end.\n"
        "drain-0: waiting requests are cancelled, running ones stopped.\n"
        "drain-250: the writes are finished, the long query is stopped.\n"
        "drain-all: everything is finished.\n\n"
        "%-13s  answered  cancelled  stopped   to end    stall  WAL\n",
        "way");
    for (int i = 0; i < WAYS; i++) {
        const struct way *way = &app->ways[i];
        double us = (double)(way->end_ns - way->told_ns) / 1e3;

        printf("%-13s  %8ld  %9ld  %7ld  %7s  %7s  %3ld\n", way->name,
               way->answered, way->cancelled, way->stopped,
               asq_format_duration(end, us),
               asq_format_duration(stall, app->stage.rows[i].stall_us),
               way->wal_frames);
        for (int k = 0; k < CONNS && way->drain_ms >= 0; k++)
            if (asq_shutdown_report(&way->parts[k], said, sizeof said))
                printf("  %s\n", said);
    }
}

int main(int argc, char **argv)
{
    static const char *const lanes[2 + WAYS * CONNS] = {
        "main",   "close-at-once writer", "reader", "drain-0 writer",
        "reader", "drain-250 writer",     "reader", "drain-all writer",
        "reader"};
    struct app app = {
        .stage = {.options = {.program = "build/09-lifetimes",
                              .about = "Who closes what, and when?",
                              .slow_disk_ms = 1,
                              .requests = 60},
                  .slow_reads = true,
                  .slow_syncs = true,
                  .lanes = lanes,
                  .spans = 2},
        .ways = {{.name = "close-at-once", .drain_ms = -1},
                 {.name = "drain-0", .drain_ms = 0},
                 {.name = "drain-250", .drain_ms = 250},
                 {.name = "drain-all", .drain_ms = 60000}},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    app.requests =
        calloc(1 + (size_t)app.stage.options.requests, sizeof *app.requests);
    if (app.requests == NULL)
        asq_stage_fail(&app.stage, "out of memory");
    for (int i = 0; i < WAYS && !app.stage.failed; i++)
        run(&app, &app.ways[i]);
    if (!app.stage.failed)
        report(&app);
    for (long i = 0; app.requests && i <= app.stage.options.requests; i++)
        asq_request_destroy(&app.requests[i]);
    free(app.requests);
    return asq_stage_close(&app.stage, 0);
}
