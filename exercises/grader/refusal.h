/* refusal - a connection that is not allowed some statements, and counts them
 *
 * Owns the connection's authorizer while it is there. The thread that uses the
 * connection enters. The code under test sees SQLITE_AUTH where a statement is
 * compiled, and for one that it compiled before, where it is stepped.
 */
#ifndef GRADER_REFUSAL_H
#define GRADER_REFUSAL_H

#include <sqlite3.h>

enum {
    TEST_REFUSE_BEGIN = 1,
    TEST_REFUSE_COMMIT = 2, /* END is one, too */
    TEST_REFUSE_ROLLBACK = 4,
    TEST_REFUSE_SAVEPOINT = 8, /* also RELEASE and ROLLBACK TO */
    TEST_REFUSE_PRAGMA = 16,
    TEST_REFUSE_ATTACH = 32 /* also DETACH */
};

/* Zeroed by the owner before the first use. */
struct test_refusal {
    int kinds; /* of TEST_REFUSE_*: what is refused; may change at any time
                  between two calls, statements that are compiled already
                  need test_refuse */
    unsigned refused; /* statements of these kinds so far */
    /* Compiled so far, those that were refused among them. SQLite compiles a
     * statement once more when the schema has changed. */
    unsigned begins, commits, rollbacks, savepoints, pragmas, attaches;
};

/* From now on db refuses these kinds, 0: only counts. refusal stays valid until
 * test_refuse_nothing. */
void test_refuse(sqlite3 *db, struct test_refusal *refusal, int kinds);

/* Takes the authorizer away. */
void test_refuse_nothing(sqlite3 *db);

#endif
