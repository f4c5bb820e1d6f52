/* shop - the shop of the tests of 07-transactions, what goes wrong in it, and
 * what a checkout must leave
 *
 * `db` is the connection of the code under test, `other` is everybody else.
 * SQLite tells the test what db compiles (authorizer), which statement it
 * begins (trace) and which row it writes (triggers). There a test can make it
 * fail, or let other write. One thread does all of that.
 */
#ifndef SHOP_H
#define SHOP_H

#include "ex_checkout.h"

#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    WHAT_SIZE = 160,
    TEXT_SIZE = 512,
    UNTOUCHED = -99,
    STEPS_MAX = 2000
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE stock (item INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " cents INTEGER NOT NULL, quantity INTEGER NOT NULL) STRICT;"
    "CREATE TABLE cart_lines (cart INTEGER NOT NULL, item INTEGER NOT NULL,"
    " quantity INTEGER NOT NULL CHECK (quantity > 0),"
    " PRIMARY KEY (cart, item)) STRICT;"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, cart INTEGER NOT NULL UNIQUE,"
    " total_cents INTEGER NOT NULL) STRICT;"
    "CREATE TABLE order_lines (order_id INTEGER NOT NULL"
    " REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED,"
    " item INTEGER NOT NULL, quantity INTEGER NOT NULL,"
    " cents INTEGER NOT NULL, PRIMARY KEY (order_id, item)) STRICT;"
    "CREATE TABLE notes (note INTEGER) STRICT;" /* the caller's */;

/* Carts 7, 6 and 9 can be bought, 8 and 5 cannot: there is one piece of item 3,
 * and no item 50. */
static const char goods[] =
    "DELETE FROM order_lines; DELETE FROM orders; DELETE FROM cart_lines;"
    "DELETE FROM stock; DELETE FROM notes;"
    "INSERT INTO stock VALUES (1, 'tea', 250, 10), (2, 'cup', 999, 5),"
    " (3, 'pot', 4900, 1), (4, 'shop', 9007199254740993, 1);"
    "INSERT INTO cart_lines VALUES (7, 1, 2), (7, 2, 3), (6, 4, 1),"
    " (8, 1, 1), (8, 3, 2), (8, 2, 1), (9, 1, 4), (9, 2, 1),"
    " (5, 1, 1), (5, 50, 1)";

/* Everything in one line: item:pieces, cart=total, cart/item*pieces@cents */
static const char all[] =
    "SELECT 'stock ' || group_concat(item || ':' || quantity, ' ')"
    " || '; orders ' || ifnull((SELECT group_concat(cart || '=' ||"
    "  total_cents, ' ') FROM (SELECT * FROM orders ORDER BY cart)), '-')"
    " || '; lines ' || ifnull((SELECT group_concat(ifnull(cart, '?') || '/' ||"
    "  item || '*' || quantity || '@' || cents, ' ') FROM (SELECT * FROM"
    "  order_lines LEFT JOIN orders ON id = order_id ORDER BY cart, item)),"
    "  '-') || '; carts ' || ifnull((SELECT group_concat(cart || '/' || item"
    "  || '*' || quantity, ' ') FROM (SELECT * FROM cart_lines"
    "  WHERE cart > 5 ORDER BY cart, item)), '-')"
    " || '; notes ' || (SELECT count(*) FROM notes)"
    " FROM (SELECT * FROM stock ORDER BY item)";

/* How a step can fail. */
struct fault {
    const char *what;
    int code;    /* what ex_checkout returns; 0: any code of SQLite */
    bool undone; /* SQLite has rolled back everything */
};

struct fixture {
    sqlite3 *db;
    sqlite3 *other;
    sqlite3_stmt *own;         /* a statement of the caller, on db */
    bool strict;               /* what stays open is judged */
    const struct fault *fault; /* or NULL */
    int countdown;             /* steps until it happens */
    const char *place;         /* where the checkout runs, for what fails */
    char what[WHAT_SIZE];      /* the step that fails, once it has */
    bool works;                /* the current statement reads or writes */
    const char *intrusion;     /* what other tries to write, or NULL */
    int intrusions;            /* how often other wrote while one was open */
    char savepoint[64];        /* the last one that db compiled */
    char before[TEXT_SIZE];
};

__attribute__((format(printf, 2, 3))) static inline void
do_sql(sqlite3 *db, const char *format, ...)
{
    char sql[TEXT_SIZE];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(sql, sizeof sql, format, values);
    va_end(values);
    raw_do(db, sql);
}

static inline void read_all(sqlite3 *db, char text[static TEXT_SIZE])
{
    sqlite3_stmt *stmt;

    CHECK_INT(sqlite3_prepare_v2(db, all, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    (void)snprintf(text, TEXT_SIZE, "%s",
                   (const char *)sqlite3_column_text(stmt, 0));
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

static inline void
expect_all(sqlite3 *db, const char *what, const char *expected)
{
    char want[2 * TEXT_SIZE], got[TEXT_SIZE];

    read_all(db, got);
    (void)snprintf(want, sizeof want, "%s: %s", what, expected);
    if (strcmp(got, expected) != 0)
        test_wrong(want, "%s", got);
}

static inline void expect(const char *what, int64_t got, int64_t n)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%s: %lld", what, (long long)n);
    if (got != n)
        test_wrong(text, "%lld", (long long)got);
}

/* The number that others read with this SQL has to be n. */
static inline void
ask(struct fixture *f, const char *what, const char *sql, int64_t n)
{
    expect(what, raw_ask(f->other, sql), n);
}

/* Counts a step, which has a subject: a table, a column, or nothing. Returns
 * whether it is the one that fails. */
static inline bool
fails_here(struct fixture *f, const char *step, const char *a, const char *b)
{
    if (f->countdown == 0 || --f->countdown > 0)
        return false;
    (void)snprintf(f->what, sizeof f->what, "%s: %s%s%s%s%s%s", f->fault->what,
                   step, step[0] != '\0' && a != NULL ? " " : "",
                   a != NULL ? a : "",
                   b == NULL   ? ""
                   : a != NULL ? "."
                               : " ",
                   b != NULL ? b : "", f->place);
    return true;
}

/* Returns what SQLite is about to compile, as SQL begins it. */
static inline const char *step_of(int action)
{
    switch (action) {
    case SQLITE_INSERT:
        return "INSERT INTO";
    case SQLITE_UPDATE:
        return "UPDATE";
    case SQLITE_DELETE:
        return "DELETE FROM";
    case SQLITE_SELECT:
        return "SELECT";
    case SQLITE_READ:
        return "reading";
    case SQLITE_FUNCTION:
        return "the function";
    default: /* SQLite names it */
        return "";
    }
}

static inline int on_compile(void *data,
                             int action,
                             const char *operation,
                             const char *name,
                             const char *database,
                             const char *inside)
{
    struct fixture *f = data;

    (void)database;
    if (action == SQLITE_SAVEPOINT && strcmp(operation, "BEGIN") == 0)
        (void)snprintf(f->savepoint, sizeof f->savepoint, "%s", name);
    if (inside != NULL || f->fault == NULL || f->fault->code != 0)
        return SQLITE_OK; /* a trigger is the test's */
    if (action == SQLITE_SAVEPOINT && strcmp(operation, "BEGIN") == 0)
        operation = "SAVEPOINT";
    if (action == SQLITE_SAVEPOINT)
        name = NULL;
    return fails_here(f, step_of(action), operation, name) ? SQLITE_DENY
                                                           : SQLITE_OK;
}

static inline void
on_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct fixture *f = sqlite3_user_data(context);
    int code = f->fault != NULL ? f->fault->code : 0;

    (void)argc; /* 1: the event and the table */
    sqlite3_result_int(context, 0);
    if (code == 0 ||
        !fails_here(f, (const char *)sqlite3_value_text(argv[0]), NULL, NULL))
        return;
    if (code == SQLITE_CONSTRAINT_TRIGGER)
        sqlite3_result_int(context, 1); /* the trigger raises it */
    else
        sqlite3_result_error_code(context, code);
}

/* Called when a statement of db is about to begin: other tries to write at
 * BEGIN and at each statement of the transaction. */
static inline int
on_statement(unsigned type, void *data, void *stmt, void *text)
{
    static const char begin[] = "BEGIN";
    struct fixture *f = data;
    const char *sql = text;
    bool open = !sqlite3_get_autocommit(f->db);

    (void)type, (void)stmt;
    sql += strspn(sql, " \n");
    f->works = strchr("IUDWiudw", sql[0]) != NULL ||
               sqlite3_strnicmp(sql, "SELECT", 6) == 0;
    if (f->intrusion == NULL ||
        (!open && sqlite3_strnicmp(sql, begin, sizeof begin - 1) != 0))
        return 0;
    if (sqlite3_exec(f->other, f->intrusion, NULL, NULL, NULL) == SQLITE_OK)
        f->intrusions += open;
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

static inline void watch(struct fixture *f)
{
    CHECK_INT(sqlite3_create_function(f->db, "on_row", 1, SQLITE_UTF8, f,
                                      on_row, NULL, NULL),
              SQLITE_OK);
    add_trigger(f->db, "UPDATE", "stock");
    add_trigger(f->db, "INSERT", "orders");
    add_trigger(f->db, "UPDATE", "orders");
    add_trigger(f->db, "INSERT", "order_lines");
    add_trigger(f->db, "DELETE", "cart_lines");
    CHECK_INT(sqlite3_trace_v2(f->db, SQLITE_TRACE_STMT, on_statement, f),
              SQLITE_OK);
}

static inline sqlite3 *open_shop(int timeout)
{
    sqlite3 *db = raw_open(test_path("shop.db"));

    CHECK_INT(sqlite3_busy_timeout(db, timeout), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(db, 1), SQLITE_OK);
    raw_do(db, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON");
    return db;
}

static inline void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    f->other = open_shop(0);
    raw_do(f->other, schema);
    raw_do(f->other, goods);
    read_all(f->other, f->before);
    f->db = open_shop(0);
    watch(f);
    CHECK_INT(
        sqlite3_prepare_v2(f->db, "SELECT 1 FROM notes", -1, &f->own, NULL),
        SQLITE_OK);
}

/* Closes what a checkout has left open. open: the caller's transaction stays.
 */
static inline void take_away(struct fixture *f, bool open)
{
    sqlite3_stmt *stmt = sqlite3_next_stmt(f->db, NULL), *next;

    for (; stmt != NULL; stmt = next) {
        next = sqlite3_next_stmt(f->db, stmt);
        if (stmt != f->own)
            (void)sqlite3_finalize(stmt); /* its error is old */
    }
    if (!open && !sqlite3_get_autocommit(f->db))
        raw_do(f->db, "ROLLBACK");
}

static inline void tear_down(void *data)
{
    struct fixture *f = data;

    take_away(f, false);
    if (sqlite3_next_stmt(f->db, NULL) == f->own)
        (void)sqlite3_finalize(f->own); /* unless the code under test did */
    raw_close(f->db);
    raw_close(f->other);
}

static inline bool has_failed(const struct fixture *f)
{
    return f->fault != NULL && f->countdown == 0;
}

static inline const char *code_name(int code)
{
    if (code == EX_SOLD_OUT)
        return "EX_SOLD_OUT";
    return test_code(code);
}

static inline void
expect_code(struct fixture *f, const char *what, int got, int code)
{
    char text[TEXT_SIZE];

    if (has_failed(f))
        code = f->fault->code;
    if (has_failed(f) && code == 0) {
        (void)snprintf(text, sizeof text,
                       "%s: ex_checkout returns a code of SQLite", what);
        if (got <= 0)
            test_wrong(text, "%s", code_name(got));
        return;
    }
    (void)snprintf(text, sizeof text, "%s: ex_checkout returns %s", what,
                   code_name(code));
    if (got != code)
        test_wrong(text, "%s", code_name(got));
}

/* open: the caller's transaction must be open. */
static inline void expect_closed(struct fixture *f, const char *what, bool open)
{
    const char *message = sqlite3_errmsg(f->db);
    char text[TEXT_SIZE];
    int statements = 0;

    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(f->db, s)) != NULL;)
        statements++;
    if (strstr(message, "no transaction is active") != NULL ||
        strstr(message, "no such savepoint") != NULL)
        test_wrong("only what is open is rolled back or released", "%s: %s",
                   what, message);
    test_cause("one way out of the function skips sqlite3_finalize");
    if (statements > 1)
        test_wrong("no statement of its own is open", "one is, after: %s",
                   what);
    test_cause("the caller may have statements of its own");
    if (statements == 0)
        test_wrong("the caller's statement is still there",
                   "it was finalized, after: %s", what);
    test_cause(
        open ? "inside a transaction the checkout is a savepoint: COMMIT "
               "and ROLLBACK belong to the caller"
             : "one way out of the function does not end the transaction");
    (void)snprintf(text, sizeof text, "%s: %s", what,
                   open ? "the caller's transaction is still open"
                        : "no transaction is open");
    if (!sqlite3_get_autocommit(f->db) != open)
        test_wrong(text, open ? "it is not" : "one is");
    test_cause("ROLLBACK TO leaves the savepoint open; RELEASE ends it");
    (void)snprintf(text, sizeof text, "RELEASE \"%s\"", f->savepoint);
    if (open && f->savepoint[0] != '\0' &&
        sqlite3_exec(f->db, text, NULL, NULL, NULL) == SQLITE_OK)
        test_wrong("no savepoint of the checkout is open", "%s is, after: %s",
                   f->savepoint, what);
    test_cause(NULL);
}

/* Checks out a cart, and looks at what that leaves. Returns the order's id. */
static inline int64_t
check_out(struct fixture *f, int64_t cart, const char *what, int code)
{
    int64_t order = UNTOUCHED;
    bool open = !sqlite3_get_autocommit(f->db);
    int got;

    f->savepoint[0] = '\0';
    CHECK_INT(sqlite3_set_authorizer(f->db, on_compile, f), SQLITE_OK);
    got = ex_checkout(f->db, cart, &order);
    CHECK_INT(sqlite3_set_authorizer(f->db, NULL, NULL), SQLITE_OK);
    if (has_failed(f))
        what = f->what;
    expect_code(f, what, got, code);
    test_cause("the id is written before COMMIT or RELEASE has succeeded");
    if (f->strict && got != 0 && order != UNTOUCHED)
        test_wrong("without success *ret_order stays as it was",
                   "%s: it is %lld", what, (long long)order);
    test_cause(NULL);
    open = open && !(has_failed(f) && f->fault->undone);
    if (f->strict)
        expect_closed(f, what, open);
    else
        take_away(f, open);
    return order;
}

/* BEGIN and COMMIT are not stopped, because SQLite can report that after they
 * have done their work. */
static inline int stop_once(void *data)
{
    struct fixture *f = data;

    return f->works && --f->countdown == 0;
}

#endif
