/* main - can somebody else wait for me?
 *
 * The same queries, all ready at once, on the slow disk: first the main thread
 * waits for each of them, then eight threads with a connection each wait in its
 * place. claims.c measures the claims of the lesson.
 *
 * Run:      make lesson L=02
 * Expect:   eight threads wait at once, and the main thread goes on
 * See also: idea.c and its wrong twins, if_instead_of_while.c and
 *           shared_connection.c
 */
#include "01-blocking/basket.h"
#include "01-blocking/stmt.h"
#include "02-threads/offload.h"
#include "common/clock.h"
#include "common/slow_disk.h"
#include "common/stage.h"
#include "common/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum {
    BLOCKING,
    THREADED,
    WAYS,
    THREADS = 8,
    CALLERS = 1 + THREADS /* 0 is the main thread */
};

struct request {
    struct asq_job job;
    struct app *app;
    long number;
    int rc;        /* 0 or an SQLITE_* code */
    int64_t value; /* of the basket */
};

struct app {
    struct asq_stage stage; /* its lanes: main in each way, then the threads */
    struct asq_offload offload;
    struct asq_db dbs[CALLERS]; /* one for each caller */
    struct request *requests;   /* those of the first way, then the second */
    int way;
    uv_mutex_t lock;
    uv_cond_t all_answered;
    /* guarded by lock; so are the stage's latencies */
    long answered;
    long by_main[WAYS]; /* of all answers: how many main waited for */
};

/* What happens, in this order. */

/* Asks for everything in one way; beats until everything is answered. */
static void run_way(struct app *app, void (*ask)(struct request *));
/* The first way: the main thread runs the query. */
static void ask_blocking(struct request *request);
/* The second way: the main thread hands the query over. */
static void ask_offloaded(struct request *request);
static void run_on_thread(struct asq_job *job, unsigned thread);
/* Runs the query and waits for it. Caller 0 is main, n is thread n. */
static void answer(struct request *request, unsigned caller);
/* Counts an answer, and wakes the main thread after the last one. */
static void count_answer(struct app *app, unsigned caller);

static void run_way(struct app *app, void (*ask)(struct request *))
{
    long requests = app->stage.options.requests;

    for (long i = 0; i < requests; i++) {
        struct request *request = &app->requests[app->way * requests + i];

        request->app = app;
        request->number = i;
        ask(request);
    }
    uv_mutex_lock(&app->lock);
    while (app->answered < requests) { /* (5) woken or not, it looks */
        (void)uv_cond_timedwait(&app->all_answered, &app->lock, ASQ_NS_PER_MS);
        asq_heartbeat_beat(&app->stage.beats);
    }
    uv_mutex_unlock(&app->lock);
}

static void ask_blocking(struct request *request)
{
    answer(request, 0); /* (1) */
}

static void ask_offloaded(struct request *request)
{
    request->job.run_on_thread = run_on_thread;
    request->job.data = request;
    /* It cannot fail: there is room for all, and nobody stops the threads. */
    (void)asq_offload_submit(&request->app->offload, &request->job,
                             ASQ_FULL_FAILS); /* (2) */
}

static void run_on_thread(struct asq_job *job, unsigned thread)
{
    answer(job->data, 1 + thread); /* (3) */
}

static void answer(struct request *request, unsigned caller)
{
    struct app *app = request->app;
    unsigned lane = caller == 0 ? (unsigned)app->way : 1 + caller;
    uint64_t begin_ns = asq_clock_now_ns();
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params = {.values = ids, .count = ASQ_BASKET_SIZE};
    struct asq_db *db = &app->dbs[caller];
    struct asq_result result;

    asq_result_init(&result);
    asq_basket_fill(ids, request->number, app->stage.shop.items);
    request->rc = asq_db_run(db, ASQ_BASKET_SQL, &params, &result);
    if (asq_result_int64(&result, 0, "count") == ASQ_BASKET_SIZE)
        request->value = asq_result_int64(&result, 0, "value");
    asq_result_destroy(&result);
    (void)asq_db_hand_over(db); /* main closes it; no statement is out */
    asq_stage_waited(&app->stage, lane, begin_ns, asq_clock_now_ns(), "query");
    count_answer(app, caller);
}

