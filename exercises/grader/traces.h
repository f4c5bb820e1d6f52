/* traces - what the code under test leaves behind in a database
 *
 * For the tests in which nothing may happen: look before, look after,
 * compare. The thread that uses the connections enters.
 */
#ifndef GRADER_TRACES_H
#define GRADER_TRACES_H

#include <sqlite3.h>
#include <stdint.h>

struct test_traces {
    /* of the file, seen by somebody else */
    int64_t data_version, schema_version, user_version, application_id;
    char journal_mode[16];
    /* of the connection under test; -1 and "" where there is none */
    int64_t busy_timeout, foreign_keys, synchronous, in_transaction, changes;
    char locking_mode[16], temp_store[16], connection_journal[16];
};

/* Looks. other is a connection of the test to the same file: the same one
 * before and after, as PRAGMA data_version counts what others than itself have
 * committed. theirs is the connection under test, or NULL; it is asked by
 * PRAGMAs, which its authorizer and its trace see. It must not be inside a
 * query of another thread. */
void test_traces_look(sqlite3 *other,
                      sqlite3 *theirs,
                      struct test_traces *ret_traces);

/* Looks again and ends the test as a wrong answer where anything has changed.
 * when finishes the sentence: "nothing changes in the database when the limit
 * is refused". */
void test_traces_none(sqlite3 *other,
                      sqlite3 *theirs,
                      const struct test_traces *before,
                      const char *when);

/* The same for the connection's settings alone, for calls that may write. */
void test_traces_settings(sqlite3 *theirs,
                          const struct test_traces *before,
                          const char *when);

#endif
