/* wants - by which columns a query looks for its rows
 *
 * SQLite tells a virtual table by which columns it is searched, so that the
 * table can choose how to search. So each table of the schema is made once
 * more, as a virtual table without rows in a database in memory. The query is
 * prepared there and never run. What SQLite says becomes indexes that might
 * help.
 *
 * One thread enters it, with a connection of its own. Depends on SQLite only.
 */
#ifndef ASQ_WANTS_H
#define ASQ_WANTS_H

#include <sqlite3.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ASQ_WANTS_MAX = 24, /* more are not kept */
    ASQ_WANT_TEXT = 200
};

struct asq_wants {
    char indexes[ASQ_WANTS_MAX][ASQ_WANT_TEXT]; /* "table (column, ...)" */
    int count;
    bool pattern; /* a column is compared by LIKE or GLOB */
};

/* Reads the schema of db, and fills ret_wants. What it cannot find out is
 * missing: the answer is a suggestion. */
void asq_wants_find(sqlite3 *db, const char *sql, struct asq_wants *ret_wants);

#ifdef __cplusplus
}
#endif

#endif
