/* main - all or nothing, with others around?
 *
 * Eight clients move money between eight accounts through one connection, and
 * somebody reads the sum through it all the while. A transfer reads a balance,
 * writes the new one, and adds to the other account: as plain requests, with
 * BEGIN and COMMIT around them, as a block of tx; and as a list of transfer.
 * Some clients leave in the middle. What came out is counted, in each way.
 *
 * Run:      make lesson L=07
 * Expect:   the first two ways lose money or make some, and wrong sums are
 *           seen; in a block, each client waits for those before it
 * See also: idea.c, tx.h, transfer.h
 */
#include "04-measure-first/db_copy.h"
#include "07-transactions/transfer.h"
#include "common/clock.h"
#include "common/elsewhere.h"
#include "common/heartbeat.h"
#include "common/latency.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/report.h"
#include "common/slow_disk.h"
#include "common/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum way {
    NO_TX,
    BY_HAND,
    TX,
    TRANSFER, /* the module */
    WAYS
};

enum {
    CLIENTS = 8,
    ACCOUNTS = 8,
    MONEY = 8000, /* 1,000 cents in each */
    SHOWN = 3,    /* clients of a way in the timeline */
    SHOWN_MS = 24,
    PATH_SIZE = 512
};

/* A statement, and how many values it wants. */
struct part {
    const char *sql;
    size_t values;
};

static const char read_sql[] =
    "SELECT balance_cents AS balance FROM accounts WHERE id = ?1";
static const char set_sql[] =
    "UPDATE accounts SET balance_cents = ?2 WHERE id = ?1";
static const char give_sql[] =
    "UPDATE accounts SET balance_cents = balance_cents + ?2 WHERE id = ?1";
static const char sum_sql[] = "SELECT sum(balance_cents) AS sum FROM accounts";

static const struct part plain[] = {
    {read_sql, 1}, {set_sql, 2}, {give_sql, 2}, {NULL, 0}};
static const struct part by_hand[] = {{"BEGIN IMMEDIATE", 0}, {read_sql, 1},
                                      {set_sql, 2},           {give_sql, 2},
                                      {"COMMIT", 0},          {NULL, 0}};
static const struct part *const parts[] = {plain, by_hand, plain, NULL};
static const char *const names[] = {"no-tx", "by-hand", "tx", "transfer"};

struct client {
    struct app *app;
    struct asq_transfer transfer;
    bool leaves; /* in the middle */
    size_t at;   /* the part that runs */
    int64_t balance;
    int status;                 /* why it is rolled back */
    uint64_t begin_ns, turn_ns; /* ready; its first part ran */
    struct asq_value values[2];
    struct asq_request request; /* in the first two ways */
    struct asq_tx tx;
    struct asq_tx_step step;
    struct asq_transfer_list list;
};

/* What came of one way. */
struct outcome {
    size_t made, failed, sums, wrong_sums;
    size_t hops;   /* the worker's until the connection is closed */
    int64_t money; /* at the end */
};

struct app {
    struct asq_options options;
    char path[PATH_SIZE];
    uv_loop_t *loop;
    struct asq_heartbeat beats;
    struct asq_latency latency; /* of transfers, of the way that runs */
    struct asq_trace trace;     /* of the slow disk; each way begins at 0 */
    struct outcome outcomes[WAYS];
    struct asq_report_row
        rows[2 * WAYS]; /* on the slow disk, on the real one */
    /* of the run that is under way */
    enum way way;
    bool slow, failed;
    struct outcome outcome;
    struct asq_conn conn;
    struct client clients[CLIENTS];
    struct asq_request sum;
    long started, ended;
    uint64_t begin_ns, end_ns, stall_ns, reads;
};

/* Answers that ask for more; each comes after the function that submits. */
static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status);
static void take_answer(struct asq_request *request, int status);
static void end_tx(struct asq_tx *tx, int status);
static void end_list(struct asq_transfer_list *list, int status);

/* Tells the first failure. */
static int fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
    return 1;
}

/* The nth transfer. On the real disk nobody leaves, and all have enough. */
static void choose(struct client *client, long n)
{
    bool slow = client->app->slow;

    client->transfer.from = 1 + 5 * (n / 2) % ACCOUNTS; /* of two at once */
    client->transfer.to = 1 + (5 * (n / 2) + 1 + n % (ACCOUNTS - 1)) % ACCOUNTS;
    client->transfer.cents = slow ? 100 + 37 * n % 400 : 1;
    client->leaves = slow && n % 8 == 7;
    client->at = 0;
    client->turn_ns = 0;
    client->begin_ns = asq_clock_now_ns();
}

