/* table - the counters of a test, as everybody sees them
 *
 * A table is written as a text, "a=8 b=5", sorted by name.
 */
#ifndef TABLE_H
#define TABLE_H

#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_SIZE = 2048
};

static const char schema[] =
    "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"
    "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT"
    " NULL, least INTEGER NOT NULL, most INTEGER NOT NULL,"
    " CHECK (value BETWEEN least AND most)) STRICT";

/* Adds to a text of this size, as by printf. */
__attribute__((format(printf, 2, 3))) static inline void
note(char text[static TEXT_SIZE], const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;

    va_start(values, format);
    (void)vsnprintf(text + used, TEXT_SIZE - used, format, values);
    va_end(values);
}

static inline sqlite3 *open_db(const char *name)
{
    sqlite3 *db = raw_open(test_path(name));

    CHECK_INT(sqlite3_busy_timeout(db, 0), SQLITE_OK);
    CHECK_INT(sqlite3_extended_result_codes(db, 1), SQLITE_OK);
    return db;
}

static inline void
put(sqlite3 *db, const char *name, int64_t value, int64_t least, int64_t most)
{
    sqlite3_stmt *stmt;

    CHECK_INT(sqlite3_prepare_v2(db,
                                 "REPLACE INTO counters VALUES (?1, ?2, ?3,"
                                 " ?4)",
                                 -1, &stmt, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 2, value), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 3, least), SQLITE_OK);
    CHECK_INT(sqlite3_bind_int64(stmt, 4, most), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_DONE);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

/* Counters a, b and so on, with these values, from 0 to 10. */
static inline void put_all(sqlite3 *db, const char *values)
{
    char name[] = "a";

    raw_do(db, "DELETE FROM counters");
    for (; *values != '\0'; values++, name[0]++)
        put(db, name, *values - '0', 0, 10);
}

static inline void read_table(sqlite3 *db, char text[static TEXT_SIZE])
{
    static const char sql[] =
        "SELECT ifnull(group_concat(name || '=' || value, ' '), 'nothing')"
        " FROM (SELECT * FROM counters ORDER BY name)";
    sqlite3_stmt *stmt;
    const char *table = "no access";

    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        table = (const char *)sqlite3_column_text(stmt, 0);
    (void)snprintf(text, TEXT_SIZE, "%s", table);
    (void)sqlite3_finalize(stmt); /* repeats the error of the step */
}

static inline int64_t value_of(sqlite3 *db, const char *name)
{
    sqlite3_stmt *stmt;
    int64_t value;

    CHECK_INT(sqlite3_prepare_v2(db,
                                 "SELECT value FROM counters WHERE name = ?",
                                 -1, &stmt, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    return value;
}

static inline void
expect_table(sqlite3 *db, const char *step, const char *table)
{
    char text[2 * TEXT_SIZE + 80], got[TEXT_SIZE];

    read_table(db, got);
    (void)snprintf(text, sizeof text, "%s%sthe table has %s", step,
                   step[0] != '\0' ? ": " : "", table);
    if (strcmp(got, table) != 0)
        test_wrong(text, "it has %s", got);
}

#endif
