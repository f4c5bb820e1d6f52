/* cache - statements are checked out of a connection and given back
 *
 * The cache is keyed by the SQL text and drops the least recently used
 * statement. A text that is checked out twice at the same time gets two
 * statements. A PRAGMA is never cached, because some act while they are being
 * prepared; for the same reason the watch is asked before that.
 *
 * Called on the thread that owns the connection. Depends on db and sql_text.
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
    struct asq_stmt *newer; /* neighbours in the list, idle or in use */
    struct asq_stmt *older;
    enum asq_stmt_kind kind;
    bool is_query;
    bool counts;  /* an INSERT, REPLACE, UPDATE or DELETE: it has changes */
    bool once;    /* not for the cache */
    bool started; /* stepped since it was checked out */
    bool bound;   /* has bindings to clear */
    bool alone;   /* no transaction was open when this run began */
    uint64_t rollbacks; /* of the connection, when this run began */
    int last;           /* what the last step returned */
    int64_t changes;
    struct asq__names *names; /* of params; NULL until one is bound by name */
    size_t size;
    char sql[]; /* the key; ends with a zero byte */
};

/* Checks a statement out. sql is borrowed for the call; size is in bytes, or
 * ASQ_WHOLE_TEXT. Returns 0 and sets *ret_stmt, which you must release; or
 *   SQLITE_ERROR      the SQL is wrong
 *   SQLITE_MISUSE     the text has no statement, a second one after the first,
 *                     or a zero byte inside; or this is another thread, or the
 *                     connection is closed: the message says which
 *   SQLITE_INTERRUPT  the watch stopped it, or refused a PRAGMA */
int asq_stmt_prepare(struct asq_db *db,
                     const char *sql,
                     size_t size,
                     struct asq_stmt **ret_stmt);

/* Returns whether the statement may share a read transaction with others: it
 * only reads, has columns, and is neither a PRAGMA nor an EXPLAIN. */
bool asq_stmt_is_query(const struct asq_stmt *stmt);

/* Checks out a query before its turn. Other statements are left alone, because
 * some act while they are being prepared. Returns 0, with *ret_stmt NULL if the
 * text is not a query in the sense of asq_stmt_is_query; or an error as
 * asq_stmt_prepare. */
int asq_stmt_prepare_query(struct asq_db *db,
                           const char *sql,
                           struct asq_stmt **ret_stmt);

/* Makes the statement ready to run again. It stays checked out and keeps its
 * bindings, as in SQLite: bind it again, or keep alive what they point to. */
void asq_stmt_reset(struct asq_stmt *stmt);

/* Gives the statement back: resets it, clears its bindings and puts it into the
 * cache. Accepts NULL. */
void asq_stmt_release(struct asq_stmt *stmt);

/* Gives back every statement that is still checked out, so that the connection
 * can be closed. No pointer to one of them may be used again. */
void asq_stmt_release_all(struct asq_db *db);

/* Internal to 01: returns whether handle belongs to a statement that is checked
 * out. */
bool asq__cache_has(const struct asq_db *db, const sqlite3_stmt *handle);

/* Internal to 01: finalizes all idle statements; db uses it when it closes. */
void asq__cache_flush(struct asq_db *db);

#ifdef __cplusplus
}
#endif

#endif
