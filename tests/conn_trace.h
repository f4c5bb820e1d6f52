/* conn_trace - what SQLite ran on a connection, in order
 *
 * Two calls for the worker: between them the first word of every statement is
 * added to the fixture's trace. Statements of triggers are left out; SQLite
 * itself leaves out EXPLAIN.
 */
#ifndef TESTS_CONN_TRACE_H
#define TESTS_CONN_TRACE_H

#include "conn_fixture.h"

static inline int
note_statement(unsigned type, void *data, void *stmt, void *text)
{
    struct fixture *f = data;
    const char *sql = text;
    size_t length = strlen(f->trace);

    (void)type; /* there is one */
    (void)stmt;
    if (strncmp(sql, "--", 2) == 0) /* a statement of a trigger */
        return 0;
    if (length > 0 && length < sizeof f->trace - 1)
        f->trace[length++] = ' ';
    while (*sql != ' ' && *sql != '\0' && length < sizeof f->trace - 1)
        f->trace[length++] = *sql++;
    f->trace[length] = '\0';
    return 0;
}

static inline int start_trace(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    ask->fixture->trace[0] = '\0';
    return sqlite3_trace_v2(asq_db_handle(db), SQLITE_TRACE_STMT,
                            note_statement, ask->fixture);
}

static inline int stop_trace(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* the text stays until the next start */
    return sqlite3_trace_v2(asq_db_handle(db), 0, NULL, NULL);
}

#endif
