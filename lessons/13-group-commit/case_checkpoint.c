/* case_checkpoint - who waits for the checkpoint?
 *
 * A client writes one row every 30 ms. The disk is slow, but with NORMAL a
 * COMMIT does not wait for it: only a checkpoint does, for two syncs of 5 ms.
 * SQLite runs it inside the COMMIT that has made the WAL too long, the store
 * after the answer. Then a client that writes without a pause: its next request
 * comes at once, and waits for the checkpoint all the same.
 *
 * Run:      build/13-group-commit-case_checkpoint
 * Expect:   a client that pauses does not meet the store's checkpoint
 * See also: checkpoint_before_answers.c; wal_keeper.h
 */
#include "03-event-loop/conn_wait.h"
#include "13-group-commit/store.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    PAUSE_MS = 30,
    WAL_PAGES = 10,
    SYNCS = 3
};

struct way {
    const char *client, *checkpoint;
    unsigned pause_ms;
    bool by_store;
};

static const struct way ways[] = {
    {"pauses", "in the COMMIT", PAUSE_MS, false},
    {"pauses", "after the answer", PAUSE_MS, true},
    {"never pauses", "in the COMMIT", 0, false},
    {"never pauses", "after the answer", 0, true}};

struct app {
    struct asq_stage stage;
    struct asq_store store;
    struct asq_conn conn; /* the one with SQLite's own checkpoint */
    struct asq_request request;
    uv_timer_t pause;
    const struct way *way;
    long answered;      /* requests */
    long waited[SYNCS]; /* those that took as long as 1, 2 and 3 syncs */
};

/* In this order. */
static void open_way(struct app *app);
static void write_row(uv_timer_t *pause);
static void take_answer(struct asq_request *request, int status);

static struct asq_conn *conn_of(struct app *app)
{
    return app->way->by_store ? &app->store.conn : &app->conn;
}

static void open_way(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    struct asq_conn *conn = conn_of(app);

    profile.vfs = ASQ_SLOW_DISK;
    profile.wal_autocheckpoint = WAL_PAGES; /* (1) the store ignores it */
    asq_conn_init(&app->conn);
    asq_store_init(&app->store);
    app->store.wal_pages = WAL_PAGES; /* (2) */
    if (asq_conn_open_wait(conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, conn->message);
}

static void write_row(uv_timer_t *pause)
{
    struct app *app = pause->data;
    struct asq_conn *conn = conn_of(app);

    asq_stage_must(&app->stage, asq_conn_run(conn, &app->request,
                                             "INSERT INTO rows VALUES (NULL)",
                                             NULL, take_answer)); /* (3) */
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;
    uint64_t took_ns = uv_hrtime() - request->submitted_ns;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    for (int i = 0; i < SYNCS; i++)
        app->waited[i] +=
            (double)took_ns >= (i + 1) * app->stage.options.slow_disk_ms * 1e6;
    if (++app->answered < app->stage.options.requests && !app->stage.failed)
        (void)uv_timer_start(&app->pause, write_row, app->way->pause_ms, 0);
}

/* ---- What is around it: the ways, what is printed ------------------------ */

static void run_way(struct app *app)
{
    app->answered = app->waited[0] = app->waited[1] = app->waited[2] = 0;
    asq_stage_make(&app->stage, "PRAGMA journal_mode = WAL;"
                                "CREATE TABLE rows (id INTEGER PRIMARY KEY)");
    open_way(app);
    write_row(&app->pause);
    asq_stage_turn(&app->stage); /* until all are answered */
    asq_conn_close_wait(&app->conn);
    asq_conn_close_wait(&app->store.conn);
    if (asq_stage_look(&app->stage, "SELECT count(*) FROM rows") !=
        app->stage.options.requests)
        asq_stage_fail(&app->stage, "the table does not hold the rows");
}

static void report(struct app *app)
{
    printf("%-12s  %-16s  %6ld  %7ld  %7ld\n", app->way->client,
           app->way->checkpoint, app->waited[0], app->waited[1],
           app->waited[2]);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage.options.program = "build/13-group-commit-case_checkpoint",
        .stage.options.about = "Who waits for the checkpoint?",
        .stage.options.slow_disk_ms = 5,
        .stage.options.requests = 60,
        .stage.slow_syncs = true};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    (void)uv_timer_init(&app.stage.loop, &app.pause); /* it always succeeds */
    app.pause.data = app.request.data = &app;
    printf("%ld requests; how many took as long as 1, 2 or 3 syncs:\n\n"
           "client        checkpoint        1 sync  2 syncs  3 syncs\n"
           "------------  ----------------  ------  -------  -------\n",
           app.stage.options.requests);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        app.way = &ways[i];
        run_way(&app);
        if (!app.stage.failed)
            report(&app);
    }
    asq_request_destroy(&app.request);
    uv_close((uv_handle_t *)&app.pause, NULL);
    return asq_stage_close(&app.stage, 0);
}
