/* campaign_work - what a campaign asks of its connections
 *
 * The kinds of requests, the functions that run on the worker, and how one is
 * submitted. What a function has committed or left open it notes itself.
 */
#ifndef TESTS_CAMPAIGN_WORK_H
#define TESTS_CAMPAIGN_WORK_H

#include "campaign_fixture.h"

enum {
    SLOTS = 8, /* of a connection */
    HOLDERS = 2,
    HANDS = 3, /* requests of a hold at a time */
    BULK = 300
};

enum kind {
    READ,
    READ_KEYS,
    SET_KEYS,
    INSERT,
    INSERT_BULK,
    READ_ENDLESS,
    SCRIPT,
    SCRIPT_BAD,
    SCRIPT_ENDLESS,
    SHORT_ONES,
    TRANSACTION,
    LEAVE_TRANSACTION,
    LEAVE_BEGIN,
    LEAVE_WRITE,
    LEAVE_READ,
    LEAVE_RAW,
    LEAVE_BLOB,
    CHECKPOINT,
    /* under a hold */
    FETCH,
    HALF_WRITE,
    UNDO,
    BEGIN,
    STEP,
    STEP_BULK,
    STEP_SCRIPT,
    ROLLBACK,
    COMMIT,
    KINDS
};

static const char *const kind_names[KINDS] = {
    [READ] = "read",
    [READ_KEYS] = "read of foreign_keys",
    [SET_KEYS] = "PRAGMA foreign_keys",
    [INSERT] = "insert",
    [INSERT_BULK] = "insert of many rows",
    [READ_ENDLESS] = "endless read",
    [SCRIPT] = "script",
    [SCRIPT_BAD] = "script that fails",
    [SCRIPT_ENDLESS] = "script that does not end",
    [SHORT_ONES] = "function of short statements",
    [TRANSACTION] = "function that commits",
    [LEAVE_TRANSACTION] = "transaction left by a function",
    [LEAVE_BEGIN] = "transaction left by BEGIN",
    [LEAVE_WRITE] = "write left half stepped",
    [LEAVE_READ] = "read left open",
    [LEAVE_RAW] = "raw statement",
    [LEAVE_BLOB] = "blob handle",
    [CHECKPOINT] = "checkpoint",
    [FETCH] = "hold that fetches",
    [HALF_WRITE] = "hold with a write half stepped",
    [BEGIN] = "hold with a transaction",
};

struct holder;

struct slot {
    struct asq_request request;
    struct side *side;
    struct holder *holder; /* NULL: it is under no hold */
    enum kind kind;
    unsigned unit;
    unsigned many; /* rows to be written */
    struct asq_value number;
    struct asq_params params;
    char sql[240];
    bool timed, cancelled;
    unsigned rows; /* the worker's: that it has committed */
    bool leaves;   /* the worker's: it has left something open */
};

/* A hold, and what is done under it. What the functions under it know is the
 * worker's until all is answered. */
struct holder {
    struct asq_hold hold;
    struct side *side;
    struct slot hands[HANDS];
    enum kind plan;
    unsigned unit, steps, unanswered;
    bool active, ended, forgotten;
    struct asq_stmt *stmt;
    int64_t last; /* row that was fetched */
    bool in_transaction;
    bool undone;                 /* stmt, by another one */
    unsigned pending, committed; /* rows */
};

static struct slot slots[SIDES][SLOTS];
static struct holder holders[SIDES][HOLDERS];
static const char insert_sql[] = "INSERT INTO rows VALUES (?1)";

static struct slot *slot_of(struct asq_request *request)
{
    return ASQ_CONTAINER_OF(request, struct slot, request);
}

/* Functions, on the worker */

static int short_ones(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    int rc = 0;

    while (slot->rows < slot->many && rc == 0) {
        rc = asq_db_run(db, insert_sql, &slot->params, NULL);
        slot->rows += rc == 0;
    }
    return rc;
}

