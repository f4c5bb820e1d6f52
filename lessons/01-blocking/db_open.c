/* db_open - a connection is opened as its profile says
 *
 * In three steps: the arguments are checked; the file is opened, and on_open_db
 * is called; the settings are applied and read back.
 */
#include "01-blocking/db_open.h"

#include "01-blocking/db_settings.h"
#include "01-blocking/db_tidy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST_NAME = 120 /* of a path in a message; the reason must fit too */
};

/* Stands in for the caller's watch until the database is open. */
struct opening {
    asq_watch_cb watch;
    void *data;
    uint64_t end_ns; /* 0: no limit */
    bool late;       /* something was stopped because end_ns had come */
};

static bool is_over(const struct opening *opening)
{
    return opening->end_ns != 0 && asq__db_now_ns() >= opening->end_ns;
}

static int watch_opening(void *data)
{
    struct opening *opening = data;

    opening->late = opening->late || is_over(opening);
    return opening->late ||
           (opening->watch != NULL && opening->watch(opening->data));
}

/* Returns the path, or only its end if it is too long for a message. */
static const char *name_of(const char *path)
{
    size_t length = strlen(path);

    return length > LONGEST_NAME ? path + length - LONGEST_NAME : path;
}

static int check_profile(struct asq_db *db, const struct asq_profile *profile)
{
    const char *path = profile->path;

    /* SQLite would make a temporary database of an empty path, and some builds
     * would take "file:" for the beginning of a URI. */
    if (path == NULL || path[0] == '\0')
        return asq__db_fail(db, SQLITE_MISUSE, "no path was given");
    if (strncmp(path, "file:", 5) == 0)
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: a URI is not accepted; for a file of that "
                            "name write ./ before it",
                            name_of(path));
    if (profile->immutable && profile->mode != ASQ_OPEN_READ)
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: immutable needs ASQ_OPEN_READ", name_of(path));
    if (!sqlite3_threadsafe())
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: this SQLite was built without threads",
                            name_of(path));
    return 0;
}

/* The file */

/* Returns the URI that tells SQLite so, to be freed, or NULL. It begins with an
 * empty authority, because a path that begins with // would be taken for one.
 */
static char *immutable_uri(const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789/._-";
    const char *start = path[0] == '/' ? "file://" : "file:";
    const char *end = "?immutable=1";
    char *uri = malloc(strlen(start) + 3 * strlen(path) + strlen(end) + 1);
    char *p = uri;

    if (uri == NULL)
        return NULL;
    p += sprintf(p, "%s", start); /* there is room for it: see malloc */
    for (; *path != '\0'; path++) {
        if (strchr(plain, *path) != NULL)
            *p++ = *path;
        else
            p += sprintf(p, "%%%02X", (unsigned)(unsigned char)*path);
    }
    strcpy(p, end);
    return uri;
}

static int open_flags(const struct asq_profile *profile)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    if (profile->immutable)
        flags |= SQLITE_OPEN_URI;
    switch (profile->mode) {
    case ASQ_OPEN_READ:
        return flags | SQLITE_OPEN_READONLY;
    case ASQ_OPEN_WRITE:
        return flags | SQLITE_OPEN_READWRITE;
    case ASQ_OPEN_CREATE:
        break;
    }
    return flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

/* Keeps "path: SQLite's message (the system's message)". */
static int fail_open(struct asq_db *db, const char *path)
{
    sqlite3 *handle = db->handle;
    int code = handle == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(handle);
    int error = handle == NULL ? 0 : sqlite3_system_errno(handle);

    if ((code & 0xff) == SQLITE_CANTOPEN && error != 0)
        return asq__db_fail(db, code, "%s: %s (%s)", name_of(path),
                            sqlite3_errmsg(handle), strerror(error));
    return asq__db_fail(db, code, "%s: %s", name_of(path),
                        handle == NULL ? "out of memory"
                                       : sqlite3_errmsg(handle));
}

/* Everything after this may meet a lock, so the handlers are set here. */
static int open_file(struct asq_db *db, const struct asq_profile *profile)
{
    const char *name = profile->path;
    char *uri = NULL;
    int rc;

    if (profile->immutable) {
        uri = immutable_uri(profile->path);
        if (uri == NULL)
            return fail_open(db, profile->path);
        name = uri;
    }
    rc = sqlite3_open_v2(name, &db->handle, open_flags(profile), profile->vfs);
    free(uri);
    if (rc == 0)
        rc = asq__db_set_handlers(db);
    if (rc != 0)
        return fail_open(db, profile->path);
    db->read_only = sqlite3_db_readonly(db->handle, "main") == 1;
    return 0;
}

