/* measure_loop - asks the query of measure on an event loop */
#include "04-measure-first/measure_loop.h"

#include "03-event-loop/conn.h"
#include "04-measure-first/measure_ask.h"

#include <stdlib.h>

static const size_t KEPT = 256 << 10; /* bytes of a result; a larger one is
                                         stepped through on the worker */

/* A user, who asks again and again. */
struct user {
    struct asq_request request; /* its data is the user */
    struct asq_conn *conn;
    const struct asq_params *params;
    bool keeps; /* the rows of its request, which are limited */
};

struct app {
    struct asq_measure *measure;
    struct asq_measured *measured;
    uv_loop_t loop;
    uv_timer_t timer;
    struct asq_conn *conns;
    struct user *users;
    unsigned conn_count;
    unsigned open; /* conns that must be closed */
    bool counts;   /* answers are samples */
    int rc;        /* the first failure; its message is kept */
};

static void take_answer(struct asq_request *request, int status);

static void beat(uv_timer_t *timer)
{
    asq__measure_beat(((struct app *)timer->data)->measured);
}

static void fail(struct app *app, int rc, const char *text)
{
    if (app->rc == 0)
        app->rc = asq__measure_fail(app->measure, rc, text);
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, status, conn->message);
}

/* On the worker: its lane is the conn's. */
static void note_query(struct asq_conn *conn,
                       const struct asq_request *request,
                       enum asq_event event)
{
    struct app *app = conn->data;

    if (event == ASQ_EVENT_END)
        app->measure->on_query(app->measure->data,
                               1 + (unsigned)(conn - app->conns),
                               request->started_ns, request->ended_ns);
}

static int run_on_worker(struct asq_db *db, struct asq_request *request)
{
    struct user *user = request->data;
    struct app *app = user->conn->data;

    return asq__measure_ask(app->measure, db, user->params, NULL,
                            request->message);
}

/* Only a query whose rows fit into memory shares a transaction with others,
 * as it would in a program: see batch_reads of conn. */
static void ask(struct app *app, struct user *user)
{
    const struct asq_measure *measure = app->measure;
    struct asq_request *request = &user->request;
    int rc;

    if (measure->deadline_ns > 0)
        request->timeout_ms = asq_time_left_ms(measure->deadline_ns);
    user->keeps =
        measure->kind == ASQ_MEASURE_QUERY && !app->measured->large_results;
    if (user->keeps)
        rc = asq_conn_run(user->conn, request, measure->sql, user->params,
                          take_answer);
    else
        rc = asq_conn_call(user->conn, request, run_on_worker, take_answer);
    if (rc != 0)
        fail(app, rc, uv_strerror(rc));
}

static void ask_next(struct app *app, struct user *user)
{
    user->params = asq__measure_next(app->measure);
    ask(app, user);
}

static void take_answer(struct asq_request *request, int status)
{
    struct user *user = request->data;
    struct app *app = user->conn->data;

    if (status == SQLITE_TOOBIG && user->keeps) {
        app->measured->large_results = true;
        asq_result_destroy(&request->result);
        ask(app, user);
        return;
    }
    if (status != 0)
        fail(app, status,
             status == UV_ETIMEDOUT ? "the time is up" : request->message);
    else if (app->counts)
        asq__measure_answered(app->measured, (unsigned)(user - app->users),
                              uv_hrtime());
    if (app->counts && app->rc == 0 &&
        asq__measure_again(app->measure, app->measured, 1))
        ask_next(app, user);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* freed when the loop has ended */
}

/* Asks for these users, and turns the loop until all are answered: conns that
 * have nothing to do and the timer do not keep it alive. */
static void run_users(struct app *app, unsigned users)
{
    for (unsigned i = 0; i < users && app->rc == 0; i++) {
        app->users[i].conn = &app->conns[i % app->conn_count];
        ask_next(app, &app->users[i]);
    }
    (void)uv_run(&app->loop, UV_RUN_DEFAULT);
}

static int open_all(struct app *app)
{
    struct asq_measure *measure = app->measure;
    struct asq_profile profile = measure->profile;
    int rc = 0;

    profile.result_limit = KEPT;
    app->conns = calloc(app->conn_count, sizeof *app->conns);
    app->users = calloc(measure->in_flight, sizeof *app->users);
    if (app->conns == NULL || app->users == NULL)
        return UV_ENOMEM;
    for (unsigned i = 0; i < measure->in_flight; i++) {
        asq_request_init(&app->users[i].request);
        app->users[i].request.data = &app->users[i];
    }
    for (unsigned i = 0; i < app->conn_count && rc == 0; i++) {
        struct asq_conn *conn = &app->conns[i];

        asq_conn_init(conn);
        conn->data = app;
        conn->capacity = measure->in_flight;
        conn->observe = measure->on_query != NULL ? note_query : NULL;
        rc = asq_conn_open(conn, &app->loop, &profile, note_opened);
        app->open += rc == 0;
    }
    return rc;
}

static void run_all(struct app *app)
{
    struct asq_measure *measure = app->measure;
    int rc = open_all(app);

    if (rc != 0)
        fail(app, rc, uv_strerror(rc));
    else if (!measure->slow)
        run_users(app, app->conn_count);
    else
        (void)uv_run(&app->loop, UV_RUN_DEFAULT); /* until all are open */
    if (app->rc == 0) {
        app->counts = true;
        asq__measure_start(measure, app->measured);
        run_users(app, measure->in_flight);
        asq__measure_beat(app->measured);
    }
    while (app->open > 0)
        asq_conn_close(&app->conns[--app->open], note_closed);
    uv_close((uv_handle_t *)&app->timer, NULL);
    (void)uv_run(&app->loop, UV_RUN_DEFAULT); /* until all are closed */
}

int asq_measure_loop(struct asq_measure *measure,
                     unsigned conns,
                     struct asq_measured *ret_measured)
{
    struct app app = {
        .measure = measure, .measured = ret_measured, .conn_count = conns};
    int rc = asq__measure_begin(measure, conns, ret_measured);

    if (rc == 0)
        rc = uv_loop_init(&app.loop);
    if (rc != 0)
        return asq__measure_fail(measure, rc, uv_strerror(rc));
    (void)uv_timer_init(&app.loop, &app.timer); /* always 0 */
    app.timer.data = &app;
    (void)uv_timer_start(&app.timer, beat, 1, 1); /* it has a callback */
    uv_unref((uv_handle_t *)&app.timer);
    run_all(&app);
    for (unsigned i = 0; app.users != NULL && i < measure->in_flight; i++)
        asq_request_destroy(&app.users[i].request);
    free(app.users);
    free(app.conns);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    return app.rc;
}
