/* db - one connection to an SQLite database, opened by one documented profile
 *
 * Owns the sqlite3 handle and the statement cache. Every call blocks the thread
 * that makes it. A connection belongs to one thread at a time and remembers
 * which: a call from another thread, or from the child of a fork, returns
 * SQLITE_MISUSE and touches nothing. Depends on profile. Opening is in db_open,
 * statements are in stmt.
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
    ASQ_STOP_RUNNING, /* it was interrupted, or not started at all */
    ASQ_STOP_LOCK     /* it gave up waiting for a lock */
};

/* The watch: a function that decides whether a statement may go on. It is asked
 * on the connection's thread, before the first step of every run, while the
 * statement runs (every 100 operations of SQLite's virtual machine) and while
 * it waits for a lock. If it returns non-zero, that statement is stopped and no
 * other: it returns SQLITE_INTERRUPT, or SQLITE_BUSY if it gave up waiting, and
 * has changed nothing. The watch must not use the connection.
 *
 * Statements that end a transaction (COMMIT, END, RELEASE, ROLLBACK) always
 * start. Once they run, neither they nor BEGIN and SAVEPOINT are stopped, so
 * that it is never in doubt whether they took effect; but the watch is asked
 * while they wait for a lock. A PRAGMA may act while it is prepared, so for it
 * the first question comes before that. A statement made through SQLite's own
 * handle is stopped while it runs, too; that may end other open statements made
 * through the handle. */
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
    bool outcome_unknown; /* a commit failed half-way: see stmt.h */
    int failed; /* the code that the message belongs to; 0: no error yet */
    enum asq_stop stopped;    /* of the last statement */
    bool waiting;             /* for a lock: the watch may want to know */
    unsigned open_statements; /* checked out and not yet released */
    struct {
        uint64_t hits, misses, evicted;
        unsigned idle; /* in the cache now */
    } cache;
    /* private */
    sqlite3 *handle;
    atomic_uintptr_t owner;      /* a thread; 0: the next caller becomes it */
    struct asq_stmt_list in_use; /* checked out */
    struct asq_stmt_list idle;   /* most recently used first */
    unsigned statements;
    size_t result_limit;
    unsigned busy_ms;
    uint64_t busy_since_ns;
    uint64_t pages_written; /* when a run that may commit began */
    unsigned forks;         /* of the process, when this was opened */
    bool handle_given;      /* to the program: there may be raw statements */
    uint64_t rollbacks;     /* how many there were; see stmt.c */
    asq_watch_cb watch;
    void *watch_data;
    struct asq__run *run; /* what is running now, or NULL */
    char message[ASQ_MESSAGE_SIZE];
};

/* What was left open on a connection; counted by db_tidy. A raw statement or
 * blob is one made through asq_db_handle. */
struct asq_leftovers {
    unsigned transactions; /* 0 or 1: it was rolled back */
    unsigned statements;   /* checked out; raw and in the middle of a run, with
                              those that their virtual tables run; when closing
                              also raw ones that were not finalized */
    unsigned handles;      /* raw blobs; when closing also backups, and raw
                              statements that could not be finalized. These are
                              only counted: their owner must still end them */
};

/* Opens the database as the profile says, and reads back the settings that are
 * in force. The profile is borrowed for the call. The calling thread becomes
 * the owner of the connection. Returns 0, or an extended SQLITE_* code, with a
 * message that names the file:
 *   SQLITE_CANTOPEN      it is missing, a directory, or not permitted
 *   SQLITE_READONLY_DIRECTORY or SQLITE_CANTOPEN
 *                        WAL in a folder that cannot be written
 *   SQLITE_NOTADB, SQLITE_CORRUPT
 *   SQLITE_BUSY          it was locked for longer than busy_ms
 *   SQLITE_BUSY_TIMEOUT  it was not open within open_ms
 *   SQLITE_READONLY      it is to be written, but cannot be
 *   SQLITE_MISUSE        no path, a URI, immutable without ASQ_OPEN_READ,
 *                        something that on_open_db left open, or an SQLite
 *                        built without threads
 * or the code that on_open_db returned. After a failure the connection is
 * closed; closing it again does no harm.
 *
 * One wait obeys neither busy_ms nor open_ms nor the watch: if the WAL index
 * (-shm) is damaged while another connection is writing, SQLite itself waits
 * for 10 s and then returns SQLITE_PROTOCOL. This can happen while opening and
 * at the beginning of every transaction. */
int asq_db_open(struct asq_db *db, const struct asq_profile *profile);

