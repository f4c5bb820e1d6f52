/* stmt - steps a statement, reads its rows or collects them */
#include "01-blocking/stmt.h"

#include "01-blocking/db_outcome.h"

#include <string.h>

/* Returns whether it starts without asking the watch: even after something was
 * stopped, its transaction must be ended. */
static bool ends_transaction(const struct asq_stmt *stmt)
{
    return stmt->kind == ASQ_KIND_COMMIT || stmt->kind == ASQ_KIND_ROLLBACK;
}

/* Returns whether the run ends with a commit if all goes well. */
static bool may_commit(const struct asq_stmt *stmt)
{
    return stmt->kind == ASQ_KIND_COMMIT ||
           (stmt->alone && stmt->kind != ASQ_KIND_BEGIN &&
            stmt->kind != ASQ_KIND_ROLLBACK &&
            !sqlite3_stmt_readonly(stmt->handle));
}

/* Returns SQLITE_ROW, as if a step had been taken, or SQLITE_INTERRUPT if the
 * watch says so: during a short statement SQLite does not ask it. A PRAGMA may
 * already have acted, so for it the watch was asked before it was prepared. */
static int begin_run(struct asq_stmt *stmt)
{
    struct asq_db *db = stmt->db;

    stmt->started = true;
    stmt->changes = 0;
    stmt->alone = sqlite3_get_autocommit(db->handle);
    stmt->rollbacks = db->rollbacks;
    db->stopped = ASQ_STOP_NONE;
    if (may_commit(stmt))
        asq__db_begin_commit(db);
    if (ends_transaction(stmt) || stmt->kind == ASQ_KIND_PRAGMA)
        return SQLITE_ROW;
    return asq__db_ask_watch(db) == 0 ? SQLITE_ROW : SQLITE_INTERRUPT;
}

static void end_run(struct asq_stmt *stmt)
{
    /* For other statements SQLite repeats an earlier number, or has counted
     * side effects, for example in the tables behind an FTS5 table. */
    if (stmt->counts)
        stmt->changes = sqlite3_changes64(stmt->db->handle);
    stmt->db->stopped = ASQ_STOP_NONE; /* the watch came too late */
}

static int sqlite_step(struct asq_stmt *stmt)
{
    struct asq__run run = {.handle = stmt->handle,
                           .unstoppable = ends_transaction(stmt) ||
                                          stmt->kind == ASQ_KIND_BEGIN};
    int rc;

    asq__db_begin_run(stmt->db, &run);
    rc = sqlite3_step(stmt->handle);
    asq__db_end_run(stmt->db);
    return rc;
}

/* A write has done all its work when it returns its first row. If another
 * statement has failed or was stopped since then, and everything was rolled
 * back, SQLite still returns the other rows and then DONE. */
static bool was_undone(const struct asq_stmt *stmt)
{
    return stmt->counts && stmt->rollbacks != stmt->db->rollbacks;
}

/* The caller has entered the connection. */
static int step(struct asq_stmt *stmt)
{
    struct asq_db *db = stmt->db;
    int rc;

    if (!stmt->started)
        stmt->last = begin_run(stmt);
    if (stmt->last == SQLITE_ROW && was_undone(stmt))
        stmt->last =
            asq__db_fail(db, SQLITE_ABORT_ROLLBACK,
                         "undone by a rollback while it was half stepped");
    if (stmt->last != SQLITE_ROW)
        return stmt->last; /* another step would start it all over again */
    rc = sqlite_step(stmt);
    if (rc == SQLITE_DONE) {
        end_run(stmt);
    } else if (rc != SQLITE_ROW) {
        rc = asq__db_fail_sqlite(db);
        if (may_commit(stmt) && asq__db_is_unknown(db, rc))
            db->outcome_unknown = true;
    }
    stmt->last = rc;
    return rc;
}

int asq_stmt_step(struct asq_stmt *stmt)
{
    int rc = asq__db_enter(stmt->db);

    return rc != 0 ? rc : step(stmt);
}

static struct asq_value read_cell(sqlite3_stmt *handle, int column)
{
    switch (sqlite3_column_type(handle, column)) {
    case SQLITE_INTEGER:
        return asq_int64(sqlite3_column_int64(handle, column));
    case SQLITE_FLOAT:
        return asq_double(sqlite3_column_double(handle, column));
    case SQLITE_TEXT: {
        const void *text = sqlite3_column_text(handle, column);

        return asq_text_n(text, (size_t)sqlite3_column_bytes(handle, column));
    }
    case SQLITE_BLOB: {
        /* Asked before, because the bytes of a zeroblob are made only then. */
        size_t size = (size_t)sqlite3_column_bytes(handle, column);
        const void *blob = sqlite3_column_blob(handle, column);

        /* SQLite has no address for an empty blob. */
        if (blob == NULL && size == 0)
            blob = "";
        return blob == NULL ? asq_null() : asq_blob(blob, size);
    }
    default:
        return asq_null();
    }
}

struct asq_value asq_stmt_value(struct asq_stmt *stmt, int column)
{
    if (asq__db_enter(stmt->db) != 0)
        return asq_null();
    return read_cell(stmt->handle, column);
}

int asq_stmt_columns(const struct asq_stmt *stmt)
{
    return asq__db_enter(stmt->db) == 0 ? sqlite3_column_count(stmt->handle)
                                        : 0;
}

const char *asq_stmt_name(const struct asq_stmt *stmt, int column)
{
    return asq__db_enter(stmt->db) == 0
               ? sqlite3_column_name(stmt->handle, column)
               : NULL;
}

