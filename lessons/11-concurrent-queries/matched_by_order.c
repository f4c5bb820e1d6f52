/* matched_by_order - row 1 is taken for the user of order 1
 *
 * case_n_plus_one.c with the rows of the one query matched to the orders by
 * their place. But rows come in the order in which SQLite finds them, here by
 * id, and a user of two orders comes once: most orders get the name of somebody
 * else, and no error says so.
 *
 * Copy of: case_n_plus_one.c
 * Proof: prints json-each  statements a page:   2, wrong users: 9
 */
#include "11-concurrent-queries/gather.h"
#include "11-concurrent-queries/pool_wait.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    ORDERS = 100,
    CONNS = 4,
    JSON_SIZE = 24 * ORDERS,
    CACHE_KIB = 64 /* less than the table of users takes */
};

enum way {
    IN_TURN,
    GATHERED,
    JSON_EACH,
    JOIN,
    WAYS
};

#define LATEST "FROM orders WHERE id > ?1 ORDER BY id LIMIT 100"

static const char orders_sql[] = "SELECT id, user_id " LATEST;
static const char user_sql[] = "SELECT id, name FROM users WHERE id = ?1";
static const char users_sql[] = "SELECT id, name FROM users WHERE id IN"
                                " (SELECT value FROM json_each(?1))";
static const char join_sql[] =
    "SELECT orders.id, user_id, name FROM (SELECT * " LATEST ") AS orders"
    " JOIN users ON users.id = user_id ORDER BY orders.id";

struct app {
    struct asq_stage stage;
    struct asq_pool pool;
    struct asq_gather gather;
    struct asq_gather_part parts[ORDERS]; /* of each order's user */
    struct asq_value ids[ORDERS], after, json;
    struct asq_request page, users; /* the orders; their users */
    char text[JSON_SIZE];           /* the ids as JSON */
    enum way way;
    long left, statements, wrong; /* pages; of this way */
    uint64_t ready_ns;
};

/* A page, in this order, on the loop. */
static void start(struct app *app);
static void take_page(struct asq_request *request, int status);
static void ask_each(struct app *app);
static void take_each(struct asq_gather *gather, int status);
static void ask_all(struct app *app);
static void take_all(struct asq_request *request, int status);
static void end(struct app *app);

static int64_t user_of(const struct app *app, int i)
{
    return asq_result_int64(&app->page.result, (size_t)i, "user_id");
}

static void run(struct app *app,
                struct asq_request *request,
                const char *sql,
                const struct asq_value *value,
                asq_done_cb on_done)
{
    struct asq_params params = {.values = value, .count = 1};

    app->statements++;
    asq_stage_must(&app->stage,
                   asq_pool_run(&app->pool, request, sql, &params, on_done));
}

static void start(struct app *app)
{
    if (app->left-- == 0 || app->stage.failed)
        return;
    app->after = asq_int64(app->left * 331 % (app->stage.shop.orders - ORDERS));
    app->ready_ns = uv_hrtime();
    run(app, &app->page, app->way == JOIN ? join_sql : orders_sql, &app->after,
        take_page); /* (1) */
}

static void take_page(struct asq_request *request, int status)
{
    struct app *app = request->data;

    if (status != 0 || request->result.rows != ORDERS)
        asq_stage_fail(&app->stage, request->message);
    else if (app->way == JOIN)
        end(app);
    else if (app->way == JSON_EACH)
        ask_all(app);
    else
        ask_each(app);
}

static void ask_each(struct app *app)
{
    for (int i = 0; i < ORDERS; i++) {
        struct asq_params params = {.values = &app->ids[i], .count = 1};

        app->ids[i] = asq_int64(user_of(app, i));
        asq_gather_add(&app->gather, &app->parts[i], user_sql,
                       &params); /* (2) */
    }
    app->statements += ORDERS;
    app->gather.limit = app->way == IN_TURN ? 1 : 0;
    asq_stage_must(&app->stage, asq_gather_start(&app->gather, &app->stage.loop,
                                                 &app->pool, take_each));
}

