/* shop - the connections of the tests, and what goes wrong there
 *
 * SQLite tells the test what the connections of the code under test compile
 * (authorizer), which statement they begin (trace) and which row they write
 * (triggers): each of these is a step. There a test can make it fail, kill the
 * process, or let others act. One thread.
 */
#ifndef SHOP_H
#define SHOP_H

#include "tables.h"

#include "grader/leaks.h"

#include <signal.h>

/* ---- Steps ----------------------------------------------------------------
 */

static inline bool has_failed(const struct fixture *f)
{
    return f->fault != NULL && f->countdown <= 0;
}

/* Counts a step. Returns whether it is the one that fails. */
static inline bool
fails_here(struct fixture *f, const char *step, const char *a, const char *b)
{
    if (f->countdown <= 0 || --f->countdown > 0)
        return false;
    (void)snprintf(f->what, sizeof f->what, "%s: %s%s%s%s%.60s", f->fault->what,
                   step, step[0] != '\0' && a != NULL ? " " : "",
                   a != NULL ? a : "", b != NULL ? " " : "",
                   b != NULL ? b : "");
    if (f->fault->kind == KILLED) {
        /* A test that reads nothing says so. */
        (void)!write(f->told, f->what, strlen(f->what));
        (void)raise(SIGKILL);
    }
    return true;
}

static inline bool is_fault(const struct fixture *f, enum fault_kind kind)
{
    return f->fault != NULL && f->fault->kind == kind;
}

static inline int on_compile(void *data,
                             int action,
                             const char *first,
                             const char *second,
                             const char *database,
                             const char *inside)
{
    struct fixture *f = data;
    const char *step = action == SQLITE_INSERT   ? "INSERT INTO"
                       : action == SQLITE_UPDATE ? "UPDATE"
                       : action == SQLITE_DELETE ? "DELETE FROM"
                       : action == SQLITE_SELECT ? "SELECT"
                       : action == SQLITE_READ   ? "reading"
                                                 : "";

    (void)database;
    if (inside != NULL || !is_fault(f, NOT_COMPILED) ||
        (action == SQLITE_TRANSACTION && strcmp(first, "ROLLBACK") == 0))
        return SQLITE_OK; /* a trigger is the test's; nothing helps then */
    return fails_here(f, step, first, second) ? SQLITE_DENY : SQLITE_OK;
}

/* In a trigger, at a row: 1 makes the trigger roll back. */
static inline void
on_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    const char *row = (const char *)sqlite3_value_text(argv[0]);

    (void)argc;
    sqlite3_result_int(context, 0);
    if (!is_fault(f, ROW_FAILS) && !is_fault(f, ROW_UNDOES) &&
        !is_fault(f, KILLED))
        return;
    if ((f->fault->only != NULL && strcmp(f->fault->only, row) != 0) ||
        !fails_here(f, row, NULL, NULL))
        return;
    if (f->fault->kind == ROW_UNDOES)
        sqlite3_result_int(context, 1);
    else
        sqlite3_result_error_code(context, f->fault->code);
}

/* How steps fail. Two of the codes with which rows fail are drawn, so they are
 * in no list. */
static inline void draw_faults(struct fault faults[static FAULTS])
{
    static const int kept[] = {SQLITE_MISUSE,        SQLITE_READONLY,
                               SQLITE_LOCKED,        SQLITE_BUSY_SNAPSHOT,
                               SQLITE_CORRUPT_INDEX, SQLITE_MISMATCH,
                               SQLITE_PERM,          SQLITE_ERROR | 88 << 8};
    static const int undone[] = {SQLITE_INTERRUPT, SQLITE_IOERR_WRITE,
                                 SQLITE_IOERR_FSYNC, SQLITE_IOERR | 99 << 8};

    faults[0] =
        (struct fault){.what = "a step is not compiled", .kind = NOT_COMPILED};
    faults[1] = (struct fault){
        .what = "a row fails", .kind = ROW_FAILS, .code = SQLITE_ERROR};
    faults[2] = (struct fault){.what = "a row fails",
                               .kind = ROW_FAILS,
                               .code = kept[test_seed() % 8]};
    faults[3] = (struct fault){.what = "a row fails and SQLite rolls back",
                               .kind = ROW_FAILS,
                               .code = undone[test_seed() % 4],
                               .undone = true};
    faults[4] = (struct fault){.what = "a row rolls back everything",
                               .kind = ROW_UNDOES,
                               .code = SQLITE_CONSTRAINT_TRIGGER,
                               .undone = true};
}

/* A statement is about to begin. */
static inline int
on_statement(unsigned type, void *data, void *stmt, void *text)
{
    struct fixture *f = data;
    const char *sql = text;

    (void)type;
    if (strncmp(sql, "--", 2) == 0)
        return 0; /* a trigger begins */
    if (is_fault(f, KILLED))
        (void)fails_here(f, "before", sql, NULL);
    if (f->intrude != NULL && !f->intruding) {
        f->intruding = true;
        f->intrude(f, sqlite3_db_handle(stmt), sql);
        f->intruding = false;
    }
    return 0;
}

static inline void
add_trigger(sqlite3 *db, const char *event, const char *table)
{
    do_sql(db,
           "CREATE TEMP TRIGGER row_%s_%s BEFORE %s ON main.%s BEGIN"
           " SELECT CASE WHEN on_row('%s of %s') THEN RAISE(ROLLBACK, 'undone')"
           " END; END",
           event, table, event, table, event, table);
}

