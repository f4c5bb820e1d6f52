/* profile - how a connection is set up, as one documented struct
 *
 * Settings that SQLite keeps per connection are applied to each, so that no
 * connection lacks what another one has. What is in force afterwards is read
 * back into the fields of struct asq_db. Depends on nothing.
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

/* Where SQLite keeps temporary tables and large sorts; numbered as by it. */
enum asq_temp_store {
    ASQ_TEMP_DEFAULT, /* what SQLite was built with: mostly a file */
    ASQ_TEMP_FILE,
    ASQ_TEMP_MEMORY
};

/* Runs while the connection is being opened, on its thread: the file handle
 * is there and locks are waited for, but nothing has read the file and no
 * setting of the profile has been made. This is the place for a key, ATTACH,
 * own functions and collations, extensions. It may use asq_db_run and
 * asq_db_handle. Returns 0; anything else is what opening returns. A
 * transaction or a statement that it leaves open makes opening fail, too. */
typedef int (*asq_open_db_cb)(struct asq_db *db, void *data);

/* Start from asq_profile_default: a field that is 0 has a meaning, and it is
 * not the default. */
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

    /* Whether views, triggers, indexes, CHECK and DEFAULT of the file may use
     * every function and virtual table. Without it, writing to a table with
     * the usual triggers of an FTS5 index fails ("unsafe use of virtual
     * table"). Switch it off for files from strangers, whose schema would
     * otherwise run functions of yours that do more than compute. */
    bool trusted_schema;
    int wal_autocheckpoint;     /* after a commit that leaves this many pages in
                                   the WAL; 0: never. SQLite does it by its WAL
                                   hook: 0 leaves one set by on_open_db alone */
    int64_t journal_size_limit; /* bytes to which the WAL or a kept journal is
                                   cut once it starts anew; -1: never */
    int64_t mmap_size;          /* bytes of the file read through a mapping; 0:
                                   none. An I/O error there is a SIGBUS */
    enum asq_temp_store temp_store;

    /* Nobody changes the file while it is open: no locks, no -shm, no look
     * for changes. Only with ASQ_OPEN_READ. It opens a WAL database on a disk
     * or in a folder that cannot be written. Rows that only the -wal file
     * holds are not seen, and if somebody does write, answers are wrong. */
    bool immutable;

    /* How long opening may take altogether, in milliseconds, with waiting for
     * locks and with the statements of on_open_db; 0: as long as it takes.
     * What comes too late is SQLITE_BUSY_TIMEOUT. A single call that hangs in
     * the file system is not cut short, it is told afterwards. */
    unsigned open_ms;

    asq_open_db_cb on_open_db; /* NULL: none */
    void *on_open_data;        /* borrowed, passed to it */
};

/* Returns the profile that the course uses: create, WAL, NORMAL, foreign keys
 * on, 2,000 KiB of cache, 5,000 ms for locks, 32 statements, 64 MiB, a trusted
 * schema, a checkpoint every 1,000 pages. All else is off. */
struct asq_profile asq_profile_default(const char *path);

#ifdef __cplusplus
}
#endif

#endif
