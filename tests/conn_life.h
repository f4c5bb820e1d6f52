/* conn_life - the whole life of a connection, for tests that disturb it
 *
 * Opens a new file, makes a table, writes, reads twice, writes, closes; all of
 * it is submitted before the file is open. Whatever goes wrong on the way,
 * what the answers say must be what the file then holds.
 */
#ifndef TESTS_CONN_LIFE_H
#define TESTS_CONN_LIFE_H

#include "conn_fixture.h"

enum {
    LIFE_MAKE,
    LIFE_WRITE,
    LIFE_READ,
    LIFE_READ_TOO,
    LIFE_WRITE_TOO,
    LIFE_ASKS
};

struct life {
    struct ask asks[LIFE_ASKS];
};

static inline void live(struct fixture *f, struct life *life)
{
    static const char *const sql[LIFE_ASKS] = {
        "CREATE TABLE t (n INTEGER PRIMARY KEY, v)",
        "INSERT INTO t VALUES (1, randomblob(5000))",
        "SELECT count(*) FROM t",
        "SELECT count(*) FROM t",
        "INSERT INTO t VALUES (2, randomblob(5000))",
    };

    ask_init_all(f, life->asks, LIFE_ASKS);
    start_open(f);
    for (int i = 0; i < LIFE_ASKS; i++)
        ask_sql(&life->asks[i], sql[i]);
    wait_for(&life->asks[LIFE_ASKS - 1]);
    close_conn(f);
    ask_destroy_all(life->asks, LIFE_ASKS);
    init_again(f);
}

/* The row is there if and only if the answer said so, if it could say. */
static inline void
check_row(sqlite3 *db, const struct ask *ask, const char *count)
{
    int64_t rows = raw_ask(db, count);

    if (ask->request.outcome_unknown)
        CHECK_RANGE(rows, 0, 1);
    else
        CHECK_INT(rows, ask->status == 0);
}

static inline void check_life(struct fixture *f, const struct life *life)
{
    const struct ask *asks = life->asks;
    sqlite3 *db = raw_open(f->profile.path);

    for (int i = 0; i < LIFE_ASKS; i++) {
        CHECK_INT(asks[i].calls, 1);
        if (f->open_status != 0)
            CHECK_INT(asks[i].status, UV_ESHUTDOWN);
        if (i > 0 && asks[i - 1].request.outcome_unknown)
            CHECK_INT(asks[i].status, UV_ESHUTDOWN);
    }
    check_row(db, &asks[LIFE_MAKE], "SELECT count(*) FROM sqlite_schema");
    if (raw_ask(db, "SELECT count(*) FROM sqlite_schema") == 1) {
        check_row(db, &asks[LIFE_WRITE], "SELECT count(*) FROM t WHERE n = 1");
        check_row(db, &asks[LIFE_WRITE_TOO],
                  "SELECT count(*) FROM t WHERE n = 2");
    }
    raw_close(db);
    check_integrity(f->profile.path);
}

#endif
