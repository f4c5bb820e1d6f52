/* tempdb - databases that are removed afterwards: for tests and scratch work
 *
 * A file in a folder of its own behaves as the real one does: WAL, locks,
 * several connections. A database in memory has one connection (private), or
 * several that find it by name (shared, by SQLite's memdb). It has no disk and
 * no WAL, so a writer keeps readers out; it is gone with its last connection.
 * SQLite's older way, shared cache, is not offered: it answers SQLITE_LOCKED at
 * once, whatever the timeout is.
 *
 * The same thread opens and closes a tempdb; connections to it may belong to
 * any thread of the process. Depends on db of lesson 01, and on db_copy of 04.
 */
#ifndef ASQ_TEMPDB_H
#define ASQ_TEMPDB_H

#include "01-blocking/db.h"

#ifdef __cplusplus
extern "C" {
#endif

enum asq_tempdb_kind {
    ASQ_TEMPDB_FILE,
    ASQ_TEMPDB_PRIVATE,
    ASQ_TEMPDB_SHARED
};

enum {
    ASQ_TEMPDB_PATH = 512,  /* the longest that SQLite opens */
    ASQ_TEMPDB_FOLDER = 480 /* leaves room for the names in it */
};

struct asq_tempdb {
    /* read-only */
    enum asq_tempdb_kind kind;
    char path[ASQ_TEMPDB_PATH];
    char message[ASQ_MESSAGE_SIZE]; /* why opening or closing failed */
    /* private */
    char folder[ASQ_TEMPDB_FOLDER]; /* to remove; empty: none */
    struct asq_db keeper;           /* keeps a shared database alive */
};

/* Makes a database that nobody else has. A file is in a new folder below parent
 * (NULL: TMPDIR, or /tmp), which must exist; only this user may enter the new
 * folder. The first connection makes the file itself. Returns 0, or with
 * message UV_ENAMETOOLONG, another UV_E* code (the folder cannot be made) or
 * the code of asq_db_open; after an error there is nothing to close. */
int asq_tempdb_open(struct asq_tempdb *tempdb,
                    enum asq_tempdb_kind kind,
                    const char *parent);

/* Returns the profile with which to open it, the course's, in memory without
 * WAL. The profile borrows tempdb. */
struct asq_profile asq_tempdb_profile(const struct asq_tempdb *tempdb);

/* Removes the folder and the files that SQLite makes, also those that a killed
 * process has left. Close all connections first, and call it on the thread that
 * opened the tempdb. Accepts NULL and a zeroed tempdb. Returns 0; or, with
 * message, UV_ENOTEMPTY (the folder contains something else, which stays),
 * another UV_E* code, or SQLITE_MISUSE (another thread); after an error it may
 * be called again. */
int asq_tempdb_close(struct asq_tempdb *tempdb);

#ifdef __cplusplus
}
#endif

#endif