static int transaction(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    int rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);

    for (unsigned i = 0; i < slot->many && rc == 0; i++)
        rc = asq_db_run(db, insert_sql, &slot->params, NULL);
    if (rc == 0)
        rc = asq_db_run(db, "COMMIT", NULL, NULL);
    if (rc == 0)
        slot->rows = slot->many;
    if (asq_db_in_transaction(db))
        (void)asq_db_run(db, "ROLLBACK", NULL, NULL); /* it is looked at */
    return rc;
}

/* Returns rc, having counted what is left open. */
static int leave(struct asq_db *db, struct slot *slot, int rc)
{
    struct asq_left_open *left = &slot->side->left_by_calls;

    left->transactions += asq_db_in_transaction(db);
    left->statements += db->open_statements;
    slot->leaves = asq_db_in_transaction(db) || db->open_statements > 0;
    return rc;
}

static int leave_transaction(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    int rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);

    if (rc == 0)
        rc = asq_db_run(db, insert_sql, &slot->params, NULL);
    return leave(db, slot, rc);
}

static int leave_statement(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(
        db,
        slot->kind == LEAVE_READ
            ? "SELECT id FROM base WHERE id <> ?1"
            : "INSERT INTO rows VALUES (?1), (?1), (?1) RETURNING n",
        ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0)
        rc = asq_stmt_bind(stmt, &slot->params);
    if (rc == 0 && slot->many != 0)
        rc = asq_stmt_step(stmt);
    return leave(db, slot, rc == SQLITE_ROW ? 0 : rc);
}

/* The first one leaves it in the middle of its run, the next one ends it. */
static int leave_raw(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    sqlite3_stmt **raw = &slot->side->raw;
    int rc;

    if (*raw != NULL) {
        (void)sqlite3_finalize(*raw); /* repeats an error of before */
        *raw = NULL;
        return 0;
    }
    rc = sqlite3_prepare_v2(asq_db_handle(db), "SELECT id FROM base", -1, raw,
                            NULL);
    if (rc == 0)
        rc = sqlite3_step(*raw);
    slot->leaves = rc == SQLITE_ROW;
    slot->side->left_by_calls.statements += slot->leaves;
    return rc == SQLITE_ROW ? 0 : rc;
}

static int leave_blob(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    sqlite3_blob **blob = &slot->side->blob;
    int rc;

    if (*blob != NULL) {
        CHECK_INT(sqlite3_blob_close(*blob), SQLITE_OK);
        *blob = NULL;
        return 0;
    }
    rc = sqlite3_blob_open(asq_db_handle(db), "main", "texts", "v", 1, 0, blob);
    slot->leaves = rc == 0;
    slot->side->left_by_calls.handles += slot->leaves;
    return rc;
}

/* Functions under a hold */

/* Seven rows at a time. Whatever becomes of others, they come in order and
 * without a gap. */
