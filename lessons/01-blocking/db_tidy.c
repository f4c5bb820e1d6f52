/* db_tidy - undoes what was left open on a connection */
#include "01-blocking/db_tidy.h"

#include "01-blocking/cache.h"

/* The statement inside a blob was not prepared from a text. */
static bool is_blob(sqlite3_stmt *stmt)
{
    return sqlite3_sql(stmt) == NULL;
}

/* Calls visit for each statement in the middle of a run, ours or raw. There can
 * be raw ones only if the program has asked for the handle. */
static void
each_running(struct asq_db *db,
             void (*visit)(struct asq_db *db, sqlite3_stmt *stmt, void *data),
             void *data)
{
    sqlite3_stmt *stmt = NULL;

    if (db->open_statements == 0 && !db->handle_given)
        return;
    while ((stmt = sqlite3_next_stmt(db->handle, stmt)) != NULL) {
        if (sqlite3_stmt_busy(stmt))
            visit(db, stmt, data);
    }
}

struct found {
    unsigned statements; /* raw ones */
    unsigned writes;     /* raw or ours, which a reset would commit */
    unsigned blobs;
};

static void count_writes(struct asq_db *db, sqlite3_stmt *stmt, void *data)
{
    struct found *found = data;

    (void)db;
    found->writes += !is_blob(stmt) && !sqlite3_stmt_readonly(stmt);
}

static void count_blobs(struct asq_db *db, sqlite3_stmt *stmt, void *data)
{
    struct found *found = data;

    (void)db;
    found->blobs += is_blob(stmt);
}

static void count_running(struct asq_db *db, sqlite3_stmt *stmt, void *data)
{
    struct found *found = data;

    (void)db;
    found->blobs += is_blob(stmt);
    found->statements += !is_blob(stmt);
}

unsigned asq__db_running(struct asq_db *db, unsigned *ret_blobs)
{
    struct found found = {0};

    if (asq__db_enter(db) == 0)
        each_running(db, count_running, &found);
    *ret_blobs = found.blobs;
    return found.statements;
}

bool asq__db_is_anything_open(struct asq_db *db)
{
    return db->open_statements > 0 || asq__db_is_busy(db);
}

bool asq__db_is_busy(struct asq_db *db)
{
    unsigned blobs;

    return asq_db_in_transaction(db) || asq__db_running(db, &blobs) > 0 ||
           blobs > 0;
}

static void undo_write(struct asq_db *db, sqlite3_stmt *stmt, void *data)
{
    struct found *found = data;

    if (is_blob(stmt) || sqlite3_stmt_readonly(stmt))
        return;
    found->statements += !asq__cache_has(db, stmt);
    (void)asq__db_undo_write(db, stmt); /* interrupted, as it should be */
}

static void reset_raw(struct asq_db *db, sqlite3_stmt *stmt, void *data)
{
    struct found *found = data;

    (void)db;
    if (is_blob(stmt))
        return;
    found->statements++;
    (void)sqlite3_reset(stmt); /* repeats the error of the step */
}

/* Inside a transaction a reset commits nothing. So if a write outside of one
 * has returned a row, a transaction is begun around it, to be rolled back. An
 * interrupt does the same and needs no memory; but while a blob is open, it
 * would also end all later statements. */
static void keep_from_committing(struct asq_db *db, struct found *found)
{
    if (!sqlite3_get_autocommit(db->handle))
        return;
    each_running(db, count_writes, found);
    if (found->writes > 0 &&
        sqlite3_exec(db->handle, "BEGIN", NULL, NULL, NULL) != 0)
        each_running(db, undo_write, found);
}

static int roll_back(struct asq_db *db)
{
    int rc = 0;

    if (!sqlite3_get_autocommit(db->handle))
        rc = sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    /* If nothing is open any more after an error, it was rolled back. */
    return sqlite3_get_autocommit(db->handle) ? 0 : rc;
}

int asq__db_tidy(struct asq_db *db, struct asq_leftovers *ret)
{
    struct asq__run run = {.unstoppable = true}; /* it undoes */
    struct found found = {0};
    int rc = asq__db_enter(db);

    *ret = (struct asq_leftovers){0};
    if (rc != 0)
        return rc;
    asq__db_begin_run(db, &run);
    ret->transactions = !sqlite3_get_autocommit(db->handle);
    ret->statements = db->open_statements;
    keep_from_committing(db, &found);
    asq_stmt_release_all(db); /* with those that their tables run */
    each_running(db, reset_raw, &found);
    rc = roll_back(db);
    if (rc != 0)
        (void)asq__db_fail_sqlite(db); /* for the message */
    asq__db_end_run(db);
    each_running(db, count_blobs, &found); /* some end with a transaction */
    ret->statements += found.statements;
    ret->handles = found.blobs;
    return rc;
}

/* Modules of virtual tables keep statements, and finalize them themselves. If
 * it cannot be found out, there may be some. */
static bool may_have_virtual_tables(sqlite3 *handle)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        handle, "SELECT 1 FROM pragma_table_list WHERE type = 'virtual'", -1,
        &stmt, NULL);

    if (rc == 0)
        rc = sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt); /* what it returns is in rc */
    return rc != SQLITE_DONE;
}

/* Returns how many there were. */
static unsigned finalize_raw(struct asq_db *db)
{
    sqlite3_stmt *stmt = sqlite3_next_stmt(db->handle, NULL);
    unsigned count = 0;

    if (stmt == NULL || may_have_virtual_tables(db->handle))
        return 0;
    while (stmt != NULL) {
        sqlite3_stmt *next = sqlite3_next_stmt(db->handle, stmt);

        if (!is_blob(stmt)) {
            (void)sqlite3_finalize(stmt); /* it was reset: no error */
            count++;
        }
        stmt = next;
    }
    return count;
}

/* The handle closes by itself once its owner has ended what is left. Until then
 * it must not call this module: struct asq_db may be gone. */
static void leave_to_owner(sqlite3 *handle)
{
    sqlite3_progress_handler(handle, 0, NULL, NULL);
    (void)sqlite3_rollback_hook(handle, NULL, NULL); /* returns our own */
    (void)sqlite3_busy_handler(handle, NULL, NULL);  /* cannot fail */
    (void)sqlite3_close_v2(handle);                  /* cannot fail */
}

void asq__db_close_anyway(struct asq_db *db, struct asq_leftovers *ret)
{
    unsigned ours = db->open_statements, finalized;

    *ret = (struct asq_leftovers){0};
    if (asq__db_is_forked(db)) {
        (void)asq_db_close(db); /* only forgets it */
        return;
    }
    if (asq__db_enter(db) != 0)
        return;
    (void)asq__db_tidy(db, ret); /* closing undoes what this could not */
    asq__cache_flush(db);
    finalized = finalize_raw(db);
    if (finalized > 0) /* they include those that tidy has reset */
        ret->statements = ours + finalized;
    if (sqlite3_close(db->handle) != SQLITE_OK) {
        if (ret->handles == 0)
            ret->handles = 1;
        leave_to_owner(db->handle);
    }
    asq__db_forget(db);
}
