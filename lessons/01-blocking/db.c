/* db - one connection to an SQLite database, opened by one documented profile
 */
#include "01-blocking/db.h"

#include "01-blocking/cache.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    WATCH_EVERY = 100,
    LONGEST_NAP_MS = 10,
    LONGEST_NAME = 120 /* of a path in a message; the reason must fit too */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    /* CLOCK_MONOTONIC exists wherever this compiles; it cannot fail then. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Names the calling thread by a number that no other thread ever gets: an
 * address or a pthread_t is used again once its thread has ended. */
static uintptr_t this_thread(void)
{
    static atomic_uintptr_t numbered;
    static _Thread_local uintptr_t number;

    if (number == 0)
        number = atomic_fetch_add(&numbered, 1) + 1;
    return number;
}

static bool is_foreign(const struct asq_db *db)
{
    uintptr_t owner = atomic_load_explicit(&db->owner, memory_order_relaxed);

    return owner != 0 && owner != this_thread();
}

int asq__db_enter(struct asq_db *db)
{
    uintptr_t owner = atomic_load(&db->owner);

    /* Whoever comes first after a hand-over takes the connection. */
    if (owner == 0 &&
        atomic_compare_exchange_strong(&db->owner, &owner, this_thread()))
        owner = this_thread();
    if (owner != this_thread())
        return SQLITE_MISUSE;
    if (db->handle == NULL)
        return asq__db_fail(db, SQLITE_MISUSE, "the database is not open");
    return 0;
}

int asq__db_fail(struct asq_db *db, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    /* A message that is too long is cut; that is not an error. */
    (void)vsnprintf(db->message, sizeof db->message, format, args);
    va_end(args);
    for (char *p = db->message; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p))
            *p = ' '; /* SQL may be quoted in it; a message is one line */
    }
    return code;
}

int asq__db_fail_sqlite(struct asq_db *db)
{
    return asq__db_fail(db, sqlite3_extended_errcode(db->handle), "%s",
                        sqlite3_errmsg(db->handle));
}

void asq__db_begin_run(struct asq_db *db, struct asq__run *run)
{
    run->outer = db->run;
    db->run = run;
}

void asq__db_end_run(struct asq_db *db)
{
    db->run = db->run->outer;
}

int asq__db_ask_watch(struct asq_db *db)
{
    if (db->watch == NULL || !db->watch(db->watch_data))
        return 0;
    db->stopped = ASQ_STOP_RUNNING;
    return asq__db_fail(db, SQLITE_INTERRUPT, "interrupted before it began");
}

/* Says whether SQLite can still undo what runs. It also calls the progress
 * handler once more when a statement is over: what has committed must not be
 * reported as interrupted, nor a lost wait for a lock as anything else. */
static bool can_stop(struct asq__run *run)
{
    bool gave_up = run->gave_up;

    run->gave_up =
        false; /* if SQLite goes on all the same, it can be stopped */
    return !gave_up && (run->handle == NULL || sqlite3_stmt_busy(run->handle));
}

/* Called by SQLite between operations. To return non-zero stops what runs now
 * and leaves its neighbours alone. Of a statement that is not ours cannot be
 * told whether it is over: sqlite3_interrupt leaves that to SQLite, and ends
 * every statement that is open on the connection. */
static int on_progress(void *data)
{
    struct asq_db *db = data;
    struct asq__run *run = db->run;

    if (db->watch == NULL || (run != NULL && run->unstoppable) ||
        !db->watch(db->watch_data))
        return 0;
    if (run == NULL) {
        if (db->stopped != ASQ_STOP_LOCK)
            db->stopped = ASQ_STOP_RUNNING;
        sqlite3_interrupt(db->handle);
        return 0;
    }
    if (!can_stop(run))
        return 0;
    db->stopped = ASQ_STOP_RUNNING;
    return 1;
}

static void nap(uint64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

    /* Woken early by a signal: the caller looks at the clock again. */
    (void)nanosleep(&time, NULL);
}

/* Waits a little for a lock that was first found taken at since_ns. Returns
 * whether there is time left to try again. */
static bool wait_for_lock(const struct asq_db *db, uint64_t since_ns, int tries)
{
    uint64_t waited_ms = (now_ns() - since_ns) / 1000000U;
    uint64_t ms = tries < LONGEST_NAP_MS ? (uint64_t)tries + 1 : LONGEST_NAP_MS;

    if (waited_ms >= db->busy_ms)
        return false;
    nap(ms < db->busy_ms - waited_ms ? ms : db->busy_ms - waited_ms);
    return true;
}

/* Called by SQLite when a lock is taken. sqlite3_interrupt does not end such
 * a wait, so the watch is asked here as well. Returns whether to try again. */
static int on_busy(void *data, int tries)
{
    struct asq_db *db = data;
    bool again;

    if (tries == 0)
        db->busy_since_ns = now_ns();
    db->waiting = true;
    again = db->watch == NULL || !db->watch(db->watch_data);
    db->waiting = false;
    if (!again)
        db->stopped = ASQ_STOP_LOCK;
    again = again && wait_for_lock(db, db->busy_since_ns, tries);
    if (db->run != NULL)
        db->run->gave_up = !again;
    return again;
}

struct asq_profile asq_profile_default(const char *path)
{
    return (struct asq_profile){
        .path = path,
        .mode = ASQ_OPEN_CREATE,
        .wal = true,
        .synchronous = 1,
        .foreign_keys = true,
        .cache_kib = 2000,
        .busy_ms = 5000,
        .statements = 32,
        .result_limit = (size_t)64 << 20,
    };
}

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
    uint64_t since_ns = now_ns();
    int tries = 0;
    int rc;

    do {
        rc = ask(db, sql, db->journal_mode, sizeof db->journal_mode);
    } while ((rc & 0xff) == SQLITE_BUSY &&
             wait_for_lock(db, since_ns, tries++));
    return rc;
}

