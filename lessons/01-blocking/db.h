/* db - one connection to an SQLite database, opened by one documented profile
 *
 * Owns the sqlite3 handle and the statement cache. Every call blocks the
 * thread that makes it. A connection belongs to one thread at a time and
 * remembers which: a call from another thread returns SQLITE_MISUSE and
 * touches nothing. So does a call in the child of a fork. Depends on profile;
 * opening is in db_open, statements are in stmt.
 */
#ifndef ASQ_DB_H
#define ASQ_DB_H

#include "01-blocking/atomics.h"
#include "01-blocking/profile.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_stmt;
struct asq__run;

struct asq_stmt_list {
    struct asq_stmt *first;
    struct asq_stmt *last;
};

enum {
    ASQ_MESSAGE_SIZE = 256
};

/* Why the watch stopped a statement. */
enum asq_stop {
    ASQ_STOP_NONE,
    ASQ_STOP_RUNNING, /* it was interrupted, or not started */
    ASQ_STOP_LOCK     /* it gave up waiting for a lock */
};

/* Asked on the thread of the connection before the first step of every run of
 * a statement, while it runs (every 100 operations of the virtual machine) and
 * while it waits for a lock. Non-zero stops this statement and no other: it
 * says SQLITE_INTERRUPT, or SQLITE_BUSY where it gave up waiting, and has done
 * nothing. What ends a transaction (COMMIT, END, RELEASE, ROLLBACK) always
 * starts. Neither that nor BEGIN or SAVEPOINT is stopped while it runs:
 * whether they took effect must not be in doubt. For a PRAGMA, which may act
 * while it is prepared, the first question comes before that. While they wait
 * for a lock the watch is asked as for any other. A statement that a program
 * makes by SQLite's handle is stopped as well while it runs; that may end
 * others made by the handle, when they are open. The watch must not use the
 * connection. */
typedef int (*asq_watch_cb)(void *data);

struct asq_db {
    /* read-only, on the thread that owns the connection */
    char journal_mode[12];  /* what is in force: "wal", "delete", "memory" */
    int synchronous;        /* what is in force */
    bool foreign_keys;      /* what is in force */
    bool trusted_schema;    /* what is in force */
    int wal_autocheckpoint; /* what is in force */
    int64_t journal_size_limit;     /* what is in force */
    int64_t mmap_size;              /* what is in force */
    enum asq_temp_store temp_store; /* what is in force */
    bool read_only;
    bool outcome_unknown; /* a commit failed half-way; see stmt.h */
    int failed; /* the code that the message belongs to; 0: no error yet */
    enum asq_stop stopped;    /* of the last statement */
    bool waiting;             /* for a lock; for the watch to look at */
    unsigned open_statements; /* checked out and not yet released */
    struct {
        uint64_t hits, misses, evicted;
        unsigned idle; /* in the cache now */
    } cache;
    /* private */
    sqlite3 *handle;
    atomic_uintptr_t owner;      /* a thread; 0: the next caller takes it */
    struct asq_stmt_list in_use; /* checked out */
    struct asq_stmt_list idle;   /* most recently used first */
    unsigned statements;
    size_t result_limit;
    unsigned busy_ms;
    uint64_t busy_since_ns;
    uint64_t pages_written; /* when the run began that may commit */
    unsigned forks;         /* of the process, when it was opened */
    bool handle_given;      /* there may be raw statements */
    uint64_t rollbacks;     /* how many there were; see stmt.c */
    asq_watch_cb watch;
    void *watch_data;
    struct asq__run *run; /* what this module's callers run now, or NULL */
    char message[ASQ_MESSAGE_SIZE];
};

/* What somebody has left open on a connection; counted by db_tidy. */
struct asq_leftovers {
    unsigned transactions; /* 0 or 1: it was rolled back */
    unsigned statements;   /* checked out, or raw ones in the middle of a run
                              and those that their virtual tables run; when
                              closing, raw ones that were not finalized */
    unsigned handles;      /* raw blobs, and when closing backups and raw
                              statements that could not be finalized: these
                              are only told, their owner still has to end
                              them */
};

/* Opens the database as the profile says and reads back what is in force. The
 * profile is borrowed for the call. The calling thread owns the connection.
 * Returns 0, or an extended SQLITE_* code with asq_db_message naming the
 * file: SQLITE_CANTOPEN (missing, a directory, no permission), the same or
 * SQLITE_READONLY_DIRECTORY (WAL in a folder that cannot be written),
 * SQLITE_NOTADB, SQLITE_CORRUPT, SQLITE_BUSY (locked for longer than busy_ms),
 * SQLITE_BUSY_TIMEOUT (not open within open_ms), SQLITE_READONLY (asked for
 * writing, but the file cannot be written),
 * SQLITE_MISUSE (no path, a URI, immutable but not ASQ_OPEN_READ, something
 * left open by on_open_db, SQLite built without threads), or what on_open_db
 * returned. After a failure the connection is closed; closing it again is
 * harmless.
 *
 * One wait asks neither busy_ms nor open_ms nor the watch: where the WAL index
 * (-shm) is spoilt and another connection is writing, SQLite waits by itself
 * for 10 s and then returns SQLITE_PROTOCOL. It can meet an opening and the
 * beginning of each transaction. */
