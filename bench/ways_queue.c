/* ways_queue - the queue of lesson 14, on a store
 *
 * Everything happens in callbacks, in this order: the store and the queue are
 * opened; clients put jobs, or lanes work on those that are there, until the
 * box is over; the queue gives back what its lanes hold, and all is closed. A
 * failure goes straight to the closing.
 */
#include "ways_queue.h"

#include "13-group-commit/store.h"
#include "14-task-queue/queue.h"

#include <stdlib.h>
#include <uv.h>

struct app;

/* A client, or what it is if it works: a lane. */
struct client {
    struct app *app;
    struct op op;
    struct asq_put put;
};

struct app {
    struct box *box;
    uv_loop_t loop;
    struct asq_store store;
    struct asq_queue queue;
    struct client *clients;
    struct asq_queue_job *jobs; /* one for each client, if they work */
    int active;                 /* clients that wait for an answer */
    bool beating, closing;
};

static void begin(struct asq_queue *queue, int status);
static void put(struct client *client);
static void note_put(struct asq_put *put, int status);
static void work(struct asq_queue_job *job);
static void note_worked(struct asq_queue_job *job, int status);
static void close_all(struct app *app);

static void note_opened(struct asq_conn *conn, int status)
{
    struct app *app = conn->data;
    int rc = status;

    if (rc == 0)
        rc = asq_queue_open(&app->queue, &app->loop, conn, "bench", begin);
    if (rc == 0)
        return;
    (void)box_fail(app->box, "%s",
                   status != 0 ? conn->message : uv_strerror(rc));
    close_all(app);
}

static void begin(struct asq_queue *queue, int status)
{
    struct app *app = queue->data;
    struct box *box = app->box;

    if (status != 0)
        (void)box_fail(box, "%s", queue->message);
    else if (asq_heartbeat_attach(&box->heartbeat, &app->loop) != 0)
        (void)box_fail(box, "no timer could be started");
    app->beating = box->message[0] == '\0';
    box_begin(box);
    for (int i = 0; i < box->in_flight; i++) {
        app->active += box_ask(box, &app->clients[i].op);
        if (!box->workload->works && app->active > i)
            put(&app->clients[i]);
    }
    if (app->active == 0)
        close_all(app);
    else if (box->workload->works)
        (void)asq_queue_work(queue, app->jobs, (size_t)box->in_flight,
                             work); /* it is open */
}

/* Returns whether the client asks again. */
static bool answer(struct client *client, int status, const char *message)
{
    struct app *app = client->app;

    if (status != 0)
        (void)box_fail(app->box, "%s", message);
    else
        box_answer(app->box, &client->op, 1);
    if (box_ask(app->box, &client->op))
        return true;
    client->op.number = -1;
    if (--app->active == 0)
        close_all(app);
    return false;
}

static void put(struct client *client)
{
    struct app *app = client->app;
    int rc = asq_queue_put(&app->queue, &client->put, note_put);

    if (rc == 0)
        return;
    (void)box_fail(app->box, "refused: %s", uv_strerror(rc));
    if (--app->active == 0)
        close_all(app);
}

static void note_put(struct asq_put *done, int status)
{
    struct client *client = done->data;

    if (answer(client, status, done->step.request.message))
        put(client);
}

/* Once the box is over, lanes still get jobs, which are given back. */
static void work(struct asq_queue_job *job)
{
    struct client *client = job->data;

    if (client->op.number >= 0)
        (void)asq_job_done(job, note_worked); /* the job is held */
}

static void note_worked(struct asq_queue_job *job, int status)
{
    (void)answer(job->data, status, "the job was lost");
}

static void note_stopped(struct asq_heartbeat *heartbeat)
{
    (void)heartbeat; /* its memory is the box's */
}

static void note_conn_closed(struct asq_conn *conn)
{
    (void)conn; /* freed when the loop has ended */
}

static void note_queue_closed(struct asq_queue *queue)
{
    struct app *app = queue->data;

    asq_conn_close(&app->store.conn, note_conn_closed);
}

static void note_drained(struct asq_queue *queue)
{
    asq_queue_close(queue, note_queue_closed);
}

static void close_all(struct app *app)
{
    if (app->closing)
        return;
    app->closing = true;
    box_end(app->box);
    if (app->beating)
        asq_heartbeat_detach(&app->box->heartbeat, note_stopped);
    if (asq_queue_drain(&app->queue, 0, note_drained) != 0)
        asq_conn_close(&app->store.conn, note_conn_closed); /* no queue */
}

static int make_clients(struct app *app)
{
    size_t count = (size_t)app->box->in_flight;

    app->clients = calloc(count, sizeof *app->clients);
    app->jobs = calloc(count, sizeof *app->jobs);
    if (app->clients == NULL || app->jobs == NULL)
        return box_fail(app->box, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct client *client = &app->clients[i];

        client->app = app;
        asq_put_init(&client->put);
        client->put.data = client;
        client->put.payload = "job";
        client->put.size = 3;
        app->jobs[i].data = client;
    }
    return 0;
}

int way_queue(struct box *box)
{
    struct app app = {.box = box};
    struct asq_profile profile = workload_profile(box->workload, box->data);
    int rc = uv_loop_init(&app.loop);

    if (rc != 0)
        return box_fail(box, "no loop: %s", uv_strerror(rc));
    asq_store_init(&app.store);
    app.store.conn.data = &app;
    asq_queue_init(&app.queue);
    app.queue.data = &app;
    if (make_clients(&app) == 0) {
        rc = asq_conn_open(&app.store.conn, &app.loop, &profile, note_opened);
        if (rc != 0)
            (void)box_fail(box, "%s", uv_strerror(rc));
        (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until all is closed */
        box->checkpoint_ns = asq_store_statistics(&app.store).checkpoint_ns;
    }
    for (int i = 0; app.clients != NULL && i < box->in_flight; i++)
        asq_put_destroy(&app.clients[i].put);
    free(app.clients);
    free(app.jobs);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    return box->message[0] == '\0' ? 0 : -1;
}