static int fetch(struct asq_db *db, struct asq_request *request)
{
    struct holder *holder = slot_of(request)->holder;
    int rc = 0;

    if (holder->stmt == NULL) {
        holder->last = 0;
        rc = asq_stmt_prepare(db, "SELECT id, v FROM base ORDER BY id",
                              ASQ_WHOLE_TEXT, &holder->stmt);
        if (rc != 0)
            return rc;
    }
    for (int i = 0; i < 7; i++) {
        rc = asq_stmt_step(holder->stmt);
        if (rc != SQLITE_ROW)
            break;
        holder->last++;
        CHECK_INT(asq_stmt_value(holder->stmt, 0).as.int64, holder->last);
        CHECK_INT(asq_stmt_value(holder->stmt, 1).as.int64, holder->last * 7);
    }
    if (rc == SQLITE_ROW)
        return 0;
    CHECK(rc != SQLITE_DONE || holder->last == BASE);
    asq_stmt_release(holder->stmt);
    holder->stmt = NULL;
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Begins a write, or takes it to its end. */
static int half_write(struct asq_db *db, struct asq_request *request)
{
    struct slot *slot = slot_of(request);
    struct holder *holder = slot->holder;
    int rc = 0;

    if (holder->stmt == NULL) {
        rc = asq_stmt_prepare(db,
                              "INSERT INTO rows VALUES (?1), (?1), (?1) "
                              "RETURNING n",
                              ASQ_WHOLE_TEXT, &holder->stmt);
        if (rc == 0)
            rc = asq_stmt_bind(holder->stmt, &slot->params);
        if (rc == 0)
            rc = asq_stmt_step(holder->stmt);
        holder->undone = false;
        if (rc == SQLITE_ROW)
            return 0;
    }
    while (rc == 0 || rc == SQLITE_ROW)
        rc = asq_stmt_step(holder->stmt);
    CHECK(!holder->undone || rc == SQLITE_ABORT_ROLLBACK);
    holder->committed += rc == SQLITE_DONE ? 3 : 0;
    asq_stmt_release(holder->stmt);
    holder->stmt = NULL;
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Fails, and undoes all that is not committed. */
static int undo(struct asq_db *db, struct asq_request *request)
{
    struct holder *holder = slot_of(request)->holder;
    int rc =
        asq_db_run(db, "INSERT OR ROLLBACK INTO taken VALUES (1)", NULL, NULL);

    holder->undone = holder->undone || (holder->stmt != NULL &&
                                        rc == SQLITE_CONSTRAINT_PRIMARYKEY);
    return rc;
}

static int run_step(struct asq_db *db, struct slot *slot)
{
    static const char bulk[] =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
        "SELECT x + 1 FROM n WHERE x < 300) INSERT INTO rows SELECT ?1 FROM n";

    switch (slot->kind) {
    case BEGIN:
        return asq_db_run(db, slot->many % 2 == 0 ? "BEGIN IMMEDIATE" : "BEGIN",
                          NULL, NULL);
    case STEP:
        return asq_db_run(db, insert_sql, &slot->params, NULL);
    case STEP_BULK:
        return asq_db_run(db, bulk, &slot->params, NULL);
    case STEP_SCRIPT:
        return asq_db_script(db, slot->sql, NULL);
    case ROLLBACK:
        return asq_db_run(db, "ROLLBACK", NULL, NULL);
    default:
        return asq_db_run(db, "COMMIT", NULL, NULL);
    }
}

static int step(struct asq_db *db, struct asq_request *request)
{
    static const unsigned rows[KINDS] = {
        [STEP] = 1, [STEP_BULK] = BULK, [STEP_SCRIPT] = 3};
    struct slot *slot = slot_of(request);
    struct holder *holder = slot->holder;
    int rc;

    CHECK_INT(asq_db_in_transaction(db), holder->in_transaction);
    rc = run_step(db, slot);
    holder->in_transaction = asq_db_in_transaction(db);
    if (rc == 0)
        holder->pending += rows[slot->kind];
    if (rc == 0 && !holder->in_transaction && slot->kind != ROLLBACK)
        holder->committed += holder->pending;
    if (!holder->in_transaction)
        holder->pending = 0;
    return rc;
}

/* Submitting */

static const asq_call_cb calls[KINDS] = {
    [SHORT_ONES] = short_ones,
    [TRANSACTION] = transaction,
    [LEAVE_TRANSACTION] = leave_transaction,
    [LEAVE_WRITE] = leave_statement,
    [LEAVE_READ] = leave_statement,
    [LEAVE_RAW] = leave_raw,
    [LEAVE_BLOB] = leave_blob,
    [FETCH] = fetch,
    [HALF_WRITE] = half_write,
    [UNDO] = undo,
    [BEGIN] = step,
    [STEP] = step,
    [STEP_BULK] = step,
    [STEP_SCRIPT] = step,
    [ROLLBACK] = step,
    [COMMIT] = step,
};

static void take_answer(struct asq_request *request, int status);

static void write_script(struct slot *slot)
{
    const char *before = "INSERT INTO rows VALUES (", *after = ")";

    if (slot->kind == SCRIPT_BAD) {
        before = "INSERT INTO taken VALUES (1) /* ";
        after = "*/";
    } else if (slot->kind == SCRIPT_ENDLESS) {
        before = "WITH RECURSIVE n(x) AS (SELECT ";
        after = " UNION ALL SELECT x FROM n) "
                "INSERT INTO rows SELECT x FROM n WHERE x = 0";
    }
    (void)snprintf(slot->sql, sizeof slot->sql,
                   "INSERT INTO rows VALUES (%u);"
                   "INSERT INTO rows VALUES (%u); %s%u%s",
                   slot->unit, slot->unit, before, slot->unit, after);
}

static const char *sql_of(const struct slot *slot)
{
    switch (slot->kind) {
    case READ:
        return "SELECT v FROM base WHERE id = 1 + ?1 % 100";
    case READ_KEYS:
        return "SELECT foreign_keys FROM pragma_foreign_keys WHERE ?1";
    case INSERT:
        return insert_sql;
    case INSERT_BULK:
        return "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
               "WHERE x < 300) INSERT INTO rows SELECT ?1 FROM n";
    default:
        return "WITH RECURSIVE n(x) AS (SELECT ?1 UNION ALL SELECT x + 1 "
               "FROM n) SELECT max(x) FROM n";
    }
}

static int submit_kind(struct slot *slot)
{
    struct asq_conn *conn = &slot->side->conn;
    struct asq_request *request = &slot->request;
    static const int modes[] = {SQLITE_CHECKPOINT_PASSIVE,
                                SQLITE_CHECKPOINT_FULL,
                                SQLITE_CHECKPOINT_TRUNCATE};

    switch (slot->kind) {
    case SCRIPT:
    case SCRIPT_BAD:
    case SCRIPT_ENDLESS:
        return asq_conn_script(conn, request, slot->sql, take_answer);
    case SET_KEYS:
        return asq_conn_run(conn, request,
                            slot->many % 2 == 0 ? "PRAGMA foreign_keys = 0"
                                                : "PRAGMA foreign_keys = 1",
                            NULL, take_answer);
    case LEAVE_BEGIN:
        return asq_conn_run(conn, request, "BEGIN IMMEDIATE", NULL,
                            take_answer);
    case CHECKPOINT:
        return asq_conn_checkpoint(conn, request,
                                   modes[slot->timed ? slot->many % 3 : 0],
                                   take_answer);
    default:
        return calls[slot->kind] != NULL
                   ? asq_conn_call(conn, request, calls[slot->kind],
                                   take_answer)
                   : asq_conn_run(conn, request, sql_of(slot), &slot->params,
                                  take_answer);
    }
}

/* Asks for one more of this kind. Returns whether it is under way. */
static bool submit(struct slot *slot, enum kind kind, unsigned unit)
{
    struct asq_request *request = &slot->request;
    int rc;

    if (slot->side->shut)
        return false;
    slot->kind = kind;
    slot->unit = unit;
    slot->many = draw(30) == 0 ? draw(2000) : draw(40);
    slot->number = asq_int64(unit);
    slot->params = (struct asq_params){.values = &slot->number, .count = 1};
    slot->timed =
        kind == READ_ENDLESS || kind == SCRIPT_ENDLESS || draw(10) == 0;
    slot->cancelled = false;
    slot->rows = 0;
    slot->leaves = false;
    request->timeout_ms = slot->timed ? 1 + draw(4) : 0;
    request->priority =
        draw(8) == 0 ? ASQ_PRIORITY_URGENT : ASQ_PRIORITY_NORMAL;
    write_script(slot);
    if (kind == LEAVE_BLOB)
        slot->side->has_blob = true;
    all.inside = true;
    rc = submit_kind(slot);
    all.inside = false;
    CHECK_INT(rc, 0);
    return true;
}

#endif
