/* main - all or nothing, with others around?
 *
 * Eight clients move money between eight accounts through one connection. A
 * transfer reads a balance, writes the new one, and adds to the other account:
 * as plain requests, with BEGIN and COMMIT around them, and as a block of tx.
 * In every eighth transfer the client leaves when it has taken.
 *
 * Run:      make lesson L=07
 * Expect:   the first two ways change the sum of all money, tx does not
 * See also: idea.c, tx.h; case_transfer.c, the same with fewer hops
 */
#include "03-event-loop/conn_wait.h"
#include "07-transactions/tx.h"
#include "common/slow_disk.h"
#include "common/stage.h"

#include <stdio.h>

enum {
    CLIENTS = 8, /* and as many accounts, with 1,000 cents in each */
    MONEY = 8000,
    SHOWN = 3 /* clients of each way in the timeline */
};

enum way {
    NO_TX,
    BY_HAND,
    TX,
    WAYS
};

/* The statements of a transfer by hand; the other ways only use three. */
enum part {
    BEGIN,
    READ,
    SET,
    GIVE,
    COMMIT,
    ROLLBACK
};

static const char *const sql[] = {
    "BEGIN IMMEDIATE",
    ("SELECT balance_cents AS balance, (SELECT sum(balance_cents)"
     " FROM accounts) AS sum FROM accounts WHERE id = ?1"),
    "UPDATE accounts SET balance_cents = ?2 WHERE id = ?1",
    "UPDATE accounts SET balance_cents = balance_cents + ?2 WHERE id = ?1",
    "COMMIT",
    "ROLLBACK"};
static const size_t values[] = {0, 1, 2, 2, 0, 0}; /* that they take */

struct client {
    struct app *app;
    int64_t from, to, cents, balance;
    bool leaves;  /* after SET */
    enum part at; /* the statement that was submitted last */
    int status;   /* 0, or why the transfer is given up */
    struct asq_value values[2];
    struct asq_tx tx;
    struct asq_tx_step step;    /* without tx its request is used alone */
    uint64_t begin_ns, turn_ns; /* ready; its first statement ran */
};

struct app {
    struct asq_stage stage; /* SHOWN lanes for each way */
    struct asq_conn conn;
    struct client clients[CLIENTS];
    enum way way;
    long started, made, failed; /* transfers of this way */
    long sums, wrong;           /* of all accounts, as its clients saw them */
};

/* The answers, and the end of a transfer, whatever came of it. */
static void take_answer(struct asq_request *request, int status);
static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status);
static void end_transfer(struct asq_tx *tx, int status);

/* (1) A client submits one statement of its transfer. */
static int submit(struct client *client, enum part at)
{
    struct asq_params params = {client->values, NULL, values[at]};
    int64_t left = client->balance - client->cents;

    client->at = at;
    client->values[0] = asq_int64(at == GIVE ? client->to : client->from);
    client->values[1] = asq_int64(at == SET ? left : client->cents);
    if (client->app->way == TX)
        return asq_tx_run(&client->tx, &client->step, sql[at], &params,
                          take_step);
    return asq_conn_run(&client->app->conn, &client->step.request, sql[at],
                        &params, take_answer);
}

/* Looks at an answer, and submits the next statement if there is one. */
static int go_on(struct client *client, int status, struct asq_request *answer)
{
    struct app *app = client->app;
    enum part last = app->way == BY_HAND ? COMMIT : GIVE;

    if (client->turn_ns == 0)
        client->turn_ns = answer->started_ns;
    if (status != 0)
        return status;
    if (client->at == READ) {
        app->sums++;
        app->wrong += asq_result_int64(&answer->result, 0, "sum") != MONEY;
        client->balance = asq_result_int64(&answer->result, 0, "balance");
        if (client->balance < client->cents)
            return UV_EINVAL; /* refused */
    }
    if (client->at == SET && client->leaves)
        return UV_ECANCELED; /* (2) it has taken, and not given */
    return client->at == last ? 0 : submit(client, client->at + 1);
}

static void take_answer(struct asq_request *request, int status)
{
    struct client *client = request->data;
    struct app *app = client->app;
    enum part at = client->at, last = app->way == BY_HAND ? COMMIT : GIVE;

    if (at != ROLLBACK)
        client->status = go_on(client, status, request);
    if (client->status != 0 && app->way == BY_HAND && at != ROLLBACK)
        asq_stage_must(&app->stage, submit(client, ROLLBACK)); /* (3) */
    else if (client->status != 0 || at == last)
        end_transfer(&client->tx, client->status);
}

static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    return go_on(tx->data, status, &step->request); /* (4) */
}

/* ---- What is around it: the clients, the ways, what is printed ----------- */

