/* ways_event_loop - conns on one loop; the loop asks and takes the answers
 *
 * The first conn takes all writes. It may be a store, which then only writes if
 * there are others.
 *
 * Everything happens in callbacks, in this order: each conn is opened and
 * warmed up, clients ask and are answered until the box is over, each conn is
 * closed. A failure goes straight to the closing.
 */
#include "ways_event_loop.h"

#include "13-group-commit/store.h"
#include "look.h"

#include <stdlib.h>
#include <uv.h>

struct app;

struct client {
    struct asq_request request;
    struct app *app;
    int index;
    struct op op;
    int64_t answer; /* of a function: set on the worker */
};

struct member {
    struct asq_store store; /* or only its conn */
    struct asq_request warm;
    struct app *app;
    bool opened; /* close is owed */
};

struct app {
    struct box *box;
    bool groups; /* the first is a store */
    uv_loop_t loop;
    struct look look;
    struct member *members;
    struct client *clients;
    int opening; /* members that are not ready yet */
    int pending; /* clients that wait */
    bool beating;
};

static void note_opened(struct asq_conn *conn, int status);
static void note_warm(struct asq_request *request, int status);
static void begin(struct app *app);
static void ask(struct client *client);
static int call_on_worker(struct asq_db *db, struct asq_request *request);
static void take_answer(struct asq_request *request, int status);
static void close_all(struct app *app);
static void forget(struct asq_conn *conn);

static void note_opened(struct asq_conn *conn, int status)
{
    struct member *member = conn->data;
    struct app *app = member->app;
    const char *sql = workload_warm_sql(app->box->workload);

    if (status != 0)
        (void)box_fail(app->box, "%s", conn->message);
    else if (sql != NULL &&
             asq_conn_run(conn, &member->warm, sql, NULL, note_warm) == 0)
        return;
    if (--app->opening == 0)
        begin(app);
}

static void note_warm(struct asq_request *request, int status)
{
    struct app *app = ((struct member *)request->data)->app;

    if (status != 0)
        (void)box_fail(app->box, "%s", request->message);
    if (--app->opening == 0)
        begin(app);
}

static void begin(struct app *app)
{
    struct box *box = app->box;

    if (box->message[0] == '\0' &&
        asq_heartbeat_attach(&box->heartbeat, &app->loop) != 0)
        (void)box_fail(box, "no timer could be started");
    app->beating = box->message[0] == '\0';
    box_begin(box);
    for (int i = 0; i < box->in_flight; i++)
        ask(&app->clients[i]);
    if (app->pending == 0)
        close_all(app);
    else
        look_start(&app->look, box, &app->loop);
}

static struct asq_conn *choose(struct client *client)
{
    struct app *app = client->app;
    int count = app->box->connections;
    int index = client->index % count;

    if (app->groups && count > 1)
        index = 1 + client->index % (count - 1);
    if (op_writes(app->box->workload, &client->op))
        index = 0;
    return &app->members[index].store.conn;
}

static void ask(struct client *client)
{
    struct app *app = client->app;
    const struct workload *workload = app->box->workload;
    struct asq_params params = {.values = client->op.values};
    struct asq_conn *conn;
    int rc;

    if (!box_ask(app->box, &client->op))
        return;
    params.count = client->op.count;
    conn = choose(client);
    if (workload->call != NULL)
        rc = asq_conn_call(conn, &client->request, call_on_worker, take_answer);
    else
        rc =
            asq_conn_run(conn, &client->request,
                         workload->sql[client->op.which], &params, take_answer);
    if (rc != 0)
        (void)box_fail(app->box, "refused: %s", uv_strerror(rc));
    else
        app->pending++;
}

static int call_on_worker(struct asq_db *db, struct asq_request *request)
{
    struct client *client = request->data;
    const struct box *box = client->app->box;

    return op_run(box->workload, box->data, db, &client->op, &request->result,
                  &client->answer);
}

static void take_answer(struct asq_request *request, int status)
{
    struct client *client = request->data;
    struct app *app = client->app;

    app->pending--;
    if (status != 0)
        (void)box_fail(app->box, "%s", request->message);
    else
        box_answer(app->box, &client->op,
                   app->box->workload->call != NULL
                       ? client->answer
                       : op_answer(&request->result));
    ask(client);
    if (app->pending == 0)
        close_all(app);
}

static void note_stopped(struct asq_heartbeat *heartbeat)
{
    (void)heartbeat; /* its memory is the box's */
}

static void close_all(struct app *app)
{
    box_end(app->box);
    if (app->beating)
        asq_heartbeat_detach(&app->box->heartbeat, note_stopped);
    for (int i = 0; i < app->box->connections; i++) {
        if (app->members[i].opened)
            asq_conn_close(&app->members[i].store.conn, forget);
    }
}

static void forget(struct asq_conn *conn)
{
    (void)conn; /* freed when the loop has ended */
}

static int make_clients(struct app *app)
{
    struct box *box = app->box;

    app->members = calloc((size_t)box->connections, sizeof *app->members);
    app->clients = calloc((size_t)box->in_flight, sizeof *app->clients);
    if (app->members == NULL || app->clients == NULL)
        return box_fail(box, "out of memory");
    for (int i = 0; i < box->in_flight; i++) {
        asq_request_init(&app->clients[i].request);
        app->clients[i].request.data = &app->clients[i];
        app->clients[i].app = app;
        app->clients[i].index = i;
    }
    return 0;
}

static int open_member(struct app *app,
                       struct member *member,
                       const struct asq_profile *profile)
{
    struct asq_conn *conn = &member->store.conn;

    member->app = app;
    asq_request_init(&member->warm);
    member->warm.data = member;
    if (app->groups && member == app->members)
        asq_store_init(&member->store);
    else
        asq_conn_init(conn);
    conn->data = member;
    return asq_conn_open(conn, &app->loop, profile, note_opened);
}

static void open_all(struct app *app)
{
    struct box *box = app->box;
    struct asq_profile profile = workload_profile(box->workload, box->data);

    for (int i = 0; i < box->connections; i++) {
        struct member *member = &app->members[i];
        int rc = open_member(app, member, &profile);

        if (rc != 0)
            (void)box_fail(box, "%s", uv_strerror(rc));
        member->opened = rc == 0;
        app->opening += rc == 0;
    }
    if (app->opening == 0)
        close_all(app);
}

static void release(struct app *app)
{
    for (int i = 0; app->members != NULL && i < app->box->connections; i++)
        asq_request_destroy(&app->members[i].warm);
    for (int i = 0; app->clients != NULL && i < app->box->in_flight; i++)
        asq_request_destroy(&app->clients[i].request);
    free(app->members);
    free(app->clients);
}

static int run(struct box *box, bool groups)
{
    struct app app = {.box = box, .groups = groups};
    int rc = uv_loop_init(&app.loop);

    if (rc != 0)
        return box_fail(box, "no loop: %s", uv_strerror(rc));
    if (make_clients(&app) == 0) {
        open_all(&app);
        (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until all is closed */
        if (groups)
            box->checkpoint_ns =
                asq_store_statistics(&app.members[0].store).checkpoint_ns;
    }
    release(&app);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    return box->message[0] == '\0' ? 0 : -1;
}

int way_event_loop(struct box *box)
{
    return run(box, false);
}

int way_store(struct box *box)
{
    return run(box, true);
}
