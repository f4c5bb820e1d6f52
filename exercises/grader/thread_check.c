/* thread_check - lets the thread sanitizer see who uses a connection
 *
 * The sanitizer does not look into SQLite, so it misses two threads that use
 * one connection opened without a mutex. Linked with --wrap for the functions
 * below, each call first counts in a plain variable of its connection: two
 * calls that nothing puts in order are a race on that variable, and the
 * report names both callers.
 *
 * Owns a table from connections to counters. Any thread enters. The table is
 * read and written by relaxed atomics only, because a lock would put the
 * calls in order. Every connection gets a counter that no other ever had, so
 * that one at the address of a closed one is not taken for it. Connections
 * with a mutex may be shared and are not looked at; nor are those that come
 * when all counters are used up.
 */
#include "runner.h"

#if defined(TEST_HAVE_WRAP)

#include <sqlite3.h>
#include <stdatomic.h>

enum {
    COUNTERS = 65536,    /* 0 means: not looked at */
    TABLE_SIZE = 131072, /* more than counters, so that it is never full */
    TABLE_MASK = TABLE_SIZE - 1
};

/* An address stays in the table for good; its counter changes. */
struct entry {
    _Atomic(sqlite3 *) db;
    atomic_uint counter;
};

static struct entry table[TABLE_SIZE];
static atomic_uint counters_used = 1;

/* Read by nobody but the sanitizer. */
static uint64_t counters[COUNTERS] __attribute__((used));

int __real_sqlite3_open_v2(const char *, sqlite3 **, int, const char *)
    __attribute__((weak));
int __real_sqlite3_close(sqlite3 *) __attribute__((weak));
int __real_sqlite3_close_v2(sqlite3 *) __attribute__((weak));
int __real_sqlite3_prepare_v2(sqlite3 *,
                              const char *,
                              int,
                              sqlite3_stmt **,
                              const char **) __attribute__((weak));
int __real_sqlite3_prepare_v3(
    sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **)
    __attribute__((weak));
int __real_sqlite3_step(sqlite3_stmt *) __attribute__((weak));
int __real_sqlite3_reset(sqlite3_stmt *) __attribute__((weak));
int __real_sqlite3_finalize(sqlite3_stmt *) __attribute__((weak));

int __wrap_sqlite3_open_v2(const char *, sqlite3 **, int, const char *);
int __wrap_sqlite3_close(sqlite3 *);
int __wrap_sqlite3_close_v2(sqlite3 *);
int __wrap_sqlite3_prepare_v2(
    sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
int __wrap_sqlite3_prepare_v3(
    sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);
int __wrap_sqlite3_step(sqlite3_stmt *);
int __wrap_sqlite3_reset(sqlite3_stmt *);
int __wrap_sqlite3_finalize(sqlite3_stmt *);

static size_t place_of(sqlite3 *db)
{
    return ((uintptr_t)db >> 4) * 2654435761u & TABLE_MASK;
}

/* Returns the entry of db or NULL. */
static struct entry *find(sqlite3 *db)
{
    for (size_t at = place_of(db);; at = (at + 1) & TABLE_MASK) {
        sqlite3 *there =
            atomic_load_explicit(&table[at].db, memory_order_relaxed);

        if (there == NULL)
            return NULL;
        if (there == db)
            return &table[at];
    }
}

/* Gives a new connection a counter. The entry is the one that an earlier
 * connection at this address has left, or the next empty one. */
static void add(sqlite3 *db)
{
    unsigned counter =
        atomic_fetch_add_explicit(&counters_used, 1, memory_order_relaxed);
    size_t at = place_of(db);

    if (counter >= COUNTERS)
        return;
    for (;;) {
        sqlite3 *there = NULL;

        if (atomic_compare_exchange_strong_explicit(&table[at].db, &there, db,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed) ||
            there == db)
            break;
        at = (at + 1) & TABLE_MASK;
    }
    atomic_store_explicit(&table[at].counter, counter, memory_order_relaxed);
}

/* Counts a call on db. Returns its entry or NULL. */
static struct entry *use_connection(sqlite3 *db)
{
    struct entry *entry = find(db);

    if (entry != NULL) {
        unsigned counter =
            atomic_load_explicit(&entry->counter, memory_order_relaxed);

        if (counter != 0)
            counters[counter]++;
    }
    return entry;
}

int __wrap_sqlite3_open_v2(const char *name,
                           sqlite3 **ret_db,
                           int flags,
                           const char *vfs)
{
    int err = __real_sqlite3_open_v2(name, ret_db, flags, vfs);

    if (*ret_db != NULL && sqlite3_db_mutex(*ret_db) == NULL) {
        add(*ret_db);
        (void)use_connection(*ret_db);
    }
    return err;
}

/* After a close another thread may get the same address at once, so the
 * entry is given up before, and taken back if the close is refused. */
static int close_by(int (*close)(sqlite3 *), sqlite3 *db)
{
    struct entry *entry = use_connection(db);
    unsigned counter;
    int err;

    if (entry == NULL)
        return close(db);
    counter =
        atomic_exchange_explicit(&entry->counter, 0, memory_order_relaxed);
    err = close(db);
    if (err != SQLITE_OK)
        atomic_store_explicit(&entry->counter, counter, memory_order_relaxed);
    return err;
}

int __wrap_sqlite3_close(sqlite3 *db)
{
    return close_by(__real_sqlite3_close, db);
}

int __wrap_sqlite3_close_v2(sqlite3 *db)
{
    return close_by(__real_sqlite3_close_v2, db);
}

int __wrap_sqlite3_prepare_v2(sqlite3 *db,
                              const char *sql,
                              int size,
                              sqlite3_stmt **ret_statement,
                              const char **ret_tail)
{
    (void)use_connection(db);
    return __real_sqlite3_prepare_v2(db, sql, size, ret_statement, ret_tail);
}

int __wrap_sqlite3_prepare_v3(sqlite3 *db,
                              const char *sql,
                              int size,
                              unsigned flags,
                              sqlite3_stmt **ret_statement,
                              const char **ret_tail)
{
    (void)use_connection(db);
    return __real_sqlite3_prepare_v3(db, sql, size, flags, ret_statement,
                                     ret_tail);
}

static void use_statement(sqlite3_stmt *statement)
{
    if (statement != NULL)
        (void)use_connection(sqlite3_db_handle(statement));
}

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    use_statement(statement);
    return __real_sqlite3_step(statement);
}

int __wrap_sqlite3_reset(sqlite3_stmt *statement)
{
    use_statement(statement);
    return __real_sqlite3_reset(statement);
}

int __wrap_sqlite3_finalize(sqlite3_stmt *statement)
{
    use_statement(statement);
    return __real_sqlite3_finalize(statement);
}

#endif