/* Each parcel to Orphan breaks a constraint that COMMIT checks. */
static const char orphans[] =
    "PRAGMA foreign_keys = ON;"
    "CREATE TEMP TABLE parents (id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE orphans (parent INTEGER REFERENCES parents (id)"
    " DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TEMP TRIGGER orphan AFTER INSERT ON main.parcels"
    " WHEN new.recipient = 'Orphan' BEGIN"
    " INSERT INTO orphans VALUES (1); END";

static inline void watch(struct fixture *f, sqlite3 *db)
{
    CHECK_INT(sqlite3_create_function(db, "on_row", 1, SQLITE_UTF8, f, on_row,
                                      NULL, NULL),
              SQLITE_OK);
    if (db == f->shop) {
        add_trigger(db, "INSERT", "outbox");
        add_trigger(db, "UPDATE", "outbox");
        add_trigger(db, "DELETE", "outbox");
    } else {
        add_trigger(db, "INSERT", "received");
        add_trigger(db, "DELETE", "received");
        add_trigger(db, "INSERT", "parcels");
        add_trigger(db, "DELETE", "parcels");
        raw_do(db, orphans);
    }
    CHECK_INT(sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, f),
              SQLITE_OK);
    CHECK_INT(sqlite3_set_authorizer(db, on_compile, f), SQLITE_OK);
}

/* ---- Opening and closing --------------------------------------------------
 */

static inline sqlite3 *open_one(const char *name)
{
    sqlite3 *db = raw_open(test_path(name));

    CHECK_INT(sqlite3_busy_timeout(db, 0), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(db, 1), SQLITE_OK);
    raw_do(db, "PRAGMA synchronous = OFF");
    return db;
}

static inline int deliver_to_test(struct ex_relay *relay,
                                  const struct ex_message *message);

static inline void open_all(struct fixture *f)
{
    f->shop = open_one("shop.db");
    f->others = open_one("shop.db");
    f->warehouse = open_one("warehouse.db");
    f->outside = open_one("warehouse.db");
    watch(f, f->shop);
    watch(f, f->warehouse);
    f->relay.db = f->shop;
}

/* Closes what the code under test has left open, too. */
static inline void close_one(sqlite3 *db)
{
    sqlite3_stmt *stmt;

    while ((stmt = sqlite3_next_stmt(db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* its error is old */
    raw_close(db);
}

static inline void close_all(struct fixture *f)
{
    close_one(f->shop);
    close_one(f->others);
    close_one(f->warehouse);
    close_one(f->outside);
}

static inline void empty(struct fixture *f)
{
    f->fault = NULL;
    raw_do(f->others, "DELETE FROM outbox; DELETE FROM orders;"
                      "DELETE FROM notes; DELETE FROM sqlite_sequence");
    raw_do(f->outside, "DELETE FROM received; DELETE FROM parcels");
    f->delivered = 0;
    f->answer = 0;
    f->meanwhile = NULL;
    f->relay.now_ms = 1000;
}

static inline void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    raw_run(test_path("shop.db"), "PRAGMA journal_mode = WAL");
    raw_run(test_path("shop.db"), shop_schema);
    raw_run(test_path("warehouse.db"), "PRAGMA journal_mode = WAL");
    raw_run(test_path("warehouse.db"), warehouse_schema);
    f->relay = (struct ex_relay){.data = f,
                                 .now_ms = 1000,
                                 .lease_ms = LEASE,
                                 .pause_ms = PAUSE,
                                 .attempts_max = ATTEMPTS,
                                 .deliver = deliver_to_test};
    open_all(f);
}

static inline void tear_down(void *data)
{
    close_all(data);
}

/* What a function has left open on db. open: the caller's transaction stays. */
static inline void expect_closed(sqlite3 *db, const char *what, bool open)
{
    char text[TEXT_SIZE];

    test_cause("one way out of the function skips sqlite3_finalize");
    if (sqlite3_next_stmt(db, NULL) != NULL)
        test_wrong("no statement of its own is open", "one is, after: %s",
                   what);
    test_cause(open ? "COMMIT and ROLLBACK belong to the caller"
                    : "one way out of the function does not end the "
                      "transaction");
    (void)snprintf(text, sizeof text, "%s: %s", what,
                   open ? "the caller's transaction is still open"
                        : "no transaction is open");
    if (!sqlite3_get_autocommit(db) != open)
        test_wrong(text, open ? "it is not" : "one is");
    test_cause(NULL);
}

/* Begins to read, as the caller's own statement. */
static inline sqlite3_stmt *begin_own(sqlite3 *db)
{
    sqlite3_stmt *own;

    CHECK_INT(
        sqlite3_prepare_v2(db, "SELECT * FROM sqlite_schema", -1, &own, NULL),
        SQLITE_OK);
    CHECK_INT(sqlite3_step(own), SQLITE_ROW);
    return own;
}

/* Nothing but that statement is open, and it can be read on. */
static inline void end_own(sqlite3 *db, sqlite3_stmt *own)
{
    if (sqlite3_next_stmt(db, NULL) != own ||
        sqlite3_next_stmt(db, own) != NULL || !sqlite3_stmt_busy(own))
        test_wrong("the statement that the caller is reading is left alone",
                   "it was reset or finalized, or another one is left");
    CHECK_INT(sqlite3_finalize(own), SQLITE_OK);
}

/* Takes away what a function has left open, in tests that do not judge it. */
static inline void take_away(sqlite3 *db)
{
    sqlite3_stmt *stmt;

    while ((stmt = sqlite3_next_stmt(db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* its error is old */
    if (!sqlite3_get_autocommit(db))
        raw_do(db, "ROLLBACK");
}

#endif
