/* db - one connection to an SQLite database, opened by one documented profile
 */
#include "01-blocking/db.h"

#include "01-blocking/cache.h"
#include "01-blocking/db_open.h"

#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    WATCH_EVERY = 100,
    LONGEST_NAP_MS = 10
};

uint64_t asq__db_now_ns(void)
{
    struct timespec now;

    /* CLOCK_MONOTONIC exists wherever this compiles; it cannot fail then. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Returns a number for the calling thread that no other thread ever gets. An
 * address or a pthread_t is reused once its thread has ended. */
static uintptr_t this_thread(void)
{
    static atomic_uintptr_t numbered;
    static _Thread_local uintptr_t number;

    if (number == 0)
        number = atomic_fetch_add(&numbered, 1) + 1;
    return number;
}

/* Forks are counted, because getpid is a system call and every call of this
 * module has to check. */
static atomic_uint forks;
static pthread_once_t forks_once = PTHREAD_ONCE_INIT;

static void on_fork_in_child(void)
{
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void count_forks(void)
{
    /* If there is no memory for it, forks go unnoticed; all else works. */
    (void)pthread_atfork(NULL, NULL, on_fork_in_child);
}

unsigned asq__forks(void)
{
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

bool asq__db_is_forked(const struct asq_db *db)
{
    return db->forks != asq__forks() && db->handle != NULL;
}

void asq__db_init(struct asq_db *db)
{
    /* It cannot fail: forks_once is a valid constant. */
    (void)pthread_once(&forks_once, count_forks);
    *db = (struct asq_db){.forks = asq__forks()};
    atomic_init(&db->owner, this_thread());
}

void asq__db_forget(struct asq_db *db)
{
    db->handle = NULL;
    db->in_use = db->idle = (struct asq_stmt_list){0};
    db->open_statements = 0;
    atomic_store(&db->owner, 0);
}

static bool is_foreign(const struct asq_db *db)
{
    uintptr_t owner = atomic_load_explicit(&db->owner, memory_order_relaxed);

    return owner != 0 && owner != this_thread();
}

static const char forked_message[] =
    "the connection was opened before this process was forked: run another "
    "program by exec, which opens one of its own";

int asq__db_enter(struct asq_db *db)
{
    uintptr_t owner = atomic_load(&db->owner);

    if (asq__db_is_forked(db)) /* its owner is a thread of the parent */
        return asq__db_fail(db, SQLITE_MISUSE, "%s", forked_message);
    /* After a hand-over the first thread to come takes the connection. */
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
            *p = ' '; /* it may quote SQL, but a message is one line */
    }
    db->failed = code;
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

/* Returns whether SQLite can still undo the running statement. It calls the
 * progress handler once more when a statement has finished: a commit that has
 * happened must not be reported as interrupted, and a wait for a lock that was
 * given up must be reported as just that. */
static bool can_stop(struct asq__run *run)
{
    bool gave_up = run->gave_up;

    run->gave_up =
        false; /* if SQLite goes on nevertheless, it can be stopped */
    return !gave_up && (run->handle == NULL || sqlite3_stmt_busy(run->handle));
}

/* Stops a raw statement. Whether it has finished cannot be told from here, and
 * sqlite3_interrupt leaves that to SQLite. But it ends every open statement,
 * and as long as one stays open, as a blob does, also those that start later.
 * So if one of ours or a blob is open, an unfinished raw statement is assumed
 * to be the one that runs. Returns what the progress handler is to return. */
static int stop_raw(struct asq_db *db)
{
    sqlite3_stmt *stmt = NULL;
    bool raw = false, others = false;

    while ((stmt = sqlite3_next_stmt(db->handle, stmt)) != NULL) {
        bool is_raw = sqlite3_sql(stmt) != NULL && !asq__cache_has(db, stmt);

        raw = raw || (is_raw && sqlite3_stmt_busy(stmt));
        others = others || (!is_raw && sqlite3_stmt_busy(stmt));
    }
    if (!others)
        sqlite3_interrupt(db->handle);
    return others && raw;
}

/* Called by SQLite between operations. Returning non-zero stops the running
 * statement and no other. */
static int on_progress(void *data)
{
    struct asq_db *db = data;
    struct asq__run *run = db->run;

    if (db->watch == NULL || (run != NULL && run->unstoppable) ||
        !db->watch(db->watch_data))
        return 0;
    if (run != NULL && !can_stop(run))
        return 0;
    if (run != NULL || db->stopped != ASQ_STOP_LOCK)
        db->stopped = ASQ_STOP_RUNNING;
    return run != NULL ? 1 : stop_raw(db);
}

static void nap(uint64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

    /* A signal may end it early: the caller looks at the clock again. */
    (void)nanosleep(&time, NULL);
}

/* sqlite3_interrupt does not end a wait for a lock, so the watch is also asked
 * here. */
static bool is_stopped(struct asq_db *db)
{
    bool stop;

    db->waiting = true;
    stop = db->watch != NULL && db->watch(db->watch_data);
    db->waiting = false;
    if (stop)
        db->stopped = ASQ_STOP_LOCK;
    return stop;
}

bool asq__db_wait(struct asq_db *db, uint64_t since_ns, int tries)
{
    uint64_t waited_ms;
    uint64_t ms = tries < LONGEST_NAP_MS ? (uint64_t)tries + 1 : LONGEST_NAP_MS;

    if (is_stopped(db))
        return false;
    waited_ms = (asq__db_now_ns() - since_ns) / 1000000U;
    if (waited_ms >= db->busy_ms)
        return false;
    nap(ms < db->busy_ms - waited_ms ? ms : db->busy_ms - waited_ms);
    return true;
}

/* Called by SQLite when it finds a lock taken. Returns whether to try again. */
static int on_busy(void *data, int tries)
{
    struct asq_db *db = data;
    bool again;

    if (tries == 0)
        db->busy_since_ns = asq__db_now_ns();
    again = asq__db_wait(db, db->busy_since_ns, tries);
    if (db->run != NULL)
        db->run->gave_up = !again;
    return again;
}

static void on_rollback(void *data)
{
    struct asq_db *db = data;

    db->rollbacks++;
}

int asq__db_set_handlers(struct asq_db *db)
{
    (void)sqlite3_rollback_hook(db->handle, on_rollback,
                                db); /* it returns the old one: none */
    sqlite3_progress_handler(db->handle, WATCH_EVERY, on_progress, db);
    return sqlite3_busy_handler(db->handle, on_busy, db);
}

int asq__db_undo_write(struct asq_db *db, sqlite3_stmt *handle)
{
    sqlite3_interrupt(db->handle);
    return sqlite3_step(handle);
}

int asq_db_open(struct asq_db *db, const struct asq_profile *profile)
{
    return asq__db_open(db, profile, NULL, NULL);
}

int asq_db_close(struct asq_db *db)
{
    if (db == NULL)
        return 0;
    if (asq__db_is_forked(db)) {
        asq__db_forget(db);
        return 0;
    }
    if (is_foreign(db))
        return SQLITE_MISUSE;
    if (db->handle == NULL)
        return 0;
    if (db->open_statements > 0)
        return asq__db_fail(
            db, SQLITE_BUSY, "not closed: %u statement%s in use",
            db->open_statements, db->open_statements == 1 ? " is" : "s are");
    asq__cache_flush(db);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        return asq__db_fail_sqlite(db); /* a raw statement is open */
    asq__db_forget(db);
    return 0;
}

int asq_db_hand_over(struct asq_db *db)
{
    if (asq__db_enter(db) != 0)
        return SQLITE_MISUSE;
    if (db->open_statements > 0)
        return asq__db_fail(
            db, SQLITE_BUSY, "not handed over: %u statement%s in use",
            db->open_statements, db->open_statements == 1 ? " is" : "s are");
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
    if (asq__db_is_forked(db))
        return forked_message;
    if (is_foreign(db))
        return "the connection belongs to another thread "
               "(asq_db_hand_over passes it on)";
    return db->message;
}

bool asq_db_in_transaction(const struct asq_db *db)
{
    return !is_foreign(db) && db->handle != NULL && !asq__db_is_forked(db) &&
           !sqlite3_get_autocommit(db->handle);
}

sqlite3 *asq_db_handle(struct asq_db *db)
{
    if (asq__db_enter(db) != 0)
        return NULL;
    db->handle_given = true;
    return db->handle;
}
