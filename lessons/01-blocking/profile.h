/* profile - how a connection is set up, as one documented struct
 *
 * SQLite keeps many settings per connection, so they are applied to each one,
 * and no connection lacks what another has. What is then in force is read back
 * into the fields of struct asq_db. Depends on nothing.
 */
#ifndef ASQ_PROFILE_H
#define ASQ_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq_db;

enum asq_open_mode {
    ASQ_OPEN_READ,  /* the file must exist; nothing is ever written */
    ASQ_OPEN_WRITE, /* the file must exist and be writable */
    ASQ_OPEN_CREATE /* the file is made if it does not exist */
};

/* Where SQLite keeps temporary tables and large sorts; numbered as in SQLite.
 */
enum asq_temp_store {
    ASQ_TEMP_DEFAULT, /* as SQLite was built: usually in a file */
    ASQ_TEMP_FILE,
    ASQ_TEMP_MEMORY
};

/* Runs on the connection's thread while it is being opened: the handle exists
 * and waits for locks, but nothing has read the file yet and no setting of the
 * profile has been made. This is the place for a key, ATTACH, extensions, and
 * functions and collations of your own. It may use asq_db_run and
 * asq_db_handle. Returns 0, or a code, with which opening then fails. Opening
 * also fails if a transaction or a statement is left open here. */
typedef int (*asq_open_db_cb)(struct asq_db *db, void *data);

/* Start from asq_profile_default: a field that is 0 has a meaning of its own,
 * which is not the default. */
struct asq_profile {
    const char *path; /* a file name, never a URI; ":memory:" is private */
    enum asq_open_mode mode;
    const char *vfs;     /* NULL: the system's default */
    bool wal;            /* ask for WAL if the file is opened for writing; if
                            not, its mode is left as it is and reported */
    int synchronous;     /* 0 OFF, 1 NORMAL, 2 FULL, 3 EXTRA */
    bool foreign_keys;   /* whether they are enforced */
    int cache_kib;       /* page cache of this connection, in KiB */
    unsigned busy_ms;    /* how long to wait for a lock, in milliseconds */
    unsigned statements; /* how many idle statements the cache keeps */
    size_t result_limit; /* bytes of one result, then SQLITE_TOOBIG; 0: none */

    /* Whether the views, triggers, indexes, CHECK and DEFAULT clauses of the
     * file may use every function and virtual table. Without it, writing to a
     * table with the usual triggers of an FTS5 index fails ("unsafe use of
     * virtual table"). Switch it off for files from strangers: their schema
     * could otherwise run functions of yours that do more than compute. */
    bool trusted_schema;
    int wal_autocheckpoint;     /* checkpoint after a commit that leaves this
                                   many pages in the WAL; 0: never. SQLite uses
                                   its WAL hook for that; with 0 a hook that
                                   on_open_db has set is left alone */
    int64_t journal_size_limit; /* bytes to which the WAL or a kept journal is
                                   cut when it starts over; -1: never */
    int64_t mmap_size;          /* bytes of the file that are read through a
                                   memory map, where an I/O error is a SIGBUS;
                                   0: none */
    enum asq_temp_store temp_store;

    /* You promise that nothing changes the file while it is open. SQLite then
     * takes no locks, needs no -shm file and does not look for changes, so a
     * WAL database can be opened on a disk or in a folder that cannot be
     * written. Only with ASQ_OPEN_READ. Rows that are only in the -wal file are
     * not seen, and if the file is changed all the same, answers are wrong. */
    bool immutable;

    /* How long opening may take in all, in milliseconds, including waits for
     * locks and the statements of on_open_db; 0: no limit. After that it fails
     * with SQLITE_BUSY_TIMEOUT. A single call that hangs in the file system is
     * not cut short; it is noticed afterwards. */
    unsigned open_ms;

    asq_open_db_cb on_open_db; /* NULL: none */
    void *on_open_data;        /* borrowed, passed to it */
};

/* Returns the profile that the course uses: create the file, WAL, synchronous
 * NORMAL, foreign keys on, 2,000 KiB of page cache, 5,000 ms for locks, 32
 * cached statements, results up to 64 MiB, a trusted schema, a checkpoint every
 * 1,000 pages. Everything else is off. */
struct asq_profile asq_profile_default(const char *path);

#ifdef __cplusplus
}
#endif

#endif
