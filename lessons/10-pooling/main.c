/* main - what does a second connection buy, and a fourth, and an eighth?
 *
 * The same queries, all ready at once, through pools of one, two, four and
 * eight readers: on the slow disk, where a reader waits, and on the fast one,
 * where it works and each query is run 100 times. Every pool must read the
 * same.
 *
 * Run:      make lesson L=10
 * Expect:   twice the readers answer twice as much on the slow disk, and hardly
 *           more on the fast one; each costs a thread, descriptors and memory
 * See also: idea.c, the smallest right pool, and its wrong twins
 */
#include "01-blocking/basket.h"
#include "10-pooling/pool.h"
#include "10-pooling/pool_report.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SIZES = 4,         /* of pools */
    MOST = 8,          /* readers */
    ROUNDS = 100,      /* on the fast disk */
    DESCRIPTORS = 1024 /* that are looked at */
};

struct query {
    struct asq_request request;
    struct asq_value ids[ASQ_BASKET_SIZE];
    struct asq_params params; /* the ids */
    long more;                /* how often it is still to be run */
};

struct cost { /* of a pool while its connections are open */
    int threads, descriptors;
    double memory_kib;
};

struct app {
    struct asq_stage stage;
    struct asq_pool pool;
    unsigned lane;         /* of the first reader, or 0: the way is not drawn */
    struct query *queries; /* one for each request */
    int64_t value;         /* of all baskets that this way has read */
    struct cost costs[SIZES];
};

/* What happens, in this order, on the loop. */

/* Opens a pool, and lets it open all of its readers. */
static void open_pool(struct app *app, int readers, const char *vfs);
static void note_loan(struct asq_loan *loan, int status);
/* Submits all queries. */
static void run_all(struct app *app);
static int run(struct app *app, struct query *query);
/* For each answer. */
static void take_answer(struct asq_request *request, int status);
/* All is answered. */
static void close_pool(struct app *app);
static void note_closed(struct asq_pool *pool);

static void open_pool(struct app *app, int readers, const char *vfs)
{
    struct asq_profile profile = asq_basket_profile(app->stage.path, vfs);
    long requests = app->stage.options.requests;
    struct asq_loan loans[MOST] = {0};

    app->pool.depth = (unsigned)((requests + readers - 1) / readers); /* (1) */
    asq_stage_must(&app->stage, asq_pool_open(&app->pool, &app->stage.loop,
                                              &profile, (unsigned)readers));
    for (int i = 0; i < readers && !app->stage.failed; i++) {
        asq_loan_init(&loans[i]);
        loans[i].data = app;
        asq_stage_must(&app->stage, asq_pool_acquire(&app->pool, &loans[i],
                                                     note_loan)); /* (2) */
    }
    asq_stage_turn(&app->stage); /* until each has its connection */
    for (int i = 0; i < readers; i++)
        asq_loan_release(&loans[i]);
}

static void note_loan(struct asq_loan *loan, int status)
{
    struct app *app = loan->data;

    if (status != 0)
        asq_stage_fail(&app->stage, loan->message);
}

static void run_all(struct app *app)
{
    for (long i = 0; i < app->stage.options.requests; i++)
        asq_stage_must(&app->stage, run(app, &app->queries[i]));
    asq_stage_turn(&app->stage); /* until all is answered */
}

static int run(struct app *app, struct query *query)
{
    query->more--;
    return asq_pool_run(&app->pool, &query->request, ASQ_BASKET_SQL,
                        &query->params, take_answer); /* (3) */
}

static void take_answer(struct asq_request *request, int status)
{
    struct query *query = ASQ_CONTAINER_OF(request, struct query, request);
    struct app *app = request->data;
    unsigned reader =
        (unsigned)(query - app->queries) / app->pool.depth % app->pool.limit;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    asq_stage_answered(&app->stage, request->submitted_ns);
    app->value += asq_result_int64(&request->result, 0, "value");
    if (app->lane > 0)
        asq_stage_waited(&app->stage, app->lane + reader, request->started_ns,
                         request->ended_ns, "query");
    if (query->more > 0 && !app->stage.failed)
        asq_stage_must(&app->stage, run(app, query)); /* (4) */
}

static void close_pool(struct app *app)
{
    asq_pool_close(&app->pool, note_closed); /* (5) */
    asq_stage_turn(&app->stage);             /* until all are closed */
}

static void note_closed(struct asq_pool *pool)
{
    (void)pool; /* a part of app; the next way opens it again */
}