/* Sets a PRAGMA to a number and reads back what is in force. */
static int
set_number(struct asq_db *db, const char *name, long number, long *ret_number)
{
    char sql[64];
    char text[32] = "";
    int rc;

    /* Names and numbers of this file fit. */
    (void)snprintf(sql, sizeof sql, "PRAGMA %s=%ld", name, number);
    rc = ask(db, sql, text, sizeof text);
    if (rc != 0)
        return rc;
    (void)snprintf(sql, sizeof sql, "PRAGMA %s", name);
    rc = ask(db, sql, text, sizeof text);
    *ret_number = 0;
    if (rc == 0)
        (void)sscanf(text, "%ld", ret_number); /* an empty answer reads as 0 */
    return rc;
}

static int apply_profile(struct asq_db *db, const struct asq_profile *profile)
{
    long number;
    int rc;

    /* First of all: everything that follows may meet a lock. */
    rc = sqlite3_busy_handler(db->handle, on_busy, db);
    if (rc == 0)
        rc = set_journal_mode(db, profile->wal);
    if (rc == 0) {
        rc = set_number(db, "main.synchronous", profile->synchronous, &number);
        db->synchronous = (int)number;
    }
    if (rc == 0) {
        rc = set_number(db, "foreign_keys", profile->foreign_keys, &number);
        db->foreign_keys = number != 0;
    }
    if (rc == 0)
        rc = set_number(db, "main.cache_size", -(long)profile->cache_kib,
                        &number);
    if (rc == 0)
        rc = set_number(db, "trusted_schema", 0, &number);
    if (rc == 0)
        sqlite3_progress_handler(db->handle, WATCH_EVERY, on_progress, db);
    return rc;
}

static int open_flags(enum asq_open_mode mode)
{
    switch (mode) {
    case ASQ_OPEN_READ:
        return SQLITE_OPEN_READONLY;
    case ASQ_OPEN_WRITE:
        return SQLITE_OPEN_READWRITE;
    case ASQ_OPEN_CREATE:
        break;
    }
    return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

/* Returns the end of a path that is too long for a message. */
static const char *name_of(const char *path)
{
    size_t length = strlen(path);

    return length > LONGEST_NAME ? path + length - LONGEST_NAME : path;
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

int asq_db_open(struct asq_db *db, const struct asq_profile *profile)
{
    const char *path = profile->path;
    int rc;

    *db = (struct asq_db){0};
    atomic_init(&db->owner, this_thread());
    db->statements = profile->statements;
    db->result_limit = profile->result_limit;
    db->busy_ms = profile->busy_ms;
    /* SQLite would make a temporary database of an empty path, and some builds
     * would take "file:" for the beginning of a URI. */
    if (path == NULL || path[0] == '\0')
        return asq__db_fail(db, SQLITE_MISUSE, "no path was given");
    if (strncmp(path, "file:", 5) == 0)
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: a URI is not taken; for a file of that name "
                            "write ./ before it",
                            name_of(path));
    if (!sqlite3_threadsafe())
        return asq__db_fail(db, SQLITE_MISUSE,
                            "%s: this SQLite was built without threads",
                            name_of(path));
    rc = sqlite3_open_v2(path, &db->handle,
                         open_flags(profile->mode) | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_EXRESCODE,
                         profile->vfs);
    if (rc == 0) {
        db->read_only = sqlite3_db_readonly(db->handle, "main") == 1;
        rc = apply_profile(db, profile);
    }
    if (rc != 0) {
        rc = fail_open(db, path);
    } else if (db->read_only && profile->mode != ASQ_OPEN_READ) {
        rc = asq__db_fail(db, SQLITE_READONLY,
                          "%s: opened for writing, but it cannot be written",
                          name_of(path));
    }
    if (rc != 0) {
        /* No statement is open, so closing cannot fail. */
        (void)sqlite3_close(db->handle);
        db->handle = NULL;
    }
    return rc;
}

int asq_db_close(struct asq_db *db)
{
    if (db == NULL)
        return 0;
    if (is_foreign(db))
        return SQLITE_MISUSE;
    if (db->handle == NULL)
        return 0;
    if (db->open_statements > 0)
        return asq__db_fail(db, SQLITE_BUSY,
                            "not closed: %u of its statements are in use",
                            db->open_statements);
    asq__cache_flush(db);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        return asq__db_fail_sqlite(db); /* a statement made by its handle */
    db->handle = NULL;
    atomic_store(&db->owner, 0);
    return 0;
}

int asq_db_hand_over(struct asq_db *db)
{
    if (asq__db_enter(db) != 0)
        return SQLITE_MISUSE;
    if (db->open_statements > 0)
        return asq__db_fail(db, SQLITE_BUSY,
                            "not handed over: %u of its statements are in use",
                            db->open_statements);
    atomic_store(&db->owner, 0);
    return 0;
}

int asq_db_watch(struct asq_db *db, asq_watch_cb watch, void *data)
{
    if (asq__db_enter(db) != 0)
        return SQLITE_MISUSE;
    db->watch = watch;
    db->watch_data = data;
    return 0;
}

const char *asq_db_message(const struct asq_db *db)
{
    if (is_foreign(db))
        return "the connection belongs to another thread "
               "(asq_db_hand_over passes it on)";
    return db->message;
}

bool asq_db_in_transaction(const struct asq_db *db)
{
    return !is_foreign(db) && db->handle != NULL &&
           !sqlite3_get_autocommit(db->handle);
}

sqlite3 *asq_db_handle(struct asq_db *db)
{
    return asq__db_enter(db) == 0 ? db->handle : NULL;
}
