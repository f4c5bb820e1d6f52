/* main - how do rows go in and out, and how often does each go to and fro?
 *
 * First the life of one item, step by step, with what is refused. Then many
 * users at once, two for each item, who set its price and want to see the row:
 * by an update and a read, or by one update with RETURNING; on a slow disk.
 *
 * Run:      make lesson L=05
 * Expect:   a key that is more than a name is refused; with update and read it
 *           takes longer, and half of the users read what another has written
 * See also: idea.c, the same without modules, and its wrong twins
 */
#include "04-measure-first/db_copy.h"
#include "05-crud/items.h"
#include "common/clock.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/report.h"
#include "common/shop.h"
#include "common/slow_disk.h"
#include "common/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WAYS = 2,
    LIFE = 4,      /* steps of the life that succeed */
    CACHE_KIB = 64 /* so small that the slow disk is asked */
};

/* Sets the price of an item, and wants to see the row. */
struct user {
    struct asq_items_request items;
    struct app *app;
    int64_t id;
    struct asq_value price;
};

struct app {
    struct asq_options options;
    struct asq_shop shop;
    char path[ASQ_SHOP_PATH_MAX]; /* of a copy of the shop */
    uv_loop_t *loop;
    struct asq_conn conn;
    struct user *users;
    struct asq_heartbeat beats;
    struct asq_latency latency; /* of one way, from "ready" to the row */
    struct asq_trace trace;     /* each way begins at 0 */
    struct asq_report_row rows[WAYS];
    int64_t own[WAYS];   /* users who saw the price that they had set */
    uint64_t longest_ns; /* of the ways */
    long wanted;         /* items that the users set the prices of */
    bool failed;
    /* of the life */
    struct asq_items_request one;
    int64_t id;    /* what create has answered */
    int succeeded; /* steps */
    /* of the way that runs */
    int way;
    uint64_t begin_ns;
};

/* What happens, in this order. Each int is 0, or 1 after a line on stderr. */

/* Makes room for what is measured. */
static int prepare(struct app *app);
/* Opens a new copy of the shop; closes and removes it. */
static int open_copy(struct app *app);
static void note_opened(struct asq_conn *conn, int status);
static void close_copy(struct app *app);
static void note_closed(struct asq_conn *conn);
/* Creates, changes, finds and deletes one item, one step after the other. */
static int show_life(struct app *app);
static void show(struct app *app, const char *step, int rc);
static void print_answer(struct asq_items_request *items, int status);
/* Lets all users set their prices in one way, and measures it. */
static int run_way(struct app *app, int way);
static void read_again(struct asq_items_request *items, int status);
static void take_row(struct asq_items_request *items, int status);
/* Shows who waited and who saw what, and writes the files. */
static int report(struct app *app);

/* Tells the first failure. */
static int fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
    return 1;
}

static int prepare(struct app *app)
{
    static const char *const lanes[2 * WAYS] = {"read-after main", "  worker",
                                                "returning main", "  worker"};
    size_t requests = (size_t)app->options.requests;

    if (asq_slow_disk_register() != 0)
        return fail(app, "the slow disk cannot be registered");
    (void)snprintf(app->path, sizeof app->path, "%s/tmp/crud-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (asq_make_parents(app->path) != 0)
        return fail(app, "the folder of the data cannot be made");
    app->users = calloc(requests, sizeof *app->users);
    if (app->users == NULL || asq_latency_init(&app->latency, requests) != 0 ||
        asq_trace_init(&app->trace, 2 * WAYS, 2 * requests) != 0)
        return fail(app, "out of memory");
    app->wanted = (app->options.requests + 1) / 2; /* two users for each */
    for (unsigned i = 0; i < 2 * WAYS; i++)
        asq_trace_name(&app->trace, i, lanes[i]);
    for (size_t i = 0; i < requests; i++) {
        struct user *user = &app->users[i];

        asq_items_init(&user->items);
        user->app = app;
        user->items.request.data = user;
        /* The golden ratio keeps neighbours in time apart on the disk. */
        user->id = 1 + (int64_t)i % app->wanted * 6181 % app->shop.items;
        user->price = asq_int64((int64_t)i + 1);
    }
    return 0;
}

static int open_copy(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->path);
    char message[ASQ_SHOP_MESSAGE_MAX];

    if (asq_shop_copy(&app->shop, app->path, message) != 0)
        return fail(app, message);
    profile.vfs = ASQ_SLOW_DISK;
    profile.cache_kib = CACHE_KIB;
    asq_conn_init(&app->conn);
    app->conn.data = app;
    app->conn.capacity = (size_t)app->options.requests;
    if (asq_conn_open(&app->conn, app->loop, &profile, note_opened) != 0)
        return fail(app, "no memory or thread is left");
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is open */
    if (app->failed)
        close_copy(app);
    return app->failed;
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fail(conn->data, conn->message);
}