static const struct part *part_of(const struct client *client)
{
    return &parts[client->app->way][client->at];
}

/* Asks for the next part, or returns why it cannot. */
static int submit(struct client *client)
{
    struct app *app = client->app;
    const struct asq_transfer *transfer = &client->transfer;
    const struct part *part = part_of(client);
    struct asq_params params = {client->values, NULL, part->values};
    bool gives = part->sql == give_sql, sets = part->sql == set_sql;

    client->values[0] = asq_int64(gives ? transfer->to : transfer->from);
    client->values[1] =
        asq_int64(sets ? client->balance - transfer->cents : transfer->cents);
    if (app->way == TX)
        return asq_tx_run(&client->tx, &client->step, part->sql, &params,
                          take_step);
    return asq_conn_run(&app->conn, &client->request, part->sql, &params,
                        take_answer);
}

/* A client takes the next transfer, if there is one. */
static void start_next(struct client *client)
{
    struct app *app = client->app;
    int rc;

    if (app->started == app->options.requests)
        return;
    choose(client, app->started++);
    if (app->way == TRANSFER)
        rc = asq_transfer_start(&client->list, &app->conn, end_list); /* (5) */
    else
        rc = submit(client); /* (1) */
    if (rc == 0 && app->way == TRANSFER && client->leaves)
        asq_transfer_cancel(&client->list);
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
}

/* Looks at an answer. Returns 0 if the next part may follow. */
static int
judge(struct client *client, int status, const struct asq_request *answer)
{
    const char *sql = part_of(client)->sql;

    if (client->turn_ns == 0)
        client->turn_ns = answer->started_ns;
    if (status != 0)
        return status;
    if (sql == read_sql)
        client->balance = asq_result_int64(&answer->result, 0, "balance");
    if (sql == read_sql && client->balance < client->transfer.cents)
        return UV_EINVAL; /* refused */
    if (sql == set_sql && client->leaves)
        return UV_ECANCELED; /* (2) it has taken, and not given */
    client->at++;
    return 0;
}

static void keep_spans(struct client *client, uint64_t now_ns)
{
    struct app *app = client->app;
    unsigned i = (unsigned)(client - app->clients);
    uint64_t turn_ns = client->turn_ns == 0 ? now_ns : client->turn_ns;
    struct asq_span waits = {client->begin_ns - app->begin_ns,
                             turn_ns - app->begin_ns, ASQ_TRACE_WAIT, "waits"};
    struct asq_span turn = {waits.end_ns, now_ns - app->begin_ns,
                            ASQ_TRACE_WORK, "its turn"};

    if (app->slow && app->way <= TX && i < SHOWN) {
        asq_trace_add(&app->trace, (unsigned)app->way * SHOWN + i, &waits);
        asq_trace_add(&app->trace, (unsigned)app->way * SHOWN + i, &turn);
    }
}

/* The transfer is over, one way or another. */
static void end_transfer(struct client *client, int status)
{
    struct app *app = client->app;
    uint64_t now_ns = asq_clock_now_ns();

    app->outcome.made += status == 0;
    app->outcome.failed +=
        status != 0 && status != UV_EINVAL && status != UV_ECANCELED;
    if (asq_latency_add(&app->latency, now_ns - client->begin_ns) != 0)
        (void)fail(app, "out of memory");
    keep_spans(client, now_ns);
    app->ended++;
    if (app->ended == app->options.requests) {
        app->stall_ns = asq_heartbeat_stop(&app->beats);
        app->end_ns = now_ns;
    }
    start_next(client);
}

static void end_tx(struct asq_tx *tx, int status)
{
    end_transfer(tx->data, status);
}

static void end_list(struct asq_transfer_list *list, int status)
{
    end_transfer(list->data, status);
}

static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct client *client = tx->data;
    int rc = judge(client, status, &step->request);

    if (rc == 0 && part_of(client)->sql != NULL)
        rc = submit(client);
    return rc; /* (4) 0 goes on and at last commits, all else rolls back */
}

static void take_rollback(struct asq_request *request, int status)
{
    struct client *client = request->data;

    (void)status; /* it fails when none is open */
    end_transfer(client, client->status);
}

