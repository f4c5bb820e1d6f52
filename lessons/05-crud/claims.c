/* claims - settles the claims of lesson 05
 *
 * One function a claim; docs/claims.md says who made it. Nothing is timed: it
 * is looked at what an item is worth afterwards, and how many rows there are.
 *
 * Run: make claims L=05
 */
#include "common/claims.h"

#include "04-measure-first/db_copy.h"
#include "05-crud/items.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/shop.h"

#include <stdio.h>
#include <unistd.h>

enum {
    CLAIMS = 2,
    HOSTILE = 4,
    HONEST = 2,
    PRICE = 4900,
    SQL_SIZE = 160
};

static const char *const keys[HOSTILE + HONEST] = {
    "value = 1, name",
    "status = 'sold', value = 1, name",
    "value = (SELECT min(id) FROM items), name",
    "value = length('x'), \"name\"",
    "name",
    "data"};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX]; /* of a copy of the shop */
    uv_loop_t *loop;
    struct asq_conn conn;
    struct asq_items_request items;
    struct asq_request request; /* what does not go through items */
    struct asq_claim claims[CLAIMS];
    int status; /* of the last answer */
    bool failed;
};

/* Tells the first failure; then no claim is reported. */
static void fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
}

static void take_item(struct asq_items_request *items, int status)
{
    ((struct app *)items->request.data)->status = status;
}

static void take_answer(struct asq_request *request, int status)
{
    ((struct app *)request->data)->status = status;
}

/* Turns the loop until it is answered. rc is what submit has returned. Returns
 * whether it was done. */
static bool turn(struct app *app, int rc)
{
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* an idle conn does not count */
    return rc == 0 && app->status == 0;
}

/* For what has to go well. */
static void run(struct app *app, const char *sql)
{
    if (!turn(app,
              asq_conn_run(&app->conn, &app->request, sql, NULL, take_answer)))
        fail(app, app->request.message);
}

/* Says whether item 1 has another price than in the beginning, and sets it
 * back. */
static bool is_escalated(struct app *app)
{
    int64_t price;

    if (!turn(app, asq_items_read(&app->conn, &app->items, 1, take_item)))
        fail(app, app->items.request.message);
    price = asq_result_int64(&app->items.request.result, 0, "value");
    run(app, "UPDATE items SET value = 4900 WHERE id = 1");
    return price != PRICE;
}

/* Changes item 1 by a form with this key, in the way of the claim. */
static bool change_pasted(struct app *app, const char *key)
{
    const struct asq_value value = asq_text("{\"kind\":\"gift\"}");
    const struct asq_params params = {&value, NULL, 1};
    char sql[SQL_SIZE];

    (void)snprintf(sql, sizeof sql, "UPDATE items SET %s = ? WHERE id = 1",
                   key);
    return turn(app, asq_conn_run(&app->conn, &app->request, sql, &params,
                                  take_answer));
}

/* The same through items; the form may change name and data. */
static bool change_listed(struct app *app, const char *key)
{
    const struct asq_value value = asq_text("{\"kind\":\"gift\"}");
    const struct asq_params params = {&value, &key, 1};
    const unsigned all = app->items.columns;
    bool done;

    app->items.columns = ASQ_ITEM_NAME | ASQ_ITEM_DATA;
    done = turn(
        app, asq_items_update(&app->conn, &app->items, 1, &params, take_item));
    app->items.columns = all;
    return done;
}

