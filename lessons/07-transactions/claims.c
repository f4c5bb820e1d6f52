/* claims - measures the claims that lesson 07 settles
 *
 * One function a claim; docs/claims.md says who made it. Nothing is decided by
 * time: what happened is counted, and looked for in the database.
 *
 * Run: make claims L=07
 */
#include "common/claims.h"

#include "01-blocking/stmt.h"
#include "04-measure-first/db_copy.h"
#include "07-transactions/transfer.h"
#include "common/elsewhere.h"
#include "common/options.h"
#include "common/paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    CLAIMS = 6,
    PAIRS = 10,
    BAD = 5, /* transfers */
    ASKS = 6,
    PATH_SIZE = 512
};

struct app {
    struct asq_options options;
    char path[PATH_SIZE];
    uv_loop_t *loop;
    struct asq_conn conn;
    struct asq_claim claims[CLAIMS];
    int statuses[ASKS]; /* of what was asked, in this order */
    int answers;
    uv_sem_t reached, gate; /* where the worker is held */
    bool failed;
};

static void fail(struct app *app, const char *message)
{
    if (!app->failed)
        (void)fprintf(stderr, "%s: %s\n", app->options.program, message);
    app->failed = true;
}

/* Blocking: each function tells a failure that is none of the claim's. */

static void open_db(struct app *app, struct asq_db *db)
{
    struct asq_profile profile = asq_profile_default(app->path);

    if (asq_db_open(db, &profile) != 0)
        fail(app, asq_db_message(db));
}

static void must(struct app *app, struct asq_db *db, const char *sql)
{
    if (asq_db_run(db, sql, NULL, NULL) != 0)
        fail(app, asq_db_message(db));
}

/* Returns what others find in the file. */
static int64_t look(struct app *app, const char *sql)
{
    char message[ASQ_MESSAGE_SIZE];
    int64_t number = 0;

    if (asq_ask_elsewhere(app->path, sql, &number, message, sizeof message))
        fail(app, message);
    return number;
}

/* Accounts 1 and 2 with 100 cents each, and an empty table of notes. */
static void make_tables(struct app *app)
{
    (void)look(app, "DROP TABLE IF EXISTS accounts;"
                    "DROP TABLE IF EXISTS notes;"
                    "CREATE TABLE accounts (id INTEGER PRIMARY KEY,"
                    " balance_cents INTEGER CHECK (balance_cents < 1000))"
                    " STRICT;"
                    "INSERT INTO accounts VALUES (1, 100), (2, 100);"
                    "CREATE TABLE notes (who TEXT) STRICT");
}

/* On a loop */

static void note_opened(struct asq_conn *conn, int status)
{
    if (status != 0)
        fail(conn->data, conn->message);
}

static void note_closed(struct asq_conn *conn)
{
    (void)conn; /* a part of app */
}

static void open_conn(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->path);

    make_tables(app);
    asq_conn_init(&app->conn);
    app->conn.data = app;
    app->conn.shared_tx = true; /* several claims are about that */
    app->answers = 0;
    if (asq_conn_open(&app->conn, app->loop, &profile, note_opened) != 0)
        fail(app, "the connection cannot be opened");
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is open */
}

static void close_conn(struct app *app)
{
    asq_conn_close(&app->conn, note_closed);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is closed */
}

static void note_answer(struct asq_request *request, int status)
{
    struct app *app = request->data;

    app->statuses[app->answers++] = status;
}

/* Submits all of them, in this order, then waits for the answers. */
static void ask_all(struct app *app, const char *const *sql, int count)
{
    struct asq_request requests[ASKS];

    for (int i = 0; i < count; i++) {
        asq_request_init(&requests[i]);
        requests[i].data = app;
        if (asq_conn_run(&app->conn, &requests[i], sql[i], NULL, note_answer) !=
            0)
            fail(app, "a statement cannot be submitted");
    }
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    for (int i = 0; i < count; i++)
        asq_request_destroy(&requests[i]);
}

static int stand_at_gate(struct asq_db *db, struct asq_request *request)
{
    struct app *app = request->data;

    (void)db; /* only time is needed */
    uv_sem_post(&app->reached);
    uv_sem_wait(&app->gate);
    return 0;
}

/* Submits a statement and cancels it while it waits. Returns its status. */
static int ask_and_cancel(struct app *app, const char *sql)
{
    struct asq_request hold, request;

    asq_request_init(&hold);
    asq_request_init(&request);
    hold.data = request.data = app;
    if (asq_conn_call(&app->conn, &hold, stand_at_gate, note_answer) != 0) {
        fail(app, "the worker cannot be held");
        return UV_ESHUTDOWN;
    }
    uv_sem_wait(&app->reached);
    if (asq_conn_run(&app->conn, &request, sql, NULL, note_answer) != 0)
        fail(app, "a statement cannot be submitted");
    asq_request_cancel(&request);
    uv_sem_post(&app->gate);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until both are answered */
    asq_request_destroy(&hold);
    asq_request_destroy(&request);
    return app->statuses[app->answers - 1];
}

