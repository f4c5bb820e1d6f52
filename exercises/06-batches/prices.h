/* prices - the table of the tests of 06-batches, what goes wrong in it, and
 * what a run must leave
 *
 * `db` is the connection of the code under test, `other` is everybody else: it
 * looks at what is committed, reads or writes. A trigger of db calls on_row for
 * each row, where a test can make something go wrong. Everything happens on one
 * thread.
 */
#ifndef PRICES_H
#define PRICES_H

#include "ex_upsert.h"

#include "grader/raw_db.h"
#include "grader/refusal.h"
#include "grader/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    ROWS = 40,
    NAME_SIZE = 80,
    TEXT_SIZE = 200,
    CHUNK = 8, /* rows in a chunk, where something goes wrong */
    /* What goes wrong, apart from a row that fails with a code: */
    ROLLED_BACK = -1, /* a row rolls back the transaction */
    READER = -2,      /* another connection reads when COMMIT comes */
    WRITER = -3,      /* another connection writes when BEGIN comes */
    ORPHAN = -4       /* a row breaks a constraint that COMMIT checks */
};

static const char schema[] =
    "CREATE TABLE prices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " cents INTEGER NOT NULL CHECK (cents > 0)) STRICT;"
    "CREATE TABLE notes (note INTEGER);";

static const char fast[] =
    "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY";

static const char of_connection[] =
    "PRAGMA foreign_keys = ON;"
    "CREATE TEMP TABLE parents (id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE orphans (parent INTEGER REFERENCES parents (id)"
    " DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TEMP TRIGGER row BEFORE INSERT ON main.prices BEGIN"
    " SELECT CASE on_row(new.name) WHEN 1 THEN RAISE(ROLLBACK, 'undone') END;"
    " INSERT INTO orphans SELECT 1 WHERE is_orphan(new.name); END";

/* What goes wrong in a run. */
struct fault {
    const char *what;
    int kind;    /* the code of the row, or one of the above */
    int code;    /* what ex_upsert returns */
    size_t row;  /* where it happens */
    size_t kept; /* rows of the chunks before it */
};

struct fixture {
    sqlite3 *db;
    sqlite3 *other;
    sqlite3_stmt *own; /* a statement of the caller, on db */
    struct ex_price rows[ROWS];
    char names[ROWS][NAME_SIZE];
    struct ex_bad_row bad[ROWS];
    struct ex_upsert_report report;
    const struct fault *fault; /* or NULL */
    bool missed;               /* the fault did not happen */
    int commits;               /* in this run */
    bool looks;                /* others read at each row */
    int refused;               /* how often they could not */
    bool writes;               /* others write whenever db has nothing open */
    int written;               /* how often they could */
};

/* Returns what others read in this column of the item, or -1 if it does not
 * exist. */
static inline int64_t
read_item(struct fixture *f, const char *column, const char *name)
{
    sqlite3_stmt *stmt;
    char sql[TEXT_SIZE];
    int64_t number = -1;

    (void)snprintf(sql, sizeof sql, "SELECT %s FROM prices WHERE name = ?",
                   column);
    CHECK_INT(sqlite3_prepare_v2(f->other, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return number;
}

static inline bool fails_here(const struct fixture *f, sqlite3_value *value)
{
    const char *name = (const char *)sqlite3_value_text(value);

    return f->fault != NULL && name != NULL && f->fault->row < ROWS &&
           strcmp(name, f->names[f->fault->row]) == 0;
}

static inline int try_other(struct fixture *f, const char *sql)
{
    return sqlite3_exec(f->other, sql, NULL, NULL, NULL);
}

static inline void
on_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    int kind = fails_here(f, argv[0]) ? f->fault->kind : 0;

    (void)argc;
    if (f->looks)
        f->refused += try_other(f, "SELECT count(*) FROM prices") != SQLITE_OK;
    if (kind == READER)
        f->missed =
            try_other(f, "BEGIN; SELECT count(*) FROM prices") != SQLITE_OK;
    if (kind > 0)
        sqlite3_result_error_code(context, kind);
    else
        sqlite3_result_int(context, kind == ROLLED_BACK);
}

static inline void
is_orphan(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)argc;
    sqlite3_result_int(context,
                       fails_here(f, argv[0]) && f->fault->kind == ORPHAN);
}

static inline int on_commit(void *data)
{
    struct fixture *f = data;

    f->commits++;
    return 0;
}

/* Called when a statement of db is about to begin. */
static inline int on_statement(unsigned type, void *data, void *stmt, void *sql)
{
    struct fixture *f = data;

    (void)type, (void)stmt, (void)sql;
    if (f->writes && sqlite3_get_autocommit(f->db))
        f->written += try_other(f, "INSERT INTO notes VALUES (1)") == SQLITE_OK;
    return 0;
}

