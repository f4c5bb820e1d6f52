/* cache - statements are checked out of a connection and given back
 *
 * Idle statements are in the connection's idle list, most recently used first.
 * A statement that is checked out is not in it, so the same text asked for
 * again finds another one or is prepared again.
 */
#include "01-blocking/cache.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void unlink_from(struct asq_stmt_list *list, struct asq_stmt *stmt)
{
    if (stmt->newer != NULL)
        stmt->newer->older = stmt->older;
    else
        list->first = stmt->older;
    if (stmt->older != NULL)
        stmt->older->newer = stmt->newer;
    else
        list->last = stmt->newer;
}

static void push_to(struct asq_stmt_list *list, struct asq_stmt *stmt)
{
    stmt->newer = NULL;
    stmt->older = list->first;
    if (list->first != NULL)
        list->first->newer = stmt;
    else
        list->last = stmt;
    list->first = stmt;
}

static void free_stmt(struct asq_stmt *stmt)
{
    /* Finalize repeats the last error, which was reported when it happened. */
    (void)sqlite3_finalize(stmt->handle);
    free(stmt->names);
    free(stmt);
}

static struct asq_stmt *
find_idle(struct asq_db *db, const char *sql, size_t size)
{
    struct asq_stmt *stmt = db->idle.first;

    while (stmt != NULL &&
           (stmt->size != size || memcmp(stmt->sql, sql, size) != 0))
        stmt = stmt->older;
    return stmt;
}

/* Refuses what SQLite would ignore: an empty text, and anything after the first
 * statement. */
static int check_text(struct asq_stmt *stmt, const char *sql, const char *tail)
{
    const char *end = sql + stmt->size;
    struct asq__token rest;

    if (stmt->handle == NULL)
        return asq__db_fail(stmt->db, SQLITE_MISUSE,
                            "there is no statement in the SQL");
    rest = asq__sql_first(tail, end);
    if (rest.kind != ASQ__TOKEN_END)
        return asq__db_fail(stmt->db, SQLITE_MISUSE,
                            "text after the first statement: \"%.40s\"",
                            rest.text);
    return 0;
}

/* Lets SQLite prepare the statement's text. */
static int prepare(struct asq_stmt *stmt)
{
    struct asq_db *db = stmt->db;
    struct asq__run run = {.unstoppable = stmt->kind == ASQ_KIND_PRAGMA};
    const char *tail = NULL;
    int rc;

    asq__db_begin_run(db, &run);
    rc = sqlite3_prepare_v3(db->handle, stmt->sql, (int)stmt->size + 1,
                            stmt->once ? 0 : SQLITE_PREPARE_PERSISTENT,
                            &stmt->handle, &tail);
    asq__db_end_run(db);
    return rc != 0 ? asq__db_fail_sqlite(db)
                   : check_text(stmt, stmt->sql, tail);
}

/* Looks up once what will be needed again and again. */
static void learn(struct asq_stmt *stmt)
{
    const char *end = stmt->sql + stmt->size;
    bool read_only = sqlite3_stmt_readonly(stmt->handle);

    /* WITH begins a SELECT, or a statement that changes rows. */
    stmt->counts = stmt->kind == ASQ_KIND_CHANGE ||
                   (stmt->kind == ASQ_KIND_OTHER && !read_only &&
                    asq__sql_is(asq__sql_first(stmt->sql, end), "WITH"));
    stmt->is_query = stmt->kind == ASQ_KIND_OTHER && read_only &&
                     sqlite3_column_count(stmt->handle) > 0;
}

static int make_stmt(struct asq_db *db,
                     const char *sql,
                     size_t size,
                     struct asq_stmt **ret_stmt)
{
    enum asq_stmt_kind kind = asq_sql_kind(sql, size);
    struct asq_stmt *stmt;
    int rc;

    if (size > INT_MAX - 1)
        return asq__db_fail(db, SQLITE_TOOBIG, "the SQL is too long");
    rc = kind == ASQ_KIND_PRAGMA ? asq__db_ask_watch(db) : 0;
    if (rc != 0)
        return rc;
    stmt = calloc(1, sizeof *stmt + size + 1);
    if (stmt == NULL)
        return asq__db_fail(db, SQLITE_NOMEM, "out of memory");
    stmt->db = db;
    stmt->size = size;
    memcpy(stmt->sql, sql, size);
    stmt->kind = kind;
    stmt->once = kind == ASQ_KIND_PRAGMA || db->statements == 0;
    rc = prepare(stmt);
    if (rc != 0) {
        free_stmt(stmt);
        return rc;
    }
    learn(stmt);
    *ret_stmt = stmt;
    return 0;
}

