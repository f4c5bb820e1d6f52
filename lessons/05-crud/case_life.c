/* case_life - the life of one item, from its INSERT to its DELETE
 *
 * An item is created, changed, found and deleted through items, one step after
 * the other, with the mistakes that may happen on the way: a name that is
 * taken, a key that is not a column, several rows where one was meant, none.
 *
 * Run:      build/05-crud-case_life
 * Expect:   four steps that answer with the row, and five that say why not
 * See also: items.h; idea.c, the same idea without modules
 */
#include "03-event-loop/conn_wait.h"
#include "05-crud/items.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    SUCCEED = 4 /* steps of the nine */
};

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct asq_items_request one;
    int64_t id; /* of the item, once it is created */
    int succeeded;
};

/* The nine steps. Each is submitted, then answered, before the next begins. */
static void live(struct app *app);
/* rc is what submit has returned. */
static void show(struct app *app, const char *step, int rc);
static void print_answer(struct asq_items_request *items, int status);

static void live(struct app *app)
{
    static const char *const names[] = {"value", "name", "status", "data"};
    static const char *const hostile[] = {"value = 1, name"};
    static const char *const kind[] = {"kind"};
    const struct asq_value values[] = {
        asq_int64(4900), asq_text("desk lamp"), asq_text("draft"),
        asq_text("{\"kind\": \"lamp\", \"watts\": 7}")};
    const struct asq_value active = asq_text("active"), lamp = asq_text("lamp");
    const struct asq_params all = {values, names, 4};
    const struct asq_params nothing = {NULL, NULL, 0};
    const struct asq_params status = {&active, &names[2], 1};
    const struct asq_params by_name = {&values[1], &names[1], 1};
    const struct asq_params by_kind = {&lamp, kind, 1};
    const struct asq_params price = {&values[1], hostile, 1};
    struct asq_items_request *one = &app->one;
    struct asq_conn *conn = &app->conn;

    show(app, "create", asq_items_create(conn, one, &all, print_answer));
    one->as_json = true;
    show(app, "create again", asq_items_create(conn, one, &all, print_answer));
    show(app, "update status",
         asq_items_update(conn, one, app->id, &status, print_answer));
    show(app, "update \"value = 1, name\"",
         asq_items_update(conn, one, app->id, &price, print_answer));
    show(app, "update nothing",
         asq_items_update(conn, one, app->id, &nothing, print_answer));
    show(app, "one whose kind is lamp",
         asq_items_find(conn, one, ASQ_ITEMS_ONE, &by_kind, print_answer));
    show(app, "one whose name is desk lamp",
         asq_items_find(conn, one, ASQ_ITEMS_ONE, &by_name, print_answer));
    show(app, "delete", asq_items_delete(conn, one, app->id, print_answer));
    show(app, "read", asq_items_read(conn, one, app->id, print_answer));
}

static void show(struct app *app, const char *step, int rc)
{
    printf("%s\n", step);
    if (rc != 0)
        printf("    refused: %s\n", app->one.request.message); /* (2) */
    asq_stage_turn(&app->stage); /* until it is answered */
}

static void print_answer(struct asq_items_request *items, int status)
{
    const struct asq_result *result = &items->request.result;
    struct app *app = items->request.data;

    if (status != 0) {
        printf("    %s\n", items->request.message); /* (3) */
        return;
    }
    app->succeeded++;
    if (items->as_json) {
        printf("    %s\n", asq_result_text(result, 0, "json")); /* (4) */
        return;
    }
    app->id = asq_result_int64(result, 0, "id"); /* (1) from RETURNING */
    printf("    id %" PRId64 ", status %s\n", app->id,
           asq_result_text(result, 0, "status"));
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/05-crud-case_life",
                              .about = "The life of one item.",
                              .requests = 1}},
    };
    struct asq_profile profile;
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_stage_copy_shop(&app.stage);
    asq_items_init(&app.one);
    app.one.request.data = &app;
    asq_conn_init(&app.conn);
    profile = asq_profile_default(app.stage.path);
    if (asq_conn_open_wait(&app.conn, &app.stage.loop, &profile) != 0) {
        asq_stage_fail(&app.stage, app.conn.message);
    } else {
        live(&app);
        if (app.succeeded != SUCCEED)
            asq_stage_fail(&app.stage, "the life of an item went another way");
    }
    asq_conn_close_wait(&app.conn);
    asq_items_destroy(&app.one);
    return asq_stage_close(&app.stage, 0);
}