static inline void
add_function(struct fixture *f,
             const char *name,
             void (*function)(sqlite3_context *, int, sqlite3_value **))
{
    CHECK_INT(sqlite3_create_function(f->db, name, 1, SQLITE_UTF8, f, function,
                                      NULL, NULL),
              SQLITE_OK);
}

static inline void set_up(void *data)
{
    struct fixture *f = data;
    const char *path = test_path("prices.db");

    test_alloc_install();
    for (size_t i = 0; i < ROWS; i++) {
        (void)snprintf(f->names[i], NAME_SIZE, "item %zu", i);
        f->rows[i].name = f->names[i];
        f->rows[i].cents = 10 + (int64_t)((test_seed() + i * 7919) % 1000);
    }
    CHECK_INT(sqlite3_open(path, &f->other), SQLITE_OK);
    raw_do(f->other, fast);
    raw_do(f->other, schema);
    CHECK_INT(sqlite3_open(path, &f->db), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(f->db, 1), SQLITE_OK);
    add_function(f, "on_row", on_row);
    add_function(f, "is_orphan", is_orphan);
    raw_do(f->db, fast);
    raw_do(f->db, of_connection);
    (void)sqlite3_commit_hook(f->db, on_commit, f); /* there was none */
    CHECK_INT(sqlite3_trace_v2(f->db, SQLITE_TRACE_STMT, on_statement, f),
              SQLITE_OK);
    CHECK_INT(
        sqlite3_prepare_v2(f->db, "SELECT 1 FROM prices", -1, &f->own, NULL),
        SQLITE_OK);
}

/* Only the last test judges statements that were left open. */
static inline void tear_down(void *data)
{
    struct fixture *f = data;
    sqlite3_stmt *stmt;

    while ((stmt = sqlite3_next_stmt(f->db, NULL)) != NULL)
        (void)sqlite3_finalize(stmt); /* its error is old */
    CHECK_INT(sqlite3_close(f->db), SQLITE_OK);
    CHECK_INT(sqlite3_close(f->other), SQLITE_OK);
}

/* A run, and what it must lead to */

static inline void
expect(const char *what, const char *noun, int64_t got, int64_t n)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s = %lld", what, noun,
                   (long long)n);
    if (got != n)
        test_wrong(text, "%s = %lld", noun, (long long)got);
}

static inline void expect_code(const char *what, int got, int code)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: ex_upsert returns %s", what,
                   test_code(code));
    if (got != code)
        test_wrong(text, "%s", test_code(got));
}

static inline int run(struct fixture *f, size_t count, size_t chunk)
{
    f->report = (struct ex_upsert_report){f->bad, ROWS, 99, 99, 99};
    f->commits = 0;
    return ex_upsert(f->db, f->rows, count, chunk, &f->report);
}

static inline void
upsert(struct fixture *f, size_t count, size_t chunk, const char *what)
{
    expect_code(what, run(f, count, chunk), 0);
}

static inline void expect_report(
    struct fixture *f, const char *what, size_t settled, size_t bad, size_t n)
{
    expect(what, "settled", (int64_t)f->report.settled, (int64_t)settled);
    expect(what, "bad_count", (int64_t)f->report.bad_count, (int64_t)bad);
    expect(what, "changed", f->report.changed, (int64_t)n);
}

static inline void expect_count(struct fixture *f, const char *what, size_t n)
{
    expect(what, "rows in the table",
           raw_ask(f->other, "SELECT count(*) FROM prices"), (int64_t)n);
}

static inline void roll_back(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        raw_do(db, "ROLLBACK");
}

/* Runs with an empty table, and something goes wrong. Returns whether it could
 * go wrong. */
static inline bool upsert_in_vain(struct fixture *f, const struct fault *fault)
{
    int rc;

    raw_do(f->other, "DELETE FROM prices");
    if (fault->kind == WRITER)
        raw_do(f->other, "BEGIN IMMEDIATE");
    f->fault = fault;
    f->missed = false;
    rc = run(f, ROWS, CHUNK);
    f->fault = NULL;
    if (f->missed)
        return false;
    test_cause("a constraint makes a bad row; every other error ends the run");
    expect_code(fault->what, rc, fault->code);
    test_cause(NULL);
    return true;
}

static inline void expect_all_closed(struct fixture *f, const char *when)
{
    int statements = 0;

    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(f->db, s)) != NULL;)
        statements++;
    if (!sqlite3_get_autocommit(f->db))
        test_wrong("no transaction is open", "one is, after: %s", when);
    test_cause("one way out of the function skips sqlite3_finalize");
    if (statements > 1)
        test_wrong("no statement of its own is open", "one is, after: %s",
                   when);
    test_cause("the caller may have statements of its own");
    if (statements == 0)
        test_wrong("the caller's statement is still there",
                   "it was finalized, after: %s", when);
    test_cause(NULL);
}

#endif
