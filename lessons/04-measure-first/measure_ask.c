/* measure_ask - runs the statement of a measurement once */
#include "04-measure-first/measure_ask.h"

#include "01-blocking/stmt.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

/* Finds SQLite's own handle of a statement that is checked out. PRAGMA is
 * never cached and others may be evicted, so it is looked for while it is
 * there. SQLite keeps the text without what follows the statement. Returns
 * NULL if there is none. */
static sqlite3_stmt *handle_of(struct asq_db *db, const char *sql)
{
    sqlite3_stmt *handle = NULL;

    while ((handle = sqlite3_next_stmt(asq_db_handle(db), handle)) != NULL) {
        const char *text = sqlite3_sql(handle);

        if (text != NULL && *text != '\0' &&
            strncmp(sql, text, strlen(text)) == 0)
            break;
    }
    return handle;
}

struct look {
    bool pragma, alone_means_nothing;
    bool upkeep; /* it makes, drops or sorts tables: its work is intended */
};

/* Called by SQLite while it prepares the statement. */
static int note_action(void *data,
                       int action,
                       const char *first,
                       const char *second,
                       const char *database,
                       const char *trigger)
{
    struct look *look = data;

    (void)first, (void)second, (void)database, (void)trigger;
    look->pragma |= action == SQLITE_PRAGMA;
    look->alone_means_nothing |=
        action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ||
        action == SQLITE_ATTACH || action == SQLITE_DETACH;
    /* The codes of CREATE and DROP are next to one another. */
    look->upkeep |=
        (action >= SQLITE_CREATE_INDEX && action <= SQLITE_CREATE_VIEW) ||
        (action >= SQLITE_DROP_INDEX && action <= SQLITE_DROP_VIEW) ||
        action == SQLITE_CREATE_VTABLE || action == SQLITE_DROP_VTABLE ||
        action == SQLITE_ALTER_TABLE || action == SQLITE_REINDEX ||
        action == SQLITE_ANALYZE;
    return SQLITE_OK;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (name != NULL && *names != NULL && strcmp(name, *names) != 0)
        names++;
    return name != NULL && *names != NULL;
}

/* Returns whether the program of SQLite's machine (see EXPLAIN) adds up rows
 * without a condition that jumps to the next row. The end of a range of an
 * index is not one: it jumps out of the loop. */
static bool sums_up(const struct asq_result *program)
{
    static const char *const sums[] = {"AggFinal", NULL};
    static const char *const tests[] = {"Eq",      "Ne",    "Lt",       "Le",
                                        "Gt",      "Ge",    "If",       "IfNot",
                                        "NotNull", "Found", "NotFound", NULL};
    static const char *const nexts[] = {"Next", "Prev", "VNext", NULL};
    bool found = false;

    for (size_t i = 0; i < program->rows; i++) {
        const char *opcode = asq_result_text(program, i, "opcode");
        size_t target = (size_t)asq_result_int64(program, i, "p2");

        found |= is_one_of(opcode, sums);
        if (is_one_of(opcode, tests) &&
            is_one_of(asq_result_text(program, target, "opcode"), nexts))
            return false;
    }
    return found;
}

/* Reads whether it sums up, and whether it is a VACUUM. What fails here is no
 * error: then it is taken for neither. */
static int read_program(struct asq_measure *measure, struct asq_db *db)
{
    static const char *const vacuum[] = {"Vacuum", NULL};
    bool into = false;
    char *sql = sqlite3_mprintf("EXPLAIN %s", measure->sql);
    struct asq_result program;

    asq_result_init(&program);
    if (sql != NULL && asq_db_run(db, sql, measure->params, &program) == 0) {
        measure->plan.sums = sums_up(&program);
        for (size_t i = 0; i < program.rows; i++) {
            if (!is_one_of(asq_result_text(&program, i, "opcode"), vacuum))
                continue;
            measure->kind = ASQ_MEASURE_PLAIN;
            into = asq_result_int64(&program, i, "p2") != 0;
        }
    }
    asq_result_destroy(&program);
    sqlite3_free(sql);
    return into ? asq__measure_fail(measure, SQLITE_MISUSE,
                                    "VACUUM INTO writes a file each time, and "
                                    "nobody would undo that")
                : 0;
}

