/* errors - what went wrong, and what a program can do about it */
#include "08-errors-and-deadlines/errors.h"

#include <stddef.h>
#include <string.h>

static const struct meaning {
    const char *name;
    enum asq_remedy remedy;
    const char *advice;
} meanings[ASQ_ERROR_KINDS] = {
    [ASQ_ERROR_NONE] = {"none", ASQ_REMEDY_NONE, "Nothing went wrong."},
    [ASQ_ERROR_UNIQUE] = {"unique", ASQ_REMEDY_TELL,
                          "A row with this key already exists."},
    [ASQ_ERROR_FOREIGN_KEY] = {"foreign key", ASQ_REMEDY_TELL,
                               "A row refers to one that does not exist."},
    [ASQ_ERROR_CHECK] = {"check", ASQ_REMEDY_TELL,
                         "A value breaks a rule of its table."},
    [ASQ_ERROR_NOT_NULL] = {"not null", ASQ_REMEDY_TELL,
                            "A value that must be given is missing."},
    [ASQ_ERROR_CONSTRAINT] = {"constraint", ASQ_REMEDY_TELL,
                              "A trigger or a column's type refuses the row."},
    [ASQ_ERROR_TOO_BIG] = {"too big", ASQ_REMEDY_TELL,
                           "A value or a result is larger than its limit."},
    [ASQ_ERROR_BUSY] = {"busy", ASQ_REMEDY_RETRY,
                        "Another connection holds the lock; try again later."},
    [ASQ_ERROR_BUSY_SNAPSHOT] = {"busy snapshot", ASQ_REMEDY_RETRY_ALL,
                                 "Another connection has written since BEGIN; "
                                 "begin again, with BEGIN IMMEDIATE."},
    [ASQ_ERROR_LOCKED] = {"locked", ASQ_REMEDY_FIX,
                          "A statement of the same connection is not "
                          "finished; finish it first."},
    [ASQ_ERROR_QUEUE_FULL] = {"queue full", ASQ_REMEDY_RETRY,
                              "Too many requests are waiting; try again "
                              "later."},
    [ASQ_ERROR_CANCELLED] = {"cancelled", ASQ_REMEDY_STOP,
                             "It was cancelled, and nothing of it stays."},
    [ASQ_ERROR_DEADLINE] = {"deadline", ASQ_REMEDY_STOP,
                            "It took too long, and nothing of it stays."},
    [ASQ_ERROR_SHUTTING_DOWN] = {"shutting down", ASQ_REMEDY_STOP,
                                 "The connection is not open, or is closing."},
    [ASQ_ERROR_FULL] = {"full", ASQ_REMEDY_REPAIR,
                        "The disk or the database is full; make room."},
    [ASQ_ERROR_IO] = {"I/O", ASQ_REMEDY_REPAIR,
                      "The disk failed; look at the disk and its log."},
    [ASQ_ERROR_OUTCOME_UNKNOWN] = {"outcome unknown", ASQ_REMEDY_REOPEN,
                                   "The disk failed during COMMIT; open the "
                                   "database again and see what is there."},
    [ASQ_ERROR_CORRUPT] = {"corrupt", ASQ_REMEDY_REPAIR,
                           "The file is damaged; stop, and restore a backup."},
    [ASQ_ERROR_NOT_A_DATABASE] = {"not a database", ASQ_REMEDY_REPAIR,
                                  "The file is something else; check the "
                                  "path."},
    [ASQ_ERROR_CANNOT_OPEN] = {"cannot open", ASQ_REMEDY_REPAIR,
                               "A file cannot be opened; check the path, "
                               "its folder and their permissions."},
    [ASQ_ERROR_READ_ONLY] = {"read-only", ASQ_REMEDY_REPAIR,
                             "The database cannot be written; check how it was "
                             "opened, and the permissions."},
    [ASQ_ERROR_MEMORY] = {"memory", ASQ_REMEDY_REPAIR,
                          "There is no memory left; load less at once."},
    [ASQ_ERROR_SCHEMA] = {"schema", ASQ_REMEDY_RETRY,
                          "The tables changed while it ran; try again."},
    [ASQ_ERROR_NO_TABLE] = {"no table", ASQ_REMEDY_FIX,
                            "The database has no such table; is it the right "
                            "file, and migrated?"},
    [ASQ_ERROR_NO_COLUMN] = {"no column", ASQ_REMEDY_FIX,
                             "The table has no such column; is it migrated?"},
    [ASQ_ERROR_SQL] = {"SQL", ASQ_REMEDY_FIX,
                       "The statement is wrong; correct the program."},
    [ASQ_ERROR_MISUSE] = {"misuse", ASQ_REMEDY_FIX,
                          "A function was called as its contract forbids; "
                          "correct the program."},
    [ASQ_ERROR_OTHER] = {"other", ASQ_REMEDY_FIX,
                         "No program should see this code; look it up."},
};

