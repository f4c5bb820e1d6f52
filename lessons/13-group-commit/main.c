/* main - who writes, and how fast?
 *
 * The same rows, all ready at once, and each must be on the disk before it is
 * answered. They are written in three ways: each with its own COMMIT on the
 * main thread, or by eight threads with a connection each, or through a store,
 * which commits in groups. On a disk whose sync takes 1, 5 or 20 ms, and on the
 * fast disk.
 *
 * Run:      make lesson L=13
 * Expect:   eight threads wait for as many syncs as one; the store for a few
 * See also: idea.c and its wrong twins; case_power_cut.c, case_wal_grows.c
 */
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "13-group-commit/store.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WAYS = 3,
    DISKS = 4,
    DRAWN = 1, /* this disk is on the timeline */
    THREADS = 8
};

static const char insert_sql[] = "INSERT INTO rows DEFAULT VALUES";

struct writer { /* main, or one of the threads */
    struct app *app;
    struct asq_db db;
    unsigned lane;
    long first, step; /* its rows */
    uv_work_t work;
};

struct app {
    struct asq_stage stage; /* lanes: main; main, threads; main, worker */
    struct writer writers[THREADS];
    struct asq_store store;
    struct asq_request *rows; /* for the store, one for each row */
    uint64_t group_ns;        /* when the latest group ended */
    bool drawn;
    char disks[DISKS][16];
    int syncs[WAYS]; /* of the drawn disk */
    uv_mutex_t lock; /* guards the stage's latencies */
};

/* In this order: on main or a thread, with threads, with a store. */
static void write_rows(struct writer *writer);
static int write_row(struct writer *writer);
static void start_threads(struct app *app);
static void write_on_thread(uv_work_t *work);
static void submit_rows(struct app *app);
static void take_answer(struct asq_request *request, int status);

static void write_rows(struct writer *writer)
{
    struct app *app = writer->app;
    long step = writer->step;

    for (long i = writer->first; i < app->stage.options.requests; i += step) {
        int rc = write_row(writer);

        uv_mutex_lock(&app->lock);
        if (rc != 0)
            asq_stage_fail(&app->stage, asq_db_message(&writer->db));
        asq_stage_answered(&app->stage, app->stage.begin_ns);
        uv_mutex_unlock(&app->lock);
    }
}