static void note_end(struct asq_tx *tx, int status)
{
    struct app *app = tx->data;

    app->statuses[app->answers++] = status;
}

/* Runs blocks of two steps at once. Returns how many were committed. */
static int
run_blocks(struct app *app, const char *const (*sql)[2], int count, bool cancel)
{
    struct asq_tx tx[2];
    struct asq_tx_step steps[2][2];
    int committed = 0;

    app->answers = 0;
    for (int i = 0; i < count; i++) {
        asq_tx_init(&tx[i], &app->conn);
        tx[i].data = app;
        tx[i].on_end = note_end;
        for (int k = 0; k < 2; k++) {
            asq_tx_step_init(&steps[i][k]);
            if (asq_tx_run(&tx[i], &steps[i][k], sql[i][k], NULL, NULL) != 0)
                fail(app, "a step cannot be submitted");
        }
        if (cancel)
            asq_tx_fail(&tx[i], UV_ECANCELED);
    }
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until all is answered */
    for (int i = 0; i < count; i++) {
        committed += app->statuses[i] == 0;
        asq_tx_step_destroy(&steps[i][0]);
        asq_tx_step_destroy(&steps[i][1]);
        asq_tx_destroy(&tx[i]);
    }
    return committed;
}

/* "except Exception: rollback". A cancelled request is no exception. */
static void rollback_on_exception(struct app *app, struct asq_claim *claim)
{
    static const char *const begin[] = {
        "BEGIN IMMEDIATE", "INSERT INTO notes VALUES ('the one who left')"};
    static const char *const next[] = {"INSERT INTO notes VALUES ('the next')"};
    static const char *const block[][2] = {
        {"INSERT INTO notes VALUES ('the one who left')", "SELECT 1"}};
    int status, answered, kept, kept_after_tx;

    open_conn(app);
    ask_all(app, begin, 2);
    status = ask_and_cancel(app, "SELECT 1");
    if (status != 0 && status != UV_ECANCELED)
        ask_all(app, (const char *const[]){"ROLLBACK"}, 1);
    ask_all(app, next, 1);
    answered = app->statuses[app->answers - 1] == 0;
    close_conn(app);
    kept = (int)look(app, "SELECT count(*) FROM notes");
    open_conn(app);
    (void)run_blocks(app, block, 1, true);
    ask_all(app, next, 1);
    close_conn(app);
    kept_after_tx = (int)look(app, "SELECT count(*) FROM notes");
    asq_claim_set(
        claim, "rollback-on-exception", kept == answered ? "holds" : "wrong",
        kept,
        "After a cancel that is no exception, %d of 1 row of the next "
        "one was\nanswered with success, and %d was in the file. "
        "After a tx: %d of 1.",
        answered, kept, kept_after_tx);
}

/* "One connection for the application, and BEGIN." A and B come at once, and B
 * gives up. */
static void shared_connection_tx(struct app *app, struct asq_claim *claim)
{
    static const char *const both[] = {"BEGIN",
                                       "BEGIN",
                                       "INSERT INTO notes VALUES ('A')",
                                       "INSERT INTO notes VALUES ('B')",
                                       "COMMIT",
                                       "ROLLBACK"};
    static const char *const blocks[][2] = {
        {"INSERT INTO notes VALUES ('A')", "SELECT 1"},
        {"INSERT INTO notes VALUES ('B')", "SELECT no_such_column"}};
    int refused = 0, halves, halves_of_tx;

    open_conn(app);
    for (int i = 0; i < PAIRS; i++) {
        app->answers = 0;
        ask_all(app, both, 6);
        refused += app->statuses[1] != 0;
    }
    close_conn(app);
    halves = (int)look(app, "SELECT count(*) FROM notes WHERE who = 'B'");
    open_conn(app);
    for (int i = 0; i < PAIRS; i++)
        (void)run_blocks(app, blocks, 2, false);
    close_conn(app);
    halves_of_tx = (int)look(app, "SELECT count(*) FROM notes WHERE who = 'B'");
    asq_claim_set(
        claim, "shared-connection-tx",
        refused > 0 || halves > 0 ? "wrong" : "holds", (double)halves / PAIRS,
        "Of %d pairs at once %d got an error at the second BEGIN, and "
        "in %d the\none committed what the other rolled back. Through "
        "tx it was %d.",
        PAIRS, refused, halves, halves_of_tx);
}

