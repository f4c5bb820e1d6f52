/* case_snapshot - three queries of one dashboard, and somebody orders meanwhile
 *
 * A dashboard counts the orders, lists them and adds up their cents. Each order
 * is of 100 cents, so the three must agree. After each query has begun, another
 * client commits an order. This is put in order: a query that has begun says so
 * by an SQL function, and then waits there until all three have begun.
 *
 * Run:      build/11-concurrent-queries-case_snapshot
 * Expect:   three plain queries see three states of the database, those of a
 *           snapshot see one
 * See also: three_reads_that_disagree.c; snapshot.h
 */
#include "11-concurrent-queries/pool_wait.h"
#include "11-concurrent-queries/snapshot.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PARTS = 3
};

#define WHEN_BEGUN "WITH b AS MATERIALIZED (SELECT say_begun()) "

static const char *const sql[PARTS] = {
    WHEN_BEGUN "SELECT count(*) AS count FROM b, orders",
    WHEN_BEGUN "SELECT id FROM b, orders",
    WHEN_BEGUN "SELECT sum(cents) AS cents FROM b, orders"};
static const char order_sql[] = "INSERT INTO orders (cents) VALUES (100)";

struct app {
    struct asq_stage stage;
    struct asq_pool readers, writer;
    struct asq_snapshot snapshot;
    struct asq_request parts[PARTS], order;
    bool plain;
    int begun, answered;          /* queries of this dashboard */
    int64_t count, listed, cents; /* that it shows */
    long left, disagreed;         /* dashboards of this way */
    uint64_t ready_ns;
    uv_async_t tell_begun;
    uv_sem_t go_on; /* each query waits for it */
};

static void start(struct app *app);
static void note_ready(struct asq_snapshot *snapshot, int status);
static void run_next(struct app *app);
static void say_begun(sqlite3_context *context, int n, sqlite3_value **values);
static void order(uv_async_t *tell_begun);
static void take_order(struct asq_request *request, int status);
static void take_part(struct asq_request *request, int status);
static void note_ended(struct asq_snapshot *snapshot, int status);

static void start(struct app *app)
{
    if (app->left-- == 0 || app->stage.failed)
        return;
    app->begun = app->answered = 0;
    app->ready_ns = uv_hrtime();
    if (app->plain)
        run_next(app);
    else
        asq_stage_must(&app->stage,
                       asq_snapshot_begin(&app->snapshot, &app->readers,
                                          &app->writer, note_ready)); /* (1) */
}

static void note_ready(struct asq_snapshot *snapshot, int status)
{
    struct app *app = snapshot->data;

    if (status != 0)
        asq_stage_fail(&app->stage, snapshot->message);
    else
        run_next(app);
}

static void run_next(struct app *app)
{
    struct asq_request *part = &app->parts[app->begun];
    const char *query = sql[app->begun++];
    int rc;

    if (app->plain)
        rc = asq_pool_run(&app->readers, part, query, NULL, take_part);
    else
        rc = asq_snapshot_run(&app->snapshot, part, query, NULL,
                              take_part); /* (2) */
    asq_stage_must(&app->stage, rc);
}

/* On a worker: (3) the query has begun, and what it will see is settled. */
static void say_begun(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct app *app = sqlite3_user_data(context);

    (void)n; /* it has no arguments */
    (void)values;
    (void)uv_async_send(&app->tell_begun); /* cannot fail: it is open */
    uv_sem_wait(&app->go_on);
    sqlite3_result_null(context);
}

/* On the loop again: somebody orders. */
static void order(uv_async_t *tell_begun)
{
    struct app *app = tell_begun->data;

    asq_stage_must(&app->stage,
                   asq_pool_run(&app->writer, &app->order, order_sql, NULL,
                                take_order)); /* (4) */
}

static void take_order(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    if (app->begun < PARTS && status == 0) {
        run_next(app); /* (5) */
        return;
    }
    for (int i = 0; i < PARTS; i++)
        uv_sem_post(&app->go_on); /* (6) */
}

