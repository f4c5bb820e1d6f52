/* event_loop - conns on one loop; the loop beats
 *
 * Everything happens in callbacks of the loop, in this order: every conn is
 * opened, rounds are submitted and answered, every conn says how many pages
 * it read, every conn is closed. A failure goes straight to the closing.
 */
#include "event_loop.h"

#include "01-blocking/basket.h"
#include "03-event-loop/conn.h"
#include "common/clock.h"
#include "common/heartbeat.h"

#include <stdlib.h>
#include <uv.h>

struct app;

/* One request of a round, and the one that asks a conn for its reads. */
struct ask {
    struct asq_request request;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct app *app;
};

struct member {
    struct asq_conn conn;
    struct ask count; /* of disk reads */
    struct app *app;
    int index;
    bool opened; /* close is owed */
};

struct app {
    const struct work *work;
    struct outcome *outcome; /* a worker touches its own lane only */
    uv_loop_t loop;
    struct asq_heartbeat heartbeat;
    bool beating;
    struct member *members;
    struct ask *asks;
    long left; /* answers that this step waits for */
    int failed;
};

static void note_opened(struct asq_conn *conn, int status);
static void submit_round(struct app *app);
static void take_answer(struct asq_request *request, int status);
static void ask_for_reads(struct app *app);
static int count_on_worker(struct asq_db *db, struct asq_request *request);
static void take_reads(struct asq_request *request, int status);
static void close_all(struct app *app);
static void forget(struct asq_conn *conn);

/* Keeps the first failure; nothing new is submitted afterwards. */
static void fail(struct app *app, const char *what)
{
    if (app->failed == 0)
        app->failed = outcome_fail(app->outcome, "%s", what);
}

static void span_on_worker(struct asq_conn *conn,
                           const struct asq_request *request,
                           enum asq_event event)
{
    struct member *member = conn->data;

    if (event == ASQ_EVENT_END)
        outcome_span(member->app->outcome, member->index, request->started_ns,
                     request->ended_ns);
}

static void note_opened(struct asq_conn *conn, int status)
{
    struct app *app = ((struct member *)conn->data)->app;

    if (status != 0)
        fail(app, conn->message);
    if (--app->left > 0)
        return;
    if (app->failed == 0 && asq_heartbeat_attach(&app->heartbeat, &app->loop))
        fail(app, "no timer could be started");
    app->beating = app->failed == 0;
    submit_round(app);
}

static void submit_round(struct app *app)
{
    long requests = app->work->requests;

    if (app->failed != 0) {
        close_all(app);
        return;
    }
    if (!outcome_begin_round(app->outcome, app->work)) {
        app->outcome->end_ns = asq_clock_now_ns();
        ask_for_reads(app);
        return;
    }
    app->left = requests;
    for (long n = 0; n < requests; n++) {
        struct ask *ask = &app->asks[n];
        struct asq_params params = {.values = ask->ids,
                                    .count = ASQ_BASKET_SIZE};
        struct asq_conn *conn =
            &app->members[n % app->outcome->connections].conn;

        if (asq_conn_run(conn, &ask->request, ASQ_BASKET_SQL, &params,
                         take_answer) != 0) {
            fail(app, "a request was refused");
            app->left -= requests - n;
            break;
        }
    }
    if (app->left == 0)
        close_all(app);
}

static void take_answer(struct asq_request *request, int status)
{
    struct app *app = ((struct ask *)request->data)->app;

    if (status != 0)
        fail(app, request->message);
    else if (outcome_add(app->outcome, &request->result, asq_clock_now_ns()))
        app->failed = -1; /* the message is there */
    if (--app->left == 0)
        submit_round(app);
}

static void ask_for_reads(struct app *app)
{
    app->left = app->outcome->connections;
    for (int i = 0; i < app->outcome->connections; i++) {
        struct member *member = &app->members[i];

        if (asq_conn_call(&member->conn, &member->count.request,
                          count_on_worker, take_reads) != 0) {
            fail(app, "a request was refused");
            app->left--;
        }
    }
    if (app->left == 0)
        close_all(app);
}

static int count_on_worker(struct asq_db *db, struct asq_request *request)
{
    struct asq_value reads = asq_int64((int64_t)count_disk_reads(db));

    request->result.columns = 1;
    (void)asq_result_add(&request->result, &(struct asq_value){0});
    return asq_result_add(&request->result, &reads);
}

static void take_reads(struct asq_request *request, int status)
{
    struct app *app = ((struct ask *)request->data)->app;

    if (status != 0)
        fail(app, request->message);
    app->outcome->disk_reads +=
        (uint64_t)asq_result_at(&request->result, 0, 0).as.int64;
    if (--app->left == 0)
        close_all(app);
}

static void note_stopped(struct asq_heartbeat *heartbeat)
{
    (void)heartbeat; /* its memory goes with app */
}

static void close_all(struct app *app)
{
    if (app->beating) {
        asq_heartbeat_detach(&app->heartbeat, note_stopped);
        app->outcome->stall_ns = app->heartbeat.longest_ns;
    }
    for (int i = 0; i < app->outcome->connections; i++) {
        if (app->members[i].opened)
            asq_conn_close(&app->members[i].conn, forget);
    }
}

static void forget(struct asq_conn *conn)
{
    (void)conn; /* freed when the loop has ended */
}

static int make_asks(struct app *app)
{
    app->members =
        calloc((size_t)app->outcome->connections, sizeof *app->members);
    app->asks = calloc((size_t)app->work->requests, sizeof *app->asks);
    if (app->members == NULL || app->asks == NULL)
        return outcome_fail(app->outcome, "out of memory");
    for (long n = 0; n < app->work->requests; n++) {
        struct ask *ask = &app->asks[n];

        asq_request_init(&ask->request);
        ask->request.data = ask;
        ask->app = app;
        asq_basket_fill(ask->ids, n, app->work->items);
    }
    return 0;
}

static void open_all(struct app *app)
{
    struct asq_profile profile =
        asq_basket_profile(app->work->path, app->work->vfs);

    for (int i = 0; i < app->outcome->connections; i++) {
        struct member *member = &app->members[i];
        int rc;

        member->app = app;
        member->index = i;
        asq_request_init(&member->count.request);
        member->count.request.data = &member->count;
        member->count.app = app;
        asq_conn_init(&member->conn);
        member->conn.data = member;
        member->conn.capacity = (size_t)app->work->requests + 1;
        if (app->outcome->traced)
            member->conn.observe = span_on_worker;
        rc = asq_conn_open(&member->conn, &app->loop, &profile, note_opened);
        if (rc != 0)
            fail(app, uv_strerror(rc));
        member->opened = rc == 0;
        app->left += rc == 0;
    }
    if (app->left == 0)
        close_all(app);
}

int run_event_loop(const struct work *work, struct outcome *outcome)
{
    struct app app = {.work = work, .outcome = outcome};
    int rc = uv_loop_init(&app.loop);

    if (rc != 0)
        return outcome_fail(outcome, "no loop: %s", uv_strerror(rc));
    rc = make_asks(&app);
    if (rc == 0) {
        open_all(&app);
        (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until all is closed */
        rc = app.failed;
    }
    for (int i = 0; app.members != NULL && i < outcome->connections; i++)
        asq_request_destroy(&app.members[i].count.request);
    for (long n = 0; app.asks != NULL && n < work->requests; n++)
        asq_request_destroy(&app.asks[n].request);
    free(app.asks);
    free(app.members);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    return rc;
}