static void note_list(struct asq_transfer_list *list, int status)
{
    struct app *app = list->data;

    app->statuses[0] = status;
}

/* Returns whether the module makes it. */
static bool is_made(struct app *app, const struct asq_transfer *transfer)
{
    struct asq_transfer_list list;

    asq_transfer_init(&list);
    list.data = app;
    list.transfers = transfer;
    list.count = 1;
    app->statuses[0] = asq_transfer_start(&list, &app->conn, note_list);
    (void)uv_run(app->loop, UV_RUN_DEFAULT); /* until it is answered */
    asq_transfer_destroy(&list);
    return app->statuses[0] == 0;
}

/* Returns whether two updates in a transaction make it. */
static bool is_made_by_two(struct app *app, const struct asq_transfer *transfer)
{
    const struct asq_value take[] = {asq_int64(-transfer->cents),
                                     asq_int64(transfer->from)};
    const struct asq_value give[] = {asq_int64(transfer->cents),
                                     asq_int64(transfer->to)};
    const struct asq_params params[] = {{take, NULL, 2}, {give, NULL, 2}};
    struct asq_db db;
    int rc = 0;

    open_db(app, &db);
    must(app, &db, "BEGIN IMMEDIATE");
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = asq_db_run(&db,
                        "UPDATE accounts SET balance_cents ="
                        " balance_cents + ?1 WHERE id = ?2",
                        &params[i], NULL);
    must(app, &db, rc == 0 ? "COMMIT" : "ROLLBACK");
    (void)asq_db_close(&db); /* every statement was released */
    return rc == 0;
}

/* "Two updates in a transaction are a safe transfer." */
static void transfer_checks(struct app *app, struct asq_claim *claim)
{
    static const struct asq_transfer bad[BAD] = {
        {1, 2, -50}, {1, 1, 50}, {9, 2, 50}, {1, 9, 50}, {1, 2, 500}};
    static const char sum_sql[] = "SELECT sum(balance_cents) FROM accounts";
    int by_two = 0, by_list = 0, sums = 0;
    double tenths = 0;

    open_conn(app);
    for (int i = 0; i < BAD; i++)
        by_list += is_made(app, &bad[i]);
    close_conn(app);
    if (look(app, sum_sql) != 200)
        fail(app, "what was refused has moved money");
    for (int i = 0; i < BAD; i++) {
        make_tables(app);
        by_two += is_made_by_two(app, &bad[i]);
        sums += look(app, sum_sql) != 200;
    }
    for (int i = 0; i < 10; i++)
        tenths += 0.1;
    asq_claim_set(
        claim, "transfer-checks", by_two > 0 ? "wrong" : "holds",
        (double)by_two / BAD,
        "Of %d transfers that must not be, two updates made %d, and %d "
        "changed the\nsum of all money; the list made %d. Ten times 0.1 "
        "as a double %s 1.",
        BAD, by_two, sums, by_list, tenths < 1 ? "is not" : "is");
}

struct waits {
    struct asq_db *db;
    int count;
};

/* Asked while a statement waits for a lock; three times is enough. */
static int count_wait(void *data)
{
    struct waits *waits = data;

    waits->count += waits->db->waiting;
    return waits->count >= 3;
}

/* Writes after begin, while the other has committed, or is writing. Returns
 * how often it was ready to wait; ret_code is what the write came to. */
static int write_after(struct app *app,
                       const char *begin,
                       const char *meanwhile,
                       int *ret_code)
{
    struct asq_db db, other;
    struct waits waits = {.db = &db};
    int rc = 0;

    open_db(app, &db);
    open_db(app, &other);
    (void)asq_db_watch(&db, count_wait, &waits); /* it is ours */
    if (meanwhile[0] == 'B')
        must(app, &other, meanwhile);
    rc = asq_db_run(&db, begin, NULL, NULL);
    if (rc == 0)
        must(app, &db, "SELECT * FROM notes");
    if (meanwhile[0] != 'B')
        must(app, &other, meanwhile);
    if (rc == 0)
        rc = asq_db_run(&db, "INSERT INTO notes VALUES ('A')", NULL, NULL);
    *ret_code = rc;
    (void)asq_db_close(&other); /* rolls back */
    (void)asq_db_close(&db);
    return waits.count;
}