static void take_part(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    if (++app->answered < PARTS)
        return;
    app->count = asq_result_int64(&app->parts[0].result, 0, "count");
    app->listed = (int64_t)app->parts[1].result.rows;
    app->cents = asq_result_int64(&app->parts[2].result, 0, "cents");
    app->disagreed +=
        app->count != app->listed || 100 * app->count != app->cents; /* (7) */
    asq_stage_answered(&app->stage, app->ready_ns);
    if (app->plain)
        start(app);
    else
        asq_stage_must(&app->stage,
                       asq_snapshot_end(&app->snapshot, note_ended)); /* (8) */
}

static void note_ended(struct asq_snapshot *snapshot, int status)
{
    (void)status; /* always 0 */
    start(snapshot->data);
}

/* ---- What is around it: the pools, the two ways -------------------------- */

static int add_function(struct asq_db *db, void *data)
{
    return sqlite3_create_function(asq_db_handle(db), "say_begun", 0,
                                   SQLITE_UTF8, data, say_begun, NULL, NULL);
}

static void open_pools(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    uv_loop_t *loop = &app->stage.loop;

    asq_pool_init(&app->writer);
    if (asq_pool_open_wait(&app->writer, loop, &profile, 1) != 0)
        asq_stage_fail(&app->stage, app->writer.message);
    profile.mode = ASQ_OPEN_READ;
    profile.on_open_db = add_function;
    profile.on_open_data = app;
    asq_pool_init(&app->readers);
    app->readers.depth = 1; /* no second query where a connection is free */
    if (asq_pool_open_wait(&app->readers, loop, &profile, PARTS) != 0)
        asq_stage_fail(&app->stage, app->readers.message);
}

static void run_way(struct app *app, const char *name, bool plain)
{
    struct asq_stage *stage = &app->stage;
    long dashboards = stage->options.requests;

    app->plain = plain;
    app->left = dashboards;
    app->disagreed = 0;
    asq_stage_begin(stage, name, "fast", PARTS);
    start(app);
    asq_stage_turn(stage); /* until all are shown */
    asq_stage_end(stage);
    printf("%-8s  %2ld of %ld disagree; the last one: %2" PRId64
           " orders, %2" PRId64 " listed, %" PRId64 " cents\n",
           name, app->disagreed, dashboards, app->count, app->listed,
           app->cents);
}

static void close_all(struct app *app)
{
    asq_pool_close_wait(&app->readers);
    asq_pool_close_wait(&app->writer);
    uv_close((uv_handle_t *)&app->tell_begun, NULL);
    asq_stage_turn(&app->stage); /* until it is closed */
    asq_snapshot_destroy(&app->snapshot);
    for (int i = 0; i < PARTS; i++)
        asq_request_destroy(&app->parts[i]);
    asq_request_destroy(&app->order);
    uv_sem_destroy(&app->go_on);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage = {.options = {
                      .program = "build/11-concurrent-queries-case_snapshot",
                      .about = "Three queries, and somebody orders meanwhile.",
                      .requests = 20}}};
    struct asq_stage *stage = &app.stage;
    int status = asq_stage_open(stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_make(stage, "PRAGMA journal_mode = WAL;"
                          "CREATE TABLE orders (id INTEGER PRIMARY KEY,"
                          " cents INTEGER NOT NULL) STRICT;"
                          "INSERT INTO orders (cents) VALUES (100)");
    asq_stage_must(stage, uv_async_init(&stage->loop, &app.tell_begun, order));
    asq_stage_must(stage, uv_sem_init(&app.go_on, 0));
    app.tell_begun.data = &app;
    uv_unref((uv_handle_t *)&app.tell_begun); /* the query keeps the loop */
    asq_snapshot_init(&app.snapshot);
    app.snapshot.data = &app;
    app.snapshot.wanted = PARTS;
    for (int i = 0; i < PARTS; i++)
        app.parts[i].data = &app;
    app.order.data = &app;
    open_pools(&app);
    printf("Dashboards of three queries; somebody orders after each query has "
           "begun:\n\n");
    run_way(&app, "plain", true);
    run_way(&app, "snapshot", false);
    printf("\n");
    asq_stage_print_rows(stage);
    close_all(&app);
    return asq_stage_close(stage, 0);
}
