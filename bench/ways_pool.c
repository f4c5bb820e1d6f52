/* ways_pool - a pool on one loop; the loop asks and takes the answers
 *
 * Everything happens in callbacks, in this order: all connections are borrowed
 * at once, so that they are opened, and warmed up; clients ask and are answered
 * until the box is over; the pool is closed. A failure goes straight to the
 * closing.
 */
#include "ways_pool.h"

#include "10-pooling/pool.h"
#include "look.h"

#include <stdlib.h>
#include <uv.h>

struct app;

struct client {
    struct asq_request request;
    struct asq_loan loan; /* lent-per-query, and while all are opened */
    struct app *app;
    struct op op;
};

struct app {
    struct box *box;
    bool lends;
    uv_loop_t loop;
    struct look look;
    struct asq_pool pool;
    struct client *clients;
    int warming; /* clients that are not done with it */
    int pending; /* clients that wait */
    bool beating, closing;
};

static void borrow_to_warm(struct app *app);
static void warm(struct asq_loan *loan, int status);
static void note_warm(struct asq_request *request, int status);
static void begin(struct app *app);
static void ask(struct client *client);
static void run_on_loan(struct asq_loan *loan, int status);
static void take_answer(struct asq_request *request, int status);
static void close_all(struct app *app);

static void borrow_to_warm(struct app *app)
{
    app->warming = app->box->connections;
    for (int i = 0; i < app->box->connections; i++) {
        if (asq_pool_acquire(&app->pool, &app->clients[i].loan, warm) != 0) {
            (void)box_fail(app->box, "the pool is not open");
            app->warming--;
        }
    }
    if (app->warming == 0)
        close_all(app);
}

static void end_warming(struct app *app)
{
    if (--app->warming > 0)
        return;
    /* Only now, or one of them would be opened twice and another never. */
    for (int i = 0; i < app->box->connections; i++)
        asq_loan_release(&app->clients[i].loan);
    begin(app);
}

static void warm(struct asq_loan *loan, int status)
{
    struct client *client = loan->data;
    const char *sql = workload_warm_sql(client->app->box->workload);

    if (status != 0)
        (void)box_fail(client->app->box, "%s", loan->message);
    else if (sql != NULL && asq_conn_run(loan->conn, &client->request, sql,
                                         NULL, note_warm) == 0)
        return;
    end_warming(client->app);
}

static void note_warm(struct asq_request *request, int status)
{
    struct client *client = request->data;

    if (status != 0)
        (void)box_fail(client->app->box, "%s", request->message);
    end_warming(client->app);
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

static int run(struct client *client, struct asq_conn *conn)
{
    const char *sql = client->app->box->workload->sql[client->op.which];
    struct asq_params params = {.values = client->op.values,
                                .count = client->op.count};

    if (conn != NULL)
        return asq_conn_run(conn, &client->request, sql, &params, take_answer);
    return asq_pool_run(&client->app->pool, &client->request, sql, &params,
                        take_answer);
}

static void ask(struct client *client)
{
    struct app *app = client->app;
    int rc;

    if (!box_ask(app->box, &client->op))
        return;
    rc = app->lends ? asq_pool_acquire(&app->pool, &client->loan, run_on_loan)
                    : run(client, NULL);
    if (rc != 0)
        (void)box_fail(app->box, "refused: %s", uv_strerror(rc));
    else
        app->pending++;
}

static void end_answer(struct app *app)
{
    app->pending--;
    if (app->pending == 0)
        close_all(app);
}

static void run_on_loan(struct asq_loan *loan, int status)
{
    struct client *client = loan->data;

    if (status == 0)
        status = run(client, loan->conn);
    if (status == 0)
        return;
    (void)box_fail(client->app->box, "no connection: %s", loan->message);
    asq_loan_release(loan);
    end_answer(client->app);
}

static void take_answer(struct asq_request *request, int status)
{
    struct client *client = request->data;
    struct app *app = client->app;

    asq_loan_release(&client->loan); /* harmless where nothing is lent */
    if (status != 0)
        (void)box_fail(app->box, "%s", request->message);
    else
        box_answer(app->box, &client->op, op_answer(&request->result));
    ask(client);
    end_answer(app);
}

static void note_stopped(struct asq_heartbeat *heartbeat)
{
    (void)heartbeat; /* its memory is the box's */
}

static void note_closed(struct asq_pool *pool)
{
    (void)pool; /* freed when the loop has ended */
}

static void close_all(struct app *app)
{
    if (app->closing)
        return;
    app->closing = true;
    box_end(app->box);
    if (app->beating)
        asq_heartbeat_detach(&app->box->heartbeat, note_stopped);
    asq_pool_close(&app->pool, note_closed);
}

static int make_clients(struct app *app)
{
    struct box *box = app->box;
    int count =
        box->in_flight > box->connections ? box->in_flight : box->connections;

    app->clients = calloc((size_t)count, sizeof *app->clients);
    if (app->clients == NULL)
        return box_fail(box, "out of memory");
    for (int i = 0; i < count; i++) {
        asq_request_init(&app->clients[i].request);
        asq_loan_init(&app->clients[i].loan);
        app->clients[i].request.data = &app->clients[i];
        app->clients[i].loan.data = &app->clients[i];
        app->clients[i].app = app;
    }
    return count;
}

/* Reads from memory stay together, so that they share their read transactions.
 * What waits for the disk is spread over all connections. */
static unsigned choose_depth(const struct box *box)
{
    if (box->workload->slow)
        return (unsigned)((box->in_flight + box->connections - 1) /
                          box->connections);
    return box->in_flight > 64 ? 64 : 32;
}

static int run_pool(struct box *box, bool lends)
{
    struct app app = {.box = box, .lends = lends};
    struct asq_profile profile = workload_profile(box->workload, box->data);
    int rc = uv_loop_init(&app.loop);
    int count;

    if (rc != 0)
        return box_fail(box, "no loop: %s", uv_strerror(rc));
    count = make_clients(&app);
    asq_pool_init(&app.pool);
    app.pool.depth = choose_depth(box);
    rc = count < 0 ? UV_ENOMEM
                   : asq_pool_open(&app.pool, &app.loop, &profile,
                                   (unsigned)box->connections);
    if (rc != 0)
        (void)box_fail(box, "%s", uv_strerror(rc));
    else
        borrow_to_warm(&app);
    (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until all is closed */
    for (int i = 0; i < count; i++)
        asq_request_destroy(&app.clients[i].request);
    free(app.clients);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    return box->message[0] == '\0' ? 0 : -1;
}

int way_pool(struct box *box)
{
    return run_pool(box, false);
}

int way_lent_per_query(struct box *box)
{
    return run_pool(box, true);
}
