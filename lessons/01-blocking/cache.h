/* cache - statements are checked out of a connection and given back
 *
 * The cache is keyed by the SQL text and forgets what was not used for
 * longest; a text that is checked out twice at once gets two statements.
 * PRAGMA is never cached, because some act while they are being prepared;
 * therefore the watch is asked before that.
 *
 * Entered by the thread that owns the connection. Depends on db and
 * sql_text.
 */
#ifndef ASQ_CACHE_H
#define ASQ_CACHE_H

#include "01-blocking/db.h"
#include "01-blocking/sql_text.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct asq__names;

struct asq_stmt {
    /* private */
    struct asq_db *db;
    sqlite3_stmt *handle;
    struct asq_stmt *newer; /* neighbours in the list of idle or open ones */
    struct asq_stmt *older;
    enum asq_stmt_kind kind;
    bool is_query;
    bool counts;  /* an INSERT, REPLACE, UPDATE or DELETE: it has changes */
    bool once;    /* not for the cache */
    bool started; /* stepped since it was checked out */
    bool bound;   /* has bindings to clear */
    bool alone;   /* no transaction was open when the run began */
    uint64_t rollbacks; /* of the connection, when the run began */
    int last;           /* what the last step returned */
    int64_t changes;
    struct asq__names *names; /* of params; NULL until one is bound by name */
    size_t size;
    char sql[]; /* the key; ends with a zero byte */
};

/* Checks a statement out. sql is borrowed for the call, size in bytes or
 * ASQ_WHOLE_TEXT. Returns 0 and *ret_stmt, which must be released; or
 * SQLITE_ERROR (the SQL is wrong), SQLITE_MISUSE with a message that says so:
 * no statement in the text, a second statement after the first, a zero byte
 * inside, a foreign thread, a closed connection; or SQLITE_INTERRUPT: the
 * watch has stopped it, or said no before a PRAGMA. */
int asq_stmt_prepare(struct asq_db *db,
                     const char *sql,
                     size_t size,
                     struct asq_stmt **ret_stmt);

/* Says whether the statement may share a read transaction with others: it
 * only reads, has columns, and is neither a PRAGMA nor an EXPLAIN. */
bool asq_stmt_is_query(const struct asq_stmt *stmt);

/* Checks a query out before its turn: nothing else, because some statements
 * act while they are being prepared. Returns 0, and *ret_stmt is NULL if it is
 * not a query (as by asq_stmt_is_query); or as asq_stmt_prepare. */
int asq_stmt_prepare_query(struct asq_db *db,
                           const char *sql,
                           struct asq_stmt **ret_stmt);

/* Makes the statement ready to run again. It stays checked out and keeps its
 * bindings, as in SQLite: bind it anew, or keep what they point to. */
void asq_stmt_reset(struct asq_stmt *stmt);

/* Gives the statement back: reset, bindings cleared, into the cache. Accepts
 * NULL. */
void asq_stmt_release(struct asq_stmt *stmt);

/* Gives back all statements that are checked out, whoever forgot them, so
 * that the connection can be closed. No pointer to one may be used again. */
void asq_stmt_release_all(struct asq_db *db);

/* Internal to 01: whether it is one of those that are checked out. */
bool asq__cache_has(const struct asq_db *db, const sqlite3_stmt *handle);

/* Internal to 01: finalizes what is idle; used by db when it closes. */
void asq__cache_flush(struct asq_db *db);

#ifdef __cplusplus
}
#endif

#endif
