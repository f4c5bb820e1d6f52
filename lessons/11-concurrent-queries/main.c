/* main - does gather run at once?
 *
 * Dashboards, one after another. Each needs three queries: the user, the last
 * orders, and the sum of all orders. They are run in turn, then all at once:
 * through one connection, and through pools of two and four, on the slow disk
 * and on the fast one. Every way must read the same.
 *
 * Run:      make lesson L=11
 * Expect:   on one connection all at once is no faster on the slow disk, but
 *           saves hops on the fast one; in a pool the longest query decides
 * See also: idea.c, the smallest gather; case_snapshot.c, case_n_plus_one.c
 */
#include "11-concurrent-queries/gather.h"
#include "11-concurrent-queries/pool_wait.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>
#include <string.h>

enum {
    PARTS = 3,
    WAYS = 4,
    MOST = 4,      /* connections */
    CACHE_KIB = 16 /* so that most pages come from the disk */
};

static const char *const sql[PARTS] = {
    "SELECT id, name FROM users WHERE id = ?1",
    "SELECT id, created_at FROM orders WHERE user_id = ?1"
    " ORDER BY created_at DESC LIMIT 10",
    "SELECT sum(quantity * price_cents) AS cents FROM orders"
    " JOIN order_lines ON order_id = orders.id WHERE user_id = ?1"};

/* What the dashboards of a way have shown. */
struct shown {
    int64_t absent; /* users that do not exist */
    int64_t nulls;  /* sums over nothing */
    int64_t orders, cents;
};

struct app {
    struct asq_stage stage; /* a lane for each way and part */
    struct asq_pool pool;
    struct asq_gather gather;
    struct asq_gather_part parts[PARTS];
    struct asq_value user; /* whose dashboard it is */
    uint64_t ready_ns;     /* when it was wanted */
    long dashboard;        /* its number */
    int way;
    struct shown shown;
};

/* What happens for each dashboard, in this order, on the loop. */

static void start(struct app *app);
static void take_all(struct asq_gather *gather, int status);
static void show(struct app *app);
/* Keeps what the timeline and the table need. */
static void note(struct app *app);

static void start(struct app *app)
{
    struct asq_params params = {.values = &app->user, .count = 1};
    int64_t users = app->stage.shop.users;

    app->user = asq_int64(1 + 611 * app->dashboard % (users + users / 10));
    app->ready_ns = uv_hrtime();
    for (int i = 0; i < PARTS; i++)
        asq_gather_add(&app->gather, &app->parts[i], sql[i], &params); /* (1) */
    app->gather.limit = app->way == 0 ? 1 : 0; /* (2) in turn, or no limit */
    asq_stage_must(&app->stage,
                   asq_gather_start(&app->gather, &app->stage.loop, &app->pool,
                                    take_all)); /* (3) */
}

/* (4) Once, and nothing runs any more. */
static void take_all(struct asq_gather *gather, int status)
{
    struct app *app = gather->data;

    if (status != 0) {
        asq_stage_fail(&app->stage, gather->failed->request.message);
        return;
    }
    show(app);
    note(app);
    if (++app->dashboard < app->stage.options.requests)
        start(app);
}

static void show(struct app *app)
{
    const struct asq_result *user = &app->parts[0].request.result; /* (5) */
    const struct asq_result *orders = &app->parts[1].request.result;
    const struct asq_result *sum = &app->parts[2].request.result;

    app->shown.absent += user->rows == 0;                          /* (6) */
    app->shown.nulls += asq_result_at(sum, 0, 0).type == ASQ_NULL; /* (7) */
    app->shown.orders += (int64_t)orders->rows;
    app->shown.cents += asq_result_int64(sum, 0, "cents"); /* NULL: 0 */
}

/* ---- What is around it: the pool, the ways, what is printed -------------- */