static void start_next(struct client *client)
{
    struct app *app = client->app;
    long n = app->started++;

    if (n >= app->stage.options.requests)
        return;
    client->from = 1 + 5 * (n / 2) % CLIENTS; /* of two at once */
    client->to = 1 + (5 * (n / 2) + 1 + n % (CLIENTS - 1)) % CLIENTS;
    client->cents = 100 + 37 * n % 400;
    client->leaves = n % 8 == 7;
    client->turn_ns = 0;
    client->begin_ns = uv_hrtime();
    asq_stage_must(&app->stage,
                   submit(client, app->way == BY_HAND ? BEGIN : READ));
}

static void end_transfer(struct asq_tx *tx, int status)
{
    struct client *client = tx->data;
    struct app *app = client->app;
    unsigned i = (unsigned)(client - app->clients);
    unsigned lane = (unsigned)app->way * SHOWN + i;
    uint64_t now = uv_hrtime();
    uint64_t turn = client->turn_ns == 0 ? now : client->turn_ns;

    app->made += status == 0;
    app->failed += status != 0 && status != UV_EINVAL && status != UV_ECANCELED;
    asq_stage_answered(&app->stage, client->begin_ns);
    if (i < SHOWN) {
        asq_stage_waited(&app->stage, lane, client->begin_ns, turn, "waits");
        asq_stage_worked(&app->stage, lane, turn, now, "its turn");
    }
    start_next(client);
}

static void run(struct app *app, enum way way, const char *name)
{
    struct asq_stage *stage = &app->stage;
    struct asq_profile profile = asq_profile_default(stage->path);
    long money;

    app->way = way;
    app->started = app->made = app->failed = app->sums = app->wrong = 0;
    asq_stage_make(stage, "CREATE TABLE accounts (id INTEGER PRIMARY KEY,"
                          " balance_cents INTEGER NOT NULL) STRICT;"
                          "INSERT INTO accounts SELECT value, 1000 FROM"
                          " json_each('[1,2,3,4,5,6,7,8]')");
    profile.vfs = ASQ_SLOW_DISK;
    profile.synchronous = 2; /* FULL */
    asq_conn_init(&app->conn);
    app->conn.shared_tx = way == BY_HAND; /* or the conn undoes each BEGIN */
    if (asq_conn_open_wait(&app->conn, &stage->loop, &profile) != 0)
        asq_stage_fail(stage, app->conn.message);
    asq_stage_begin(stage, name, "slow", 1);
    for (int i = 0; i < CLIENTS && !stage->failed; i++)
        start_next(&app->clients[i]);
    asq_stage_turn(stage); /* until all is answered */
    asq_stage_end(stage);
    asq_conn_close_wait(&app->conn);
    money =
        (long)asq_stage_look(stage, "SELECT sum(balance_cents) FROM accounts");
    if (way == TX && (app->failed > 0 || app->wrong > 0 || money != MONEY))
        asq_stage_fail(stage, "it was one block, and it is wrong");
    printf("%-7s  %3ld made, %3ld errors, %3ld of %3ld sums wrong, at the end "
           "%ld cents\n",
           name, app->made, app->failed, app->wrong, app->sums, money);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"no-tx", "by-hand", "tx"};
    static const char *const lanes[] = {
        "no-tx    1", "         2", "         3", "by-hand  1", "         2",
        "         3", "tx       1", "         2", "         3", NULL};
    struct app app = {
        .stage = {.options = {.program = "build/07-transactions",
                              .about = "All or nothing, with others around?",
                              .slow_disk_ms = 1,
                              .requests = 200},
                  .slow_syncs = true,
                  .lanes = lanes,
                  .spans = 2},
    };
    struct asq_stage *stage = &app.stage;
    int status = asq_stage_open(stage, argc, argv);

    if (status >= 0)
        return status;
    for (struct client *c = app.clients; c < &app.clients[CLIENTS]; c++) {
        c->app = &app;
        asq_tx_init(&c->tx, &app.conn);
        c->tx.data = c;
        c->tx.on_end = end_transfer;
        asq_tx_step_init(&c->step);
        c->step.request.data = c;
    }
    printf("%ld transfers by %d clients, through one connection. There are %d "
           "cents, and\nnobody brings any or takes any away:\n\n",
           stage->options.requests, CLIENTS, MONEY);
    for (int i = 0; i < WAYS && !stage->failed; i++)
        run(&app, (enum way)i, names[i]);
    printf("\nThree clients for 24 ms; a sync of the disk takes %g ms:\n\n",
           stage->options.slow_disk_ms);
    asq_stage_print_timeline(stage, 24);
    printf("\nno-tx, by-hand: all work at the same time, statements mix.\n"
           "tx: each waits until those before it have committed.\n\n");
    asq_stage_print_rows(stage);
    for (struct client *c = app.clients; c < &app.clients[CLIENTS]; c++) {
        asq_tx_step_destroy(&c->step);
        asq_tx_destroy(&c->tx);
    }
    return asq_stage_close(stage, 0);
}
