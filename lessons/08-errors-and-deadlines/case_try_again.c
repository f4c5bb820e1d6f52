/* case_try_again - eight clients meet a lock: when does each try again?
 *
 * The trouble: another connection holds the lock, so the first attempt of
 * every client is refused. A client that tries again at once asks thousands of
 * times. If all of them try again after the same pause, they meet again. The
 * cure is a random pause whose bound doubles (retry). What is counted is the
 * attempts until the last client is served; no clock decides.
 *
 * Run:      build/08-errors-and-deadlines-case_try_again
 * Expect:   thousands of attempts, hundreds, tens
 * See also: docs/troubleshooting.md
 */
#include "03-event-loop/conn_wait.h"
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/holder.h"
#include "08-errors-and-deadlines/retry.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    CLIENTS = 8,
    HOLD_MS = 200,
    PAUSE_MS = 10,
    ATTEMPTS_MAX = 100, /* of a client that backs off */
    RESERVE = 400       /* of the budget: enough to serve all */
};

enum again {
    AT_ONCE,
    FIXED,
    BACK_OFF,
    AGAINS
};

static const char sql[] = "UPDATE counters SET value = value + 1";

struct client {
    struct app *app;
    struct asq_conn conn;
    struct asq_request request;
    struct asq_retry retry;
    uv_timer_t pause;
    unsigned attempts;
};

struct app {
    struct asq_stage stage;
    enum again again;
    struct client clients[CLIENTS];
    struct asq_retry_budget budget; /* one for all */
    struct asq_holder holder;
    unsigned served;
};

static void take_answer(struct asq_request *request, int status);

static int attempt(struct client *client)
{
    client->attempts++;
    return asq_conn_run(&client->conn, &client->request, sql, NULL,
                        take_answer);
}

static int attempt_for_retry(struct asq_retry *retry)
{
    return attempt(retry->data);
}

static void attempt_after_pause(uv_timer_t *pause)
{
    struct client *client = pause->data;

    asq_stage_must(&client->app->stage, attempt(client));
}

static void take_answer(struct asq_request *request, int status)
{
    struct client *client = request->data;
    struct asq_stage *stage = &client->app->stage;
    bool busy = asq_error_of(request, status).kind == ASQ_ERROR_BUSY;

    client->app->served += status == 0;
    if (status != 0 && !busy)
        asq_stage_fail(stage, request->message);
    if (client->app->again == BACK_OFF)
        asq_retry_settle(&client->retry, status); /* (1) */
    else if (busy && client->app->again == AT_ONCE)
        asq_stage_must(stage, attempt(client));
    else if (busy)
        asq_stage_must(stage, uv_timer_start(&client->pause,
                                             attempt_after_pause, PAUSE_MS, 0));
}

static void note_settled(struct asq_retry *retry, int status)
{
    struct client *client = retry->data;

    if (status != 0)
        asq_stage_fail(&client->app->stage, client->request.message);
}

/* The lock is held: from now on everybody meets it. */
static void start_clients(struct asq_holder *holder, int status)
{
    struct app *app = holder->data;

    if (status != 0)
        asq_stage_fail(&app->stage, holder->message);
    for (int i = 0; i < CLIENTS && !app->stage.failed; i++) {
        struct client *client = &app->clients[i];

        asq_stage_must(&app->stage,
                       app->again != BACK_OFF
                           ? attempt(client)
                           : asq_retry_start(&client->retry, attempt_for_retry,
                                             note_settled));
    }
}

static void run(struct app *app, enum again again, const char *name)
{
    unsigned attempts = 0, most = 0;

    app->again = again;
    app->served = 0;
    for (int i = 0; i < CLIENTS; i++)
        app->clients[i].attempts = 0;
    asq_stage_must(&app->stage,
                   asq_holder_start(&app->holder, &app->stage.loop,
                                    app->stage.path, HOLD_MS, start_clients));
    asq_stage_turn(&app->stage); /* until all are served */
    for (int i = 0; i < CLIENTS; i++) {
        attempts += app->clients[i].attempts;
        if (app->clients[i].attempts > most)
            most = app->clients[i].attempts;
    }
    if (app->served != CLIENTS)
        asq_stage_fail(&app->stage, "a client was not served");
    (void)printf("%-12s %6u attempts, %5u by one of them\n", name, attempts,
                 most);
}

static void open_client(struct app *app, struct client *client)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = 2; /* a commit waits for the disk */
    profile.busy_ms = 0;     /* the client decides when to try again */
    client->app = app;
    asq_conn_init(&client->conn);
    asq_request_init(&client->request);
    asq_retry_init(&client->retry, &app->stage.loop);
    (void)uv_timer_init(&app->stage.loop, &client->pause); /* always succeeds */
    client->request.data = client->retry.data = client->pause.data = client;
    client->retry.attempts_max = ATTEMPTS_MAX;
    client->retry.budget = &app->budget;
    if (asq_conn_open_wait(&client->conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, client->conn.message);
}

static void close_client(struct client *client)
{
    asq_conn_close_wait(&client->conn);
    asq_retry_close(&client->retry, NULL);
    uv_close((uv_handle_t *)&client->pause, NULL);
    asq_request_destroy(&client->request);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"at once", "10 ms later", "back-off"};
    struct app app = {
        .stage =
            {.options = {.program =
                             "build/08-errors-and-deadlines-case_try_again",
                         .about = "When to try again at a lock?",
                         .slow_disk_ms = 3,
                         .requests = CLIENTS},
             .slow_syncs = true},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    app.holder.data = &app;
    asq_stage_make(&app.stage, "PRAGMA journal_mode=WAL;"
                               "CREATE TABLE counters (value INTEGER);"
                               "INSERT INTO counters VALUES (0)");
    asq_retry_budget_init(&app.budget, 10, RESERVE);
    for (int i = 0; i < CLIENTS; i++)
        open_client(&app, &app.clients[i]);
    (void)printf("%d clients meet a lock at once, and each tries again until "
                 "it is served:\n\n",
                 CLIENTS);
    for (int i = 0; i < AGAINS && !app.stage.failed; i++)
        run(&app, (enum again)i, names[i]);
    if (asq_stage_look(&app.stage, "SELECT value FROM counters") !=
        CLIENTS * AGAINS)
        asq_stage_fail(&app.stage, "a write is missing");
    for (int i = 0; i < CLIENTS; i++)
        close_client(&app.clients[i]);
    return asq_stage_close(&app.stage, 0);
}