static void count_answer(struct app *app, unsigned caller)
{
    uv_mutex_lock(&app->lock);
    asq_stage_answered(&app->stage, app->stage.begin_ns);
    app->by_main[app->way] += caller == 0;
    if (++app->answered == app->stage.options.requests)
        uv_cond_signal(&app->all_answered); /* (4) */
    uv_mutex_unlock(&app->lock);
}

/* ---- What is around it: connections and threads, what is checked --------- */

static void open_all(struct app *app)
{
    struct asq_profile profile =
        asq_basket_profile(app->stage.path, ASQ_SLOW_DISK);
    size_t requests = (size_t)app->stage.options.requests;

    for (unsigned i = 0; i < CALLERS; i++) {
        if (asq_db_open(&app->dbs[i], &profile) != 0)
            asq_stage_fail(&app->stage, asq_db_message(&app->dbs[i]));
        (void)asq_db_hand_over(&app->dbs[i]); /* to the thread that uses it */
    }
    app->requests = calloc(WAYS * requests, sizeof *app->requests);
    if (app->requests == NULL)
        asq_stage_fail(&app->stage, "out of memory");
    else
        asq_stage_must(&app->stage,
                       asq_offload_start(&app->offload, THREADS, requests));
}

static void close_all(struct app *app)
{
    asq_offload_stop(&app->offload, ASQ_REST_RUNS);
    asq_offload_destroy(&app->offload);
    for (unsigned i = 0; i < CALLERS; i++)
        (void)asq_db_close(&app->dbs[i]); /* no statement is out */
    free(app->requests);
}

static void check_answers(struct app *app)
{
    long requests = app->stage.options.requests;

    for (long i = 0; i < requests; i++) {
        struct request *request = &app->requests[app->way * requests + i];

        if (request->rc != 0)
            asq_stage_fail(&app->stage, sqlite3_errstr(request->rc));
        else if (request->value == 0 ||
                 request->value != app->requests[i].value)
            asq_stage_fail(&app->stage, "an answer is wrong");
    }
}

static void measure_way(struct app *app, int way)
{
    if (app->stage.failed)
        return;
    app->way = way;
    app->answered = 0; /* the threads have nothing to do now */
    asq_stage_begin(&app->stage, way == BLOCKING ? "blocking" : "threads",
                    "slow", way == BLOCKING ? 1 : THREADS);
    run_way(app, way == BLOCKING ? ask_blocking : ask_offloaded);
    asq_stage_end(&app->stage);
    check_answers(app);
}

static void report(struct app *app)
{
    long requests = app->stage.options.requests;
    char text[16];

    if (app->stage.failed)
        return;
    printf("%ld queries, all ready at once; the slow disk takes %g ms a "
           "read.\n\n",
           requests, app->stage.options.slow_disk_ms);
    asq_stage_print_timeline(&app->stage, 0);
    printf("\n");
    for (int i = 0; i < WAYS; i++)
        printf("%s: main waited for %ld of %ld queries, and reacted to nothing "
               "for %s.\n",
               app->stage.rows[i].way, app->by_main[i], requests,
               asq_format_duration(text, app->stage.rows[i].stall_us));
    printf("\n");
    asq_stage_print_rows(&app->stage);
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {
        "blocking main", "threads main", "  thread 1", "  thread 2",
        "  thread 3",    "  thread 4",   "  thread 5", "  thread 6",
        "  thread 7",    "  thread 8",   NULL};
    struct app app = {
        .stage = {.options = {.program = "build/02-threads",
                              .about = "Can somebody else wait for me?",
                              .slow_disk_ms = 1,
                              .requests = 40},
                  .slow_reads = true,
                  .lanes = lanes,
                  .spans = WAYS},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    if (uv_mutex_init(&app.lock) != 0 || uv_cond_init(&app.all_answered) != 0) {
        asq_stage_fail(&app.stage, "out of memory");
        return asq_stage_close(&app.stage, 1);
    }
    open_all(&app);
    measure_way(&app, BLOCKING);
    measure_way(&app, THREADED);
    report(&app);
    close_all(&app);
    uv_cond_destroy(&app.all_answered);
    uv_mutex_destroy(&app.lock);
    return asq_stage_close(&app.stage, 0);
}
