/* claims - settles the claims of lesson 05
 *
 * One function for each claim; docs/claims.md quotes them. Nothing is timed:
 * the program looks at the price of an item, and counts rows.
 *
 * Run: make claims L=05
 */
#include "03-event-loop/conn_wait.h"
#include "05-crud/items.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    HOSTILE = 4,
    HONEST = 2
};

static const char *const keys[HOSTILE + HONEST] = {
    "value = 1, name",
    "status = 'sold', value = 1, name",
    "value = (SELECT min(id) FROM items), name",
    "value = length('x'), \"name\"",
    "name",
    "data"};
static const char price_sql[] = "SELECT value FROM items WHERE id = 1";
static const char reset_sql[] = "UPDATE items SET value = 4900 WHERE id = 1";

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct asq_items_request items;
    int status; /* of the last answer */
};

static void take_item(struct asq_items_request *items, int status)
{
    ((struct app *)items->request.data)->status = status;
}

static void take_answer(struct asq_request *request, int status)
{
    ((struct app *)request->data)->status = status;
}

/* Waits for the answer. rc is what submit has returned. */
static bool is_done(struct app *app, int rc)
{
    asq_stage_turn(&app->stage);
    return rc == 0 && app->status == 0;
}

/* Changes item 1 by a form with this key, as the claim does it or through
 * items, where the form may change name and data. */
static bool change(struct app *app, const char *key, bool pasted)
{
    const struct asq_value value = asq_text("{\"kind\":\"gift\"}");
    const struct asq_params params = {&value, pasted ? NULL : &key, 1};
    char sql[160];

    (void)snprintf(sql, sizeof sql, "UPDATE items SET %s = ? WHERE id = 1",
                   key);
    app->items.columns = ASQ_ITEM_NAME | ASQ_ITEM_DATA;
    return is_done(app, pasted ? asq_conn_run(&app->conn, &app->items.request,
                                              sql, &params, take_answer)
                               : asq_items_update(&app->conn, &app->items, 1,
                                                  &params, take_item));
}

/* "update_item builds SET from the keys of a dict." */
static void column_names(struct app *app)
{
    int prices[2] = {0}, worked[2] = {0}; /* listed, pasted */

    for (int i = 0; i < HOSTILE + HONEST; i++) {
        for (int pasted = 0; pasted < 2; pasted++) {
            (void)asq_stage_look(&app->stage, reset_sql);
            worked[pasted] += change(app, keys[i], pasted) && i >= HOSTILE;
            prices[pasted] += asq_stage_look(&app->stage, price_sql) != 4900;
        }
    }
    asq_claim_set(asq_stage_claim(&app->stage), "column-names",
                  prices[1] == 0 && worked[1] == HONEST ? "holds"
                  : prices[0] == 0 && worked[0] == HONEST
                      ? "holds if the names are taken from a list"
                      : "wrong",
                  (double)prices[1] / (double)HOSTILE,
                  "Pasted into the SQL, %s hostile keys set the price; through "
                  "a list,\n%s did. Of %d honest keys, %d worked pasted and %d "
                  "through the list.",
                  asq_claim_count(prices[1], HOSTILE).text,
                  asq_claim_count(prices[0], HOSTILE).text, HONEST, worked[1],
                  worked[0]);
}

/* Asks for the one item whose column is equal to value. */
static int ask_one(struct app *app, const char *column, struct asq_value value)
{
    const struct asq_params where = {&value, &column, 1};

    app->items.columns |= ASQ_ITEM_ID | ASQ_ITEM_STATUS;
    return asq_items_find(&app->conn, &app->items, ASQ_ITEMS_ONE, &where,
                          take_item);
}

/* "await execute(...).one()": one is asked of what execute has returned, and
 * only then is it awaited. */
static void await_one(struct app *app)
{
    const struct asq_result *result = &app->items.request.result;
    struct asq_hold hold = {0};
    size_t early, late;
    int told, rc;

    asq_stage_must(&app->stage, asq_hold_begin(&app->conn, &hold));
    rc = ask_one(app, "id", asq_int64(1));
    early = result->rows; /* no data race: the hold keeps the request here */
    asq_hold_end(&hold);
    if (!is_done(app, rc))
        asq_stage_fail(&app->stage, app->items.request.message);
    late = result->rows;
    (void)is_done(app, ask_one(app, "status", asq_text("lost")));
    told = app->status == UV_ENOENT;
    (void)is_done(app, ask_one(app, "status", asq_text("active")));
    told += app->status == UV_ERANGE;
    asq_claim_set(asq_stage_claim(&app->stage), "await-one",
                  early == 1               ? "holds"
                  : late == 1 && told == 2 ? "wrong"
                                           : "not settled by this run",
                  (double)early,
                  "When submit returned, the result still had %zu rows; in the "
                  "callback it\nhad %zu. Where there were 0 rows or %zu, "
                  "the caller was told so (%d of 2).",
                  early, late, result->rows, told);
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/05-crud-claims",
                              .about = "Settles the claims of lesson 05.",
                              .requests = 1}},
    };
    struct asq_profile profile;
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    asq_items_init(&app.items);
    app.items.request.data = &app;
    asq_conn_init(&app.conn);
    profile = asq_profile_default(app.stage.path);
    if (asq_conn_open_wait(&app.conn, &app.stage.loop, &profile) != 0) {
        asq_stage_fail(&app.stage, app.conn.message);
    } else {
        column_names(&app);
        await_one(&app);
    }
    asq_conn_close_wait(&app.conn);
    asq_items_destroy(&app.items);
    return asq_stage_close(&app.stage, 0);
}