static int write_row(struct writer *writer)
{
    struct asq_stage *stage = &writer->app->stage;
    uint64_t begin_ns = uv_hrtime(), locked_ns;
    int rc = asq_db_run(&writer->db, "BEGIN IMMEDIATE", NULL, NULL); /* (1) */

    locked_ns = uv_hrtime();
    if (rc == 0)
        rc = asq_db_run(&writer->db, insert_sql, NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(&writer->db, "COMMIT", NULL, NULL); /* (2) */
    if (writer->app->drawn) {
        asq_stage_worked(stage, writer->lane, begin_ns, locked_ns, "lock");
        asq_stage_waited(stage, writer->lane, locked_ns, uv_hrtime(), "commit");
    }
    return rc;
}

static void start_threads(struct app *app)
{
    for (int i = 0; i < THREADS; i++)
        asq_stage_must(&app->stage,
                       uv_queue_work(&app->stage.loop, &app->writers[i].work,
                                     write_on_thread, NULL)); /* (3) */
    asq_stage_turn(&app->stage); /* until all threads are done; main is free */
}

static void write_on_thread(uv_work_t *work)
{
    struct writer *writer = work->data;

    write_rows(writer);
    (void)asq_db_hand_over(&writer->db); /* to main, which closes it */
}

static void submit_rows(struct app *app)
{
    struct asq_request *request = app->rows;

    for (long i = 0; i < app->stage.options.requests; i++, request++) {
        request->data = app;
        asq_stage_must(&app->stage,
                       asq_conn_run(&app->store.conn, request, insert_sql, NULL,
                                    take_answer)); /* (4) */
    }
    asq_stage_turn(&app->stage); /* until all are answered */
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    asq_stage_answered(&app->stage, app->stage.begin_ns);   /* (5) */
    if (app->drawn && request->started_ns >= app->group_ns) /* its first one */
        asq_stage_waited(&app->stage, 3 + THREADS, request->started_ns,
                         request->ended_ns, "group");
    app->group_ns = request->ended_ns;
}

/* ---- What is around it: the ways, what is printed ------------------------ */

static void open_way(struct app *app, int way)
{
    struct asq_stage *stage = &app->stage;
    struct asq_profile profile = asq_profile_default(stage->path);
    int writers = way == 0 ? 1 : way == 1 ? THREADS : 0;

    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = 2; /* FULL: a sync in each commit */
    profile.busy_ms = 60000;
    for (int i = 0; i < writers; i++) {
        struct writer *writer = &app->writers[i];

        *writer = (struct writer){.app = app, .first = i, .step = writers};
        writer->lane = way == 0 ? 0 : 2 + (unsigned)i;
        writer->work.data = writer;
        if (asq_db_open(&writer->db, &profile) != 0)
            asq_stage_fail(stage, asq_db_message(&writer->db));
        (void)asq_db_hand_over(&writer->db); /* to the one that writes */
    }
    asq_store_init(&app->store);
    app->store.conn.capacity = (size_t)stage->options.requests;
    if (way == 2 &&
        asq_conn_open_wait(&app->store.conn, &stage->loop, &profile) != 0)
        asq_stage_fail(stage, app->store.conn.message);
}

static void run_way(struct app *app, int disk, int way)
{
    static const char *const ways[] = {"each", "threads", "store"};
    static const double times[] = {0.2, 1, 4, 0};
    struct asq_stage *stage = &app->stage;
    double ms = times[disk] * stage->options.slow_disk_ms;
    uint64_t syncs = asq_slow_disk_count(ASQ_DISK_SYNC);

    (void)snprintf(app->disks[disk], sizeof app->disks[disk],
                   disk < DISKS - 1 ? "%gms" : "fast", ms);
    app->drawn = disk == DRAWN;
    asq_slow_disk_delay(ASQ_DISK_SYNC, (uint64_t)(ms * 1000));
    asq_stage_begin(stage, ways[way], app->disks[disk], way == 1 ? THREADS : 1);
    if (way == 0)
        write_rows(&app->writers[0]);
    else if (way == 1)
        start_threads(app);
    else
        submit_rows(app);
    asq_stage_end(stage);
    if (app->drawn)
        app->syncs[way] = (int)(asq_slow_disk_count(ASQ_DISK_SYNC) - syncs);
}

static void close_way(struct app *app)
{
    for (int i = 0; i < THREADS; i++)
        (void)asq_db_close(&app->writers[i].db); /* no statement is out */
    asq_conn_close_wait(&app->store.conn);
    if (asq_stage_look(&app->stage, "SELECT count(*) FROM rows") !=
        app->stage.options.requests)
        asq_stage_fail(&app->stage, "the table does not hold the rows");
}

static void report(struct app *app)
{
    printf("%ld rows, all ready at once; a sync of this disk takes %g ms:\n\n",
           app->stage.options.requests, app->stage.options.slow_disk_ms);
    asq_stage_print_timeline(&app->stage, 0);
    printf("\neach: main waited for %d syncs, one after the other.\n"
           "threads: eight threads waited for %d syncs, one at a time.\n"
           "store: its worker waited for %d syncs, and main for none.\n\n",
           app->syncs[0], app->syncs[1], app->syncs[2]);
    asq_stage_print_rows(&app->stage);
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {
        "each    main", "threads main", "  1", "  2", "  3",
        "  4",          "  5",          "  6", "  7", "  8",
        "store   main", "  worker",     NULL};
    static struct app app = {.stage.options.program = "build/13-group-commit",
                             .stage.options.about = "Who writes, and how fast?",
                             .stage.options.slow_disk_ms = 5,
                             .stage.options.requests = 64,
                             .stage.lanes = lanes,
                             .stage.spans = 2};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    (void)setenv("UV_THREADPOOL_SIZE", "8", 1); /* or there are four */
    app.stage.trace.waits = "waits for the sync";
    app.stage.trace.works = "waits for the lock";
    app.rows = calloc((size_t)app.stage.options.requests, sizeof *app.rows);
    if (app.rows == NULL || uv_mutex_init(&app.lock) != 0)
        return 1;
    for (int i = 0; i < DISKS * WAYS && !app.stage.failed; i++) {
        asq_stage_make(&app.stage, "CREATE TABLE rows (n INTEGER)");
        open_way(&app, i % WAYS);
        run_way(&app, i / WAYS, i % WAYS);
        close_way(&app);
    }
    if (!app.stage.failed)
        report(&app);
    free(app.rows); /* a result of them has no memory: there were no rows */
    uv_mutex_destroy(&app.lock);
    return asq_stage_close(&app.stage, 0);
}
