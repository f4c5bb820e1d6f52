/* claims - measures the claims that lesson 07 settles
 *
 * One function for each claim; docs/claims.md quotes them. Nothing is decided
 * by time: what happened is counted, and looked for in the file.
 *
 * Run: make claims L=07
 */
#include "01-blocking/script.h"
#include "01-blocking/stmt.h"
#include "03-event-loop/conn_wait.h"
#include "07-transactions/transfer.h"
#include "common/stage.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PAIRS = 10,
    BAD = 5 /* transfers */
};

static const char notes_sql[] = "SELECT count(*) FROM notes";
static const char moved_sql[] =
    "SELECT sum(balance_cents) <> 200 FROM accounts";

struct app {
    struct asq_stage stage;
    struct asq_conn conn;
    struct asq_request request; /* without tx */
    int status;                 /* of the last answer */
    struct asq_db db;           /* blocking */
    int waits;                  /* how often it was ready to wait for a lock */
};

/* A block of two steps. */
struct block {
    struct asq_tx tx;
    struct asq_tx_step steps[2];
    int status;
};

/* Accounts 1 and 2 with 100 cents each, and an empty table of notes. */
static void make_tables(struct app *app)
{
    asq_stage_make(&app->stage,
                   "CREATE TABLE accounts (id INTEGER PRIMARY KEY,"
                   " balance_cents INTEGER CHECK (balance_cents < 1000))"
                   " STRICT;"
                   "INSERT INTO accounts VALUES (1, 100), (2, 100);"
                   "CREATE TABLE notes (who TEXT) STRICT");
}

static int look(struct app *app, const char *sql)
{
    return (int)asq_stage_look(&app->stage, sql);
}

static void open_db(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    if (asq_db_open(&app->db, &profile) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->db));
}

/* Makes the tables anew, and opens a conn that tidies nothing up. */
static void open_conn(struct app *app)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);

    make_tables(app);
    asq_conn_init(&app->conn);
    app->conn.shared_tx = true;
    if (asq_conn_open_wait(&app->conn, &app->stage.loop, &profile) != 0)
        asq_stage_fail(&app->stage, app->conn.message);
}

static void take_answer(struct asq_request *request, int status)
{
    ((struct app *)request->data)->status = status;
}

/* Runs a statement through the conn, and returns its status. A hold keeps it
 * from the worker until it is cancelled, if it is to be. */
static int ask(struct app *app, const char *sql, bool cancelled)
{
    struct asq_hold hold = {0};

    asq_stage_must(&app->stage, asq_hold_begin(&app->conn, &hold));
    asq_stage_must(&app->stage, asq_conn_run(&app->conn, &app->request, sql,
                                             NULL, take_answer));
    if (cancelled)
        asq_request_cancel(&app->request);
    asq_hold_end(&hold);
    asq_stage_turn(&app->stage); /* until it is answered */
    return app->status;
}

static void take_end(struct asq_tx *tx, int status)
{
    ((struct block *)tx->data)->status = status;
}

static void
start_block(struct app *app, struct block *block, const char *const *sql)
{
    asq_tx_init(&block->tx, &app->conn);
    block->tx.data = block;
    block->tx.on_end = take_end;
    for (int i = 0; i < 2; i++) {
        asq_tx_step_init(&block->steps[i]);
        asq_stage_must(&app->stage, asq_tx_run(&block->tx, &block->steps[i],
                                               sql[i], NULL, NULL));
    }
}

/* Waits for the end, and returns the status. */
static int end_block(struct app *app, struct block *block)
{
    asq_stage_turn(&app->stage);
    asq_tx_step_destroy(&block->steps[0]);
    asq_tx_step_destroy(&block->steps[1]);
    asq_tx_destroy(&block->tx);
    return block->status;
}

/* "except Exception: rollback". A cancel is not an Exception. */
static void rollback_on_exception(struct app *app)
{
    static const char *const left[] = {"INSERT INTO notes VALUES ('left')",
                                       "SELECT 1"};
    static const char next[] = "INSERT INTO notes VALUES ('next')";
    struct block block;
    int status, answered, kept;

    open_conn(app);
    (void)ask(app, "BEGIN IMMEDIATE", false);
    (void)ask(app, left[0], false);
    status = ask(app, left[1], true);
    if (status != 0 && status != UV_ECANCELED)
        (void)ask(app, "ROLLBACK", false);
    answered = ask(app, next, false) == 0;
    asq_conn_close_wait(&app->conn);
    kept = look(app, notes_sql);
    open_conn(app);
    start_block(app, &block, left);
    asq_tx_fail(&block.tx, UV_ECANCELED);
    (void)end_block(app, &block);
    (void)ask(app, next, false);
    asq_conn_close_wait(&app->conn);
    asq_claim_set(
        asq_stage_claim(&app->stage), "rollback-on-exception",
        kept == answered ? "holds" : "wrong", kept,
        "After a cancel that raised no exception, the next caller's insert "
        "%s;\nits row %s in the file. After a tx, it %s.",
        answered ? "succeeded" : "failed", kept ? "was" : "was not",
        look(app, notes_sql) > 0 ? "was" : "was not");
}