/* The hook */

static int fail_hook(struct asq_db *db, const char *path, int code)
{
    char reason[ASQ_MESSAGE_SIZE];

    if (db->failed == code)
        memcpy(reason, db->message, sizeof reason);
    else
        (void)snprintf(reason, sizeof reason, "it returned %d", code);
    return asq__db_fail(db, code, "%s: on_open_db: %s", name_of(path), reason);
}

static int run_hook(struct asq_db *db, const struct asq_profile *profile)
{
    struct asq_leftovers left;
    int rc;

    if (profile->on_open_db == NULL)
        return 0;
    rc = profile->on_open_db(db, profile->on_open_data);
    if (rc != 0)
        return fail_hook(db, profile->path, rc);
    rc = asq__db_tidy(db, &left);
    if (rc != 0)
        return fail_hook(db, profile->path, rc); /* the hook closed it */
    if (left.transactions + left.statements + left.handles == 0)
        return 0;
    return asq__db_fail(db, SQLITE_MISUSE, "%s: on_open_db left %s open",
                        name_of(profile->path),
                        left.transactions > 0 ? "a transaction"
                        : left.handles > 0    ? "a blob"
                                              : "a statement");
}

/* The settings */

/* Returns whether WAL was refused because its files cannot be made. */
static bool needs_folder(struct asq_db *db)
{
    int code = sqlite3_extended_errcode(db->handle);
    int error = sqlite3_system_errno(db->handle);

    return code == SQLITE_READONLY_DIRECTORY ||
           code == SQLITE_READONLY_CANTINIT ||
           ((code & 0xff) == SQLITE_CANTOPEN &&
            (error == EACCES || error == EPERM || error == EROFS));
}

static int apply_profile(struct asq_db *db, const struct asq_profile *profile)
{
    int rc = asq__db_set(db, profile);

    if (rc != 0 && needs_folder(db))
        return asq__db_fail(db, sqlite3_extended_errcode(db->handle),
                            "%s: WAL needs a folder that can be written; if "
                            "nobody changes the file, use ASQ_OPEN_READ with "
                            "immutable",
                            name_of(profile->path));
    if (rc != 0)
        return fail_open(db, profile->path);
    if (db->read_only && profile->mode != ASQ_OPEN_READ)
        return asq__db_fail(db, SQLITE_READONLY,
                            "%s: opened for writing, but it cannot be written",
                            name_of(profile->path));
    return 0;
}

static int fail_late(struct asq_db *db, const struct asq_profile *profile)
{
    return asq__db_fail(db, SQLITE_BUSY_TIMEOUT,
                        "%s: not open after %u ms%s; set open_ms of the "
                        "profile higher, or to 0 for no limit",
                        name_of(profile->path), profile->open_ms,
                        db->stopped == ASQ_STOP_LOCK ? ", waiting for a lock"
                                                     : "");
}

int asq__db_open(struct asq_db *db,
                 const struct asq_profile *profile,
                 asq_watch_cb watch,
                 void *data)
{
    struct opening opening = {.watch = watch, .data = data};
    struct asq_leftovers left;
    int rc;

    asq__db_init(db);
    rc = check_profile(db, profile);
    if (rc != 0)
        return rc;
    if (profile->open_ms != 0)
        opening.end_ns =
            asq__db_now_ns() + profile->open_ms * UINT64_C(1000000);
    db->statements = profile->statements;
    db->result_limit = profile->result_limit;
    db->busy_ms = profile->busy_ms;
    db->watch = watch_opening;
    db->watch_data = &opening;
    rc = open_file(db, profile);
    if (rc == 0)
        rc = run_hook(db, profile);
    if (rc == 0)
        rc = apply_profile(db, profile);
    if (opening.late || (rc == 0 && is_over(&opening)))
        rc = fail_late(db, profile);
    db->watch = watch;
    db->watch_data = data;
    if (rc != 0 && db->handle != NULL)
        asq__db_close_anyway(db, &left);
    return rc;
}