/* ---- What is around it: the queries, the ways, the report ---------------- */

static void make_queries(struct app *app)
{
    long requests = app->stage.options.requests;

    app->queries = calloc((size_t)requests, sizeof *app->queries);
    if (app->queries == NULL)
        asq_stage_fail(&app->stage, "out of memory");
    for (long i = 0; i < requests && app->queries != NULL; i++) {
        struct query *query = &app->queries[i];

        asq_request_init(&query->request);
        query->request.data = app;
        asq_basket_fill(query->ids, i, app->stage.shop.items);
        query->params.values = query->ids;
        query->params.count = ASQ_BASKET_SIZE;
    }
}

/* Adds what is open now, or takes it away. */
static void add_cost(struct app *app, struct cost *cost, int sign)
{
    cost->threads += sign * (int)asq_pool_statistics(&app->pool).open;
    cost->memory_kib += sign * (double)sqlite3_memory_used() / 1024;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        cost->descriptors += sign * (fcntl(fd, F_GETFD) != -1);
}

/* Runs all queries; those of the fast disk are the second half. */
static void run_way(struct app *app, int i)
{
    static const char *const names[] = {"1 reader", "2 readers", "4 readers",
                                        "8 readers"};
    struct asq_stage *stage = &app->stage;
    struct cost *cost = &app->costs[i % SIZES];
    bool slow = i < SIZES;
    int readers = 1 << i % SIZES;
    long rounds = slow ? 1 : ROUNDS;
    int64_t expected = app->value; /* of one round, by the way before */

    for (long q = 0; q < stage->options.requests; q++)
        app->queries[q].more = rounds;
    app->value = 0;
    app->lane = slow ? (unsigned)readers : 0; /* 1, 2-3, 4-7, 8-15 */
    asq_pool_init(&app->pool);
    *cost = (struct cost){0};
    add_cost(app, cost, -1);
    open_pool(app, readers, slow ? ASQ_SLOW_DISK : NULL);
    asq_stage_begin(stage, names[i % SIZES], slow ? "slow" : "fast", readers);
    run_all(app);
    asq_stage_end(stage);
    add_cost(app, cost, 1);
    close_pool(app);
    if (i > 0 && app->value != expected * rounds)
        asq_stage_fail(stage, "the answers are not those of the first pool");
    app->value /= rounds;
}

static void report(struct app *app)
{
    struct asq_stage *stage = &app->stage;

    printf("%ld queries, all ready at once; the slow disk takes %g ms a "
           "read.\n\n",
           stage->options.requests, stage->options.slow_disk_ms);
    asq_stage_print_timeline(stage, 0);
    for (int i = 0; i < 2 * SIZES; i += SIZES) {
        const struct asq_report_row *rows = &stage->rows[i];
        double one = rows[0].throughput_per_s;

        printf("\nOn the %s disk 2 readers answer %.1f times as much as one, "
               "4 answer\n%.1f times and 8 answer %.1f times as much.\n",
               rows->disk, rows[1].throughput_per_s / one,
               rows[2].throughput_per_s / one, rows[3].throughput_per_s / one);
    }
    printf("\n");
    asq_stage_print_rows(stage);
    printf("\nWhile they are open they take:\n");
    for (int i = 0; i < SIZES; i++)
        printf("%-9s  threads %d  descriptors %2d  memory %3.0f KiB\n",
               stage->rows[i].way, app->costs[i].threads,
               app->costs[i].descriptors, app->costs[i].memory_kib);
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {
        "main", "1 reader", "2 readers 1", "  2", "4 readers 1", "  2",
        "  3",  "  4",      "8 readers 1", "  2", "  3",         "  4",
        "  5",  "  6",      "  7",         "  8", NULL};
    struct app app = {
        .stage = {.options = {.program = "build/10-pooling",
                              .about = "How many connections?",
                              .slow_disk_ms = 1,
                              .requests = 64},
                  .slow_reads = true,
                  .lanes = lanes,
                  .spans = 1},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    make_queries(&app);
    for (int i = 0; i < 2 * SIZES && !app.stage.failed; i++)
        run_way(&app, i);
    if (!app.stage.failed)
        report(&app);
    for (long i = 0; i < app.stage.options.requests && app.queries; i++)
        asq_request_destroy(&app.queries[i].request);
    free(app.queries);
    return asq_stage_close(&app.stage, 0);
}
