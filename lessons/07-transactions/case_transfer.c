/* case_transfer - the same transfers in fewer hops
 *
 * Eight clients make transfers through one connection to the fast disk, where
 * hops are what takes time: as blocks of three steps, as lists of one transfer,
 * and as lists of ten. Then a list with one transfer that must not be made.
 *
 * Run:      build/07-transactions-case_transfer
 * Expect:   fewer hops, more transfers a second; a bad one undoes its list
 * See also: transfer.h, main.c
 */
#include "03-event-loop/conn_wait.h"
#include "07-transactions/transfer.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    CLIENTS = 8, /* and as many accounts, with 1,000 cents in each */
    MONEY = 8000,
    WAYS = 3,
    STEPS = 3,
    LIST = 10
};

static const char *const names[WAYS] = {"steps", "list-1", "list-10"};
static const size_t sizes[WAYS] = {1, 1, LIST}; /* transfers in a block */

struct client {
    struct app *app;
    struct asq_transfer transfers[LIST];
    struct asq_transfer_list list;
    struct asq_tx tx; /* of the first way, as all that follows */
    struct asq_tx_step step;
    int at; /* the step that was submitted last */
    struct asq_value values[2];
    uint64_t begin_ns;
};

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct client clients[CLIENTS];
    int way;
    long started;
    long hops; /* the worker writes it until the conn is closed */
};

static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status);
static void end_list(struct asq_transfer_list *list, int status);

/* (1) Three steps, each of which waits for the answer of the one before; and a
 * COMMIT. */
static int submit_step(struct client *client, int at)
{
    static const char *const sql[STEPS] = {
        "SELECT balance_cents FROM accounts WHERE id = ?1",
        "UPDATE accounts SET balance_cents = ?2 WHERE id = ?1",
        "UPDATE accounts SET balance_cents = balance_cents + ?2 WHERE id = ?1"};
    const struct asq_transfer *transfer = client->transfers;
    struct asq_params params = {client->values, NULL, at == 0 ? 1 : 2};

    client->at = at;
    client->values[0] = asq_int64(at == 2 ? transfer->to : transfer->from);
    if (at == 2)
        client->values[1] = asq_int64(transfer->cents);
    return asq_tx_run(&client->tx, &client->step, sql[at], &params, take_step);
}

static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct client *client = tx->data;
    const struct asq_result *result = &step->request.result;

    if (status != 0)
        return status;
    if (client->at == 0)
        client->values[1] = asq_int64(asq_result_at(result, 0, 0).as.int64 -
                                      client->transfers[0].cents);
    return client->at == STEPS - 1 ? 0 : submit_step(client, client->at + 1);
}

/* (2) One step for the whole list; and a COMMIT. */
static int submit_list(struct client *client, size_t count)
{
    client->list.count = count;
    return asq_transfer_start(&client->list, &client->app->conn, end_list);
}

/* The next transfer, or list of them, if there is one left. */
static void start_next(struct client *client)
{
    struct app *app = client->app;
    long left = app->stage.options.requests - app->started;
    size_t count = sizes[app->way];

    if (left <= 0)
        return;
    if (count > (size_t)left)
        count = (size_t)left;
    for (size_t i = 0; i < count; i++, app->started++) {
        client->transfers[i].from = 1 + app->started % CLIENTS;
        client->transfers[i].to = 1 + (app->started + 1) % CLIENTS;
        client->transfers[i].cents = 1;
    }
    client->begin_ns = uv_hrtime();
    asq_stage_must(&app->stage, app->way == 0 ? submit_step(client, 0)
                                              : submit_list(client, count));
}

static void end_block(struct client *client, int status, const char *message)
{
    struct app *app = client->app;

    if (status != 0)
        asq_stage_fail(&app->stage, message);
    asq_stage_answered(&app->stage, client->begin_ns);
    start_next(client);
}

static void end_tx(struct asq_tx *tx, int status)
{
    end_block(tx->data, status, tx->message);
}

static void end_list(struct asq_transfer_list *list, int status)
{
    end_block(list->data, status, list->message);
}