/* "update_item builds SET from the keys of a dict." */
static void column_names(struct app *app, struct asq_claim *claim)
{
    int pasted = 0, listed = 0, pasted_done = 0, listed_done = 0;

    for (int i = 0; i < HOSTILE + HONEST; i++) {
        bool done = change_pasted(app, keys[i]);

        pasted_done += i >= HOSTILE && done;
        pasted += is_escalated(app);
        done = change_listed(app, keys[i]);
        listed_done += i >= HOSTILE && done;
        listed += is_escalated(app);
    }
    asq_claim_set(claim, "column-names",
                  pasted == 0 && pasted_done == HONEST   ? "holds"
                  : listed == 0 && listed_done == HONEST ? "holds if the names "
                                                           "are taken from a "
                                                           "list"
                                                         : "wrong",
                  (double)pasted / HOSTILE,
                  "Of %d keys that are more than a name, pasted into the SQL, "
                  "%d set the\nprice; looked up in a list, %d. Of %d honest "
                  "keys %d worked pasted, %d listed.",
                  HOSTILE, pasted, listed, HONEST, pasted_done, listed_done);
}

/* Asks for the one item whose column is equal to value. Returns what submit
 * has returned. */
static int ask_one(struct app *app, const char *column, struct asq_value value)
{
    const struct asq_params where = {&value, &column, 1};

    return asq_items_find(&app->conn, &app->items, ASQ_ITEMS_ONE, &where,
                          take_item);
}

/* "await execute(...).one()": one is asked of what execute has returned, and
 * only then is it waited for. */
static void await_one(struct app *app, struct asq_claim *claim)
{
    const struct asq_result *result = &app->items.request.result;
    struct asq_hold hold = {0};
    size_t early, late;
    int told, rc;

    if (asq_hold_begin(&app->conn, &hold) != 0)
        fail(app, "the connection is not open");
    rc = ask_one(app, "id", asq_int64(1));
    early = result->rows; /* no race: the hold keeps it from the worker */
    asq_hold_end(&hold);
    if (!turn(app, rc))
        fail(app, app->items.request.message);
    late = result->rows;
    (void)turn(app, ask_one(app, "status", asq_text("lost")));
    told = app->status == UV_ENOENT;
    (void)turn(app, ask_one(app, "status", asq_text("active")));
    told += app->status == UV_ERANGE;
    asq_claim_set(claim, "await-one",
                  early == 1               ? "holds"
                  : late == 1 && told == 2 ? "wrong"
                                           : "not settled by this run",
                  (double)early,
                  "Of the one row there were %zu when submit had returned, and "
                  "%zu in the\ncallback. Where there were 0 and %zu, it was "
                  "told so %d of 2 times.",
                  early, late, result->rows, told);
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app */
}

/* Opens a copy of the shop, settles each claim, closes and removes it. */
static void settle(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->path);

    asq_conn_init(&app->conn);
    app->conn.data = app;
    if (asq_conn_open(&app->conn, app->loop, &profile, note_opened) != 0) {
        fail(app, "no memory or thread is left");
        return;
    }
    run(app, "UPDATE items SET value = 4900 WHERE id = 1");
    if (!app->failed)
        column_names(app, &app->claims[0]);
    if (!app->failed)
        await_one(app, &app->claims[1]);
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
    (void)asq_db_remove(app->path);          /* what cannot be removed stays */
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/05-crud-claims",
                    .about = "Settles the claims of lesson 05.",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
        .loop = uv_default_loop(),
    };
    char message[ASQ_SHOP_MESSAGE_MAX];
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    asq_items_init(&app.items);
    app.items.request.data = &app;
    asq_request_init(&app.request);
    app.request.data = &app;
    (void)snprintf(app.path, sizeof app.path, "%s/tmp/crud-claims-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (app.loop == NULL) {
        fail(&app, "no memory or descriptor is left");
    } else if (asq_make_parents(app.path) != 0) {
        fail(&app, "the folder of the data cannot be made");
    } else if (asq_shop_copy(&app.shop, app.path, message) != 0) {
        fail(&app, message);
    } else {
        settle(&app);
        (void)uv_loop_close(app.loop); /* nothing is left on it */
    }
    asq_items_destroy(&app.items);
    asq_request_destroy(&app.request);
    rc = app.failed ? 1 : asq_claims_report(app.claims, CLAIMS, &app.options);
    return asq_options_finish(&app.options, rc);
}