static void take_answer(struct asq_request *request, int status)
{
    struct client *client = request->data;
    struct app *app = client->app;
    int rc = judge(client, status, request);

    client->status = rc;
    if (rc == 0 && part_of(client)->sql != NULL)
        rc = submit(client);
    else if (rc != 0 && app->way == BY_HAND)
        rc = asq_conn_run(&app->conn, request, "ROLLBACK", NULL,
                          take_rollback); /* (3) of which transaction? */
    else
        end_transfer(client, rc);
    if (rc != 0 && client->status == 0)
        (void)fail(app, uv_strerror(rc));
}

/* Somebody reads the sum. */
static void take_sum(struct asq_request *request, int status)
{
    struct app *app = request->data;
    int rc = 0;

    app->outcome.sums++;
    app->outcome.wrong_sums +=
        asq_result_int64(&request->result, 0, "sum") != MONEY;
    if (status != 0)
        (void)fail(app, request->message);
    else if (app->ended < app->options.requests)
        rc = asq_conn_run(&app->conn, request, sum_sql, NULL, take_sum);
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
}

/* On the worker. */
static void count_hop(struct asq_conn *conn,
                      const struct asq_request *request,
                      enum asq_event event)
{
    struct app *app = conn->data;

    app->outcome.hops += event == ASQ_EVENT_END && request != &app->sum;
}

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        (void)fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app; the next run opens it again */
}

static void run_clients(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->path);
    int rc;

    profile.vfs = app->slow ? ASQ_SLOW_DISK : NULL;
    profile.synchronous = app->slow ? 2 : 1;
    asq_conn_init(&app->conn);
    app->conn.data = app;
    app->conn.observe = count_hop;
    app->conn.shared_tx = app->way == BY_HAND;
    rc = asq_conn_open(&app->conn, app->loop, &profile, note_opened);
    if (rc != 0) {
        (void)fail(app, uv_strerror(rc));
        return;
    }
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is open */
    asq_heartbeat_start(&app->beats);
    app->begin_ns = asq_clock_now_ns();
    for (int i = 0; i < CLIENTS && !app->failed; i++)
        start_next(&app->clients[i]);
    rc = asq_conn_run(&app->conn, &app->sum, sum_sql, NULL, take_sum);
    if (rc != 0)
        (void)fail(app, uv_strerror(rc));
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
}

/* Runs SQL in the file, and returns its sum if it has one. */
static int64_t look(struct app *app, const char *sql)
{
    char message[ASQ_MESSAGE_SIZE];
    int64_t sum = 0;

    if (asq_ask_elsewhere(app->path, sql, &sum, message, sizeof message) != 0)
        (void)fail(app, message);
    return sum;
}

static void keep_row(struct app *app, struct asq_report_row *row)
{
    double seconds = (double)(app->end_ns - app->begin_ns) / 1e9;

    *row = (struct asq_report_row){
        .way = names[app->way],
        .disk = app->slow ? "slow" : "fast",
        .connections = 1,
        .requests = (uint64_t)app->options.requests,
        .disk_reads = asq_slow_disk_count(ASQ_DISK_READ) - app->reads,
        .throughput_per_s = (double)app->options.requests / seconds,
        .p50_us = (double)asq_latency_percentile(&app->latency, 50) / 1e3,
        .p99_us = (double)asq_latency_percentile(&app->latency, 99) / 1e3,
        .stall_us = (double)app->stall_ns / 1e3};
}

/* Where it must be right, it is. */
static int run(struct app *app, enum way way, bool slow)
{
    struct outcome *outcome = &app->outcome;

    app->way = way;
    app->slow = slow;
    app->started = app->ended = 0;
    app->reads = asq_slow_disk_count(ASQ_DISK_READ);
    *outcome = (struct outcome){0};
    asq_latency_reset(&app->latency);
    (void)look(app, "CREATE TABLE accounts (id INTEGER PRIMARY KEY,"
                    " balance_cents INTEGER NOT NULL) STRICT;"
                    "INSERT INTO accounts SELECT value, 1000 FROM"
                    " json_each('[1,2,3,4,5,6,7,8]')");
    if (!app->failed)
        run_clients(app);
    keep_row(app, &app->rows[way + (slow ? 0 : WAYS)]);
    outcome->money = look(app, sum_sql);
    (void)asq_db_remove(app->path); /* what cannot be removed stays */
    if (way >= TX && (outcome->failed > 0 || outcome->wrong_sums > 0 ||
                      outcome->money != MONEY))
        (void)fail(app, "it was one block, and it is wrong");
    if (slow)
        app->outcomes[way] = *outcome;
    else
        app->outcomes[way].hops = outcome->hops; /* of whole transfers */
    return app->failed;
}

