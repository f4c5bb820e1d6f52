/* main - work that must not be lost: who comes for it, and when?
 *
 * A shop puts four jobs every 80 ms; a job is to send a mail, which takes 8 ms.
 * Four ways: a worker that looks and sleeps, one that is woken, one with four
 * lanes, and that with commits in groups. A sync of the disk takes 1 ms.
 *
 * Run:      make lesson L=14
 * Expect:   woken, a job does not wait for the next look; four lanes work at
 *           once; in groups they need fewer syncs
 * See also: idea.c and its wrong twins; case_killed.c, case_worked_example.c
 */
#include "03-event-loop/conn_wait.h"
#include "13-group-commit/store.h"
#include "14-task-queue/queue_tool.h"
#include "14-task-queue/queue_wait.h"
#include "common/slow_disk.h"
#include "common/stage.h"
#include "common/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 4,
    LANES = 4,
    PUTS = 4, /* at once */
    PUT_MS = 80,
    MAIL_MS = 8
};

static const struct way {
    const char *name;
    bool sleeps;
    size_t lanes, group_rows;
    unsigned first; /* lane of the timeline */
} ways[WAYS] = {{"sleeping", true, 1, 1, 0},
                {"woken", false, 1, 1, 2},
                {"lanes-4", false, LANES, 1, 4},
                {"grouped", false, LANES, 100000, 9}};

struct lane { /* sends one mail at a time */
    struct app *app;
    uv_timer_t mail;
    struct asq_queue_job *job;
    uint64_t begin_ns;
};

struct app {
    struct asq_stage stage;
    struct asq_store store;
    struct asq_queue queue, other; /* the worker's; as in another program */
    struct asq_queue_job jobs[LANES];
    struct lane lanes[LANES];
    uv_timer_t shop;
    struct asq_put *puts; /* one for each mail */
    long sleep_ms, put, sent, ended;
    const struct way *way;
    double syncs[WAYS];
};

static void note_put(struct asq_put *put, int status);
static void note_sent(uv_timer_t *mail);
static void note_stored(struct asq_queue_job *job, int status);

static void put_mails(uv_timer_t *shop)
{
    struct app *app = shop->data;
    struct asq_queue *queue = app->way->sleeps ? &app->other : &app->queue;

    for (int i = 0; i < PUTS && app->put < app->stage.options.requests; i++) {
        struct asq_put *put = &app->puts[app->put++];

        asq_put_init(put);
        put->data = &app->stage;
        put->payload = "a@example.org";
        put->size = strlen(put->payload);
        asq_stage_must(&app->stage,
                       asq_queue_put(queue, put, note_put)); /* (1) */
    }
    if (app->ended == app->stage.options.requests || app->stage.failed)
        (void)uv_timer_stop(shop);
}

/* (2) It is committed: from here on it will not be lost. */
static void note_put(struct asq_put *put, int status)
{
    if (status != 0)
        asq_stage_fail(put->data, put->step.request.message);
}

/* (3) There is a job, and this lane has claimed it. */
static void take_job(struct asq_queue_job *job)
{
    struct lane *lane = job->data;

    lane->job = job;
    lane->begin_ns = uv_hrtime();
    (void)uv_timer_start(&lane->mail, note_sent, MAIL_MS, 0); /* (4) */
}

static void note_sent(uv_timer_t *mail)
{
    struct lane *lane = mail->data;
    struct app *app = lane->app;
    unsigned first = app->way->first;

    app->sent++;
    asq_stage_worked(&app->stage, first + (unsigned)(lane - app->lanes),
                     lane->begin_ns, uv_hrtime(), "mail");
    asq_stage_must(&app->stage, asq_job_done(lane->job, note_stored)); /* (5) */
}

/* (6) It is committed; or status is ASQ_LOST, and nothing was changed. */
static void note_stored(struct asq_queue_job *job, int status)
{
    struct lane *lane = job->data;
    struct app *app = lane->app;

    if (status != 0)
        asq_stage_fail(&app->stage, "the end of a job was not stored");
    asq_stage_answered(&app->stage,
                       app->puts[job->id - 1].step.request.submitted_ns);
    app->ended++;
}

/* ---- What is around it: the ways, and what is printed -------------------- */

/* On the worker. */
static void note_query(struct asq_conn *conn,
                       const struct asq_request *request,
                       enum asq_event event)
{
    struct app *app = conn->data;

    if (event == ASQ_EVENT_END && request->started_ns > app->stage.begin_ns)
        asq_stage_waited(&app->stage,
                         app->way->first + (unsigned)app->way->lanes,
                         request->started_ns, request->ended_ns, "query");
}