static void close_copy(struct app *app)
{
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
    (void)asq_db_remove(app->path);          /* what cannot be removed stays */
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app; the next way opens it again */
}

static int show_life(struct app *app)
{
    static const char *const names[] = {"value", "name", "status", "data"};
    static const char *const hostile[] = {"value = 1, name"};
    const struct asq_value values[] = {
        asq_int64(4900), asq_text("desk lamp"), asq_text("draft"),
        asq_text("{\"kind\": \"lamp\", \"watts\": 7}")};
    const struct asq_value active = asq_text("active"), lamp = asq_text("lamp");
    const struct asq_params all = {values, names, 4};
    const struct asq_params none = {NULL, NULL, 0};
    const struct asq_params status = {&active, &names[2], 1};
    const struct asq_params by_name = {&values[1], &names[1], 1};
    const struct asq_params price = {&values[1], hostile, 1};
    const struct asq_params kind = {&lamp, (const char *const[]){"kind"}, 1};
    struct asq_items_request *one = &app->one;
    struct asq_conn *conn = &app->conn;

    if (open_copy(app) != 0)
        return 1;
    asq_items_init(one);
    one->request.data = app;
    show(app, "create", asq_items_create(conn, one, &all, print_answer));
    one->as_json = true;
    show(app, "create again", asq_items_create(conn, one, &all, print_answer));
    show(app, "update status",
         asq_items_update(conn, one, app->id, &status, print_answer));
    show(app, "update \"value = 1, name\"",
         asq_items_update(conn, one, app->id, &price, print_answer));
    show(app, "update nothing",
         asq_items_update(conn, one, app->id, &none, print_answer));
    show(app, "one whose kind is lamp",
         asq_items_find(conn, one, ASQ_ITEMS_ONE, &kind, print_answer));
    show(app, "one whose name is desk lamp",
         asq_items_find(conn, one, ASQ_ITEMS_ONE, &by_name, print_answer));
    show(app, "delete", asq_items_delete(conn, one, app->id, print_answer));
    show(app, "read", asq_items_read(conn, one, app->id, print_answer));
    asq_items_destroy(one);
    close_copy(app);
    if (app->succeeded != LIFE)
        return fail(app, "the life of an item went another way");
    printf("\n");
    return app->failed;
}