static int fail(struct asq_measure *measure, int code, const char *text)
{
    return asq__measure_fail(measure, code, text);
}

/* Returns whether there are as many values as the statement has parameters. */
static int check_count(struct asq_measure *measure, sqlite3_stmt *handle)
{
    int wanted = sqlite3_bind_parameter_count(handle);
    size_t given = measure->params_count > 0 ? measure->params[0].count : 0;

    if ((size_t)wanted == given)
        return 0;
    (void)snprintf(measure->message, sizeof measure->message,
                   "the SQL has %d parameter%s, and %zu value%s given", wanted,
                   wanted == 1 ? "" : "s", given, given == 1 ? " is" : "s are");
    return SQLITE_RANGE;
}

/* The statement is checked out. */
static int find_kind(struct asq_measure *measure,
                     struct asq_stmt *stmt,
                     sqlite3_stmt *handle,
                     const struct look *look)
{
    if (look->alone_means_nothing)
        return fail(measure, SQLITE_MISUSE,
                    "BEGIN, COMMIT, ROLLBACK, SAVEPOINT, ATTACH and DETACH "
                    "cannot be measured alone: give the statement between");
    if (!measure->may_write && !asq_stmt_is_query(stmt))
        return fail(measure, SQLITE_READONLY,
                    "only a query is run on a database that is not ours "
                    "(SELECT, WITH, VALUES)");
    if (handle == NULL) /* UNTESTED: it was prepared a moment ago */
        return fail(measure, SQLITE_ERROR, "SQLite has no such statement");
    measure->kind = look->pragma                    ? ASQ_MEASURE_PLAIN
                    : sqlite3_stmt_readonly(handle) ? ASQ_MEASURE_QUERY
                                                    : ASQ_MEASURE_WRITE;
    measure->counted = !look->pragma && !look->upkeep;
    return check_count(measure, handle);
}

/* Asks SQLite's authorizer. The statement has been prepared before: the first
 * time a virtual table such as FTS5 prepares statements of its own, a PRAGMA
 * among them. */
static struct look look_at(struct asq_measure *measure, struct asq_db *db)
{
    sqlite3 *handle = asq_db_handle(db);
    sqlite3_stmt *stmt = NULL;
    struct look look = {0};

    (void)sqlite3_set_authorizer(handle, note_action, &look);
    (void)sqlite3_prepare_v2(handle, measure->sql, -1, &stmt, NULL);
    (void)sqlite3_set_authorizer(handle, NULL, NULL);
    (void)sqlite3_finalize(stmt); /* it was never stepped */
    return look;
}

int asq__measure_look(struct asq_measure *measure, struct asq_db *db)
{
    struct asq_stmt *stmt = NULL;
    struct look look;
    int rc = asq_stmt_prepare(db, measure->sql, ASQ_WHOLE_TEXT, &stmt);

    measure->plan = (struct asq_advise_plan){0};
    if (rc != 0)
        return fail(measure, rc, asq_db_message(db));
    look = look_at(measure, db);
    rc = find_kind(measure, stmt, handle_of(db, measure->sql), &look);
    asq_stmt_release(stmt);
    if (rc == 0 && !look.pragma)
        rc = read_program(measure, db);
    return rc;
}

static uint64_t count_of(sqlite3_stmt *handle, int counter)
{
    return (uint64_t)sqlite3_stmt_status(handle, counter, 0);
}

