/* raw_db - somebody else who uses the same file, through the raw API
 *
 * What fails here fails the test. The default VFS, so faults of the slow disk
 * do not reach it.
 */
#ifndef GRADER_RAW_DB_H
#define GRADER_RAW_DB_H

#include "grader/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static inline sqlite3 *raw_open(const char *path)
{
    sqlite3 *db;

    CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    return db;
}

static inline void raw_do(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
}

static inline int64_t raw_ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    int64_t number;

    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return number;
}

static inline void raw_close(sqlite3 *db)
{
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

/* Opens, does, closes. */
static inline void raw_run(const char *path, const char *sql)
{
    sqlite3 *db = raw_open(path);

    raw_do(db, sql);
    raw_close(db);
}

static inline int64_t raw_number(const char *path, const char *sql)
{
    sqlite3 *db = raw_open(path);
    int64_t number = raw_ask(db, sql);

    raw_close(db);
    return number;
}

static inline void check_integrity(const char *path)
{
    CHECK_INT(raw_number(path, "SELECT integrity_check = 'ok' "
                               "FROM pragma_integrity_check"),
              1);
}

/* A database and what SQLite has put beside it. */
static inline void remove_files(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char name[1100];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name); /* it need not be there */
    }
}

#endif