static void show(struct app *app, const char *step, int rc)
{
    printf("%s\n", step);
    if (rc != 0)
        printf("    refused: %s\n", app->one.request.message); /* (2) */
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is answered */
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

static int run_way(struct app *app, int way)
{
    static const char *const price[] = {"value"};
    struct asq_report_row *row = &app->rows[way];
    int rc = 0;

    if (open_copy(app) != 0)
        return 1;
    asq_latency_reset(&app->latency);
    app->way = way;
    row->disk_reads = asq_slow_disk_count(ASQ_DISK_READ);
    app->begin_ns = asq_clock_now_ns();
    asq_heartbeat_start(&app->beats);
    for (long i = 0; i < app->options.requests && rc == 0; i++) {
        struct user *user = &app->users[i];
        struct asq_params params = {&user->price, price, 1};

        rc = asq_items_update(&app->conn, &user->items, user->id, &params,
                              way == 0 ? read_again : take_row); /* (5) */
    }
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    row->stall_us = (double)asq_heartbeat_stop(&app->beats) / 1e3;
    row->disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - row->disk_reads;
    close_copy(app);
    if (app->failed)
        return 1;
    row->requests = app->latency.count;
    row->throughput_per_s = 1e9 * (double)row->requests /
                            (double)asq_latency_percentile(&app->latency, 100);
    row->p50_us = (double)asq_latency_percentile(&app->latency, 50) / 1e3;
    row->p99_us = (double)asq_latency_percentile(&app->latency, 99) / 1e3;
    if (way > 0 && app->own[way] != app->options.requests)
        return fail(app, "RETURNING has answered another user's price");
    return 0;
}

/* Keeps what the worker did for this request. */
static void keep_span(struct app *app, const struct asq_request *request)
{
    struct asq_span span = {request->started_ns - app->begin_ns,
                            request->ended_ns - app->begin_ns, ASQ_TRACE_WAIT,
                            "statement"};

    asq_trace_add(&app->trace, 2 * (unsigned)app->way + 1, &span);
}

static void read_again(struct asq_items_request *items, int status)
{
    struct user *user = items->request.data;
    int rc;

    if (status != 0) {
        (void)fail(user->app, items->request.message);
        return;
    }
    keep_span(user->app, &items->request);
    rc = asq_items_read(&user->app->conn, items, user->id, take_row); /* (6) */
    if (rc != 0)
        (void)fail(user->app, uv_strerror(rc));
}

static void take_row(struct asq_items_request *items, int status)
{
    struct user *user = items->request.data;
    struct app *app = user->app;
    uint64_t begin_ns = asq_clock_now_ns() - app->begin_ns;
    struct asq_span span = {begin_ns, 0, ASQ_TRACE_WORK, "answer"};

    if (status != 0)
        (void)fail(app, items->request.message);
    keep_span(app, &items->request);
    app->own[app->way] +=
        asq_result_int64(&items->request.result, 0, "value") ==
        user->price.as.int64; /* (7) */
    span.end_ns = asq_clock_now_ns() - app->begin_ns;
    asq_trace_add(&app->trace, 2 * (unsigned)app->way, &span);
    (void)asq_latency_add(&app->latency, span.end_ns); /* there is room */
    if (span.end_ns > app->longest_ns)
        app->longest_ns = span.end_ns;
}

static int report(struct app *app)
{
    static const char *const says[WAYS] = {
        "an update and a read for each user,", "one statement for each user,"};

    printf("%ld users set the prices of %ld items and look; the slow disk "
           "takes %g ms a read.\n\n",
           app->options.requests, app->wanted, app->options.slow_disk_ms);
    asq_trace_print(&app->trace, stdout, 0, app->longest_ns);
    printf("\n");
    for (int i = 0; i < WAYS; i++)
        printf("%s: %s %" PRId64 " of %ld saw their own price.\n",
               app->rows[i].way, says[i], app->own[i], app->options.requests);
    printf("\n");
    if (asq_report_print(app->rows, WAYS, stdout) != 0)
        return fail(app, "out of memory");
    return asq_report_save(app->rows, WAYS, &app->trace, &app->options);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/05-crud",
                    .about = "How do rows go in and out?",
                    .slow_disk_ms = 1,
                    .requests = 40},
        .shop = {.users = 1000, .items = 10000, .orders = 2000, .seed = 1},
        .rows = {{.way = "read-after", .disk = "slow", .connections = 1},
                 {.way = "returning", .disk = "slow", .connections = 1}},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (app.loop == NULL || asq_heartbeat_attach(&app.beats, app.loop) != 0)
        return fail(&app, "no memory or descriptor is left");
    rc = prepare(&app);
    if (rc == 0)
        rc = show_life(&app);
    asq_slow_disk_delay(ASQ_DISK_READ,
                        (uint64_t)(app.options.slow_disk_ms * 1000));
    for (int i = 0; i < WAYS && rc == 0; i++)
        rc = run_way(&app, i);
    if (rc == 0)
        rc = report(&app);
    for (long i = 0; app.users != NULL && i < app.options.requests; i++)
        asq_items_destroy(&app.users[i].items);
    free(app.users);
    asq_latency_destroy(&app.latency);
    asq_trace_destroy(&app.trace);
    asq_heartbeat_detach(&app.beats, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timer is closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    return asq_options_finish(&app.options, rc);
}
