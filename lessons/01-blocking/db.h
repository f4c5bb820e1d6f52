/* db - one connection to an SQLite database, opened by one documented profile
 *
 * Owns the sqlite3 handle and the statement cache. Every call blocks the
 * thread that makes it. A connection belongs to one thread at a time and
 * remembers which: a call from another thread returns SQLITE_MISUSE and
 * touches nothing. Depends on SQLite only; statements are in stmt.
 */
#ifndef ASQ_DB_H
#define ASQ_DB_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asq_stmt;
struct asq__run;

struct asq_stmt_list {
    struct asq_stmt *first;
    struct asq_stmt *last;
};

enum asq_open_mode {
    ASQ_OPEN_READ,  /* the file must exist; nothing is ever written */
    ASQ_OPEN_WRITE, /* the file must exist and be writable */
    ASQ_OPEN_CREATE /* the file is made if it does not exist */
};

/* How a connection is set up. Settings that SQLite keeps per connection are
 * applied to each, so that no connection lacks what another one has. */
struct asq_profile {
    const char *path; /* a file name, never a URI; ":memory:" is private */
    enum asq_open_mode mode;
    const char *vfs;     /* NULL: the default of the system */
    bool wal;            /* ask for WAL where the file is opened for writing;
                            otherwise the mode is left and reported */
    int synchronous;     /* 0 OFF, 1 NORMAL, 2 FULL, 3 EXTRA */
    bool foreign_keys;   /* enforce them */
    int cache_kib;       /* page cache of this connection, in KiB */
    unsigned busy_ms;    /* how long to wait for a lock, in milliseconds */
    unsigned statements; /* how many idle statements the cache keeps */
    size_t result_limit; /* bytes of one result, then SQLITE_TOOBIG; 0: none */
};

/* Returns the profile that the course uses: create, WAL, NORMAL, foreign keys
 * on, 2,000 KiB of cache, 5,000 ms for locks, 32 statements, 64 MiB. */
struct asq_profile asq_profile_default(const char *path);

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
 * for a lock the watch is asked as for any other. Statements that a program
 * makes by SQLite's handle are stopped while they run, but by
 * sqlite3_interrupt, which ends all that are open. The watch must not use the
 * connection. */
typedef int (*asq_watch_cb)(void *data);

struct asq_db {
    /* read-only, on the thread that owns the connection */
    char journal_mode[12]; /* what is in force: "wal", "delete", "memory" */
    int synchronous;       /* what is in force */
    bool foreign_keys;     /* what is in force */
    bool read_only;
    bool outcome_unknown;  /* a commit failed with an I/O error; see stmt.h */
    enum asq_stop stopped; /* of the last statement */
    bool waiting;          /* for a lock; for the watch to look at */
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
    asq_watch_cb watch;
    void *watch_data;
    struct asq__run *run; /* what this module's callers run now, or NULL */
    char message[ASQ_MESSAGE_SIZE];
};

/* Opens the database as the profile says and reads back what is in force. The
 * profile is borrowed for the call. The calling thread owns the connection.
 * Returns 0, or an extended SQLITE_* code with asq_db_message naming the
 * file: SQLITE_CANTOPEN (missing, a directory, no permission), SQLITE_NOTADB,
 * SQLITE_CORRUPT, SQLITE_BUSY (locked for longer than busy_ms),
 * SQLITE_READONLY (asked for writing, but the file cannot be written),
 * SQLITE_MISUSE (no path, a URI, SQLite built without threads). After a
 * failure the connection is closed; closing it again is harmless. */
int asq_db_open(struct asq_db *db, const struct asq_profile *profile);

/* Closes the connection and finalizes the cached statements; an open
 * transaction is rolled back. Accepts NULL and a zeroed or closed connection.
 * Returns 0; SQLITE_BUSY when statements are still checked out, or
 * SQLITE_MISUSE on a foreign thread: nothing is closed then. */
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
 * a foreign thread. Do not change what the profile set. */
sqlite3 *asq_db_handle(struct asq_db *db);

/* Internal to 01: used by cache, params and stmt. */
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

#endif
