/* main - how does a user see the row that was just changed?
 *
 * Many users at once, two for each item, set its price and want to see the row
 * as they have left it. They do so in two ways, through one connection to a
 * slow disk: by an update and then a read, or by one update with RETURNING.
 *
 * Run:      make lesson L=05
 * Expect:   an update and a read take longer, and half of the users see a
 *           price that another user has set
 * See also: case_life.c, the life of one item; idea.c and its wrong twins
 */
#include "03-event-loop/conn_wait.h"
#include "05-crud/items.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READ_AFTER,
    RETURNING,
    WAYS,
    CACHE_KIB = 64 /* so small that most pages come from the slow disk */
};

/* Sets the price of an item, and wants to see the row. */
struct user {
    struct asq_items_request items;
    struct app *app;
    int64_t id;
    struct asq_value price;
};

struct app {
    struct asq_stage stage; /* two lanes for each way: main and worker */
    struct asq_conn conn;
    struct user *users;
    int64_t own[WAYS]; /* users that saw the price that they had set */
    long wanted;       /* items that the users set the prices of */
    int way;
};

/* What happens, in this order, on the loop. */

/* Submits the updates of all users at once. */
static void set_prices(struct app *app);
/* READ_AFTER: an update is answered; submits the read. */
static void read_again(struct asq_items_request *items, int status);
/* The row is there: from the read, or from the update itself. */
static void take_row(struct asq_items_request *items, int status);

static void set_prices(struct app *app)
{
    static const char *const price[] = {"value"};
    asq_items_cb on_done = app->way == READ_AFTER ? read_again : take_row;

    for (long i = 0; i < app->stage.options.requests; i++) {
        struct user *user = &app->users[i];
        struct asq_params params = {&user->price, price, 1};

        asq_stage_must(&app->stage,
                       asq_items_update(&app->conn, &user->items, user->id,
                                        &params, on_done)); /* (1) */
    }
}

/* Keeps for the timeline what the worker did for this request. */
static void note_statement(struct app *app, const struct asq_request *request)
{
    asq_stage_waited(&app->stage, 2 * (unsigned)app->way + 1,
                     request->started_ns, request->ended_ns, "statement");
}

static void read_again(struct asq_items_request *items, int status)
{
    struct user *user = items->request.data;
    struct app *app = user->app;

    if (status != 0) {
        asq_stage_fail(&app->stage, items->request.message);
        return;
    }
    note_statement(app, &items->request);
    asq_stage_must(&app->stage, asq_items_read(&app->conn, items, user->id,
                                               take_row)); /* (2) */
}

static void take_row(struct asq_items_request *items, int status)
{
    struct user *user = items->request.data;
    struct app *app = user->app;
    uint64_t begin_ns = uv_hrtime();
    int64_t value;

    if (status != 0) {
        asq_stage_fail(&app->stage, items->request.message);
        return;
    }
    note_statement(app, &items->request);
    value = asq_result_int64(&items->request.result, 0, "value");
    app->own[app->way] += value == user->price.as.int64; /* (3) */
    asq_stage_worked(&app->stage, 2 * (unsigned)app->way, begin_ns, uv_hrtime(),
                     "answer");
    asq_stage_answered(&app->stage, app->stage.begin_ns);
}

/* ---- What is around it: the users, the two ways, what is printed --------- */

static void prepare_users(struct app *app)
{
    long requests = app->stage.options.requests;

    app->wanted = (requests + 1) / 2; /* two users for each item */
    app->users = calloc((size_t)requests, sizeof *app->users);
    if (app->users == NULL) {
        asq_stage_fail(&app->stage, "out of memory");
        return;
    }
    for (long i = 0; i < requests; i++) {
        struct user *user = &app->users[i];

        asq_items_init(&user->items);
        user->app = app;
        user->items.request.data = user;
        /* The golden ratio puts users that follow each other on pages that are
         * far apart. */
        user->id = 1 + i % app->wanted * 6181 % app->stage.shop.items;
        user->price = asq_int64(i + 1);
    }
}

static void destroy_users(struct app *app)
{
    for (long i = 0; app->users != NULL && i < app->stage.options.requests; i++)
        asq_items_destroy(&app->users[i].items);
    free(app->users);
}

static void run_way(struct app *app, int way, const char *name)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    app->way = way;
    asq_stage_copy_shop(&app->stage);
    profile.vfs = ASQ_SLOW_DISK;
    profile.cache_kib = CACHE_KIB;
    asq_conn_init(&app->conn);
    app->conn.capacity = (size_t)app->stage.options.requests;
    if (asq_conn_open_wait(&app->conn, &app->stage.loop, &profile) != 0) {
        asq_stage_fail(&app->stage, app->conn.message);
        return;
    }
    asq_stage_begin(&app->stage, name, "slow", 1);
    set_prices(app);
    asq_stage_turn(&app->stage); /* until every user has the row */
    asq_stage_end(&app->stage);
    asq_conn_close_wait(&app->conn);
    if (way == RETURNING && app->own[way] != app->stage.options.requests)
        asq_stage_fail(&app->stage,
                       "RETURNING has answered another user's price");
}

static void report(struct app *app)
{
    static const char *const says[] = {"an update and a read for each user",
                                       "one statement for each user"};
    struct asq_stage *stage = &app->stage;

    printf("%ld users set the prices of %ld items and look; the slow disk "
           "takes %g ms a read.\n\n",
           stage->options.requests, app->wanted, stage->options.slow_disk_ms);
    asq_stage_print_timeline(stage, 0);
    printf("\n");
    for (int i = 0; i < WAYS; i++)
        printf("%s: %s, %" PRId64 " of %ld saw their own price.\n",
               stage->rows[i].way, says[i], app->own[i],
               stage->options.requests);
    printf("\n");
    asq_stage_print_rows(stage);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"read-after", "returning"};
    static const char *const lanes[] = {"read-after main", "  worker",
                                        "returning main", "  worker", NULL};
    struct app app = {
        .stage = {.options = {.program = "build/05-crud",
                              .about = "How do rows go in and out?",
                              .slow_disk_ms = 1,
                              .requests = 40},
                  .slow_reads = true,
                  .lanes = lanes,
                  .spans = 2},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    prepare_users(&app);
    for (int i = 0; i < WAYS && !app.stage.failed; i++)
        run_way(&app, i, names[i]);
    if (!app.stage.failed)
        report(&app);
    destroy_users(&app);
    return asq_stage_close(&app.stage, 0);
}
