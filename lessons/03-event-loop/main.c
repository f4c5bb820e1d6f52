/* main - who tells me that it is done?
 *
 * The same queries, all ready at once, on a slow disk: run by blocking calls on
 * the loop's thread, through one conn, and through eight. Every way must read
 * the same. claims.c measures what the lesson says about it.
 *
 * Run:      make lesson L=03
 * Expect:   main waits in each query; one worker waits in its place and is no
 *           faster; eight workers wait at the same time
 * See also: idea.c, the same without conn, and its wrong twins
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "common/clock.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONNS = 8,
    LANES = 12 /* main in each way, one worker, eight workers */
};

struct query {
    struct asq_request request;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params; /* the ids */
};

struct app {
    struct asq_stage stage;
    struct asq_profile profile; /* of every connection: on the slow disk */
    struct query *queries;      /* one for each request */
    struct asq_conn conns[CONNS];
    unsigned lane; /* of main in this way; those of its workers follow */
    int64_t value; /* of all baskets that this way has read */
};

/* What happens, in this order. */

/* The first way: the loop's thread runs one query after another. */
static void run_here(struct app *app);
/* The others: opens conns, submits all, turns the loop, closes the conns. */
static void run_on_conns(struct app *app, int conns);
/* Callbacks on the loop: once for each conn that is open, once for each answer,
 * once for each conn that is closed. */
static void note_opened(struct asq_conn *conn, int status);
static void take_answer(struct asq_request *request, int status);
static void note_closed(struct asq_conn *conn);

static void run_here(struct app *app)
{
    struct asq_stage *stage = &app->stage;
    struct asq_db db;
    int rc = asq_db_open(&db, &app->profile);

    for (long i = 0; i < stage->options.requests && rc == 0; i++) {
        struct query *query = &app->queries[i];
        struct asq_result *result = &query->request.result;
        uint64_t begin_ns = asq_clock_now_ns();

        rc = asq_db_run(&db, ASQ_BASKET_SQL, &query->params, result); /* (1) */
        asq_stage_waited(stage, app->lane, begin_ns, asq_clock_now_ns(),
                         "query");
        asq_stage_answered(stage, stage->begin_ns);
        app->value += asq_result_int64(result, 0, "value");
    }
    if (rc != 0)
        asq_stage_fail(stage, asq_db_message(&db));
    (void)asq_db_close(&db); /* every statement was released */
}

static void run_on_conns(struct app *app, int conns)
{
    struct asq_stage *stage = &app->stage;
    int open = 0, rc = 0;

    while (open < conns && rc == 0) {
        struct asq_conn *conn = &app->conns[open];

        asq_conn_init(conn);
        conn->data = app;
        conn->capacity = (size_t)stage->options.requests;
        rc = asq_conn_open(conn, &stage->loop, &app->profile,
                           note_opened); /* (2) */
        open += rc == 0;
    }
    for (long i = 0; i < stage->options.requests && rc == 0; i++) {
        struct query *query = &app->queries[i];

        query->request.data = &app->conns[i % conns];
        rc = asq_conn_run(query->request.data, &query->request, ASQ_BASKET_SQL,
                          &query->params, take_answer); /* (3) */
    }
    asq_stage_must(stage, rc);
    asq_stage_turn(stage); /* until all is answered */
    while (open > 0)
        asq_conn_close(&app->conns[--open], note_closed); /* (5) */
    asq_stage_turn(stage); /* until all are closed */
}

static void note_opened(struct asq_conn *conn, int status)
{
    struct app *app = conn->data;

    if (status != 0)
        asq_stage_fail(&app->stage, conn->message);
}

static void take_answer(struct asq_request *request, int status)
{
    struct asq_conn *conn = request->data;
    struct app *app = conn->data;
    struct asq_stage *stage = &app->stage;
    unsigned lane = app->lane + 1 + (unsigned)(conn - app->conns);
    uint64_t begin_ns = asq_clock_now_ns();

    if (status != 0)
        asq_stage_fail(stage, request->message);
    /* (4) What a program does with the answer comes here. */
    app->value += asq_result_int64(&request->result, 0, "value");
    asq_stage_answered(stage, stage->begin_ns);
    asq_stage_worked(stage, app->lane, begin_ns, asq_clock_now_ns(), "answer");
    asq_stage_waited(stage, lane, request->started_ns, request->ended_ns,
                     "query");
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app; the next way opens it again */
}

/* ---- What is around it: the queries, the three ways, the report ---------- */

static void make_queries(struct app *app)
{
    long requests = app->stage.options.requests;

    app->queries = calloc((size_t)requests, sizeof *app->queries);
    if (app->queries == NULL)
        asq_stage_fail(&app->stage, "out of memory");
    for (long i = 0; i < requests && app->queries != NULL; i++) {
        struct query *query = &app->queries[i];

        asq_request_init(&query->request);
        asq_basket_fill(query->ids, i, app->stage.shop.items);
        query->params.values = query->ids;
        query->params.count = ASQ_BASKET_SIZE;
    }
}

static void destroy_queries(struct app *app)
{
    long requests = app->stage.options.requests;

    for (long i = 0; i < requests && app->queries != NULL; i++)
        asq_request_destroy(&app->queries[i].request);
    free(app->queries);
}

/* Runs all requests in one way: conns 0 is the blocking one. */
static void run_way(struct app *app, const char *name, int conns)
{
    int64_t expected = app->value; /* what the way before this has read */

    if (app->stage.failed)
        return;
    app->value = 0;
    asq_stage_begin(&app->stage, name, "slow", conns == 0 ? 1 : conns);
    if (conns == 0)
        run_here(app);
    else
        run_on_conns(app, conns);
    asq_stage_end(&app->stage);
    app->lane += 1 + (unsigned)conns;
    if (conns > 0 && app->value != expected)
        asq_stage_fail(&app->stage,
                       "the answers are not those of the blocking calls");
}

static void report(struct app *app)
{
    static const char *const says[] = {"main waited in each query",
                                       "a worker waited instead",
                                       "eight workers waited at once"};
    struct asq_stage *stage = &app->stage;

    if (stage->failed)
        return;
    printf("%ld queries, all ready at once; the slow disk takes %g ms a "
           "read.\n\n",
           stage->options.requests, stage->options.slow_disk_ms);
    asq_stage_print_timeline(stage, 0);
    printf("\n");
    for (size_t i = 0; i < stage->row_count; i++)
        printf("%s: %s, and the loop stood still for %.1f ms.\n",
               stage->rows[i].way, says[i], stage->rows[i].stall_us / 1e3);
    printf("\n");
    asq_stage_print_rows(stage);
}

int main(int argc, char **argv)
{
    static const char *const lanes[LANES + 1] = {
        "blocking main", "event-loop-1 main", "  worker",   "event-loop main",
        "  worker 1",    "  worker 2",        "  worker 3", "  worker 4",
        "  worker 5",    "  worker 6",        "  worker 7", "  worker 8"};
    struct app app = {
        .stage = {.options = {.program = "build/03-event-loop",
                              .about = "Who tells me that it is done?",
                              .slow_disk_ms = 1,
                              .requests = 40},
                  .slow_reads = true,
                  .lanes = lanes,
                  .spans = 1},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    app.profile = asq_basket_profile(app.stage.path, ASQ_SLOW_DISK);
    make_queries(&app);
    run_way(&app, "blocking", 0);
    run_way(&app, "event-loop-1", 1);
    run_way(&app, "event-loop", CONNS);
    report(&app);
    destroy_queries(&app);
    return asq_stage_close(&app.stage, 0);
}
