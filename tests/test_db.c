/* test_db - the profile and closing
 *
 * The rest of the profile is in test_db_profile.c, the hook in test_db_hook.c,
 * what can go wrong while opening in test_db_open.c, threads and locks in
 * test_db_threads.c, stopping a statement in test_db_watch.c, faults of disk
 * and memory in test_db_faults.c, what a failed commit leaves in
 * test_db_outcome.c, what is left open in test_db_tidy.c, a fork in
 * test_db_fork.c.
 */
#include "db_fixture.h"

/* The profile */

static void the_default_profile_is_in_force(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    CHECK_TEXT(db.journal_mode, "wal");
    CHECK_INT(db.synchronous, 1);
    CHECK(db.foreign_keys);
    CHECK(!db.read_only);
    CHECK_INT(ask(&db, "PRAGMA synchronous"), 1);
    CHECK_INT(ask(&db, "PRAGMA foreign_keys"), 1);
    CHECK_INT(ask(&db, "PRAGMA cache_size"), -2000);
    CHECK_INT(ask(&db, "PRAGMA trusted_schema"), 1);
    close_db(&db);
}

static void every_setting_can_be_another(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    profile.wal = false;
    profile.synchronous = 3;
    profile.foreign_keys = false;
    profile.cache_kib = 64;
    open_with(&db, &profile);
    CHECK_TEXT(db.journal_mode, "delete");
    CHECK_INT(db.synchronous, 3);
    CHECK(!db.foreign_keys);
    CHECK_INT(ask(&db, "PRAGMA synchronous"), 3);
    CHECK_INT(ask(&db, "PRAGMA foreign_keys"), 0);
    CHECK_INT(ask(&db, "PRAGMA cache_size"), -64);
    close_db(&db);
}

/* What SQLite keeps per connection is set for the second one too. */
static void two_connections_have_the_same_settings(void *fixture)
{
    static const char *const settings[] = {
        "PRAGMA synchronous",        "PRAGMA foreign_keys",
        "PRAGMA cache_size",         "PRAGMA trusted_schema",
        "PRAGMA wal_autocheckpoint", "PRAGMA mmap_size",
        "PRAGMA journal_size_limit", "PRAGMA temp_store"};
    struct asq_db one, two;

    (void)fixture;
    open_default(&one);
    open_default(&two);
    CHECK_TEXT(two.journal_mode, one.journal_mode);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        CHECK_INT(ask(&two, settings[i]), ask(&one, settings[i]));
    close_db(&one);
    close_db(&two);
}

static void make_file(const char *path, bool wal)
{
    struct asq_profile profile = asq_profile_default(path);
    struct asq_db db;

    profile.wal = wal;
    open_with(&db, &profile);
    run(&db, "CREATE TABLE IF NOT EXISTS t (n INTEGER)");
    close_db(&db);
}

static void the_mode_is_left_when_wal_is_not_asked_for(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    make_file(profile.path, true);
    profile.wal = false;
    open_with(&db, &profile);
    CHECK_TEXT(db.journal_mode, "wal");
    close_db(&db);
}

static void the_mode_is_left_when_opened_for_reading(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct asq_db db;

    (void)fixture;
    make_file(profile.path, false);
    profile.mode = ASQ_OPEN_READ;
    open_with(&db, &profile);
    CHECK_TEXT(db.journal_mode, "delete");
    CHECK(db.read_only);
    CHECK_INT(asq_db_run(&db, "INSERT INTO t VALUES (1)", NULL, NULL),
              SQLITE_READONLY);
    close_db(&db);
    make_file(profile.path, true);
    open_with(&db, &profile);
    CHECK_TEXT(db.journal_mode, "wal");
    CHECK_INT(asq_db_run(&db, "INSERT INTO t VALUES (1)", NULL, NULL),
              SQLITE_READONLY);
    close_db(&db);
}

static void memory_is_private(void *fixture)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db one, two;

    (void)fixture;
    open_with(&one, &profile);
    open_with(&two, &profile);
    CHECK_TEXT(one.journal_mode, "memory");
    run(&one, "CREATE TABLE t (n INTEGER)");
    run(&two, "CREATE TABLE t (n INTEGER)");
    close_db(&one);
    close_db(&two);
}

/* Closing */

