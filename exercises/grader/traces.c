/* traces - what the code under test leaves behind in a database
 *
 * Owns nothing.
 */
#include "traces.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/* Writes the only value of the statement's only row. */
static void ask(sqlite3 *db, const char *sql, char *text, size_t size)
{
    sqlite3_stmt *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(stmt) != SQLITE_ROW)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
    (void)snprintf(text, size, "%s",
                   (const char *)sqlite3_column_text(stmt, 0));
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
}

static int64_t ask_number(sqlite3 *db, const char *sql)
{
    char text[32];
    long long number;

    ask(db, sql, text, sizeof text);
    CHECK_INT(sscanf(text, "%lld", &number), 1);
    return number;
}

static void look_at_file(sqlite3 *other, struct test_traces *traces)
{
    traces->data_version = ask_number(other, "PRAGMA data_version");
    traces->schema_version = ask_number(other, "PRAGMA schema_version");
    traces->user_version = ask_number(other, "PRAGMA user_version");
    traces->application_id = ask_number(other, "PRAGMA application_id");
    ask(other, "PRAGMA journal_mode", traces->journal_mode,
        sizeof traces->journal_mode);
}

static void look_at_connection(sqlite3 *theirs, struct test_traces *traces)
{
    traces->busy_timeout = ask_number(theirs, "PRAGMA busy_timeout");
    traces->foreign_keys = ask_number(theirs, "PRAGMA foreign_keys");
    traces->synchronous = ask_number(theirs, "PRAGMA synchronous");
    traces->in_transaction = !sqlite3_get_autocommit(theirs);
    traces->changes = sqlite3_total_changes(theirs);
    ask(theirs, "PRAGMA locking_mode", traces->locking_mode,
        sizeof traces->locking_mode);
    ask(theirs, "PRAGMA temp_store", traces->temp_store,
        sizeof traces->temp_store);
    ask(theirs, "PRAGMA journal_mode", traces->connection_journal,
        sizeof traces->connection_journal);
}

void test_traces_look(sqlite3 *other,
                      sqlite3 *theirs,
                      struct test_traces *ret_traces)
{
    *ret_traces = (struct test_traces){.busy_timeout = -1,
                                       .foreign_keys = -1,
                                       .synchronous = -1,
                                       .in_transaction = -1,
                                       .changes = -1};
    look_at_file(other, ret_traces);
    if (theirs != NULL)
        look_at_connection(theirs, ret_traces);
}

static void
same(const char *what, int64_t before, int64_t now, const char *when)
{
    char expected[160];

    if (now == before)
        return;
    (void)snprintf(expected, sizeof expected, "%s stays %lld %s", what,
                   (long long)before, when);
    test_wrong(expected, "it is %lld", (long long)now);
}

static void same_text(const char *what,
                      const char *before,
                      const char *now,
                      const char *when)
{
    char expected[160];

    if (strcmp(now, before) == 0)
        return;
    (void)snprintf(expected, sizeof expected, "%s stays '%s' %s", what, before,
                   when);
    test_wrong(expected, "it is '%s'", now);
}

static void same_file(const struct test_traces *before,
                      const struct test_traces *now,
                      const char *when)
{
    char expected[160];

    same("PRAGMA user_version", before->user_version, now->user_version, when);
    same("PRAGMA application_id", before->application_id, now->application_id,
         when);
    same_text("PRAGMA journal_mode of the file", before->journal_mode,
              now->journal_mode, when);
    (void)snprintf(expected, sizeof expected,
                   "nothing changes in the database %s", when);
    if (now->schema_version != before->schema_version)
        test_wrong(expected, "the schema was changed");
    if (now->data_version != before->data_version)
        test_wrong(expected, "somebody has written (PRAGMA data_version)");
}

static void same_settings(const struct test_traces *before,
                          const struct test_traces *now,
                          const char *when)
{
    same("PRAGMA busy_timeout", before->busy_timeout, now->busy_timeout, when);
    same("PRAGMA foreign_keys", before->foreign_keys, now->foreign_keys, when);
    same("PRAGMA synchronous", before->synchronous, now->synchronous, when);
    same_text("PRAGMA locking_mode", before->locking_mode, now->locking_mode,
              when);
    same_text("PRAGMA temp_store", before->temp_store, now->temp_store, when);
    same_text("PRAGMA journal_mode", before->connection_journal,
              now->connection_journal, when);
    if (now->in_transaction != before->in_transaction)
        test_wrong(before->in_transaction ? "the transaction is still open"
                                          : "no transaction is left open",
                   "it is %s", now->in_transaction ? "open" : "ended");
}

void test_traces_settings(sqlite3 *theirs,
                          const struct test_traces *before,
                          const char *when)
{
    struct test_traces now = *before;

    look_at_connection(theirs, &now);
    same_settings(before, &now, when);
}

void test_traces_none(sqlite3 *other,
                      sqlite3 *theirs,
                      const struct test_traces *before,
                      const char *when)
{
    struct test_traces now;

    /* An open transaction would keep what it wrote from the other one. */
    test_traces_look(other, theirs, &now);
    same_settings(before, &now, when);
    same_file(before, &now, when);
    if (now.changes != before->changes)
        test_wrong(
            "no row is written", "written: %s",
            test_count((uint64_t)(now.changes - before->changes), "row", NULL));
}