/* Finalizes the cached statements, rolls back an open transaction and closes
 * the connection. Accepts NULL and a zeroed or closed connection. Returns 0, or
 * SQLITE_BUSY if statements are still checked out, or SQLITE_MISUSE on a thread
 * that does not own it; after an error nothing is closed.
 *
 * In the child of a fork it returns 0 and only forgets the connection, because
 * closing could roll back the parent's transaction in the file. Memory and
 * descriptors remain until the child ends or runs another program by exec.
 * Until then the child must not open a file that was open when it was forked:
 * SQLite would believe that the child holds the parent's locks. */
int asq_db_close(struct asq_db *db);

/* Gives the connection away: the next thread that uses it becomes its owner.
 * Pass the pointer on in a way that orders memory: through a queue with a lock,
 * by starting a thread, by joining one. Returns 0, SQLITE_BUSY (statements are
 * checked out) or SQLITE_MISUSE. */
int asq_db_hand_over(struct asq_db *db);

/* Sets the watch, or removes it (NULL). Returns 0 or SQLITE_MISUSE. */
int asq_db_watch(struct asq_db *db, asq_watch_cb watch, void *data);

/* Returns the message of the last error, in one line; borrowed until the next
 * call. On a thread that does not own the connection, it says that instead. */
const char *asq_db_message(const struct asq_db *db);

/* Returns whether a transaction is open: after an error it may have been rolled
 * back. False on a thread that does not own the connection, and when closed. */
bool asq_db_in_transaction(const struct asq_db *db);

/* Returns SQLite's own handle, for what this module does not cover; or NULL on
 * a thread that does not own the connection. Do not change what the profile has
 * set, nor the busy handler, the progress handler or the rollback hook, and end
 * the statements, blobs and backups that you make with it before the connection
 * is closed. */
sqlite3 *asq_db_handle(struct asq_db *db);

/* Internal to 01: for cache, params, stmt and the db_* modules. */
int asq__db_enter(struct asq_db *db); /* 0, or SQLITE_MISUSE */
int asq__db_fail(struct asq_db *db, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));  /* keeps the message */
int asq__db_fail_sqlite(struct asq_db *db); /* keeps SQLite's own */

/* What SQLite is doing for stmt or cache; on the caller's stack. */
struct asq__run {
    struct asq__run *outer; /* whose SQL function made this call, or NULL */
    sqlite3_stmt *handle;   /* NULL: it is being prepared */
    bool unstoppable;       /* it must never be in doubt whether it took
                               effect */
    bool gave_up;           /* waiting for a lock; SQLITE_BUSY will follow */
};

void asq__db_begin_run(struct asq_db *db, struct asq__run *run);
void asq__db_end_run(struct asq_db *db);

/* Asks the watch whether a statement may start. Returns 0, or SQLITE_INTERRUPT
 * with a message. */
int asq__db_ask_watch(struct asq_db *db);

/* Internal to 01: called by db_open. Makes db a closed connection, owned by the
 * calling thread. */
void asq__db_init(struct asq_db *db);

/* Internal to 01: called by db_open. Sets the functions that SQLite calls while
 * it waits and runs. Returns 0 or an SQLITE_* code. */
int asq__db_set_handlers(struct asq_db *db);

/* Internal to 01: called by db_settings. Asks the watch, then waits a little
 * for a lock that was found taken at since_ns (asq__db_now_ns) for the first
 * time; tries counts from 0. Returns whether there is time left to try again.
 */
bool asq__db_wait(struct asq_db *db, uint64_t since_ns, int tries);

/* Internal to 01: returns the monotonic clock, in nanoseconds. */
uint64_t asq__db_now_ns(void);

/* Internal to 01: drops the handle, which was closed or is to be forgotten, and
 * everything that belongs to it. */
void asq__db_forget(struct asq_db *db);

/* Internal to the modules: returns whether db was opened before this process
 * was forked. */
bool asq__db_is_forked(const struct asq_db *db);

/* Internal to the modules: returns how many forks lie between the first
 * connection that was opened and this process. */
unsigned asq__forks(void);

/* Internal to 01, for stmt and db_tidy: ends a statement that has returned a
 * row of its RETURNING. By then the write has done all its work, and a reset
 * would commit it. An interrupt undoes it; inside a transaction it undoes
 * everything. Returns what the step returned: SQLITE_INTERRUPT. */
int asq__db_undo_write(struct asq_db *db, sqlite3_stmt *handle);

#ifdef __cplusplus
}
#endif

#endif