static void closing_again_is_harmless(void *fixture)
{
    struct asq_db db = {0};

    (void)fixture;
    CHECK_INT(asq_db_close(NULL), 0);
    CHECK_INT(asq_db_close(&db), 0);
    open_default(&db);
    run(&db, "SELECT 1"); /* stays in the cache, does not hold the file */
    close_db(&db);
    CHECK_INT(asq_db_close(&db), 0);
    open_default(&db);
    close_db(&db);
}

static void a_closed_database_says_so(void *fixture)
{
    struct asq_stmt *stmt = NULL;
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    close_db(&db);
    CHECK_INT(asq_db_run(&db, "SELECT 1", NULL, NULL), SQLITE_MISUSE);
    CHECK_TEXT(asq_db_message(&db), "the database is not open");
    CHECK_INT(asq_stmt_prepare(&db, "SELECT 1", ASQ_WHOLE_TEXT, &stmt),
              SQLITE_MISUSE);
    CHECK_INT(asq_db_watch(&db, NULL, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_db_hand_over(&db), SQLITE_MISUSE);
    CHECK(asq_db_handle(&db) == NULL);
    CHECK(!asq_db_in_transaction(&db));
}

static void an_open_transaction_is_rolled_back(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    run(&db, "CREATE TABLE t (n INTEGER)");
    CHECK(!asq_db_in_transaction(&db));
    run(&db, "BEGIN");
    CHECK(asq_db_in_transaction(&db));
    run(&db, "INSERT INTO t VALUES (1)");
    close_db(&db);
    open_default(&db);
    CHECK_INT(ask(&db, "SELECT count(*) FROM t"), 0);
    close_db(&db);
}

static void a_statement_in_use_keeps_it_open(void *fixture)
{
    struct asq_stmt *stmt = NULL;
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    CHECK_INT(asq_stmt_prepare(&db, "SELECT 1", ASQ_WHOLE_TEXT, &stmt), 0);
    CHECK_INT(db.open_statements, 1);
    CHECK_INT(asq_db_close(&db), SQLITE_BUSY);
    CHECK_TEXT(asq_db_message(&db), "not closed: 1 statement is in use");
    CHECK_INT(asq_db_hand_over(&db), SQLITE_BUSY);
    CHECK_TEXT(asq_db_message(&db), "not handed over: 1 statement is in use");
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    asq_stmt_release(stmt);
    CHECK_INT(db.open_statements, 0);
    close_db(&db);
}

static void a_statement_of_the_handle_keeps_it_open(void *fixture)
{
    sqlite3_stmt *stmt = NULL;
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    CHECK_INT(
        sqlite3_prepare_v2(asq_db_handle(&db), "SELECT 1", -1, &stmt, NULL),
        SQLITE_OK);
    CHECK_INT(asq_db_close(&db), SQLITE_BUSY);
    CHECK_CONTAINS(asq_db_message(&db), "unfinalized statements");
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    close_db(&db);
}

static void a_message_is_one_line(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    CHECK_INT(asq_db_run(&db, "SELECT 1;\nSELECT\n\t2", NULL, NULL),
              SQLITE_MISUSE);
    CHECK_TEXT(asq_db_message(&db),
               "text after the first statement: \"SELECT  2\"");
    close_db(&db);
}

static const struct test_case cases[] = {
    {.name = "the_default_profile_is_in_force",
     .run = the_default_profile_is_in_force},
    {.name = "every_setting_can_be_another",
     .run = every_setting_can_be_another},
    {.name = "two_connections_have_the_same_settings",
     .run = two_connections_have_the_same_settings},
    {.name = "the_mode_is_left_when_wal_is_not_asked_for",
     .run = the_mode_is_left_when_wal_is_not_asked_for},
    {.name = "the_mode_is_left_when_opened_for_reading",
     .run = the_mode_is_left_when_opened_for_reading},
    {.name = "memory_is_private", .run = memory_is_private},
    {.name = "closing_again_is_harmless", .run = closing_again_is_harmless},
    {.name = "a_closed_database_says_so", .run = a_closed_database_says_so},
    {.name = "an_open_transaction_is_rolled_back",
     .run = an_open_transaction_is_rolled_back},
    {.name = "a_statement_in_use_keeps_it_open",
     .run = a_statement_in_use_keeps_it_open},
    {.name = "a_statement_of_the_handle_keeps_it_open",
     .run = a_statement_of_the_handle_keeps_it_open},
    {.name = "a_message_is_one_line", .run = a_message_is_one_line},
    {0},
};

const struct test_suite test_suite = {.name = "db", .cases = cases};
