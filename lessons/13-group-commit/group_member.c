/* group_member - one request in the transaction of a group */
#include "13-group-commit/group_member.h"

#include "01-blocking/sql_text.h"
#include "01-blocking/stmt.h"

#include <stdio.h>
#include <string.h>

static struct asq_db *db_of(struct asq__group *group)
{
    return &group->runner->db;
}

static int refuse(struct asq_request *request, int code, const char *text)
{
    /* It fits. */
    (void)snprintf(request->message, sizeof request->message, "%s", text);
    return code;
}

/* What a member may do */

/* SQLite's own virtual tables, and db_outcome, ask these. */
static bool only_asks(const char *pragma, const char *value)
{
    static const char *const names[] = {"data_version", "database_list",
                                        "page_size"};
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        found = found || sqlite3_stricmp(pragma, names[i]) == 0;
    return found && value == NULL;
}

/* While SQLite prepares a statement. A ROLLBACK may be prepared, because
 * asq_db_script does that; if it runs, the transaction is undone. */
static int authorize(void *data,
                     int action,
                     const char *first,
                     const char *second,
                     const char *database,
                     const char *trigger)
{
    struct asq__group *group = data;

    (void)database;
    (void)trigger;
    if (!group->in_member)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return SQLITE_DENY;
    case SQLITE_TRANSACTION:
        return group->has_savepoints && strcmp(first, "ROLLBACK") == 0
                   ? SQLITE_OK
                   : SQLITE_DENY;
    case SQLITE_SAVEPOINT:
        return group->has_savepoints ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:
        return only_asks(first, second) ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_OK;
    }
}

/* A COMMIT that was prepared before is not asked about. Here it becomes a
 * rollback, and the neighbours run again. */
static int veto(void *data)
{
    const struct asq__group *group = data;

    return group->open && group->in_member;
}

/* The same for a statement from the cache, before anything is undone. */
static bool is_forbidden(const struct asq_request *request)
{
    if (request->task != ASQ_TASK_SQL)
        return false;
    switch (asq_sql_kind(request->sql, ASQ_WHOLE_TEXT)) {
    case ASQ_KIND_BEGIN:
    case ASQ_KIND_COMMIT:
    case ASQ_KIND_ROLLBACK:
    case ASQ_KIND_FILE:
        return true;
    default:
        return false;
    }
}

int asq__member_watch(struct asq__group *group)
{
    sqlite3 *handle = db_of(group)->handle;

    (void)sqlite3_commit_hook(handle, veto, group); /* returns the old one */
    if (sqlite3_set_authorizer(handle, authorize, group) != 0)
        return asq__db_fail_sqlite(db_of(group));
    return 0;
}

/* Running one */

/* SQLite looks at a deferred foreign key only when it commits. */
static bool misses_a_parent(struct asq__group *group)
{
    int missing = 0, most = 0;

    /* It cannot fail: there is such a counter. */
    (void)sqlite3_db_status(db_of(group)->handle, SQLITE_DBSTATUS_DEFERRED_FKS,
                            &missing, &most, 0);
    return missing != 0;
}

static int fail_parent(struct asq_request *request)
{
    return refuse(request, SQLITE_CONSTRAINT_FOREIGNKEY,
                  "FOREIGN KEY constraint failed");
}

/* Only a function can have made raw statements. */
static bool may_leave(struct asq__group *group,
                      const struct asq_request *request)
{
    return request->task == ASQ_TASK_CALL || db_of(group)->open_statements > 0;
}

int asq__member_task(struct asq__group *group, struct asq_request *request)
{
    int rc;

    if (is_forbidden(request))
        return refuse(request, SQLITE_AUTH,
                      "a store has its own transaction: take a hold");
    group->in_member = true;
    group->has_savepoints = request->task != ASQ_TASK_SQL;
    rc = asq__runner_task(group->runner, request);
    group->in_member = false;
    if (group->open && may_leave(group, request) &&
        asq__cleaner_after_member(&group->runner->cleaner) && rc == 0)
        return refuse(request, SQLITE_MISUSE,
                      "it left a statement or a handle open");
    return rc;
}

static bool is_undone(struct asq__group *group)
{
    return !asq_db_in_transaction(db_of(group)) ||
           db_of(group)->rollbacks != group->rollbacks;
}

/* Where memory is missing for the end of the savepoint, all must be undone. */
static void end_savepoint(struct asq__group *group, bool keep)
{
    struct asq_db *db = db_of(group);

    if (!keep && asq_db_run(db, "ROLLBACK TO asq_member", NULL, NULL) != 0)
        group->spoilt = true;
    else if (asq_db_run(db, "RELEASE asq_member", NULL, NULL) != 0)
        group->spoilt = true;
}

/* A function may fail after several statements. So may a script, which has a
 * savepoint of its own; but without memory it may fail to undo that. */
static int run_several(struct asq__group *group, struct asq_request *request)
{
    struct asq_db *db = db_of(group);
    int rc = asq_db_run(db, "SAVEPOINT asq_member", NULL, NULL);

    if (rc != 0)
        return rc;
    rc = asq__member_task(group, request);
    if (is_undone(group))
        return rc;
    if (rc == 0 && misses_a_parent(group))
        rc = fail_parent(request);
    if (rc != 0 && request->message[0] == '\0' && rc == db->failed)
        memcpy(request->message, db->message, sizeof request->message);
    end_savepoint(group, rc == 0);
    return rc == 0 && group->spoilt ? db->failed : rc;
}

int asq__member_run(struct asq__group *group, struct asq_request *request)
{
    int rc = request->task == ASQ_TASK_SQL ? asq__member_task(group, request)
                                           : run_several(group, request);

    if (is_undone(group)) {
        group->spoilt = true;
        return rc != 0 ? rc
                       : refuse(request, SQLITE_MISUSE,
                                "it ended the transaction of its group");
    }
    if (!group->spoilt && misses_a_parent(group)) {
        group->spoilt = true;
        return rc != 0 ? rc : fail_parent(request);
    }
    return rc;
}
