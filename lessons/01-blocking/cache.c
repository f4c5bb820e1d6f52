/* cache - statements are checked out of a connection and given back
 *
 * Idle statements stand in the connection's list, most recently used first.
 * One that is checked out is in no list, so the same text asked for again
 * finds another one or is prepared anew.
 */
#include "01-blocking/cache.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_word_gap(const char *p, const char *end)
{
    for (;;) {
        if (p < end && strchr(" \t\n\f\r;", *p) != NULL) {
            p++;
        } else if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
            while (p < end && *p != '\n')
                p++;
        } else if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
            p += 2;
            while (p < end && !(end - p >= 2 && p[0] == '*' && p[1] == '/'))
                p++;
            p = end - p >= 2 ? p + 2 : end;
        } else {
            return p;
        }
    }
}

static enum asq_stmt_kind kind_of(const char *sql, size_t size)
{
    static const struct {
        const char *word;
        enum asq_stmt_kind kind;
    } words[] = {
        {"PRAGMA", ASQ_KIND_PRAGMA},         {"BEGIN", ASQ_KIND_TRANSACTION},
        {"SAVEPOINT", ASQ_KIND_TRANSACTION}, {"ROLLBACK", ASQ_KIND_TRANSACTION},
        {"COMMIT", ASQ_KIND_COMMIT},         {"END", ASQ_KIND_COMMIT},
        {"RELEASE", ASQ_KIND_COMMIT},
    };
    const char *end = sql + size;
    const char *p = skip_word_gap(sql, end);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i].word);

        if ((size_t)(end - p) >= length &&
            strncasecmp(p, words[i].word, length) == 0)
            return words[i].kind;
    }
    return ASQ_KIND_OTHER;
}

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
    /* Finalize repeats the last error, which was reported when it came. */
    (void)sqlite3_finalize(stmt->handle);
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

/* Checks what SQLite would pass over in silence: an empty text, and whatever
 * follows the first statement. */
static int check_text(struct asq_stmt *stmt, const char *sql, const char *tail)
{
    const char *end = sql + stmt->size;

    if (stmt->handle == NULL)
        return asq__db_fail(stmt->db, SQLITE_MISUSE,
                            "there is no statement in the SQL");
    tail = skip_word_gap(tail, end);
    if (tail < end)
        return asq__db_fail(stmt->db, SQLITE_MISUSE,
                            "text after the first statement: \"%.40s\"", tail);
    return 0;
}

static int make_stmt(struct asq_db *db,
                     const char *sql,
                     size_t size,
                     struct asq_stmt **ret_stmt)
{
    struct asq_stmt *stmt;
    const char *tail = NULL;
    int rc;

    if (size > INT_MAX - 1)
        return asq__db_fail(db, SQLITE_TOOBIG, "the SQL is too long");
    stmt = calloc(1, sizeof *stmt + size + 1);
    if (stmt == NULL)
        return asq__db_fail(db, SQLITE_NOMEM, "out of memory");
    stmt->db = db;
    stmt->size = size;
    memcpy(stmt->sql, sql, size);
    stmt->kind = kind_of(sql, size);
    rc = sqlite3_prepare_v3(
        db->handle, stmt->sql, (int)size + 1,
        stmt->kind == ASQ_KIND_PRAGMA ? 0 : SQLITE_PREPARE_PERSISTENT,
        &stmt->handle, &tail);
    rc = rc != 0 ? asq__db_fail_sqlite(db) : check_text(stmt, stmt->sql, tail);
    if (rc != 0) {
        free_stmt(stmt);
        return rc;
    }
    stmt->is_query = stmt->kind == ASQ_KIND_OTHER &&
                     sqlite3_stmt_readonly(stmt->handle) &&
                     sqlite3_column_count(stmt->handle) > 0 &&
                     !sqlite3_stmt_isexplain(stmt->handle);
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
    db->stopped = ASQ_STOP_NONE; /* preparing may wait for a lock already */
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

/* Finalizes the idle statement that was not used for longest. */
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
    if (stmt->kind == ASQ_KIND_PRAGMA || db->statements == 0) {
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

void asq__cache_flush(struct asq_db *db)
{
    while (db->idle.last != NULL)
        forget_oldest(db);
}