int asq_stmt_column(const struct asq_stmt *stmt, const char *name)
{
    int columns = asq_stmt_columns(stmt);

    for (int i = 0; i < columns; i++) {
        const char *mine = asq_stmt_name(stmt, i);

        if (mine != NULL && strcmp(mine, name) == 0)
            return i;
    }
    return -1;
}

static int add_names(struct asq_stmt *stmt, struct asq_result *result)
{
    int rc = 0;

    result->columns = sqlite3_column_count(stmt->handle);
    for (int i = 0; i < result->columns && rc == 0; i++) {
        struct asq_value name = asq_text(sqlite3_column_name(stmt->handle, i));

        rc = name.type == ASQ_NULL ? SQLITE_NOMEM
                                   : asq_result_add(result, &name);
    }
    return rc;
}

static int fail_add(struct asq_stmt *stmt, int rc)
{
    if (rc == SQLITE_TOOBIG)
        return asq__db_fail(stmt->db, rc,
                            "the result is larger than its limit of %zu bytes",
                            stmt->db->result_limit);
    return asq__db_fail(stmt->db, rc, "out of memory");
}

/* Makes sure that a transaction is open. */
static bool begin_around(struct asq_db *db)
{
    struct asq__run run = {.unstoppable = true};
    int rc = 0;

    asq__db_begin_run(db, &run);
    if (sqlite3_get_autocommit(db->handle))
        rc = sqlite3_exec(db->handle, "BEGIN", NULL, NULL, NULL);
    asq__db_end_run(db);
    return rc == 0;
}

/* A write does all its work before its first RETURNING row, and giving the
 * statement back would commit it. But a call that returns an error must have
 * done nothing, so the statement is made to end inside a transaction, which is
 * rolled back. If there is no memory for that, an interrupt does it, which also
 * ends everything else that is open. */
static void undo_write(struct asq_stmt *stmt)
{
    struct asq_db *db = stmt->db;
    struct asq_stmt *rollback = NULL;

    if (stmt->last != SQLITE_ROW || !stmt->counts)
        return;
    if (asq_stmt_prepare(db, "ROLLBACK", ASQ_WHOLE_TEXT, &rollback) == 0 &&
        begin_around(db)) {
        (void)sqlite3_reset(stmt->handle); /* whatever happens, it is undone */
        (void)step(rollback);              /* a transaction is open: it works */
    } else {
        (void)asq__db_undo_write(db, stmt->handle); /* interrupted, as wanted */
    }
    stmt->last = SQLITE_ABORT;
    asq_stmt_release(rollback);
}

/* Steps to the end; every row goes into result. */
static int collect_rows(struct asq_stmt *stmt, struct asq_result *result)
{
    int stepped = step(stmt);
    int rc = 0;

    if (stepped == SQLITE_ROW || stepped == SQLITE_DONE)
        rc = add_names(stmt, result);
    while (rc == 0 && stepped == SQLITE_ROW) {
        rc = asq__result_add_row(result, stmt->handle);
        if (rc == 0)
            stepped = step(stmt);
    }
    if (rc != 0) {
        undo_write(stmt);
        return fail_add(stmt, rc);
    }
    return stepped == SQLITE_DONE ? 0 : stepped;
}

/* The row on which a statement stands is in the result already. */
int asq_stmt_collect_some(struct asq_stmt *stmt,
                          struct asq_result *result,
                          size_t rows,
                          size_t bytes,
                          bool *ret_more)
{
    int rc = asq__db_enter(stmt->db);
    int stepped = SQLITE_ROW;
    size_t limit;

    *ret_more = false;
    asq_result_clear(result);
    if (rc != 0)
        return rc;
    limit = stmt->db->result_limit;
    result->limit = limit;
    if (limit != 0 && bytes > limit)
        bytes = limit;
    while (rc == 0 && result->rows < rows &&
           (result->rows == 0 || asq__result_size(result) < bytes) &&
           (stepped = step(stmt)) == SQLITE_ROW) {
        if (limit != 0) /* of each row; bytes is that of all */
            result->limit = asq__result_size(result) + limit;
        if (result->rows == 0)
            rc = add_names(stmt, result);
        if (rc == 0)
            rc = asq__result_add_row(result, stmt->handle);
    }
    *ret_more = rc == 0 && stepped == SQLITE_ROW;
    if (rc != 0)
        return fail_add(stmt, rc);
    return stepped == SQLITE_ROW || stepped == SQLITE_DONE ? 0 : stepped;
}

static int drop_rows(struct asq_stmt *stmt)
{
    int rc;

    do {
        rc = step(stmt);
    } while (rc == SQLITE_ROW);
    return rc == SQLITE_DONE ? 0 : rc;
}

int asq_stmt_collect(struct asq_stmt *stmt, struct asq_result *result)
{
    int rc = asq__db_enter(stmt->db);

    if (rc != 0)
        return rc;
    if (result == NULL)
        return drop_rows(stmt);
    asq_result_clear(result);
    result->limit = stmt->db->result_limit;
    rc = collect_rows(stmt, result);
    if (rc != 0) {
        asq_result_clear(result); /* half an answer is not an answer */
        return rc;
    }
    result->changes = stmt->changes;
    result->last_insert_id = sqlite3_last_insert_rowid(stmt->db->handle);
    return 0;
}

int64_t asq_stmt_changes(const struct asq_stmt *stmt)
{
    return stmt->changes;
}

int asq_db_run(struct asq_db *db,
               const char *sql,
               const struct asq_params *params,
               struct asq_result *result)
{
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt);

    if (result != NULL)
        asq_result_clear(result);
    if (rc == 0)
        rc = asq_stmt_bind(stmt, params);
    if (rc == 0)
        rc = asq_stmt_collect(stmt, result);
    asq_stmt_release(stmt);
    return rc;
}
