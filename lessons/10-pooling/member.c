/* member - one connection of a pool, and whether it is as it was opened */
#include "10-pooling/member.h"

#include "01-blocking/db_tidy.h"

#include <sqlite3.h>
#include <string.h>

/* What an authorizer is asked. */
struct asq_access {
    int action;
    const char *first, *second, *database, *trigger;
};

static struct asq__member *member_of(struct asq_conn *conn)
{
    return ASQ_CONTAINER_OF(conn, struct asq__member, conn);
}

/* A PRAGMA that takes a value and does not set anything. */
static bool asks_only(const char *name)
{
    static const char *const names[] = {
        "foreign_key_check",  "foreign_key_list", "function_list",
        "incremental_vacuum", "index_info",       "index_list",
        "index_xinfo",        "integrity_check",  "optimize",
        "quick_check",        "table_info",       "table_list",
        "table_xinfo",        "wal_checkpoint"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sqlite3_stricmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_temp(const char *database)
{
    return database != NULL && strcmp(database, "temp") == 0;
}

/* The rows of a temporary table that the profile has made. Its triggers may
 * write them; and of SQLite's own tables the other codes tell. */
static bool changes_rows(const struct asq_access *access)
{
    return is_temp(access->database) && access->trigger == NULL &&
           strncmp(access->first, "sqlite_", strlen("sqlite_")) != 0;
}

static bool changes_session(const struct asq_access *access)
{
    switch (access->action) {
    case SQLITE_ATTACH: /* VACUUM also comes here */
    case SQLITE_DETACH:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_TEMP_TRIGGER:
    case SQLITE_DROP_TEMP_VIEW:
        return true;
    case SQLITE_ALTER_TABLE:
        return is_temp(access->first);
    case SQLITE_DELETE:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
        return changes_rows(access);
    case SQLITE_PRAGMA:
        return access->second != NULL && !asks_only(access->first);
    default:
        return false;
    }
}

/* On the worker, while SQLite prepares a statement. */
static int authorize(void *data,
                     int action,
                     const char *first,
                     const char *second,
                     const char *database,
                     const char *trigger)
{
    struct asq__member *member = data;
    struct asq_access access = {action, first, second, database, trigger};

    if (!changes_session(&access) || !atomic_load(&member->watched))
        return SQLITE_OK;
    if (!atomic_load(&member->lent))
        return SQLITE_DENY;
    atomic_store(&member->changed, true);
    return SQLITE_OK;
}

/* On the worker. What the program does here is as it wants it, and what open
 * sets afterwards comes before `watched`. */
static int open_db(struct asq_db *db, void *data)
{
    struct asq__member *member = data;
    int rc = 0;

    if (member->hook.on_open_db != NULL)
        rc = member->hook.on_open_db(db, member->hook.data);
    if (rc == 0)
        rc = sqlite3_set_authorizer(asq_db_handle(db), authorize, member);
    return rc;
}

static void note_open(struct asq_conn *conn, int status)
{
    struct asq__member *member = member_of(conn);

    atomic_store(&member->watched, true);
    member->ops->on_open(member, status);
}

static void clean(struct asq__member *member);

/* Nothing is pending any more, so nobody needs what is still open. */
static void begin_clean(struct asq__member *member)
{
    asq__conn_share(&member->conn, false);
    clean(member);
}

static void note_idle(struct asq_conn *conn)
{
    struct asq__member *member = member_of(conn);

    if (member->state == ASQ_MEMBER_RETURNING)
        begin_clean(member);
    else
        member->ops->on_idle(member);
}

int asq__member_open(struct asq__member *member,
                     uv_loop_t *loop,
                     const struct asq_profile *profile)
{
    struct asq_profile own = *profile;

    member->hook.on_open_db = profile->on_open_db;
    member->hook.data = profile->on_open_data;
    own.on_open_db = open_db;
    own.on_open_data = member;
    asq_conn_init(&member->conn);
    member->conn.on_idle = note_idle;
    member->conn.capacity = SIZE_MAX; /* the pool has a limit of its own */
    asq_request_init(&member->tidy);
    member->tidy.data = member;
    member->state = ASQ_MEMBER_OPENING;
    return asq_conn_open(&member->conn, loop, &own, note_open);
}

bool asq__member_is_as_opened(const struct asq__member *member)
{
    return member->conn.usable && !atomic_load(&member->changed);
}

void asq__member_lend(struct asq__member *member)
{
    member->state = ASQ_MEMBER_LENT;
    member->reserved = false;
    atomic_store(&member->lent, true);
    asq__conn_share(&member->conn, true);
}

/* On the worker. A raw blob handle keeps old rows in sight, and only its owner
 * can close it. */
static int undo_what_is_open(struct asq_db *db, struct asq_request *request)
{
    struct asq__member *member = request->data;
    struct asq_leftovers left;

    if (asq__db_tidy(db, &left) != 0 || left.handles > 0)
        atomic_store(&member->changed, true);
    return 0;
}

/* When it could not be undone the connection is closed, and the next request
 * is told so. */
static void take_tidied(struct asq_request *request, int status)
{
    struct asq__member *member = request->data;

    if (status == 0)
        member->conn.left_open_now = false;
    else if (status != SQLITE_MISUSE)
        atomic_store(&member->changed, true);
    /* note_idle goes on: nothing else is pending. */
}

static void clean(struct asq__member *member)
{
    struct asq_conn *conn = &member->conn;

    if (member->leaving || !asq__member_is_as_opened(member)) {
        member->ops->on_unfit(member, member->undone);
        return;
    }
    if (!conn->left_open_now) {
        atomic_store(&member->lent, false);
        member->state = ASQ_MEMBER_SHARED;
        member->ops->on_clean(member, member->undone);
        return;
    }
    member->undone = true;
    if (asq_conn_call(conn, &member->tidy, undo_what_is_open, take_tidied) != 0)
        member->ops->on_unfit(member, true); /* it is not open any more */
}

void asq__member_take_back(struct asq__member *member)
{
    member->state = ASQ_MEMBER_RETURNING;
    member->undone = asq__line_end_all(&member->conn.line) > 0;
    if (member->conn.pending == 0)
        begin_clean(member);
}

static void note_closed(struct asq_conn *conn)
{
    struct asq__member *member = member_of(conn);

    asq_request_destroy(&member->tidy);
    member->ops->on_closed(member);
}

void asq__member_close(struct asq__member *member)
{
    member->state = ASQ_MEMBER_CLOSING;
    asq_conn_close(&member->conn, note_closed);
}
