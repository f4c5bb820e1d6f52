/* case_worked_example - a small shop on an event loop, from open to close
 *
 * The worked example of the document in C: basic operations, queries at once, a
 * transaction, connections, and a task queue, all on modules of this course.
 * Writes go through one connection (store), reads through three (pool). Each
 * part submits what it needs; then the loop turns until all is answered.
 *
 * Run:      build/14-task-queue-case_worked_example
 * Expect:   one sale with its mail; the other finds nothing left, and no mail
 */
#include "03-event-loop/conn_wait.h"
#include "05-crud/items.h"
#include "07-transactions/tx.h"
#include "09-lifetimes/tempdb.h"
#include "11-concurrent-queries/gather.h"
#include "11-concurrent-queries/pool_wait.h"
#include "13-group-commit/store.h"
#include "14-task-queue/queue_wait.h"
#include "common/elsewhere.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS = 3,
    SALES = 2
};

static const char tables[] =
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " status TEXT NOT NULL DEFAULT 'new', data TEXT,"
    " value INTEGER NOT NULL CHECK (value >= 0)) STRICT;" /* how many */
    "CREATE TABLE sales (id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL"
    " REFERENCES items) STRICT";

struct sale {
    struct asq_tx tx;
    struct asq_tx_step take, note;
    struct asq_put mail;
    char payload[40];
};

struct app {
    uv_loop_t *loop;
    struct asq_tempdb file;
    struct asq_store store;  /* writes */
    struct asq_pool readers; /* reads */
    struct asq_queue queue;
    struct asq_queue_job lanes[2];
    struct asq_items_request item;
    struct asq_gather gather;
    struct asq_gather_part parts[READERS];
    struct sale sales[SALES];
};

/* Prints what went wrong. The other parts go on. */
static void check(int status, const char *message)
{
    if (status != 0)
        (void)printf("  status %d: %s\n", status, message);
}

static void turn(struct app *app)
{
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
}

/* (1) Connections: each is opened once, and closed in the reverse order. */

static int open_all(struct app *app)
{
    struct asq_profile profile;
    char message[ASQ_MESSAGE_SIZE];
    int64_t rows; /* of the tables: none */
    int rc = asq_tempdb_open(&app->file, ASQ_TEMPDB_FILE, asq_build_dir());

    if (rc != 0)
        return rc;
    profile = asq_tempdb_profile(&app->file);
    asq_store_init(&app->store);
    asq_pool_init(&app->readers);
    asq_queue_init(&app->queue);
    rc = asq_ask_elsewhere(app->file.path, tables, &rows, message,
                           sizeof message);
    if (rc == 0)
        rc = asq_conn_open_wait(&app->store.conn, app->loop, &profile);
    profile.mode = ASQ_OPEN_READ;
    app->readers.depth = 1; /* a second query goes to another connection */
    if (rc == 0)
        rc = asq_pool_open_wait(&app->readers, app->loop, &profile, READERS);
    if (rc == 0)
        rc = asq_queue_open_wait(&app->queue, app->loop, &app->store.conn,
                                 "mails");
    return rc;
}

static void close_all(struct app *app)
{
    asq_queue_close_wait(&app->queue);
    asq_pool_close_wait(&app->readers);
    asq_conn_close_wait(&app->store.conn);
    (void)asq_tempdb_close(&app->file); /* or it stays */
}

/* (2) Basic operations: rows go in and out by the names of their columns. */

static void print_item(struct asq_items_request *item, int status)
{
    const struct asq_result *row = &item->request.result;

    check(status, item->request.message);
    if (status == 0)
        (void)printf("  item %" PRId64 ": %s, %" PRId64 " left\n",
                     asq_result_int64(row, 0, "id"),
                     asq_result_text(row, 0, "name"),
                     asq_result_int64(row, 0, "value"));
}

static void create_read_update(struct app *app)
{
    static const char *const names[] = {"value", "name"};
    struct asq_value lamp[] = {asq_int64(3), asq_text("lamp")};
    struct asq_value vase[] = {asq_int64(5), asq_text("vase")};
    struct asq_params params = {.values = lamp, .names = names, .count = 2};
    struct asq_conn *conn = &app->store.conn;
    struct asq_items_request *item = &app->item;

    check(asq_items_create(conn, item, &params, print_item), "create");
    turn(app);
    params.values = vase;
    check(asq_items_create(conn, item, &params, print_item), "create");
    turn(app);
    lamp[0] = asq_int64(1);
    params = (struct asq_params){.values = lamp, .names = names, .count = 1};
    check(asq_items_update(conn, item, 1, &params, print_item), "update");
    turn(app);
    check(asq_items_read(conn, item, 9, print_item), "read");
    turn(app);
}

