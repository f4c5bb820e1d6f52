/* ways_uv_work - uv_queue_work for each operation, connections in a pool */
#include "ways_uv_work.h"

#include "01-blocking/stmt.h"
#include "look.h"

#include <stdlib.h>
#include <uv.h>

struct app;

/* A client; a thread's while its work runs. */
struct errand {
    uv_work_t work;
    struct app *app;
    struct op op;
    struct asq_result result;
    int64_t answer;
    int status;
};

struct app {
    struct box *box;
    uv_loop_t loop;
    struct look look;
    struct asq_db *dbs;
    struct errand *errands;
    /* loop thread only */
    int pending;
    /* guarded by lock */
    uv_mutex_t lock;
    struct asq_db *idle[CONNECTIONS_MAX];
    int idle_count;
};

static void run_on_thread(uv_work_t *work);
static void finish_on_loop(uv_work_t *work, int status);

static void note_stopped(struct asq_heartbeat *heartbeat)
{
    (void)heartbeat; /* its memory is the box's */
}

static void submit(struct errand *errand)
{
    struct app *app = errand->app;

    if (!box_ask(app->box, &errand->op))
        return;
    errand->work.data = errand;
    /* It fails only without a function. */
    (void)uv_queue_work(&app->loop, &errand->work, run_on_thread,
                        finish_on_loop);
    app->pending++;
}

/* There is a connection for each thread of the pool. */
static void run_on_thread(uv_work_t *work)
{
    struct errand *errand = work->data;
    struct app *app = errand->app;
    const struct box *box = app->box;
    struct asq_db *db;

    uv_mutex_lock(&app->lock);
    db = app->idle[--app->idle_count];
    uv_mutex_unlock(&app->lock);
    errand->status = op_run(box->workload, box->data, db, &errand->op,
                            &errand->result, &errand->answer);
    (void)asq_db_hand_over(db); /* its own, without open statements */
    uv_mutex_lock(&app->lock);
    app->idle[app->idle_count++] = db;
    uv_mutex_unlock(&app->lock);
}

static void finish_on_loop(uv_work_t *work, int status)
{
    struct errand *errand = work->data;
    struct app *app = errand->app;

    app->pending--;
    if (status != 0)
        (void)box_fail(app->box, "%s", uv_strerror(status));
    else if (errand->status != 0)
        (void)box_fail(app->box, "a thread got %s",
                       sqlite3_errstr(errand->status));
    else
        box_answer(app->box, &errand->op, errand->answer);
    submit(errand);
    if (app->pending == 0) {
        box_end(app->box);
        asq_heartbeat_detach(&app->box->heartbeat, note_stopped);
    }
}

static int open_all(struct app *app)
{
    struct box *box = app->box;
    struct asq_profile profile = workload_profile(box->workload, box->data);
    const char *warm = workload_warm_sql(box->workload);

    for (int i = 0; i < box->connections; i++) {
        struct asq_db *db = &app->dbs[i];

        if (asq_db_open(db, &profile) != 0 ||
            (warm != NULL && asq_db_run(db, warm, NULL, NULL) != 0))
            return box_fail(box, "%s", asq_db_message(db));
        (void)asq_db_hand_over(db); /* its own, without open statements */
        app->idle[app->idle_count++] = db;
    }
    return 0;
}

static int start(struct app *app)
{
    struct box *box = app->box;

    app->dbs = calloc((size_t)box->connections, sizeof *app->dbs);
    app->errands = calloc((size_t)box->in_flight, sizeof *app->errands);
    if (app->dbs == NULL || app->errands == NULL)
        return box_fail(box, "out of memory");
    if (open_all(app) != 0)
        return -1;
    if (asq_heartbeat_attach(&box->heartbeat, &app->loop) != 0)
        return box_fail(box, "no timer could be started");
    box_begin(box);
    for (int i = 0; i < box->in_flight; i++) {
        app->errands[i].app = app;
        submit(&app->errands[i]);
    }
    look_start(&app->look, box, &app->loop);
    return 0;
}

static void release(struct app *app)
{
    for (int i = 0; app->dbs != NULL && i < app->box->connections; i++)
        (void)asq_db_close(&app->dbs[i]); /* every statement was released */
    for (int i = 0; app->errands != NULL && i < app->box->in_flight; i++)
        asq_result_destroy(&app->errands[i].result);
    free(app->dbs);
    free(app->errands);
}

int way_uv_work(struct box *box)
{
    struct app app = {.box = box};
    int rc = uv_mutex_init(&app.lock);

    if (rc != 0)
        return box_fail(box, "no lock: %s", uv_strerror(rc));
    rc = uv_loop_init(&app.loop);
    if (rc != 0) {
        uv_mutex_destroy(&app.lock);
        return box_fail(box, "no loop: %s", uv_strerror(rc));
    }
    rc = start(&app);
    (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until all is answered */
    release(&app);
    (void)uv_loop_close(&app.loop); /* nothing is left on it */
    uv_mutex_destroy(&app.lock);
    return rc;
}