/* "One connection for the application, and BEGIN." A and B come at once, and B
 * gives up. */
static void shared_connection_tx(struct app *app)
{
    static const char *const a[] = {"INSERT INTO notes VALUES ('A')",
                                    "SELECT 1"};
    static const char *const b[] = {"INSERT INTO notes VALUES ('B')",
                                    "SELECT no_such_column"};
    static const char b_sql[] = "SELECT count(*) FROM notes WHERE who = 'B'";
    struct block blocks[2];
    int refused = 0, halves;

    open_conn(app);
    for (int i = 0; i < PAIRS; i++) {
        (void)ask(app, "BEGIN", false);
        refused += ask(app, "BEGIN", false) != 0;
        (void)ask(app, a[0], false);
        (void)ask(app, b[0], false);
        (void)ask(app, "COMMIT", false);
        (void)ask(app, "ROLLBACK", false);
    }
    asq_conn_close_wait(&app->conn);
    halves = look(app, b_sql);
    open_conn(app);
    for (int i = 0; i < PAIRS; i++) {
        start_block(app, &blocks[0], a);
        start_block(app, &blocks[1], b);
        (void)end_block(app, &blocks[0]);
        (void)end_block(app, &blocks[1]);
    }
    asq_conn_close_wait(&app->conn);
    asq_claim_set(
        asq_stage_claim(&app->stage), "shared-connection-tx",
        refused > 0 || halves > 0 ? "wrong" : "holds",
        (double)halves / (double)PAIRS,
        "Two blocks at once, %d times: the second BEGIN failed in %s, and\nin "
        "%s the first one's COMMIT kept the row that the second one\nwanted to "
        "undo; through tx, in %s.",
        PAIRS, asq_claim_count(refused, PAIRS).text,
        asq_claim_count(halves, PAIRS).text,
        asq_claim_count(look(app, b_sql), PAIRS).text);
}

static void take_list(struct asq_transfer_list *list, int status)
{
    ((struct app *)list->data)->status = status;
}

/* Returns whether the module makes it. */
static bool is_made(struct app *app, const struct asq_transfer *transfer)
{
    struct asq_transfer_list list;

    asq_transfer_init(&list);
    list.data = app;
    list.transfers = transfer;
    list.count = 1;
    app->status = asq_transfer_start(&list, &app->conn, take_list);
    asq_stage_turn(&app->stage); /* until it is answered */
    asq_transfer_destroy(&list);
    return app->status == 0;
}

/* Returns whether two updates in a transaction make it. */
static bool is_made_by_two(struct app *app, const struct asq_transfer *transfer)
{
    char sql[256];
    int rc;

    (void)snprintf(sql, sizeof sql,
                   "UPDATE accounts SET balance_cents = balance_cents - %d"
                   " WHERE id = %d;"
                   "UPDATE accounts SET balance_cents = balance_cents + %d"
                   " WHERE id = %d",
                   (int)transfer->cents, (int)transfer->from,
                   (int)transfer->cents, (int)transfer->to);
    open_db(app);
    rc = asq_db_script(&app->db, sql, NULL);
    (void)asq_db_close(&app->db); /* every statement was released */
    return rc == 0;
}

/* "Two updates in a transaction are a safe transfer." */
static void transfer_checks(struct app *app)
{
    static const struct asq_transfer bad[BAD] = {
        {1, 2, -50}, {1, 1, 50}, {9, 2, 50}, {1, 9, 50}, {1, 2, 500}};
    int by_two = 0, by_list = 0, sums = 0;
    double tenths = 0;

    for (int i = 0; i < BAD; i++) {
        open_conn(app);
        by_list += is_made(app, &bad[i]);
        asq_conn_close_wait(&app->conn);
        if (look(app, moved_sql))
            asq_stage_fail(&app->stage, "what was refused has moved money");
        by_two += is_made_by_two(app, &bad[i]);
        sums += look(app, moved_sql);
    }
    for (int i = 0; i < 10; i++)
        tenths += 0.1;
    asq_claim_set(
        asq_stage_claim(&app->stage), "transfer-checks",
        by_two > 0 ? "wrong" : "holds", (double)by_two / (double)BAD,
        "Two updates made %s bad transfers, and %s changed the sum of "
        "all\nmoney; the list made %s. Ten times 0.1 as a double %s 1.",
        asq_claim_count(by_two, BAD).text, asq_claim_count(sums, BAD).text,
        asq_claim_count(by_list, BAD).text, tenths < 1 ? "is not" : "is");
}

/* Asked while a statement waits for a lock; three times is enough. */
static int count_wait(void *data)
{
    struct app *app = data;

    app->waits += app->db.waiting;
    return app->waits >= 3;
}

/* Begins, reads and writes; another connection runs meanwhile after the read,
 * or before all if it is early. Returns what the write came to. */