static void read_counters(sqlite3_stmt *handle, struct asq_advise_plan *plan)
{
    if (handle == NULL)
        return; /* UNTESTED: the statement is checked out */
    plan->scan_steps = count_of(handle, SQLITE_STMTSTATUS_FULLSCAN_STEP);
    plan->sorts = count_of(handle, SQLITE_STMTSTATUS_SORT);
    plan->auto_index = count_of(handle, SQLITE_STMTSTATUS_AUTOINDEX);
    plan->vm_steps = count_of(handle, SQLITE_STMTSTATUS_VM_STEP);
}

/* Steps to the end. Only reading a cell makes SQLite fetch it. */
static int step_through(struct asq_stmt *stmt, uint64_t *ret_rows)
{
    int rc;

    *ret_rows = 0;
    while ((rc = asq_stmt_step(stmt)) == SQLITE_ROW) {
        int columns = asq_stmt_columns(stmt);

        for (int i = 0; i < columns; i++)
            (void)asq_stmt_value(stmt, i);
        *ret_rows += 1;
    }
    return rc == SQLITE_DONE ? 0 : rc;
}

static int run(const struct asq_measure *measure,
               struct asq_db *db,
               const struct asq_params *params,
               struct asq_advise_plan *ret_plan)
{
    struct asq_stmt *stmt = NULL;
    uint64_t rows;
    int rc = asq_stmt_prepare(db, measure->sql, ASQ_WHOLE_TEXT, &stmt);

    if (rc == 0 && params != NULL)
        rc = asq_stmt_bind(stmt, params);
    if (rc == 0)
        rc = step_through(stmt, &rows);
    if (rc == 0 && ret_plan != NULL) {
        ret_plan->columns = (unsigned)asq_stmt_columns(stmt);
        ret_plan->rows =
            ret_plan->columns > 0 ? rows : (uint64_t)asq_stmt_changes(stmt);
        if (measure->counted)
            read_counters(handle_of(db, measure->sql), ret_plan);
    }
    asq_stmt_release(stmt);
    return rc;
}

static void keep(char message[ASQ_MESSAGE_SIZE], const struct asq_db *db)
{
    /* Cut if it is too long. */
    (void)snprintf(message, ASQ_MESSAGE_SIZE, "%s", asq_db_message(db));
}

int asq__measure_ask(const struct asq_measure *measure,
                     struct asq_db *db,
                     const struct asq_params *params,
                     struct asq_advise_plan *ret_plan,
                     char message[ASQ_MESSAGE_SIZE])
{
    bool undo = measure->kind == ASQ_MEASURE_WRITE;
    int rc = 0;

    if (undo)
        rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);
    if (undo && rc == 0)
        rc = asq_db_run(db, "SAVEPOINT measured", NULL, NULL);
    if (rc == 0)
        rc = run(measure, db, params, ret_plan);
    if (rc != 0)
        keep(message, db);
    if (undo && asq_db_in_transaction(db)) {
        int undone = asq_db_run(
            db, rc == 0 ? "ROLLBACK TO measured" : "ROLLBACK", NULL, NULL);

        if (rc == 0 && undone == 0)
            undone = asq_db_run(db, "COMMIT", NULL, NULL);
        if (rc == 0 && undone != 0) {
            keep(message, db);
            rc = undone;
            (void)asq_db_run(db, "ROLLBACK", NULL, NULL); /* if still open */
        }
    }
    if ((rc & 0xff) == SQLITE_INTERRUPT) {
        (void)snprintf(message, ASQ_MESSAGE_SIZE, "the time is up");
        rc = UV_ETIMEDOUT;
    }
    return rc;
}

static int is_late(void *data)
{
    const struct asq_measure *measure = data;

    return uv_hrtime() >= measure->deadline_ns;
}

void asq__measure_watch(const struct asq_measure *measure, struct asq_db *db)
{
    /* The watch reads it only. */
    if (measure->deadline_ns > 0)
        (void)asq_db_watch(db, is_late, (void *)(uintptr_t)measure);
}