int asq_db_open(struct asq_db *db, const struct asq_profile *profile);

/* Closes the connection and finalizes the cached statements; an open
 * transaction is rolled back. Accepts NULL and a zeroed or closed connection.
 * Returns 0; SQLITE_BUSY when statements are still checked out, or
 * SQLITE_MISUSE on a foreign thread: nothing is closed then.
 *
 * In the child of a fork it returns 0 and only forgets the connection: closing
 * could roll back the parent's transaction in the file. Memory and descriptors
 * stay until the child ends or runs another program by exec. Before that it
 * must not open a file that was open when it was forked: SQLite would believe
 * that the child holds the parent's locks. */
int asq_db_close(struct asq_db *db);

/* Gives the connection away: the next thread that uses it owns it. The caller
 * passes the pointer on through something that orders memory: a queue with a
 * lock, a thread that starts, a join. Returns 0, SQLITE_BUSY (statements are
 * checked out) or SQLITE_MISUSE. */
int asq_db_hand_over(struct asq_db *db);

/* Sets or takes back (NULL) the watch. Returns 0 or SQLITE_MISUSE. */
int asq_db_watch(struct asq_db *db, asq_watch_cb watch, void *data);

/* Returns the message of the last error, in one line; borrowed until the next
 * call. On a foreign thread it says just that. */
const char *asq_db_message(const struct asq_db *db);

/* Returns whether a transaction is open, so that the caller knows whether an
 * error has rolled it back. False on a foreign thread and when closed. */
bool asq_db_in_transaction(const struct asq_db *db);

/* Returns SQLite's own handle for what this module does not cover, or NULL on
 * a foreign thread. Do not change what the profile set, nor the busy handler,
 * the progress handler and the rollback hook, and end the statements, blobs and
 * backups made with it before the connection is closed. */
sqlite3 *asq_db_handle(struct asq_db *db);

/* Internal to 01: used by cache, params, stmt and the db_* modules. */
int asq__db_enter(struct asq_db *db); /* 0, or SQLITE_MISUSE */
int asq__db_fail(struct asq_db *db, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));  /* keeps the message */
int asq__db_fail_sqlite(struct asq_db *db); /* keeps SQLite's own */

/* What SQLite is doing for stmt or cache; on the stack of the caller. */
struct asq__run {
    struct asq__run *outer; /* an SQL function of this one has called us */
    sqlite3_stmt *handle;   /* NULL: it is being prepared */
    bool unstoppable;       /* whether it took effect must not be in doubt */
    bool gave_up;           /* waiting for a lock: SQLITE_BUSY is on its way */
};

void asq__db_begin_run(struct asq_db *db, struct asq__run *run);
void asq__db_end_run(struct asq_db *db);

/* Asks the watch whether a statement may start. Returns 0, or SQLITE_INTERRUPT
 * with a message. */
int asq__db_ask_watch(struct asq_db *db);

/* Internal to 01: called by db_open. Makes db the connection of the calling
 * thread, as a closed one. */
void asq__db_init(struct asq_db *db);

/* Internal to 01: called by db_open. Registers what SQLite asks while it waits
 * and runs. Returns 0 or an SQLITE_* code. */
int asq__db_set_handlers(struct asq_db *db);

/* Internal to 01: called by db_settings. Asks the watch, then waits a little
 * for a lock that was first found taken at since_ns (asq__db_now_ns); tries
 * counts from 0. Returns whether there is time left to try again. */
bool asq__db_wait(struct asq_db *db, uint64_t since_ns, int tries);

/* Internal to 01: the monotonic clock, in nanoseconds. */
uint64_t asq__db_now_ns(void);

/* Internal to 01: lets go of the handle, which is closed or shall be
 * forgotten, and of what belongs to it. */
void asq__db_forget(struct asq_db *db);

/* Internal to the modules: whether db was opened before this process was
 * forked. */
bool asq__db_is_forked(const struct asq_db *db);

/* Internal to the modules: how often this process was forked off another one
 * since the first connection was opened. */
unsigned asq__forks(void);

/* Internal to 01, for stmt and db_tidy: ends a statement that has returned a
 * row of its RETURNING. The write has done all its work then and a reset would
 * commit it; an interrupt undoes it, and in a transaction everything. Returns
 * what the step returned: SQLITE_INTERRUPT. */
int asq__db_undo_write(struct asq_db *db, sqlite3_stmt *handle);

#ifdef __cplusplus
}
#endif

#endif