static void open_way(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    struct asq_conn *conn = &app->store.conn;
    uv_loop_t *loop = &app->stage.loop;

    asq_stage_make(&app->stage, "");
    profile.vfs = ASQ_SLOW_DISK;
    asq_store_init(&app->store);
    app->store.group_rows = app->way->group_rows;
    conn->data = app;
    conn->observe = note_query;
    asq_queue_init(&app->queue);
    asq_queue_init(&app->other);
    app->queue.poll_ms = (unsigned)app->sleep_ms;
    if (asq_conn_open_wait(conn, loop, &profile) != 0 ||
        asq_queue_open_wait(&app->queue, loop, conn, "mails") != 0 ||
        asq_queue_open_wait(&app->other, loop, conn, "mails") != 0)
        asq_stage_fail(&app->stage, "a connection or a queue does not open");
}

static void run_way(struct app *app, int i)
{
    app->way = &ways[i];
    app->put = app->sent = app->ended = 0;
    open_way(app);
    app->syncs[i] = -(double)asq_slow_disk_count(ASQ_DISK_SYNC);
    asq_stage_begin(&app->stage, ways[i].name, "slow", 1);
    asq_stage_must(&app->stage, asq_queue_work(&app->queue, app->jobs,
                                               app->way->lanes, take_job));
    (void)uv_timer_start(&app->shop, put_mails, 0, PUT_MS); /* never fails */
    asq_stage_turn(&app->stage); /* until all mails are sent */
    asq_stage_end(&app->stage);
    app->syncs[i] += (double)asq_slow_disk_count(ASQ_DISK_SYNC);
    asq_queue_close_wait(&app->queue);
    asq_queue_close_wait(&app->other);
    asq_conn_close_wait(&app->store.conn);
    if (app->sent != app->put ||
        asq_stage_look(&app->stage, "SELECT sum(state = 3) FROM asq_jobs") !=
            app->put)
        asq_stage_fail(&app->stage, "not every mail was sent once");
}

static void report(struct app *app)
{
    char p50[16], p99[16];

    printf("%ld mails of %d ms, %d every %d ms; the sleep is %ld ms, a sync "
           "%g ms.\n\n",
           app->put, MAIL_MS, PUTS, PUT_MS, app->sleep_ms,
           app->stage.options.slow_disk_ms);
    asq_stage_print_timeline(&app->stage, 260);
    printf("\nway           p50      p99  syncs a mail\n"
           "--------  -------  -------  ------------\n");
    for (int i = 0; i < WAYS; i++)
        printf("%-8s  %7s  %7s  %12.2f\n", ways[i].name,
               asq_format_duration(p50, app->stage.rows[i].p50_us),
               asq_format_duration(p99, app->stage.rows[i].p99_us),
               app->syncs[i] / (double)app->put);
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {
        "sleeping", "  writer", "woken", "  writer", "lanes-4  1",
        "  2",      "  3",      "  4",   "  writer", "grouped  1",
        "  2",      "  3",      "  4",   "  writer", NULL};
    static struct app app = {
        .sleep_ms = 200,
        .stage = {.options = {.program = "build/14-task-queue",
                              .about = "Work that must not be lost?",
                              .more_count = 1,
                              .slow_disk_ms = 1,
                              .requests = 40},
                  .slow_syncs = true,
                  .lanes = lanes,
                  .spans = 8},
    };
    const struct asq_option more = {
        "sleep", "MS", "between two looks", ASQ_OPTION_LONG, &app.sleep_ms,
        1,       60000};
    int status;

    if (asq_queue_tool_wants(argc, argv))
        return asq_queue_tool(argc, argv);
    app.stage.options.more = &more;
    status = asq_stage_open(&app.stage, argc, argv);
    if (status >= 0)
        return status;
    app.puts = calloc((size_t)app.stage.options.requests, sizeof *app.puts);
    if (app.puts == NULL)
        asq_stage_fail(&app.stage, "out of memory");
    (void)uv_timer_init(&app.stage.loop, &app.shop); /* they never fail */
    app.shop.data = &app;
    for (int i = 0; i < LANES; i++) {
        (void)uv_timer_init(&app.stage.loop, &app.lanes[i].mail);
        app.lanes[i].mail.data = app.jobs[i].data = &app.lanes[i];
        app.lanes[i].app = &app;
    }
    for (int i = 0; i < WAYS && !app.stage.failed; i++)
        run_way(&app, i);
    if (!app.stage.failed)
        report(&app);
    free(app.puts);
    uv_close((uv_handle_t *)&app.shop, NULL);
    for (int i = 0; i < LANES; i++)
        uv_close((uv_handle_t *)&app.lanes[i].mail, NULL);
    return asq_stage_close(&app.stage, 0);
}