static void take_each(struct asq_gather *gather, int status)
{
    struct app *app = gather->data;

    if (status != 0)
        asq_stage_fail(&app->stage, gather->failed->request.message);
    for (int i = 0; i < ORDERS; i++)
        app->wrong += asq_result_int64(&app->parts[i].request.result, 0,
                                       "id") != user_of(app, i);
    end(app);
}

static void ask_all(struct app *app)
{
    int at = 0;

    for (int i = 0; i < ORDERS; i++) /* it fits: no id has 20 digits */
        at += snprintf(&app->text[at], sizeof app->text - (size_t)at,
                       "%c%" PRId64, i == 0 ? '[' : ',', user_of(app, i));
    (void)snprintf(&app->text[at], sizeof app->text - (size_t)at, "]");
    app->json = asq_text(app->text);
    run(app, &app->users, users_sql, &app->json, take_all); /* (3) */
}

static void take_all(struct asq_request *request, int status)
{
    struct app *app = request->data;
    const struct asq_result *users = &request->result;

    if (status != 0)
        asq_stage_fail(&app->stage, request->message);
    for (int i = 0; i < ORDERS; i++) {
        size_t row = (size_t)i;

        app->wrong += asq_result_int64(users, row, "id") != user_of(app, i);
    }
    end(app);
}

static void end(struct app *app)
{
    asq_stage_answered(&app->stage, app->ready_ns);
    start(app);
}

/* ---- What is around it: the pool, the ways, what is printed -------------- */

static void run_way(struct app *app, int i)
{
    static const char *const names[] = {"in-turn", "gathered", "json-each",
                                        "join"};
    struct asq_stage *stage = &app->stage;
    struct asq_profile profile = asq_profile_default(stage->path);
    long pages = stage->options.requests;
    bool slow = i < WAYS;

    profile.mode = ASQ_OPEN_READ;
    profile.vfs = slow ? ASQ_SLOW_DISK : NULL;
    profile.cache_kib = CACHE_KIB;
    asq_pool_init(&app->pool);
    app->pool.depth =
        slow ? 1 : ORDERS; /* on the fast disk all stay together */
    if (asq_pool_open_wait(&app->pool, &stage->loop, &profile, CONNS) != 0)
        asq_stage_fail(stage, app->pool.message);
    app->way = (enum way)(i % WAYS);
    app->left = pages;
    app->statements = app->wrong = 0;
    asq_stage_begin(stage, names[app->way], slow ? "slow" : "fast", CONNS);
    start(app);
    asq_stage_turn(stage); /* until all is answered */
    asq_stage_end(stage);
    asq_pool_close_wait(&app->pool);
    if (slow)
        printf("%-9s  statements a page: %3ld, wrong users: %ld of %d\n",
               names[app->way], app->statements / pages, app->wrong / pages,
               ORDERS);
}

int main(int argc, char **argv)
{
    static struct app app = {
        .stage = {.options = {.program =
                                  "build/11-concurrent-queries-case_n_plus_one",
                              .about = "100 orders with the names of their "
                                       "users.",
                              .slow_disk_ms = 1,
                              .requests = 5},
                  .slow_reads = true}};
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    asq_gather_init(&app.gather);
    app.gather.data = app.page.data = app.users.data = &app;
    printf("Pages of %d orders with their users; the slow disk takes %g ms a "
           "read.\n\n",
           ORDERS, app.stage.options.slow_disk_ms);
    for (int i = 0; i < 2 * WAYS && !app.stage.failed; i++)
        run_way(&app, i);
    printf("\n");
    asq_stage_print_rows(&app.stage);
    for (int i = 0; i < ORDERS; i++)
        asq_gather_part_destroy(&app.parts[i]);
    asq_request_destroy(&app.page);
    asq_request_destroy(&app.users);
    return asq_stage_close(&app.stage, 0);
}
