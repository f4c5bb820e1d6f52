/* tables - the tables of the shop and of the warehouse, and what is in them
 *
 * `shop` and `warehouse` are the connections of the code under test, `others`
 * and `outside` are everybody else at the same files. One thread.
 */
#ifndef TABLES_H
#define TABLES_H

#include "given.h"

#include "grader/random.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum {
    TEXT_SIZE = 512,
    WHAT_SIZE = 160,
    UNTOUCHED = -99,
    LEASE = 500,
    PAUSE = 70,
    ATTEMPTS = 3,
    DELIVERIES_MAX = 64
};

static const char shop_schema[] =
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " recipient TEXT NOT NULL, payload BLOB NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,"
    " due_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE orders (number INTEGER PRIMARY KEY, recipient TEXT NOT NULL,"
    " goods BLOB NOT NULL) STRICT;"
    "CREATE TABLE notes (note INTEGER) STRICT;"; /* the caller's */

static const char warehouse_schema[] =
    "CREATE TABLE received (id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE parcels (number INTEGER PRIMARY KEY, recipient TEXT NOT NULL,"
    " payload BLOB NOT NULL) STRICT;";

/* Everything in one line each. */
static const char outbox_rows[] =
    "SELECT ifnull(group_concat(id || ' to ' || recipient || ' ' ||"
    "  CASE state WHEN 0 THEN 'unsent' WHEN 1 THEN 'sent' WHEN 2 THEN 'dead'"
    "   ELSE 'in state ' || state END || ' (' || attempts || ')' ||"
    "  iif(state = 0 AND due_ms <> 0, ' due at ' || due_ms, ''), ', '),"
    " 'no message') FROM (SELECT * FROM outbox ORDER BY id)";
static const char parcel_rows[] =
    "SELECT ifnull(group_concat(recipient || ' ' || CAST(payload AS TEXT),"
    " ', '), 'no parcel') FROM (SELECT * FROM parcels ORDER BY number)";
static const char received_rows[] =
    "SELECT 'received ' || ifnull(group_concat(id, ', '), 'nothing')"
    " FROM (SELECT * FROM received ORDER BY id)";

enum fault_kind {
    NO_FAULT,
    NOT_COMPILED, /* SQLite refuses to compile a step */
    ROW_FAILS,    /* with the code */
    ROW_UNDOES,   /* and everything is rolled back with it */
    KILLED        /* the process is killed */
};

struct fault {
    const char *what;
    enum fault_kind kind;
    int code;         /* what the function returns; 0: any code of SQLite */
    bool undone;      /* SQLite has rolled back the transaction */
    const char *only; /* at these rows: "INSERT of parcels"; NULL: at all */
};

enum {
    FAULTS = 5
};

/* What deliver was told. */
struct delivery {
    int64_t id, attempt;
};

struct fixture;

typedef void meanwhile_fn(struct fixture *f);
typedef void intrude_fn(struct fixture *f, sqlite3 *db, const char *sql);

struct fixture {
    sqlite3 *shop, *others;
    sqlite3 *warehouse, *outside;
    struct ex_relay relay; /* at shop */
    const struct fault *fault;
    int countdown;        /* steps until it happens */
    char what[WHAT_SIZE]; /* the step that fails, once it has */
    int told;             /* a pipe for what, when the process is killed */
    intrude_fn *intrude; /* at each statement of the code under test, or NULL */
    bool intruding;
    int intrusions;
    struct delivery deliveries[DELIVERIES_MAX];
    int delivered;
    int answer;              /* of the next deliveries */
    meanwhile_fn *meanwhile; /* runs inside a delivery, once; or NULL */
};

__attribute__((format(printf, 2, 3))) static inline void
do_sql(sqlite3 *db, const char *format, ...)
{
    char sql[2 * TEXT_SIZE];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(sql, sizeof sql, format, values);
    va_end(values);
    raw_do(db, sql);
}

/* ---- What is in the tables ------------------------------------------------
 */

static inline void
read_text(sqlite3 *db, const char *sql, char text[static TEXT_SIZE])
{
    sqlite3_stmt *stmt;

    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    (void)snprintf(text, TEXT_SIZE, "%s",
                   (const char *)sqlite3_column_text(stmt, 0));
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

/* What others read, with one of the texts above. */
static inline void expect_rows(sqlite3 *db,
                               const char *sql,
                               const char *when,
                               const char *expected)
{
    char want[2 * TEXT_SIZE], got[TEXT_SIZE];

    read_text(db, sql, got);
    (void)snprintf(want, sizeof want, "%s: %s", when, expected);
    if (strcmp(got, expected) != 0)
        test_wrong(want, "%s", got);
}

static inline void
expect_outbox(struct fixture *f, const char *when, const char *expected)
{
    expect_rows(f->others, outbox_rows, when, expected);
}

static inline void expect_number(const char *what, int64_t got, int64_t n)
{
    char text[2 * TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %lld", what, (long long)n);
    if (got != n)
        test_wrong(text, "%lld", (long long)got);
}

static inline const char *code_name(int code)
{
    if (code == EX_LOST)
        return "EX_LOST";
    return test_code(code);
}

/* code 0 with a fault: any code of SQLite. */
static inline void
expect_code(const char *function, const char *when, int got, int code)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %s returns %s", when, function,
                   code_name(code));
    if (got != code)
        test_wrong(text, "%s", code_name(got));
}

static inline void
expect_fault(struct fixture *f, const char *function, int got)
{
    char text[TEXT_SIZE];

    if (f->fault->code != 0) {
        expect_code(function, f->what, got, f->fault->code);
        return;
    }
    (void)snprintf(text, sizeof text, "%s: %s returns a code of SQLite",
                   f->what, function);
    if (got <= 0)
        test_wrong(text, "%s", code_name(got));
}

#endif
