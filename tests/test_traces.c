/* test_traces - what code leaves behind in a database, and what it may not do
 *
 * The fixture is the runner that the tests start again; both look at a file of
 * their own.
 */
#include "grader/again.h"
#include "grader/raw_db.h"
#include "grader/refusal.h"
#include "grader/traces.h"

struct two {
    sqlite3 *other, *theirs;
    struct test_traces before;
};

static void open_two(struct two *two)
{
    const char *path = test_path("db");

    two->theirs = raw_open(path);
    raw_do(two->theirs, "CREATE TABLE t (a PRIMARY KEY);"
                        "INSERT INTO t VALUES (1)");
    two->other = raw_open(path);
    test_traces_look(two->other, two->theirs, &two->before);
}

static void close_two(struct two *two)
{
    raw_close(two->other);
    raw_close(two->theirs);
}

static void reading_leaves_nothing(void *again)
{
    struct two two;

    (void)again;
    open_two(&two);
    CHECK_INT(raw_ask(two.theirs, "SELECT a FROM t"), 1);
    raw_do(two.theirs, "BEGIN; SELECT a FROM t; COMMIT");
    test_traces_none(two.other, two.theirs, &two.before, "by reading");
    close_two(&two);
}

/* Does sql on the connection under test; its trace has to be told. */
static void
expect_trace(void *again, const char *test, const char *sql, const char *told)
{
    struct two two;

    if (test__again_is_inner()) {
        open_two(&two);
        raw_do(two.theirs, sql);
        test_traces_none(two.other, two.theirs, &two.before, "by looking");
        close_two(&two);
    }
    test__again_expect_fail(again, test, told);
}

static void a_write_is_seen(void *again)
{
    expect_trace(again, __func__, "UPDATE t SET a = a",
                 "expected nothing changes in the database by looking, got "
                 "somebody has written (PRAGMA data_version)");
}

static void a_write_that_is_undone_is_seen(void *again)
{
    expect_trace(again, __func__, "BEGIN; DELETE FROM t; ROLLBACK",
                 "expected no row is written, got written: 1 row");
}

static void an_open_transaction_is_seen(void *again)
{
    expect_trace(again, __func__, "BEGIN",
                 "expected no transaction is left open, got it is open");
}

static void a_setting_is_seen(void *again)
{
    expect_trace(again, __func__, "PRAGMA busy_timeout = 7",
                 "expected PRAGMA busy_timeout stays 10000 by looking, got it "
                 "is 7");
}

static void a_journal_mode_is_seen(void *again)
{
    expect_trace(
        again, __func__, "PRAGMA journal_mode = OFF",
        "expected PRAGMA journal_mode stays 'delete' by looking, got it "
        "is 'off'");
}

static void a_user_version_is_seen(void *again)
{
    expect_trace(again, __func__, "PRAGMA user_version = 5",
                 "expected PRAGMA user_version stays 0 by looking, got it is "
                 "5");
}

static void settings_alone_let_writes_pass(void *again)
{
    struct two two;

    (void)again;
    open_two(&two);
    raw_do(two.theirs, "UPDATE t SET a = 2");
    test_traces_settings(two.theirs, &two.before, "by writing");
    close_two(&two);
}

/* Refusal */

static void commit_is_refused(void *again)
{
    struct two two;
    struct test_refusal refusal = {0};

    (void)again;
    open_two(&two);
    test_refuse(two.theirs, &refusal, TEST_REFUSE_COMMIT);
    raw_do(two.theirs, "BEGIN; UPDATE t SET a = 2");
    CHECK_INT(sqlite3_exec(two.theirs, "COMMIT", NULL, NULL, NULL),
              SQLITE_AUTH);
    CHECK_INT(sqlite3_exec(two.theirs, "END", NULL, NULL, NULL), SQLITE_AUTH);
    raw_do(two.theirs, "ROLLBACK");
    CHECK_INT(refusal.refused, 2);
    CHECK_INT(refusal.begins, 1);
    CHECK_INT(refusal.commits, 2);
    CHECK_INT(refusal.rollbacks, 1);
    test_refuse_nothing(two.theirs);
    raw_do(two.theirs, "BEGIN; COMMIT");
    CHECK_INT(raw_ask(two.other, "SELECT a FROM t"), 1);
    close_two(&two);
}

static void each_kind_is_refused_alone(void *again)
{
    static const struct {
        int kind;
        const char *sql;
    } refused[] = {
        {TEST_REFUSE_BEGIN, "BEGIN"},
        {TEST_REFUSE_SAVEPOINT, "SAVEPOINT s"},
        {TEST_REFUSE_PRAGMA, "PRAGMA user_version = 3"},
        {TEST_REFUSE_ATTACH, "ATTACH ':memory:' AS m"},
    };
    struct two two;
    struct test_refusal refusal = {0};

    (void)again;
    open_two(&two);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
            int err;

            test_refuse(two.theirs, &refusal, refused[k].kind);
            err = sqlite3_exec(two.theirs, refused[i].sql, NULL, NULL, NULL);
            CHECK_INT(err, i == k ? SQLITE_AUTH : SQLITE_OK);
            test_refuse_nothing(two.theirs);
            (void)sqlite3_exec(two.theirs, "ROLLBACK; DETACH m", NULL, NULL,
                               NULL); /* where there is something to undo */
            (void)sqlite3_exec(two.theirs, "DETACH m", NULL, NULL, NULL);
        }
    }
    CHECK_INT(refusal.refused, 4);
    close_two(&two);
}

/* A statement that was compiled before is refused where it is stepped. */
static void a_prepared_commit_is_refused(void *again)
{
    struct two two;
    struct test_refusal refusal = {0};
    sqlite3_stmt *commit;

    (void)again;
    open_two(&two);
    CHECK_INT(sqlite3_prepare_v2(two.theirs, "COMMIT", -1, &commit, NULL),
              SQLITE_OK);
    raw_do(two.theirs, "BEGIN");
    test_refuse(two.theirs, &refusal, TEST_REFUSE_COMMIT);
    CHECK_INT(sqlite3_step(commit), SQLITE_AUTH);
    CHECK_INT(sqlite3_finalize(commit), SQLITE_AUTH);
    CHECK(!sqlite3_get_autocommit(two.theirs));
    close_two(&two);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(reading_leaves_nothing),
    CASE(a_write_is_seen),
    CASE(a_write_that_is_undone_is_seen),
    CASE(an_open_transaction_is_seen),
    CASE(a_setting_is_seen),
    CASE(a_journal_mode_is_seen),
    CASE(a_user_version_is_seen),
    CASE(settings_alone_let_writes_pass),
    CASE(commit_is_refused),
    CASE(each_kind_is_refused_alone),
    CASE(a_prepared_commit_is_refused),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "traces",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
