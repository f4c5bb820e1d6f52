/* db_open - a connection is opened as its profile says
 *
 * Three steps: the arguments are checked, the file is opened and shown to
 * on_open_db, the settings are made and read back.
 */
#include "01-blocking/db_open.h"

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
    bool late;       /* something was stopped because of it */
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

/* Returns the end of a path that is too long for a message. */
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
                            "%s: a URI is not taken; for a file of that name "
                            "write ./ before it",
                            name_of(path));
    if (profile->immutable && profile->mode != ASQ_OPEN_READ)
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: what is immutable is opened by ASQ_OPEN_READ",
                            name_of(path));
    if (!sqlite3_threadsafe())
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: this SQLite was built without threads",
                            name_of(path));
    return 0;
}

/* The file */

/* Returns the URI that says it to SQLite, to be freed, or NULL. An empty
 * authority comes first: a path that begins with // would be taken for one. */
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
    p += sprintf(p, "%s", start); /* it was measured above */
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

/* Keeps "path: what SQLite says (what the system says)". */
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

/* Everything that follows may meet a lock, so the handlers come first. */
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
    if (rc == 0 && left.transactions + left.statements + left.handles == 0)
        return 0;
    return asq__db_fail(db, SQLITE_MISUSE, "%s: on_open_db left %s open",
                        name_of(profile->path),
                        left.transactions > 0 ? "a transaction"
                        : left.handles > 0    ? "a blob"
                                              : "a statement");
}

/* The settings */

/* Runs a PRAGMA and copies the text of its first cell, if it has one. */
static int ask(struct asq_db *db, const char *sql, char *ret_text, size_t size)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(stmt, 0);

            /* The answers are shorter than any buffer here. */
            (void)snprintf(ret_text, size, "%s", text == NULL ? "" : text);
            rc = SQLITE_DONE;
        }
    }
    /* Finalize repeats the error of the step; it is already in rc. */
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : rc;
}

/* Switching to WAL needs the file alone for a moment and does not ask the
 * busy handler in every case, so waiting is done here. */
static int set_journal_mode(struct asq_db *db, bool wal)
{
    const char *sql = wal && !db->read_only ? "PRAGMA main.journal_mode=WAL"
                                            : "PRAGMA main.journal_mode";
    uint64_t since_ns = asq__db_now_ns();
    int tries = 0;
    int rc;

    do {
        rc = ask(db, sql, db->journal_mode, sizeof db->journal_mode);
    } while ((rc & 0xff) == SQLITE_BUSY && asq__db_wait(db, since_ns, tries++));
    return rc;
}

struct setting {
    const char *pragma;
    int64_t wanted;
    int64_t in_force;
};

static int get_number(struct asq_db *db, struct setting *setting)
{
    char sql[64];
    char text[32] = "";
    int rc;

    (void)snprintf(sql, sizeof sql, "PRAGMA %s", setting->pragma); /* it fits */
    rc = ask(db, sql, text, sizeof text);
    setting->in_force = strtoll(text, NULL, 10); /* no answer reads as 0 */
    return rc;
}

/* What is right already is left alone: setting wal_autocheckpoint takes the
 * WAL hook away, temp_store the temporary tables, and on_open_db may have made
 * some. */
static int set_number(struct asq_db *db, struct setting *setting)
{
    char sql[64];
    char text[32];
    int rc = get_number(db, setting);

    if (rc != 0 || setting->in_force == setting->wanted)
        return rc;
    /* Names and numbers of this file fit. */
    (void)snprintf(sql, sizeof sql, "PRAGMA %s=%lld", setting->pragma,
                   (long long)setting->wanted);
    rc = ask(db, sql, text, sizeof text);
    return rc != 0 ? rc : get_number(db, setting);
}

static int set_numbers(struct asq_db *db, const struct asq_profile *profile)
{
    struct setting synchronous = {"main.synchronous", profile->synchronous, 0};
    struct setting keys = {"foreign_keys", profile->foreign_keys, 0};
    struct setting cache = {"main.cache_size", -(int64_t)profile->cache_kib, 0};
    struct setting trusted = {"trusted_schema", profile->trusted_schema, 0};
    struct setting checkpoint = {"wal_autocheckpoint",
                                 profile->wal_autocheckpoint, 0};
    struct setting journal = {"main.journal_size_limit",
                              profile->journal_size_limit, 0};
    struct setting mmap = {"main.mmap_size", profile->mmap_size, 0};
    struct setting temp = {"temp_store", profile->temp_store, 0};
    struct setting *all[] = {&synchronous, &keys,    &cache, &trusted,
                             &checkpoint,  &journal, &mmap,  &temp};
    int rc = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0] && rc == 0; i++)
        rc = set_number(db, all[i]);
    db->synchronous = (int)synchronous.in_force;
    db->foreign_keys = keys.in_force != 0;
    db->trusted_schema = trusted.in_force != 0;
    db->wal_autocheckpoint = (int)checkpoint.in_force;
    db->journal_size_limit = journal.in_force;
    db->mmap_size = mmap.in_force;
    db->temp_store = (enum asq_temp_store)temp.in_force;
    return rc;
}

/* Says whether WAL was refused because its files cannot be made. */
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
    int rc = set_journal_mode(db, profile->wal);

    if (rc == 0)
        rc = set_numbers(db, profile);
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