int asq_stmt_prepare(struct asq_db *db,
                     const char *sql,
                     size_t size,
                     struct asq_stmt **ret_stmt)
{
    struct asq_stmt *stmt;
    int rc = asq__db_enter(db);

    if (rc != 0)
        return rc;
    db->stopped = ASQ_STOP_NONE; /* preparing may already wait for a lock */
    if (sql == NULL)
        return asq__db_fail(db, SQLITE_MISUSE, "no SQL was given");
    if (size == ASQ_WHOLE_TEXT)
        size = strlen(sql);
    else if (memchr(sql, '\0', size) != NULL)
        return asq__db_fail(db, SQLITE_MISUSE,
                            "a zero byte inside the SQL at byte %zu",
                            strlen(sql));
    stmt = find_idle(db, sql, size);
    if (stmt != NULL) {
        unlink_from(&db->idle, stmt);
        db->cache.idle--;
        db->cache.hits++;
    } else {
        rc = make_stmt(db, sql, size, &stmt);
        if (rc != 0)
            return rc;
        db->cache.misses++;
    }
    push_to(&db->in_use, stmt);
    db->open_statements++;
    *ret_stmt = stmt;
    return 0;
}

bool asq_stmt_is_query(const struct asq_stmt *stmt)
{
    return stmt->is_query;
}

/* A statement that was prepared before is known; otherwise the text decides. */
static bool may_be_query(struct asq_db *db, const char *sql)
{
    size_t size = strlen(sql);
    const struct asq_stmt *idle = find_idle(db, sql, size);

    return idle != NULL ? idle->is_query
                        : asq_sql_kind(sql, size) == ASQ_KIND_OTHER;
}

int asq_stmt_prepare_query(struct asq_db *db,
                           const char *sql,
                           struct asq_stmt **ret_stmt)
{
    int rc = asq__db_enter(db);

    *ret_stmt = NULL;
    if (rc == 0 && may_be_query(db, sql))
        rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, ret_stmt);
    if (rc == 0 && *ret_stmt != NULL && !(*ret_stmt)->is_query) {
        asq_stmt_release(*ret_stmt);
        *ret_stmt = NULL;
    }
    return rc;
}

/* Finalizes the least recently used idle statement. */
static void forget_oldest(struct asq_db *db)
{
    struct asq_stmt *oldest = db->idle.last;

    unlink_from(&db->idle, oldest);
    db->cache.idle--;
    free_stmt(oldest);
}

static void make_ready(struct asq_stmt *stmt)
{
    if (stmt->started)
        (void)sqlite3_reset(stmt->handle); /* repeats the error of the step */
    stmt->started = false;
}

void asq_stmt_reset(struct asq_stmt *stmt)
{
    if (asq__db_enter(stmt->db) == 0)
        make_ready(stmt);
}

void asq_stmt_release(struct asq_stmt *stmt)
{
    struct asq_db *db;

    if (stmt == NULL || asq__db_enter(stmt->db) != 0)
        return;
    db = stmt->db;
    unlink_from(&db->in_use, stmt);
    db->open_statements--;
    make_ready(stmt);
    if (stmt->bound)
        (void)sqlite3_clear_bindings(stmt->handle); /* always SQLITE_OK */
    stmt->bound = false;
    if (stmt->once) {
        free_stmt(stmt);
        return;
    }
    push_to(&db->idle, stmt);
    db->cache.idle++;
    if (db->cache.idle > db->statements) {
        forget_oldest(db);
        db->cache.evicted++;
    }
}

void asq_stmt_release_all(struct asq_db *db)
{
    if (asq__db_enter(db) != 0)
        return;
    while (db->in_use.first != NULL)
        asq_stmt_release(db->in_use.first);
}

bool asq__cache_has(const struct asq_db *db, const sqlite3_stmt *handle)
{
    const struct asq_stmt *stmt = db->in_use.first;

    while (stmt != NULL && stmt->handle != handle)
        stmt = stmt->older;
    return stmt != NULL;
}

void asq__cache_flush(struct asq_db *db)
{
    while (db->idle.last != NULL)
        forget_oldest(db);
}