/* "'Database is locked': WAL, or a longer timeout." */
static void deferred_upgrade(struct app *app, struct asq_claim *claim)
{
    int committed, writing, immediate, waits, waits_immediate;

    make_tables(app);
    waits =
        write_after(app, "BEGIN", "INSERT INTO notes VALUES ('B')", &committed);
    waits += write_after(app, "BEGIN", "BEGIN IMMEDIATE", &writing);
    waits_immediate =
        write_after(app, "BEGIN IMMEDIATE", "BEGIN IMMEDIATE", &immediate);
    asq_claim_set(
        claim, "deferred-upgrade",
        waits == 0 && waits_immediate > 0
            ? "holds if the transaction begins IMMEDIATE"
        : waits == 0 ? "wrong"
                     : "holds",
        waits,
        "Under WAL, with 5 s to wait: after reading, a write failed "
        "with %d or %d\nand had waited %d times. IMMEDIATE was ready to "
        "wait, %d of 3 times.",
        committed, writing, waits, waits_immediate);
}

/* "async with db.transaction()". Two updates, the second one is refused. */
static void db_transaction(struct app *app, struct asq_claim *claim)
{
    static const char *const sql[][2] = {
        {"UPDATE accounts SET balance_cents = balance_cents - 50 WHERE id = 1",
         "UPDATE accounts SET balance_cents = balance_cents + 5000"
         " WHERE id = 2"}};
    static const char half[] = "SELECT sum(balance_cents) <> 200 FROM accounts";
    int halves, halves_of_tx, committed;

    open_conn(app);
    ask_all(app, sql[0], 2);
    close_conn(app);
    halves = (int)look(app, half);
    open_conn(app);
    committed = run_blocks(app, sql, 1, false);
    close_conn(app);
    halves_of_tx = (int)look(app, half) + committed;
    asq_claim_set(
        claim, "db-transaction",
        halves_of_tx > 0 ? "wrong"
        : halves > 0     ? "holds if there is such a block"
                         : "holds",
        halves_of_tx,
        "Two updates, the second one refused: as two requests %d of 1 "
        "was left half\ndone, as a block of tx %d of 1.",
        halves, halves_of_tx);
}

/* "INSERT … RETURNING, fetchone, commit." */
static void returning_unfinished(struct app *app, struct asq_claim *claim)
{
    static const char sql[] = "INSERT INTO notes VALUES ('A') RETURNING who";
    struct asq_stmt *stmt = NULL;
    struct asq_db db;
    int step, first, second;

    make_tables(app);
    open_db(app, &db);
    must(app, &db, "BEGIN");
    if (asq_stmt_prepare(&db, sql, ASQ_WHOLE_TEXT, &stmt) != 0)
        fail(app, asq_db_message(&db));
    step = asq_stmt_step(stmt);
    first = asq_db_run(&db, "COMMIT", NULL, NULL);
    asq_stmt_release(stmt);
    second = asq_db_run(&db, "COMMIT", NULL, NULL);
    (void)asq_db_close(&db); /* every statement was released */
    asq_claim_set(
        claim, "returning-unfinished",
        second != 0  ? "wrong"
        : first == 0 ? "holds"
                     : "holds if the statement is finished first",
        first == 0,
        "With the row read (step gave %d) and the statement not reset, "
        "COMMIT gave\n%d; after the reset %d, and %" PRId64
        " of 1 row was there.",
        step, first, second, look(app, "SELECT count(*) FROM notes"));
}

int main(int argc, char **argv)
{
    static void (*const measure[CLAIMS])(struct app *, struct asq_claim *) = {
        rollback_on_exception, shared_connection_tx, transfer_checks,
        deferred_upgrade,      db_transaction,       returning_unfinished};
    struct app app = {
        .options = {.program = "build/07-transactions-claims",
                    .about = "Measures the claims that lesson 07 settles.",
                    .slow_disk_ms = 1,
                    .requests = 1},
        .loop = uv_default_loop(),
    };
    int rc = asq_options_parse(&app.options, argc, argv);

    if (rc >= 0)
        return rc;
    (void)snprintf(app.path, sizeof app.path, "%s/tmp/tx-claims-%ld.db",
                   asq_build_dir(), (long)getpid());
    if (app.loop == NULL || asq_make_parents(app.path) != 0 ||
        uv_sem_init(&app.reached, 0) != 0 || uv_sem_init(&app.gate, 0) != 0) {
        fail(&app, "no memory, or no folder for the database");
        return 1;
    }
    for (int i = 0; i < CLAIMS && !app.failed; i++)
        measure[i](&app, &app.claims[i]);
    (void)asq_db_remove(app.path); /* what cannot be removed stays */
    uv_sem_destroy(&app.gate);
    uv_sem_destroy(&app.reached);
    (void)uv_loop_close(app.loop); /* nothing is left on it */
    rc = app.failed ? 1 : asq_claims_report(app.claims, CLAIMS, &app.options);
    return asq_options_finish(&app.options, rc);
}