/* On the worker. */
static void count_hop(struct asq_conn *conn,
                      const struct asq_request *request,
                      enum asq_event event)
{
    struct app *app = conn->data;

    (void)request; /* each of them is one */
    app->hops += event == ASQ_EVENT_END;
}

/* ---- What is around it: the bank, the ways, what is printed -------------- */

static const char sum_sql[] = "SELECT sum(balance_cents) FROM accounts";

static void open_bank(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    asq_stage_make(&app->stage, "CREATE TABLE accounts (id INTEGER PRIMARY KEY,"
                                " balance_cents INTEGER NOT NULL) STRICT;"
                                "INSERT INTO accounts SELECT value, 1000 FROM"
                                " json_each('[1,2,3,4,5,6,7,8]')");
    asq_conn_init(&app->conn);
    app->conn.data = app;
    app->conn.observe = count_hop;
    app->hops = 0;
    if (asq_conn_open_wait(&app->conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->conn.message);
}

static void run(struct app *app, int way)
{
    struct asq_stage *stage = &app->stage;
    double transfers = (double)stage->options.requests;

    app->way = way;
    app->started = 0;
    open_bank(app);
    asq_stage_begin(stage, names[way], "fast", 1);
    for (int i = 0; i < CLIENTS && !stage->failed; i++)
        start_next(&app->clients[i]);
    asq_stage_turn(stage); /* until all is answered */
    asq_stage_end(stage);
    asq_conn_close_wait(&app->conn);
    stage->row->throughput_per_s *= transfers / (double)stage->row->requests;
    stage->row->requests = (uint64_t)transfers; /* transfers, not blocks */
    if (asq_stage_look(stage, sum_sql) != MONEY)
        asq_stage_fail(stage, "it was one block, and it is wrong");
    printf("%-7s  %.2g hops a transfer\n", names[way],
           (double)app->hops / transfers);
}

static void print_refused(struct asq_transfer_list *list, int status)
{
    printf("    status %d, %s\n", status, list->message); /* (3) */
}

static void show_refused(struct app *app)
{
    static const struct asq_transfer three[] = {
        {1, 2, 50}, {2, 3, 5000}, {3, 4, 50}};
    struct asq_transfer_list list;

    open_bank(app);
    asq_transfer_init(&list);
    list.transfers = three;
    list.count = 3;
    printf("\nThree transfers in a list, of 50, 5000 and 50 cents:\n");
    asq_stage_must(&app->stage,
                   asq_transfer_start(&list, &app->conn, print_refused));
    asq_stage_turn(&app->stage); /* until it is answered */
    asq_conn_close_wait(&app->conn);
    asq_transfer_destroy(&list);
    printf("    accounts that have changed: %d\n",
           (int)asq_stage_look(&app->stage, "SELECT count(*) FROM accounts"
                                            " WHERE balance_cents <> 1000"));
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/07-transactions-case_transfer",
                              .about = "The same transfers in fewer hops.",
                              .requests = 200}},
    };
    struct asq_stage *stage = &app.stage;
    int status = asq_stage_open(stage, argc, argv);

    if (status >= 0)
        return status;
    for (struct client *c = app.clients; c < &app.clients[CLIENTS]; c++) {
        c->app = &app;
        asq_tx_init(&c->tx, &app.conn);
        c->tx.data = c;
        c->tx.on_end = end_tx;
        asq_tx_step_init(&c->step);
        asq_transfer_init(&c->list);
        c->list.data = c;
        c->list.transfers = c->transfers;
    }
    printf("%ld transfers by %d clients, through one connection:\n\n",
           stage->options.requests, CLIENTS);
    for (int i = 0; i < WAYS && !stage->failed; i++)
        run(&app, i);
    printf("\n");
    asq_stage_print_rows(stage);
    show_refused(&app);
    for (struct client *c = app.clients; c < &app.clients[CLIENTS]; c++) {
        asq_transfer_destroy(&c->list);
        asq_tx_step_destroy(&c->step);
        asq_tx_destroy(&c->tx);
    }
    return asq_stage_close(stage, 0);
}
