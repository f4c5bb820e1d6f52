/* users - a table of users, and what their names are
 *
 * Users 1 to 200 have a page each, so that a statement reads the disk once for
 * each of them, unless it was asked for before. There are users at the ends of
 * 64 bits, and users with unusual names. One thread.
 */
#ifndef USERS_H
#define USERS_H

#include "grader/raw_db.h"
#include "grader/test.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    USERS = 200,
    WITHOUT_NAME = 50, /* NULL */
    EMPTY_NAME,
    QUOTED_NAME,
    LONG_NAME,
    NAME_SIZE = 1200
};

/* They exist, besides 1 to 200. 0 does not. */
static const int64_t edges[] = {INT64_MIN,
                                INT64_MIN + 1,
                                INT64_MAX,
                                INT64_MAX - 1,
                                -1,
                                -2,
                                ((int64_t)1 << 32) + 1,
                                ((int64_t)1 << 32) + 2,
                                -((int64_t)1 << 32) + 2,
                                ((int64_t)1 << 53),
                                ((int64_t)1 << 53) + 1,
                                INT32_MAX,
                                (int64_t)INT32_MAX + 1};

enum {
    EDGES = (int)(sizeof edges / sizeof edges[0])
};

/* Returns the name of a user, or NULL if it is NULL. */
static inline const char *name_of(int64_t id, char name[static NAME_SIZE])
{
    (void)snprintf(name, NAME_SIZE, "user %" PRId64 " of %" PRIu64, id,
                   test_seed());
    if (id == WITHOUT_NAME)
        return NULL;
    if (id == EMPTY_NAME)
        name[0] = '\0';
    if (id == QUOTED_NAME)
        (void)snprintf(name, NAME_SIZE, "O'Neill, \"%" PRIu64 "\"; --",
                       test_seed());
    if (id == LONG_NAME) {
        memset(name, 'n', NAME_SIZE - 1);
        name[NAME_SIZE - 1] = '\0';
    }
    return name;
}

static inline void add_user(sqlite3_stmt *insert, int64_t id)
{
    char name[NAME_SIZE];

    CHECK_INT(sqlite3_bind_int64(insert, 1, id), SQLITE_OK);
    CHECK_INT(
        sqlite3_bind_text(insert, 2, name_of(id, name), -1, SQLITE_TRANSIENT),
        SQLITE_OK);
    CHECK_INT(sqlite3_step(insert), SQLITE_DONE);
    CHECK_INT(sqlite3_reset(insert), SQLITE_OK);
}

static inline const char *users_path(void)
{
    static const char *path;

    if (path == NULL)
        path = test_path("users.db");
    return path;
}

/* Makes the file if there is none. */
static inline void make_users(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *insert;

    if (access(path, F_OK) == 0)
        return;
    db = raw_open(path);
    raw_do(db, "PRAGMA journal_mode = WAL; BEGIN;"
               "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT,"
               " photo BLOB)");
    CHECK_INT(sqlite3_prepare_v2(db,
                                 "INSERT INTO users VALUES "
                                 "(?1, ?2, zeroblob(2600))",
                                 -1, &insert, NULL),
              SQLITE_OK);
    for (int64_t id = 1; id <= USERS; id++)
        add_user(insert, id);
    for (int i = 0; i < EDGES; i++)
        add_user(insert, edges[i]);
    CHECK_INT(sqlite3_finalize(insert), SQLITE_OK);
    raw_do(db, "COMMIT");
    raw_close(db);
}

#endif
