/* case_power_cut - which rows are there after a power cut?
 *
 * A store writes 97 rows, each after the answer to the one before. Then the
 * slow disk loses its power: what was not synced is gone. The file is opened
 * again, and its rows are counted. With FULL every COMMIT is synced; with
 * NORMAL only checkpoints are, here after every 40 pages, and the COMMIT of a
 * request that asks for it.
 *
 * Run:      build/13-group-commit-case_power_cut
 * Expect:   FULL has all rows, NORMAL a part; but never one without those
 *           before it
 * See also: store.h; main.c, for what a sync costs
 */
#include "03-event-loop/conn_wait.h"
#include "13-group-commit/store.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

struct way {
    const char *name;
    int synchronous;
    long durable_every; /* rows; 0: none is */
};

static const struct way ways[] = {{"FULL", 2, 0},
                                  {"NORMAL", 1, 0},
                                  {"NORMAL, every 10th row durable", 1, 10}};

struct app {
    struct asq_stage stage;
    struct asq_store store;
    struct asq_request request;
    const struct way *way;
    int64_t acknowledged;
};

/* In this order. */
static void open_store(struct app *app);
static void write_next(struct app *app);
static void take_answer(struct asq_request *request, int status);
static void cut_power(struct app *app);
static void look(struct app *app);

static void open_store(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    asq_slow_disk_reset();
    asq_slow_disk_remember(); /* (1) what is not synced yet */
    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = app->way->synchronous; /* (2) */
    asq_store_init(&app->store);
    app->store.wal_pages = 40; /* then a checkpoint, which syncs */
    if (asq_conn_open_wait(&app->store.conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->store.conn.message);
}

static void write_next(struct app *app)
{
    long every = app->way->durable_every;

    app->request.durable =
        every > 0 && (app->acknowledged + 1) % every == 0; /* (3) */
    asq_stage_must(&app->stage, asq_conn_run(&app->store.conn, &app->request,
                                             "INSERT INTO rows VALUES (NULL)",
                                             NULL, take_answer));
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    else if (++app->acknowledged < app->stage.options.requests) /* (4) */
        write_next(app);
}

static void cut_power(struct app *app)
{
    if (asq_slow_disk_power_cut() != 0) /* (5) */
        asq_stage_fail(&app->stage, "the disk cannot be restored");
    asq_conn_close_wait(&app->store.conn); /* the program has died */
    asq_slow_disk_power_on();
}

static void look(struct app *app)
{
    int64_t rows = asq_stage_look(&app->stage, "SELECT count(*) FROM rows");
    int64_t last = asq_stage_look(&app->stage, "SELECT max(id) FROM rows");
    int64_t whole = asq_stage_look(&app->stage, "SELECT integrity_check = 'ok'"
                                                " FROM pragma_integrity_check");

    printf("%-31s %3" PRId64 " acknowledged, %3" PRId64 " there, %s, %s\n",
           app->way->name, app->acknowledged, rows,
           rows == last ? "no hole" : "a hole",
           whole == 1 ? "file whole" : "file damaged");
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/13-group-commit-case_power_cut",
        .stage.options.about = "Which rows are there after a power cut?",
        .stage.options.requests = 97};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    app.request.data = &app;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        app.way = &ways[i];
        app.acknowledged = 0;
        asq_stage_make(&app.stage,
                       "PRAGMA journal_mode = WAL;"
                       "CREATE TABLE rows (id INTEGER PRIMARY KEY)");
        open_store(&app);
        write_next(&app);
        asq_stage_turn(&app.stage); /* until all are acknowledged */
        cut_power(&app);
        look(&app);
    }
    asq_request_destroy(&app.request);
    return asq_stage_close(&app.stage, 0);
}