/* The low byte of an extended code is its base code. An extended code that is
 * not listed here means what its base code means. */
static const struct {
    int code;
    enum asq_error_kind kind;
} codes[] = {
    {UV_ECANCELED, ASQ_ERROR_CANCELLED},
    {UV_ETIMEDOUT, ASQ_ERROR_DEADLINE},
    {UV_ESHUTDOWN, ASQ_ERROR_SHUTTING_DOWN},
    {UV_ENOBUFS, ASQ_ERROR_QUEUE_FULL},
    {UV_ENOMEM, ASQ_ERROR_MEMORY},
    {UV_EINVAL, ASQ_ERROR_MISUSE},
    {UV_EBUSY, ASQ_ERROR_MISUSE}, /* of tx: a savepoint is open in it */
    {SQLITE_OK, ASQ_ERROR_NONE},
    {SQLITE_CONSTRAINT, ASQ_ERROR_CONSTRAINT},
    {SQLITE_CONSTRAINT_UNIQUE, ASQ_ERROR_UNIQUE},
    {SQLITE_CONSTRAINT_PRIMARYKEY, ASQ_ERROR_UNIQUE},
    {SQLITE_CONSTRAINT_ROWID, ASQ_ERROR_UNIQUE},
    {SQLITE_CONSTRAINT_FOREIGNKEY, ASQ_ERROR_FOREIGN_KEY},
    {SQLITE_CONSTRAINT_CHECK, ASQ_ERROR_CHECK},
    {SQLITE_CONSTRAINT_NOTNULL, ASQ_ERROR_NOT_NULL},
    {SQLITE_MISMATCH, ASQ_ERROR_CONSTRAINT}, /* a rowid that is no integer */
    {SQLITE_TOOBIG, ASQ_ERROR_TOO_BIG},
    {SQLITE_BUSY, ASQ_ERROR_BUSY},
    {SQLITE_BUSY_SNAPSHOT, ASQ_ERROR_BUSY_SNAPSHOT},
    {SQLITE_ERROR_SNAPSHOT, ASQ_ERROR_BUSY_SNAPSHOT},
    {SQLITE_PROTOCOL, ASQ_ERROR_BUSY}, /* too many open a WAL at once */
    {SQLITE_LOCKED, ASQ_ERROR_LOCKED},
    {SQLITE_LOCKED_SHAREDCACHE, ASQ_ERROR_BUSY}, /* another connection */
    {SQLITE_LOCKED_VTAB, ASQ_ERROR_BUSY},        /* the same */
    {SQLITE_INTERRUPT, ASQ_ERROR_CANCELLED},
    {SQLITE_FULL, ASQ_ERROR_FULL},
    {SQLITE_IOERR, ASQ_ERROR_IO},
    {SQLITE_IOERR_NOMEM, ASQ_ERROR_MEMORY},
    {SQLITE_IOERR_DATA, ASQ_ERROR_CORRUPT}, /* a checksum is wrong */
    {SQLITE_IOERR_CORRUPTFS, ASQ_ERROR_CORRUPT},
    {SQLITE_CORRUPT, ASQ_ERROR_CORRUPT},
    {SQLITE_NOTADB, ASQ_ERROR_NOT_A_DATABASE},
    {SQLITE_CANTOPEN, ASQ_ERROR_CANNOT_OPEN},
    {SQLITE_PERM, ASQ_ERROR_CANNOT_OPEN},
    {SQLITE_READONLY, ASQ_ERROR_READ_ONLY},
    {SQLITE_NOMEM, ASQ_ERROR_MEMORY},
    {SQLITE_SCHEMA, ASQ_ERROR_SCHEMA},
    {SQLITE_ERROR, ASQ_ERROR_SQL},
    {SQLITE_AUTH, ASQ_ERROR_SQL},
    {SQLITE_MISUSE, ASQ_ERROR_MISUSE},
    {SQLITE_RANGE, ASQ_ERROR_MISUSE},
    {SQLITE_NOTFOUND, ASQ_ERROR_MISUSE},
    {SQLITE_ABORT, ASQ_ERROR_MISUSE}, /* rolled back under a statement */
    {SQLITE_ROW, ASQ_ERROR_MISUSE},   /* of a step, taken for a status */
    {SQLITE_DONE, ASQ_ERROR_MISUSE},
};