static int write_after(struct app *app,
                       const char *begin,
                       const char *meanwhile,
                       bool early)
{
    struct asq_profile profile = asq_profile_default(app->stage.path);
    struct asq_db *db = &app->db, other;
    int rc, other_rc = asq_db_open(&other, &profile);

    open_db(app);
    (void)asq_db_watch(db, count_wait, app); /* the db is this thread's */
    if (early && other_rc == 0)
        other_rc = asq_db_run(&other, meanwhile, NULL, NULL);
    rc = asq_db_run(db, begin, NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(db, notes_sql, NULL, NULL);
    if (!early && other_rc == 0)
        other_rc = asq_db_run(&other, meanwhile, NULL, NULL);
    if (rc == 0)
        rc = asq_db_run(db, "INSERT INTO notes VALUES ('A')", NULL, NULL);
    if (other_rc != 0)
        asq_stage_fail(&app->stage, asq_db_message(&other));
    (void)asq_db_close(&other); /* rolls back */
    (void)asq_db_close(db);
    return rc;
}

/* "'Database is locked': WAL, or a longer timeout." */
static void deferred_upgrade(struct app *app)
{
    static const char immediate[] = "BEGIN IMMEDIATE";
    int committed, writing, waits;

    make_tables(app);
    committed =
        write_after(app, "BEGIN", "INSERT INTO notes VALUES ('B')", false);
    writing = write_after(app, "BEGIN", immediate, false);
    waits = app->waits;
    app->waits = 0;
    (void)write_after(app, immediate, immediate, true);
    asq_claim_set(
        asq_stage_claim(&app->stage), "deferred-upgrade",
        waits > 0        ? "holds"
        : app->waits > 0 ? "holds if the transaction begins IMMEDIATE"
                         : "wrong",
        waits,
        "In WAL mode with 5 s to wait, a write after a read failed with %d or "
        "%d\nafter %d waits. After BEGIN IMMEDIATE it was ready to wait, %d of "
        "3 times.",
        committed, writing, waits, app->waits);
}

/* "async with db.transaction()". Two updates, the second one is refused. */
static void db_transaction(struct app *app)
{
    static const char *const sql[] = {
        "UPDATE accounts SET balance_cents = balance_cents - 50 WHERE id = 1",
        "UPDATE accounts SET balance_cents = balance_cents + 5000"
        " WHERE id = 2"};
    struct block block;
    int halves, halves_of_tx;

    open_conn(app);
    (void)ask(app, sql[0], false);
    (void)ask(app, sql[1], false);
    asq_conn_close_wait(&app->conn);
    halves = look(app, moved_sql);
    open_conn(app);
    start_block(app, &block, sql);
    halves_of_tx = end_block(app, &block) == 0;
    asq_conn_close_wait(&app->conn);
    halves_of_tx += look(app, moved_sql);
    asq_claim_set(
        asq_stage_claim(&app->stage), "db-transaction",
        halves_of_tx > 0 ? "wrong"
        : halves > 0     ? "holds if there is such a block"
                         : "holds",
        halves_of_tx,
        "Of two updates the second was refused: as two requests they %s left "
        "half\ndone, as a block of tx they %s.",
        halves > 0 ? "were" : "were not",
        halves_of_tx > 0 ? "were" : "were not");
}

/* "INSERT … RETURNING, fetchone, commit." */
static void returning_unfinished(struct app *app)
{
    static const char sql[] = "INSERT INTO notes VALUES ('A') RETURNING who";
    struct asq_stmt *stmt = NULL;
    int step, first, second;

    make_tables(app);
    open_db(app);
    if (asq_db_run(&app->db, "BEGIN", NULL, NULL) != 0 ||
        asq_stmt_prepare(&app->db, sql, ASQ_WHOLE_TEXT, &stmt) != 0)
        asq_stage_fail(&app->stage, asq_db_message(&app->db));
    step = asq_stmt_step(stmt);
    first = asq_db_run(&app->db, "COMMIT", NULL, NULL);
    asq_stmt_release(stmt);
    second = asq_db_run(&app->db, "COMMIT", NULL, NULL);
    (void)asq_db_close(&app->db); /* every statement was released */
    asq_claim_set(
        asq_stage_claim(&app->stage), "returning-unfinished",
        second != 0  ? "wrong"
        : first == 0 ? "holds"
                     : "holds if the statement is finished first",
        first == 0,
        "With its row read (step returned %d) but the statement not reset, "
        "COMMIT\nreturned %d; after the reset it returned %d, and the row %s "
        "there.",
        step, first, second, look(app, notes_sql) == 1 ? "was" : "was not");
}

int main(int argc, char **argv)
{
    struct app app = {
        .stage = {.options = {.program = "build/07-transactions-claims",
                              .about = "Measures the claims of lesson 07.",
                              .requests = 1}},
    };
    int status = asq_stage_open(&app.stage, argc, argv);

    if (status >= 0)
        return status;
    asq_request_init(&app.request);
    app.request.data = &app;
    rollback_on_exception(&app);
    shared_connection_tx(&app);
    transfer_checks(&app);
    deferred_upgrade(&app);
    db_transaction(&app);
    returning_unfinished(&app);
    asq_request_destroy(&app.request);
    return asq_stage_close(&app.stage, 0);
}
