/* claims - measures the claims that lesson 14 settles
 *
 * One function for each claim; docs/claims.md quotes them. The document sleeps
 * for a second; this program sleeps for 20 ms.
 *
 * Run: make claims L=14
 */
#include "03-event-loop/conn_wait.h"
#include "14-task-queue/queue_wait.h"
#include "common/stage.h"

enum {
    CLAIMS = 2,
    SLEEP_MS = 20,
    ITEMS = 20,
    RUNS = 7,
    WORKERS = 2
};

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct asq_queue queues[WORKERS];
    struct asq_queue_job jobs[WORKERS]; /* a lane for each queue */
    struct asq_put put;
    uv_timer_t shop;
    struct asq_queue *through; /* the queue that is given the next job */
    bool is_put;
    int taken;
    uint64_t put_ns, waited_ns;
};

static void note_put(struct asq_put *put, int status)
{
    struct app *app = put->data;

    if (status != 0)
        asq_stage_fail(&app->stage, put->step.request.message);
}

static void put_item(uv_timer_t *shop)
{
    struct app *app = shop->data;

    if (app->is_put) /* the timer only keeps the loop alive */
        return;
    app->is_put = true;
    app->put_ns = uv_hrtime();
    asq_stage_must(&app->stage,
                   asq_queue_put(app->through, &app->put, note_put));
}

static void take_job(struct asq_queue_job *job)
{
    struct app *app = job->data;

    app->waited_ns += uv_hrtime() - app->put_ns;
    app->taken++;
    asq_stage_must(&app->stage, asq_job_done(job, NULL));
}

static void work(struct app *app, int worker)
{
    asq_stage_must(
        &app->stage,
        asq_queue_work(&app->queues[worker], &app->jobs[worker], 1, take_job));
}

/* Puts items, and waits until each is taken. Returns how long they waited. */
static double time_items(struct app *app, struct asq_queue *through)
{
    app->through = through;
    app->waited_ns = 0;
    app->taken = 0;
    for (int i = 0; i < ITEMS && !app->stage.failed; i++) {
        app->is_put = false;
        (void)uv_timer_start(&app->shop, put_item,
                             (uint64_t)(1 + 7 * i % SLEEP_MS), SLEEP_MS);
        while (app->taken <= i && !app->stage.failed)
            (void)uv_run(&app->stage.loop, UV_RUN_ONCE);
        (void)uv_timer_stop(&app->shop);
        asq_stage_turn(&app->stage); /* until its end is stored */
    }
    return (double)app->waited_ns;
}

/* "await asyncio.sleep(1)  # Poll every second": the worker of queue 0 is not
 * told of what is put through queue 1, as by another program. */
static void poll_queue(struct app *app)
{
    struct asq_claim *claim = asq_stage_claim(&app->stage);
    struct asq_claim_runs runs = {0};
    double times;

    work(app, 0);
    for (int i = 0; i < RUNS && !app->stage.failed; i++)
        asq_claim_runs_add(&runs, time_items(app, &app->queues[1]) /
                                      time_items(app, &app->queues[0]));
    times = asq_claim_runs_median(&runs);
    asq_claim_set(
        claim, "poll-queue", times > 2 ? "holds if an item may wait" : "holds",
        times,
        "With a sleep of %d ms between two looks, an item waited %.0f "
        "times\nas long as with a worker that is woken (%.0f to %.0f "
        "in %d runs).",
        SLEEP_MS, times, asq_claim_runs_low(&runs), asq_claim_runs_high(&runs),
        RUNS);
    asq_claim_timed(claim, &runs);
}

/* "item = await db.fetch_next_item()", by two workers at once. */
static void fetch_next_item(struct app *app)
{
    static const char look[] = "SELECT min(id) FROM items WHERE times = 0";
    int64_t twice, a, b;
    char sql[120];

    for (int i = 0; i < ITEMS; i++) {
        (void)asq_stage_look(&app->stage, "INSERT INTO items VALUES (NULL, 0)");
        a = asq_stage_look(&app->stage, look); /* both look, then both mark */
        b = asq_stage_look(&app->stage, look);
        (void)snprintf(sql, sizeof sql, /* it fits */
                       "UPDATE items SET times = times + (%d = id) + (%d = id)"
                       " WHERE times = 0",
                       (int)a, (int)b);
        (void)asq_stage_look(&app->stage, sql);
    }
    twice = asq_stage_look(&app->stage, "SELECT sum(times > 1) FROM items");
    work(app, 1); /* now both queues do */
    (void)time_items(app, &app->queues[1]);
    asq_claim_set(asq_stage_claim(&app->stage), "fetch-next-item",
                  twice > 0 ? "holds if there is one worker" : "holds",
                  (double)twice / ITEMS,
                  "Two workers that look for an item and mark it afterwards "
                  "did %d of %d\nitems twice. Two that claim did %d jobs, "
                  "%d of them in a second attempt.",
                  (int)twice, ITEMS, app->taken,
                  (int)asq_stage_look(&app->stage, "SELECT sum(attempt > 1)"
                                                   " FROM asq_jobs"));
}

int main(int argc, char **argv)
{
    static void (*const claims[CLAIMS])(struct app *) = {poll_queue,
                                                         fetch_next_item};
    static struct app app = {
        .stage = {.options = {.program = "build/14-task-queue-claims",
                              .about = "Measures the claims of lesson 14.",
                              .requests = 1}}};
    int status = asq_stage_open(&app.stage, argc, argv);
    struct asq_profile profile = asq_profile_default(app.stage.path);

    if (status >= 0)
        return status;
    asq_stage_make(&app.stage, "CREATE TABLE items (id INTEGER PRIMARY KEY,"
                               " times INT NOT NULL)");
    asq_conn_init(&app.conn);
    if (asq_conn_open_wait(&app.conn, &app.stage.loop, &profile) != 0)
        asq_stage_fail(&app.stage, app.conn.message);
    for (int i = 0; i < WORKERS; i++) {
        asq_queue_init(&app.queues[i]);
        app.queues[i].poll_ms = SLEEP_MS;
        app.jobs[i].data = &app;
        if (asq_queue_open_wait(&app.queues[i], &app.stage.loop, &app.conn,
                                "items") != 0)
            asq_stage_fail(&app.stage, app.queues[i].message);
    }
    asq_put_init(&app.put);
    app.put.data = app.shop.data = &app;
    (void)uv_timer_init(&app.stage.loop, &app.shop); /* it never fails */
    for (int i = 0; i < CLAIMS && !app.stage.failed; i++)
        claims[i](&app);
    for (int i = 0; i < WORKERS; i++)
        asq_queue_close_wait(&app.queues[i]);
    asq_conn_close_wait(&app.conn);
    asq_put_destroy(&app.put);
    uv_close((uv_handle_t *)&app.shop, NULL);
    return asq_stage_close(&app.stage, 0);
}
