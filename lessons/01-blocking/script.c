/* script - several statements, all or none of them */
#include "01-blocking/script.h"

#include "01-blocking/stmt.h"

#include <string.h>

/* The statements that undo a script. They are prepared before it begins:
 * without memory for them, the transaction would stay open, and later
 * statements would become part of it. */
struct way_back {
    struct asq_stmt *to_savepoint; /* NULL outside a transaction */
    struct asq_stmt *release;      /* the same */
    struct asq_stmt *rollback;
};

/* Returns whether a ROLLBACK undoes the PRAGMA at first. */
static bool is_undoable(struct asq__token first, const char *end)
{
    static const char *const names[] = {"user_version", "application_id",
                                        "defer_foreign_keys"};
    struct asq__token name = asq__sql_next(first, end);
    struct asq__token dot = asq__sql_next(name, end);

    if (!asq__sql_is(first, "PRAGMA"))
        return false; /* it begins with EXPLAIN */
    if (dot.kind == ASQ__TOKEN_OTHER && dot.text[0] == '.')
        name = asq__sql_next(dot, end); /* a schema came first */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (asq__sql_is(name, names[i]))
            return true;
    }
    return false;
}

/* Returns why a statement may not be in a script, or NULL. */
static const char *reason_against(const char *sql, const char *end)
{
    switch (asq_sql_kind(sql, (size_t)(end - sql))) {
    case ASQ_KIND_BEGIN:
    case ASQ_KIND_COMMIT:
    case ASQ_KIND_ROLLBACK:
        return "a script has its own transaction";
    case ASQ_KIND_FILE:
        return "ATTACH, DETACH and VACUUM cannot be undone";
    case ASQ_KIND_PRAGMA:
        return is_undoable(asq__sql_first(sql, end), end)
                   ? NULL
                   : "this PRAGMA cannot be undone";
    default:
        return NULL;
    }
}

/* Returns the first statement at or after sql; NULL if there is none. */
static const char *first_of(const char *sql, const char *end)
{
    struct asq__token first = asq__sql_first(sql, end);

    return first.kind == ASQ__TOKEN_END ? NULL : first.text;
}

/* Refuses the script before anything has run. Counts its statements, up to the
 * one that is refused. */
static int check(struct asq_db *db, const char *sql, unsigned *ret_count)
{
    const char *end = sql + strlen(sql);
    const char *next, *reason;

    *ret_count = 0;
    for (; (sql = first_of(sql, end)) != NULL; sql = next) {
        next = asq__sql_cut(sql, end);
        ++*ret_count;
        reason = reason_against(sql, next);
        if (reason != NULL)
            return asq__db_fail(db, SQLITE_MISUSE, "statement %u: %s",
                                *ret_count, reason);
    }
    return 0;
}

static int run_one(struct asq_db *db, const char *sql, size_t size)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, sql, size, &stmt);

    if (rc == 0) {
        stmt->once = true; /* it will not be used again: not for the cache */
        rc = asq_stmt_bind(stmt, NULL);
    }
    if (rc == 0)
        rc = asq_stmt_collect(stmt, NULL);
    asq_stmt_release(stmt);
    if (rc == 0 && !asq_db_in_transaction(db))
        rc = asq__db_fail(db, SQLITE_MISUSE,
                          "an SQL function has ended the transaction");
    return rc;
}

/* Later statements need what earlier ones have made, so each is prepared only
 * when its turn comes. */
static int run_all(struct asq_db *db, const char *sql, unsigned *ret_count)
{
    const char *end = sql + strlen(sql);
    const char *next;
    int rc = 0;

    for (; rc == 0 && (sql = first_of(sql, end)) != NULL; sql = next) {
        next = asq__sql_cut(sql, end);
        ++*ret_count;
        rc = run_one(db, sql, (size_t)(next - sql));
    }
    return rc;
}

static int prepare_way_back(struct asq_db *db, struct way_back *way)
{
    int rc = asq_stmt_prepare(db, "ROLLBACK", ASQ_WHOLE_TEXT, &way->rollback);

    if (rc == 0 && asq_db_in_transaction(db)) {
        rc = asq_stmt_prepare(db, "ROLLBACK TO asq_script", ASQ_WHOLE_TEXT,
                              &way->to_savepoint);
        if (rc == 0)
            rc = asq_stmt_prepare(db, "RELEASE asq_script", ASQ_WHOLE_TEXT,
                                  &way->release);
    }
    return rc;
}

static void release_way_back(struct way_back *way)
{
    asq_stmt_release(way->release);
    asq_stmt_release(way->to_savepoint);
    asq_stmt_release(way->rollback);
}

/* After many errors SQLite has already rolled back. If the savepoint cannot be
 * undone, the transaction around it is. */
static void undo(struct asq_db *db, const struct way_back *way)
{
    if (!asq_db_in_transaction(db))
        return;
    if (way->to_savepoint != NULL &&
        asq_stmt_step(way->to_savepoint) == SQLITE_DONE &&
        asq_stmt_step(way->release) == SQLITE_DONE)
        return;
    (void)asq_stmt_step(way->rollback); /* it always ends the transaction */
}

/* Undoes the script and reports the script's own error, with the number of the
 * statement that failed, even if undoing fails. */
static int
fail(struct asq_db *db, int rc, unsigned number, const struct way_back *way)
{
    char message[ASQ_MESSAGE_SIZE];
    enum asq_stop stopped = db->stopped;

    memcpy(message, db->message, sizeof message);
    undo(db, way);
    db->stopped = stopped;
    return number == 0
               ? asq__db_fail(db, rc, "%s", message)
               : asq__db_fail(db, rc, "statement %u: %s", number, message);
}

static int run_framed(struct asq_db *db,
                      const char *sql,
                      const struct way_back *way,
                      unsigned *ret_count)
{
    bool inside = way->to_savepoint != NULL;
    unsigned count = 0;
    int rc = asq_db_run(db, inside ? "SAVEPOINT asq_script" : "BEGIN IMMEDIATE",
                        NULL, NULL);

    if (rc != 0)
        return rc;
    rc = run_all(db, sql, &count);
    if (rc != 0) {
        *ret_count = count;
        return fail(db, rc, count, way);
    }
    rc = asq_db_run(db, inside ? "RELEASE asq_script" : "COMMIT", NULL, NULL);
    if (rc != 0)
        return fail(db, rc, 0, way);
    *ret_count = count;
    return 0;
}

int asq_db_script(struct asq_db *db, const char *sql, unsigned *ret_count)
{
    struct way_back way = {0};
    unsigned count = 0;
    int rc = asq__db_enter(db);

    if (rc != 0)
        return rc;
    if (sql == NULL)
        return asq__db_fail(db, SQLITE_MISUSE, "no SQL was given");
    rc = check(db, sql, &count);
    if (rc == 0 && count > 0) {
        count = 0;
        rc = prepare_way_back(db, &way);
        if (rc == 0)
            rc = run_framed(db, sql, &way, &count);
        release_way_back(&way);
    }
    if (ret_count != NULL)
        *ret_count = count;
    return rc;
}
