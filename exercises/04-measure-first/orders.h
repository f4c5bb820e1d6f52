/* orders - the table that needs an index, for the tests of 04-measure-first
 *
 * If something fails that is not the code under test, the test ends.
 */
#ifndef EX_04_ORDERS_H
#define EX_04_ORDERS_H

#include "ex_verdict.h"

#include "common/slow_disk.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>

enum {
    STATUSES = 4
};

struct orders {
    sqlite3 *db; /* the connection of the code under test, on the slow disk */
    sqlite3 *other; /* the rest of the program */
};

/* The times of orders are different seconds of 8 days; the query asks for 2 of
 * these days. */
#define BEGIN_S 1700000000
#define FROM_S (BEGIN_S + 3000 * 70)
#define TO_S (BEGIN_S + 5500 * 70)

static const char *const order_statuses[STATUSES] = {"new", "paid", "sent",
                                                     "returned"};

static const char orders_schema[] =
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL,"
    " status TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " cents INTEGER NOT NULL);"
    "CREATE INDEX orders_by_user ON orders (user_id);";

/* Each loop of SQL counts from 1. The time is a number modulo a prime, so that
 * ids and times have different orders. */
static const char first_orders[] =
    "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n"
    " WHERE n < 2000) INSERT INTO orders SELECT n, 1 + n * 31 %% 97,"
    " CASE (n + n / 7) %% 4 WHEN 0 THEN 'new' WHEN 1 THEN 'paid'"
    " WHEN 2 THEN 'sent' ELSE 'returned' END,"
    " 1700000000 + 70 * ((n * 7919 + %d) %% 10007), n * 101 %% 9973 FROM n";

/* None of these is both paid and of the time that the query asks for. */
static const char more_orders[] =
    "WITH RECURSIVE n (n) AS (SELECT 2001 UNION ALL SELECT n + 1 FROM n"
    " WHERE n < 20000) INSERT INTO orders SELECT n, 1 + n % 97,"
    " CASE n % 2 WHEN 0 THEN 'paid' ELSE 'returned' END,"
    " CASE n % 2 WHEN 0 THEN 1700000000 - n ELSE 1700210001 + 7 * n END, 100"
    " FROM n";

/* What one run of the query returned and cost. */
struct answer {
    int rows;
    int scanned, sorts, steps;
};

/* Runs the query for a status. */
static inline struct answer orders_ask(sqlite3 *db, const char *status)
{
    struct answer answer = {0};
    sqlite3_stmt *stmt;
    int rc;

    CHECK_INT(sqlite3_prepare_v2(db, EX_QUERY, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, status, -1, SQLITE_STATIC), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 2, FROM_S), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 3, TO_S), SQLITE_OK);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        answer.rows++;
    CHECK_INT(rc, SQLITE_DONE);
    answer.scanned =
        sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    answer.sorts = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 0);
    answer.steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return answer;
}

static inline void orders_open(struct orders *o)
{
    const char *path = test_path("orders.db");
    char sql[sizeof first_orders + 16];

    CHECK_INT(asq_slow_disk_register(), SQLITE_OK);
    CHECK_INT(sqlite3_open(path, &o->other), SQLITE_OK);
    raw_do(o->other, orders_schema);
    (void)snprintf(sql, sizeof sql, first_orders, (int)(test_seed() % 10007));
    raw_do(o->other, sql);
    CHECK_INT(
        sqlite3_open_v2(path, &o->db, SQLITE_OPEN_READWRITE, ASQ_SLOW_DISK),
        SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(o->db, 1), SQLITE_OK);
}

static inline void orders_close(struct orders *o)
{
    CHECK_INT(sqlite3_close(o->db), SQLITE_OK);
    CHECK_INT(sqlite3_close(o->other), SQLITE_OK);
}

/* Returns a number that changes if anything changes that was there before. */
static inline int64_t orders_old_things(sqlite3 *db)
{
    return raw_ask(db, "SELECT count(*) * 1000 + sum(length(sql))"
                       " FROM sqlite_master"
                       " WHERE name IN ('orders', 'orders_by_user')") +
           raw_ask(db, "SELECT sum(id * 31 + user_id * 17 + created_at * 7"
                       " + cents + length(status)) FROM orders") +
           raw_ask(db, "PRAGMA user_version") * 1000003 +
           raw_ask(db, "PRAGMA application_id") * 1000033;
}

static inline void orders_expect_idle(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        test_wrong("no transaction is open after ex_index_add", "one is");
    if (sqlite3_next_stmt(db, NULL) != NULL)
        test_wrong("no statement is left after ex_index_add", "one is left");
}

static inline void orders_add_index(sqlite3 *db, const char *when)
{
    char text[160];
    int rc = ex_index_add(db);

    (void)snprintf(text, sizeof text, "ex_index_add returns 0 %s", when);
    if (rc != SQLITE_OK)
        test_wrong(text, "%s: %s", test_code(rc),
                   sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db)
                                                      : sqlite3_errstr(rc));
    orders_expect_idle(db);
}

static inline void
orders_add_in_vain(struct orders *o, int code, const char *when)
{
    char text[160];
    int rc = ex_index_add(o->db);

    (void)snprintf(text, sizeof text, "ex_index_add returns %s %s",
                   test_code(code), when);
    if (rc != code)
        test_wrong(text, "%s", test_code(rc));
    orders_expect_idle(o->db);
}

#endif