static int report(struct app *app)
{
    size_t requests = (size_t)app->options.requests;

    printf("%ld transfers by %d clients, through one connection; a sync of the "
           "slow\ndisk takes %g ms. Three of the clients, for %d ms:\n\n",
           app->options.requests, CLIENTS, app->options.slow_disk_ms, SHOWN_MS);
    asq_trace_print(&app->trace, stdout, 0, SHOWN_MS * ASQ_NS_PER_MS);
    printf("\nno-tx, by-hand: all are at it at once, in between each other.\n"
           "tx: each waits until those before it have committed.\n\n"
           "There are %d cents, and nobody brings any or takes any away:\n\n",
           MONEY);
    for (int i = 0; i < WAYS; i++) {
        const struct outcome *outcome = &app->outcomes[i];

        printf("%-8s  %3zu made, %2zu errors, %3zu of %3zu sums wrong, at the "
               "end %" PRId64 " cents\n",
               names[i], outcome->made, outcome->failed, outcome->wrong_sums,
               outcome->sums, outcome->money);
    }
    printf("\nhops a transfer: no-tx %zu, tx %zu, transfer %zu\n\n",
           app->outcomes[NO_TX].hops / requests,
           app->outcomes[TX].hops / requests,
           app->outcomes[TRANSFER].hops / requests);
    if (asq_report_print(app->rows, 2 * WAYS, stdout) != 0)
        return fail(app, "out of memory");
    return asq_report_save(app->rows, 2 * WAYS, &app->trace, &app->options);
}

/* Makes the slow disk, and room for what is measured. */
static int prepare(struct app *app)
{
    static const char *const lanes[] = {
        "no-tx    client 1", "         client 2", "         client 3",
        "by-hand  client 1", "         client 2", "         client 3",
        "tx       client 1", "         client 2", "         client 3"};
    size_t requests = (size_t)app->options.requests;

    (void)snprintf(app->path, sizeof app->path, "%s/tmp/transactions-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (asq_make_parents(app->path) != 0 || asq_slow_disk_register() != 0)
        return fail(app, "no folder for the database, or no slow disk");
    asq_slow_disk_delay(ASQ_DISK_SYNC,
                        (uint64_t)(app->options.slow_disk_ms * 1000));
    if (asq_latency_init(&app->latency, requests) != 0 ||
        asq_trace_init(&app->trace, 3 * SHOWN, 2 * requests) != 0)
        return fail(app, "out of memory");
    for (unsigned i = 0; i < 3 * SHOWN; i++)
        asq_trace_name(&app->trace, i, lanes[i]);
    return 0;
}

static void init_client(struct app *app, struct client *client)
{
    client->app = app;
    asq_request_init(&client->request);
    client->request.data = client;
    asq_tx_init(&client->tx, &app->conn);
    client->tx.data = client;
    client->tx.on_end = end_tx;
    asq_tx_step_init(&client->step);
    asq_transfer_init(&client->list);
    client->list.data = client;
    client->list.transfers = &client->transfer;
    client->list.count = 1;
}

static void destroy_client(struct client *client)
{
    asq_transfer_destroy(&client->list);
    asq_tx_step_destroy(&client->step);
    asq_tx_destroy(&client->tx);
    asq_request_destroy(&client->request);
}

int main(int argc, char **argv)
{
    struct app app = {
        .options = {.program = "build/07-transactions",
                    .about = "All or nothing, with others around?",
                    .slow_disk_ms = 1,
                    .requests = 200},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    if (app.loop == NULL || asq_heartbeat_attach(&app.beats, app.loop) != 0)
        return fail(&app, "no memory or descriptor is left");
    asq_request_init(&app.sum);
    app.sum.data = &app;
    for (int i = 0; i < CLIENTS; i++)
        init_client(&app, &app.clients[i]);
    rc = prepare(&app);
    for (int i = 0; i < 2 * WAYS && rc == 0; i++)
        rc = run(&app, (enum way)(i % WAYS), i < WAYS);
    if (rc == 0)
        rc = report(&app);
    for (int i = 0; i < CLIENTS; i++)
        destroy_client(&app.clients[i]);
    asq_request_destroy(&app.sum);
    asq_latency_destroy(&app.latency);
    asq_trace_destroy(&app.trace);
    asq_heartbeat_detach(&app.beats, NULL);
    (void)uv_run(app.loop, UV_RUN_DEFAULT); /* until the timer is closed */
    (void)uv_loop_close(app.loop);          /* nothing is left on it */
    return asq_options_finish(&app.options, rc);
}