static enum asq_error_kind find(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code)
            return codes[i].kind;
    }
    /* SQLITE_OK has extended codes too, but none of them is a status. */
    return code <= 0xff || (code & 0xff) == 0 ? ASQ_ERROR_OTHER
                                              : find(code & 0xff);
}

static bool begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Of the errors whose code is SQLITE_ERROR, two have words of their own. */
static enum asq_error_kind read_kind(const char *message)
{
    if (begins_with(message, "no such table: "))
        return ASQ_ERROR_NO_TABLE;
    if (begins_with(message, "no such column: ") ||
        (begins_with(message, "table ") &&
         strstr(message, " has no column named ") != NULL))
        return ASQ_ERROR_NO_COLUMN;
    return ASQ_ERROR_SQL;
}

/* Returns what follows the words, or "". */
static const char *after(const char *message, const char *words)
{
    const char *at = strstr(message, words);

    return at == NULL ? "" : at + strlen(words);
}

static const char *
find_subject(enum asq_error_kind kind, int code, const char *message)
{
    switch (kind) {
    case ASQ_ERROR_UNIQUE:
    case ASQ_ERROR_CHECK:
    case ASQ_ERROR_NOT_NULL:
        return after(message, " constraint failed: ");
    case ASQ_ERROR_NO_TABLE:
        return after(message, "no such table: ");
    case ASQ_ERROR_NO_COLUMN:
        return after(message, begins_with(message, "table ")
                                  ? " has no column named "
                                  : "no such column: ");
    default:
        /* "cannot store TEXT value in INTEGER column items.value" */
        return code == SQLITE_CONSTRAINT_DATATYPE ? after(message, " column ")
                                                  : "";
    }
}

static struct asq_error
make(enum asq_error_kind kind, int code, const char *message)
{
    return (struct asq_error){.kind = kind,
                              .remedy = meanings[kind].remedy,
                              .name = meanings[kind].name,
                              .advice = meanings[kind].advice,
                              .subject = find_subject(kind, code, message)};
}

struct asq_error asq_error_of_code(int code, const char *message)
{
    const char *text = message == NULL ? "" : message;

    return make(code == SQLITE_ERROR ? read_kind(text) : find(code), code,
                text);
}

struct asq_error asq_error_of(const struct asq_request *request, int status)
{
    if (request->outcome_unknown)
        return make(ASQ_ERROR_OUTCOME_UNKNOWN, status, request->message);
    return asq_error_of_code(status, request->message);
}

const char *asq_place_name(enum asq_place place)
{
    switch (place) {
    case ASQ_PLACE_QUEUE:
        return "queue";
    case ASQ_PLACE_LOCK:
        return "lock";
    case ASQ_PLACE_RUNNING:
        return "running";
    case ASQ_PLACE_NONE:
        break;
    }
    return "";
}