/* The timeline shows dashboard 1: the one before has read the schema. */
static void note(struct app *app)
{
    static const char *const names[] = {"user", "orders", "sum"};
    struct asq_stage *stage = &app->stage;
    uint64_t before_ns = app->ready_ns - stage->begin_ns;

    asq_stage_answered(stage, app->ready_ns);
    if (app->dashboard != 1 || stage->row_count > WAYS)
        return;
    for (int i = 0; i < PARTS; i++)
        asq_stage_waited(stage, (unsigned)(PARTS * app->way + i),
                         app->parts[i].request.started_ns - before_ns,
                         app->parts[i].request.ended_ns - before_ns, names[i]);
}

static void open_pool(struct app *app, unsigned limit, const char *vfs)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    profile.mode = ASQ_OPEN_READ;
    profile.vfs = vfs;
    profile.cache_kib = CACHE_KIB;
    asq_pool_init(&app->pool);
    app->pool.depth = 1; /* no second query where a connection is free */
    if (asq_pool_open_wait(&app->pool, &app->stage.loop, &profile, limit) != 0)
        asq_stage_fail(&app->stage, app->pool.message);
}

static void run_way(struct app *app, int i)
{
    static const char *const names[] = {"in-turn", "gather-1", "gather-2",
                                        "gather-4"};
    static const int limits[] = {1, 1, 2, MOST};
    struct asq_stage *stage = &app->stage;
    struct shown expected = app->shown; /* by the way before */
    bool slow = i < WAYS;

    app->way = i % WAYS;
    app->dashboard = 0;
    app->shown = (struct shown){0};
    open_pool(app, (unsigned)limits[app->way], slow ? ASQ_SLOW_DISK : NULL);
    asq_stage_begin(stage, names[app->way], slow ? "slow" : "fast",
                    limits[app->way]);
    if (!stage->failed)
        start(app);
    asq_stage_turn(stage); /* until all are shown */
    asq_stage_end(stage);
    asq_pool_close_wait(&app->pool);
    if (i > 0 && memcmp(&app->shown, &expected, sizeof expected) != 0)
        asq_stage_fail(stage, "the dashboards are not those of the first way");
}

static void report(struct app *app)
{
    struct asq_stage *stage = &app->stage;

    printf("%ld dashboards of three queries each; the slow disk takes %g ms a "
           "read.\nOne of them:\n\n",
           stage->options.requests, stage->options.slow_disk_ms);
    asq_stage_print_timeline(stage, 0);
    for (size_t i = 0; i < 2 * WAYS; i += WAYS) {
        const struct asq_report_row *rows = &stage->rows[i];

        printf("\nOn the %s disk gather is %.1f times as fast as in-turn on "
               "one connection,\n%.1f times on two, and %.1f times on four.\n",
               rows->disk, rows[0].p50_us / rows[1].p50_us,
               rows[0].p50_us / rows[2].p50_us,
               rows[0].p50_us / rows[3].p50_us);
    }
    printf("\nUsers that do not exist, with no row: %d. Sums over nothing, a "
           "row with NULL: %d.\n\n",
           (int)app->shown.absent, (int)app->shown.nulls);
    asq_stage_print_rows(stage);
}

int main(int argc, char **argv)
{
    static const char *const lanes[] = {"in-turn  user",
                                        "  orders",
                                        "  sum",
                                        "gather-1 user",
                                        "  orders",
                                        "  sum",
                                        "gather-2 user",
                                        "  orders",
                                        "  sum",
                                        "gather-4 user",
                                        "  orders",
                                        "  sum",
                                        NULL};
    struct app app = {
        .stage = {.options = {.program = "build/11-concurrent-queries",
                              .about = "Does gather run at once?",
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
    asq_gather_init(&app.gather);
    app.gather.data = &app;
    for (int i = 0; i < PARTS; i++)
        asq_gather_part_init(&app.parts[i]);
    for (int i = 0; i < 2 * WAYS && !app.stage.failed; i++)
        run_way(&app, i);
    if (!app.stage.failed)
        report(&app);
    for (int i = 0; i < PARTS; i++)
        asq_gather_part_destroy(&app.parts[i]);
    return asq_stage_close(&app.stage, 0);
}