/* (3) Queries at once, each on a reader of its own. */

static void print_numbers(struct asq_gather *gather, int status)
{
    struct app *app = gather->data;

    if (status != 0)
        check(status, gather->failed->request.message);
    for (int i = 0; i < READERS && status == 0; i++) {
        const struct asq_result *result = &app->parts[i].request.result;

        (void)printf("  %s: %" PRId64 "\n", asq_result_name(result, 0),
                     asq_result_at(result, 0, 0).as.int64);
    }
}

static void read_at_once(struct app *app)
{
    static const char *const sql[READERS] = {
        "SELECT count(*) AS items FROM items",
        "SELECT sum(value) AS left FROM items",
        "SELECT count(*) AS sales FROM sales"};

    for (int i = 0; i < READERS; i++)
        asq_gather_add(&app->gather, &app->parts[i], sql[i], NULL);
    check(
        asq_gather_start(&app->gather, app->loop, &app->readers, print_numbers),
        "gather");
    turn(app);
}

/* (4) A transaction: the item, the sale and the job of the mail, or nothing.
 * The second sale finds no lamp: the CHECK of the table refuses it. */

static void print_sale(struct asq_tx *tx, int status)
{
    (void)printf("  a sale: %s\n", status == 0 ? "committed" : tx->message);
}

static int sell(struct app *app, struct sale *sale)
{
    int rc;

    asq_tx_init(&sale->tx, &app->store.conn);
    asq_tx_step_init(&sale->take);
    asq_tx_step_init(&sale->note);
    asq_put_init(&sale->mail);
    sale->tx.on_end = print_sale;
    (void)snprintf(sale->payload, sizeof sale->payload, "buyer %d of a lamp",
                   (int)(sale - app->sales) + 1); /* it fits */
    sale->mail.payload = sale->payload;
    sale->mail.size = strlen(sale->payload);
    rc = asq_tx_run(&sale->tx, &sale->take,
                    "UPDATE items SET value = value - 1 WHERE id = 1", NULL,
                    NULL);
    if (rc == 0)
        rc = asq_tx_run(&sale->tx, &sale->note,
                        "INSERT INTO sales (item_id) VALUES (1)", NULL, NULL);
    if (rc == 0)
        rc = asq_queue_put_step(&app->queue, &sale->tx, &sale->mail, NULL);
    return rc;
}

static void sell_twice(struct app *app)
{
    for (int i = 0; i < SALES; i++)
        check(sell(app, &app->sales[i]), "sell");
    turn(app);
}

/* (5) The task queue: whatever was committed is done, once its time comes. */

static void note_done(struct asq_queue_job *job, int status)
{
    (void)job;
    check(status, "the job is not ours any more");
}

static void send_mail(struct asq_queue_job *job)
{
    (void)printf("  job %" PRId64 ", attempt %" PRId64 ": a mail to %s\n",
                 job->id, job->attempt, (const char *)job->payload);
    check(asq_job_done(job, note_done), "done");
}

static void work(struct app *app)
{
    check(asq_queue_work(&app->queue, app->lanes, 2, send_mail), "work");
    turn(app);
}

static void destroy(struct app *app)
{
    asq_items_destroy(&app->item);
    for (int i = 0; i < READERS; i++)
        asq_gather_part_destroy(&app->parts[i]);
    for (int i = 0; i < SALES; i++) {
        asq_put_destroy(&app->sales[i].mail);
        asq_tx_step_destroy(&app->sales[i].note);
        asq_tx_step_destroy(&app->sales[i].take);
        asq_tx_destroy(&app->sales[i].tx);
    }
    free(app);
}

int main(void)
{
    static const struct {
        const char *title;
        void (*run)(struct app *app);
    } parts[] = {{"basic operations", create_read_update},
                 {"queries at once", read_at_once},
                 {"transactions", sell_twice},
                 {"queries at once", read_at_once},
                 {"task queue", work}};
    struct app *app = calloc(1, sizeof *app);
    int rc;

    if (app == NULL)
        return 1;
    app->loop = uv_default_loop();
    asq_items_init(&app->item);
    asq_gather_init(&app->gather);
    app->gather.data = app;
    for (int i = 0; i < READERS; i++)
        asq_gather_part_init(&app->parts[i]);
    rc = open_all(app);
    check(rc, "not everything could be opened");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && rc == 0; i++) {
        (void)printf("%s\n", parts[i].title);
        parts[i].run(app);
    }
    close_all(app);
    destroy(app);
    (void)uv_loop_close(uv_default_loop()); /* nothing is left on it */
    return rc != 0;
}
