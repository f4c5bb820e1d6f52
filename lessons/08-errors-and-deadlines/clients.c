/* clients - several who meet a lock at once, and try again until they have it
 */
#include "08-errors-and-deadlines/clients.h"

#include "03-event-loop/conn.h"
#include "08-errors-and-deadlines/errors.h"
#include "08-errors-and-deadlines/holder.h"
#include "08-errors-and-deadlines/retry.h"

#include <stdbool.h>
#include <stdio.h>

enum {
    PAUSE_MS = 10,
    ATTEMPTS_MAX = 100, /* of the one who backs off */
    RESERVE = 400       /* of the budget: enough to serve all */
};

static const char sql[] = "UPDATE items SET value = value + 1 WHERE id = 1";

struct group;

struct client {
    struct asq_conn conn;
    struct asq_request request;
    struct asq_retry retry;
    uv_timer_t pause;
    struct group *group;
    unsigned attempts;
};

struct group {
    uv_loop_t loop;
    struct asq_profile profile;
    enum asq_again again;
    struct client clients[ASQ_CLIENTS];
    struct asq_retry_budget budget;
    struct asq_holder holder;
    struct asq_clients_count *count;
    int opened; /* clients that are to be closed */
    int rc;     /* the first failure */
};

static void fail(struct group *group, int rc, const char *message)
{
    if (group->rc != 0 || rc == 0)
        return;
    group->rc = rc;
    /* Cut if it is too long. */
    (void)snprintf(group->count->message, sizeof group->count->message, "%s",
                   message);
}

static void check(struct group *group, int rc)
{
    if (rc != 0)
        fail(group, rc, uv_strerror(rc));
}

static void note_opened(struct asq_conn *conn, int status)
{
    fail(conn->data, status, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of the group */
}

static void take(struct asq_request *request, int status);

static int attempt(struct client *client)
{
    client->attempts++;
    return asq_conn_run(&client->conn, &client->request, sql, NULL, take);
}

static int attempt_again(struct asq_retry *retry)
{
    return attempt(retry->data);
}

static void attempt_later(uv_timer_t *pause)
{
    struct client *client = pause->data;

    check(client->group, attempt(client));
}

static void take(struct asq_request *request, int status)
{
    struct client *client = ASQ_CONTAINER_OF(request, struct client, request);
    struct group *group = client->group;
    bool busy = asq_error_of(request, status).kind == ASQ_ERROR_BUSY;

    group->count->served += status == 0 && request->result.changes == 1;
    if (!busy)
        fail(group, status, request->message);
    if (group->again == ASQ_AGAIN_RETRY)
        asq_retry_settle(&client->retry, status);
    else if (busy && group->again == ASQ_AGAIN_AT_ONCE)
        check(group, attempt(client));
    else if (busy) /* it cannot fail: it is not closing */
        (void)uv_timer_start(&client->pause, attempt_later, PAUSE_MS, 0);
}

static void note_settled(struct asq_retry *retry, int status)
{
    struct client *client = retry->data;

    fail(client->group, status, client->request.message);
}

/* The lock is taken: from here on everybody meets it. */
static void note_held(struct asq_holder *holder, int status)
{
    struct group *group = holder->data;

    fail(group, status, holder->message);
    for (int i = 0; i < ASQ_CLIENTS && group->rc == 0; i++) {
        struct client *client = &group->clients[i];

        check(group, group->again != ASQ_AGAIN_RETRY
                         ? attempt(client)
                         : asq_retry_start(&client->retry, attempt_again,
                                           note_settled));
    }
}

static int init_client(struct group *group, struct client *client)
{
    client->group = group;
    asq_conn_init(&client->conn);
    client->conn.data = group;
    asq_request_init(&client->request);
    (void)uv_timer_init(&group->loop, &client->pause); /* always succeeds */
    client->pause.data = client;
    asq_retry_init(&client->retry, &group->loop);
    client->retry.data = client;
    client->retry.attempts_max = ATTEMPTS_MAX;
    client->retry.budget = &group->budget;
    return asq_conn_open(&client->conn, &group->loop, &group->profile,
                         note_opened);
}

static void close_client(struct client *client, bool opened)
{
    uv_close((uv_handle_t *)&client->pause, NULL);
    asq_retry_close(&client->retry, NULL);
    if (opened)
        asq_conn_close(&client->conn, note_closed);
}

/* Opens all, lets them meet the lock, closes all. */
static void run(struct group *group, unsigned hold_ms)
{
    int inited = 0;

    asq_retry_budget_init(&group->budget, 10, RESERVE);
    group->holder.data = group;
    while (inited < ASQ_CLIENTS && group->rc == 0) {
        check(group, init_client(group, &group->clients[inited++]));
        group->opened += group->rc == 0;
        /* One by one, until it is open: with no busy timeout they would
         * refuse each other. */
        (void)uv_run(&group->loop, UV_RUN_DEFAULT);
    }
    if (group->rc == 0)
        check(group, asq_holder_start(&group->holder, &group->loop,
                                      group->profile.path, hold_ms, note_held));
    (void)uv_run(&group->loop, UV_RUN_DEFAULT); /* until all are served */
    for (int i = 0; i < inited; i++)
        close_client(&group->clients[i], i < group->opened);
    (void)uv_run(&group->loop, UV_RUN_DEFAULT); /* until all is closed */
}

int asq_clients_run(const struct asq_profile *profile,
                    enum asq_again again,
                    unsigned hold_ms,
                    struct asq_clients_count *ret_count)
{
    struct group group = {
        .profile = *profile, .again = again, .count = ret_count};

    *ret_count = (struct asq_clients_count){0};
    group.profile.busy_ms = 0; /* the one who tries again decides when */
    check(&group, uv_loop_init(&group.loop));
    if (group.rc != 0)
        return group.rc;
    run(&group, hold_ms);
    (void)uv_loop_close(&group.loop); /* nothing is left on it */
    for (int i = 0; i < ASQ_CLIENTS; i++) {
        const struct client *client = &group.clients[i];

        ret_count->attempts += client->attempts;
        if (client->attempts > ret_count->most)
            ret_count->most = client->attempts;
        asq_request_destroy(&group.clients[i].request);
    }
    return group.rc;
}
