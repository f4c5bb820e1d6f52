/* tempdb - databases that are gone afterwards: for tests and scratch work
 *
 * A file in a folder of its own behaves as the real one does: WAL, locks,
 * several connections. A database in memory has one connection (private), or
 * several that find it by name (shared, by SQLite's memdb): no disk, and no
 * WAL, so who writes keeps readers out; it is gone with its last connection.
 * SQLite's older way, shared cache, is not offered: it answers SQLITE_LOCKED at
 * once, whatever the timeout.
 *
 * One thread opens and closes a tempdb; connections to it may belong to any
 * thread of the process. Depends on db of lesson 01, and on db_copy of 04.
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
    ASQ_TEMPDB_PATH = 512,  /* SQLite opens no longer one */
    ASQ_TEMPDB_FOLDER = 480 /* leaves room for the names in it */
};

struct asq_tempdb {
    /* read-only */
    enum asq_tempdb_kind kind;
    char path[ASQ_TEMPDB_PATH];
    char message[ASQ_MESSAGE_SIZE]; /* why opening or closing failed */
    /* private */
    char folder[ASQ_TEMPDB_FOLDER]; /* empty: there is none to remove */
    struct asq_db keeper;           /* keeps a shared one alive */
};

/* Makes a database that nobody else has. A file stands in a new folder below
 * parent (NULL: TMPDIR, or /tmp), which must be there; only this user may enter
 * the new one. The file itself is made by the first connection. Returns 0,
 * UV_ENAMETOOLONG, another UV_E* code (the folder cannot be made) or that of
 * asq_db_open, with message: then nothing is left, and nothing is owed. */
int asq_tempdb_open(struct asq_tempdb *tempdb,
                    enum asq_tempdb_kind kind,
                    const char *parent);

/* Returns the profile to open it with, which borrows tempdb: the course's, and
 * for what is in memory without WAL. */
struct asq_profile asq_tempdb_profile(const struct asq_tempdb *tempdb);

/* Removes it, when its connections are closed: the files that SQLite makes,
 * also those that a killed process has left, and the folder. On the thread that
 * has opened it. Accepts NULL and what is not open, if it is zeroed. Returns 0;
 * or, with message, UV_ENOTEMPTY (somebody has put something else there, which
 * stays), another UV_E* code, or SQLITE_MISUSE (another thread): then it may be
 * called again. */
int asq_tempdb_close(struct asq_tempdb *tempdb);

#ifdef __cplusplus
}
#endif

#endif
