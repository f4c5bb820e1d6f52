/* test_db_watch - stopping what runs or waits, and what that means
 *
 * The rule that everything else stands on: a statement that says interrupted
 * has done nothing, one that says done has done it.
 */
#include "db_fixture.h"

#define MARK "\xEF\xBB\xBF" /* the byte order mark of UTF-8 */

/* Stops from the nth question on; 0: never. */
struct watcher {
    unsigned nth;
    unsigned asked;
};

struct fixture {
    struct asq_db db;
    struct asq_db other;
    struct watcher watcher;
};

static int watch(void *data)
{
    struct watcher *watcher = data;

    watcher->asked++;
    return watcher->nth != 0 && watcher->asked >= watcher->nth;
}

static void stop_at(struct fixture *f, unsigned nth)
{
    f->watcher = (struct watcher){.nth = nth};
    CHECK_INT(asq_db_watch(&f->db, watch, &f->watcher), 0);
}

static void unwatch(struct fixture *f)
{
    CHECK_INT(asq_db_watch(&f->db, NULL, NULL), 0);
}

static int64_t count(struct asq_db *db)
{
    struct asq_result result = {0};
    int64_t rows;

    CHECK_INT(asq_db_run(db, "SELECT count(*) AS n FROM t", NULL, &result), 0);
    rows = asq_result_int64(&result, 0, "n");
    asq_result_destroy(&result);
    return rows;
}

/* Two connections, in rollback mode because there a COMMIT waits for readers.
 * Without the watch a wait would outlast the time limit of the test. */
static void set_up(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.wal = false;
    profile.busy_ms = 3600000;
    CHECK_INT(asq_db_open(&f->db, &profile), 0);
    CHECK_INT(asq_db_open(&f->other, &profile), 0);
    run(&f->db, "CREATE TABLE t (n INTEGER)");
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_db_close(&f->db), 0);
    CHECK_INT(asq_db_close(&f->other), 0);
}

static const char endless[] =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    " SELECT count(*) FROM c";

static void what_runs_is_interrupted(void *fixture)
{
    struct fixture *f = fixture;

    for (unsigned nth = 1; nth < 100; nth += 7) {
        stop_at(f, nth);
        CHECK_INT(asq_db_run(&f->db, endless, NULL, NULL), SQLITE_INTERRUPT);
        CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
        CHECK_TEXT(asq_db_message(&f->db), nth == 1 ? "interrupted before it"
                                                      " began"
                                                    : "interrupted");
        CHECK_INT(f->watcher.asked, nth);
        unwatch(f);
        CHECK_INT(count(&f->db), 0); /* the next statement is not hit */
        CHECK_INT(f->db.stopped, ASQ_STOP_NONE);
    }
}

static void a_wait_for_a_lock_is_given_up(void *fixture)
{
    struct fixture *f = fixture;
    static const char *const waiting[] = {"INSERT INTO t VALUES (1)",
                                          "BEGIN IMMEDIATE"};

    run(&f->other, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
        stop_at(f, 3);
        CHECK_INT(asq_db_run(&f->db, waiting[i], NULL, NULL), SQLITE_BUSY);
        CHECK_INT(f->db.stopped, ASQ_STOP_LOCK);
        CHECK_INT(f->watcher.asked, 3);
        CHECK(!asq_db_in_transaction(&f->db));
    }
    unwatch(f);
    run(&f->other, "COMMIT");
    run(&f->db, "INSERT INTO t VALUES (1)");
    CHECK_INT(f->db.stopped, ASQ_STOP_NONE);
}

/* SQLite counts the operations of all runs of a statement. So now and then it
 * asks the watch once more after the wait was given up, and that is no second
 * reason. */
static void a_wait_given_up_is_told_as_such(void *fixture)
{
    struct fixture *f = fixture;
    unsigned asked_again = 0;

    run(&f->other, "BEGIN IMMEDIATE");
    for (int i = 0; i < 200; i++) {
        stop_at(f, 2);
        CHECK_INT(asq_db_run(&f->db, "INSERT INTO t VALUES (1)", NULL, NULL),
                  SQLITE_BUSY);
        CHECK_INT(f->db.stopped, ASQ_STOP_LOCK);
        asked_again += f->watcher.asked > 2;
    }
    CHECK(asked_again > 0);
    unwatch(f);
    run(&f->other, "COMMIT");
    run(&f->db, "INSERT INTO t VALUES (1)");
}

/* The transaction is still there, and commits once the reader has gone. */
static void a_commit_that_waits_can_be_tried_again(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_stmt *reader = NULL;

    run(&f->db, "INSERT INTO t VALUES (1), (2)");
    CHECK_INT(
        asq_stmt_prepare(&f->other, "SELECT n FROM t", ASQ_WHOLE_TEXT, &reader),
        0);
    CHECK_INT(asq_stmt_step(reader), SQLITE_ROW);
    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (3)");
    stop_at(f, 3);
    CHECK_INT(asq_db_run(&f->db, "COMMIT", NULL, NULL), SQLITE_BUSY);
    CHECK_INT(f->db.stopped, ASQ_STOP_LOCK);
    CHECK(asq_db_in_transaction(&f->db));
    CHECK(!f->db.outcome_unknown);
    unwatch(f);
    asq_stmt_release(reader);
    run(&f->db, "COMMIT");
    CHECK_INT(count(&f->other), 3);
}

/* A statement that is run often is asked about sooner or later even if one
 * run is short: SQLite counts the operations of all its runs. These are asked
 * about before what begins, and never again. */
static void transactions_are_not_stopped_while_they_run(void *fixture)
{
    struct fixture *f = fixture;
    static const char *const texts[] = {
        "BEGIN",         "COMMIT",    "BEGIN IMMEDIATE", "END",
        "BEGIN",         "ROLLBACK",  "BEGIN",           "SAVEPOINT s",
        "ROLLBACK TO s", "RELEASE s", "ROLLBACK"};

    stop_at(f, 0);
    for (int i = 0; i < 300; i++) {
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            run(&f->db, texts[k]);
        CHECK_INT(f->watcher.asked, 5 * (i + 1));
    }
    unwatch(f);
}

/* Whatever is stopped, its transaction can be ended. */
static void what_ends_a_transaction_always_runs(void *fixture)
{
    struct fixture *f = fixture;
    static const char *const ends[] = {"COMMIT", "END", "ROLLBACK", "RELEASE s",
                                       MARK " COMMIT"};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        run(&f->db,
            ends[i][0] == 'R' && ends[i][1] == 'E' ? "SAVEPOINT s" : "BEGIN");
        run(&f->db, "INSERT INTO t VALUES (1)");
        stop_at(f, 1);
        CHECK_INT(asq_db_run(&f->db, "SAVEPOINT u", NULL, NULL),
                  SQLITE_INTERRUPT);
        run(&f->db, ends[i]);
        CHECK(!asq_db_in_transaction(&f->db));
        CHECK_INT(f->db.stopped, ASQ_STOP_NONE);
        CHECK_INT(asq_db_run(&f->db, "BEGIN", NULL, NULL), SQLITE_INTERRUPT);
        CHECK(!asq_db_in_transaction(&f->db));
        unwatch(f);
    }
    CHECK_INT(count(&f->other), 4);
}

/* A function of many short statements: none is long enough to be asked about
 * while it runs. */
static void the_next_of_many_is_not_started(void *fixture)
{
    struct fixture *f = fixture;
    int done = 0;

    stop_at(f, 50);
    while (done < 1000 &&
           asq_db_run(&f->db, "INSERT INTO t VALUES (1)", NULL, NULL) == 0)
        done++;
    CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
    CHECK_RANGE(done, 40, 49); /* now and then it is asked at the end of one */
    unwatch(f);
    CHECK_INT(count(&f->other), done);
}

/* A statement that was not started is like one that failed. */
static void what_was_not_started_can_be_used_again(void *fixture)
{
    struct fixture *f = fixture;
    struct asq_stmt *stmt = NULL;

    CHECK_INT(asq_stmt_prepare(&f->db, "INSERT INTO t VALUES (1)",
                               ASQ_WHOLE_TEXT, &stmt),
              0);
    stop_at(f, 1);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_INTERRUPT);
    unwatch(f);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_INTERRUPT);
    CHECK_INT(asq_stmt_collect(stmt, NULL), SQLITE_INTERRUPT);
    CHECK_INT(count(&f->other), 0);
    asq_stmt_reset(stmt);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_DONE);
    CHECK_INT(asq_stmt_changes(stmt), 1);
    asq_stmt_release(stmt);
    CHECK_INT(f->db.open_statements, 0);
    run(&f->db, "INSERT INTO t VALUES (1)");
    CHECK_INT(count(&f->other), 2);
}

/* It would act while it is prepared, before its first step. */
static void a_pragma_is_asked_about_before_it_is_prepared(void *fixture)
{
    struct fixture *f = fixture;
    static const char *const texts[] = {
        "PRAGMA foreign_keys = 0", MARK "PRAGMA foreign_keys = 0",
        "EXPLAIN PRAGMA foreign_keys = 0",
        "EXPLAIN QUERY PLAN PRAGMA foreign_keys = 0"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        stop_at(f, 1);
        CHECK_INT(asq_db_run(&f->db, texts[i], NULL, NULL), SQLITE_INTERRUPT);
        CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
        unwatch(f);
        CHECK_INT(ask(&f->db, "PRAGMA foreign_keys"), 1);
        stop_at(f, 2); /* too late: it has acted */
        CHECK_INT(asq_db_run(&f->db, texts[i], NULL, NULL), 0);
        CHECK_INT(f->watcher.asked, 1);
        unwatch(f);
        CHECK_INT(ask(&f->db, "PRAGMA foreign_keys"), 0);
        run(&f->db, "PRAGMA foreign_keys = 1");
    }
}

/* Runs an INSERT that is being stopped and compares word and deed. Returns
 * whether it was done. */
static bool word_is_deed(struct fixture *f, const char *sql, int64_t rows)
{
    int rc = asq_db_run(&f->db, sql, NULL, NULL);
    int64_t there = count(&f->other);

    if (rc == 0) {
        CHECK_INT(there, rows);
        CHECK_INT(f->db.stopped, ASQ_STOP_NONE);
    } else {
        CHECK_INT(rc, SQLITE_INTERRUPT);
        CHECK_INT(there, 0);
        CHECK_INT(f->db.stopped, ASQ_STOP_RUNNING);
    }
    run(&f->other, "DELETE FROM t");
    return rc == 0;
}

static void an_interrupted_insert_has_not_committed(void *fixture)
{
    struct fixture *f = fixture;
    unsigned nth = 0;
    bool done;

    do {
        stop_at(f, ++nth);
        done = word_is_deed(f,
                            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL"
                            " SELECT n + 1 FROM c WHERE n < 500)"
                            " INSERT INTO t SELECT n FROM c",
                            500);
    } while (!done);
    CHECK(nth > 20);
    unwatch(f);
}

/* These are so short that the watch is asked, if at all, at their very end,
 * when the commit is over. */
static void a_short_insert_is_done_or_not(void *fixture)
{
    struct fixture *f = fixture;
    unsigned asked = 0;

    for (unsigned i = 0; i < test_scaled(300); i++) {
        stop_at(f, 2);
        (void)word_is_deed(f, "INSERT INTO t VALUES (1)", 1);
        asked += f->watcher.asked > 1;
    }
    CHECK(asked > 0);
    unwatch(f);
}

static void an_interrupted_write_ends_its_transaction(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (1)");
    run(&f->db, "SAVEPOINT s");
    stop_at(f, 5);
    CHECK_INT(asq_db_run(&f->db,
                         "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL"
                         " SELECT n + 1 FROM c)"
                         " INSERT INTO t SELECT n FROM c",
                         NULL, NULL),
              SQLITE_INTERRUPT);
    CHECK(!asq_db_in_transaction(&f->db));
    unwatch(f);
    CHECK_INT(count(&f->db), 0);
}

static void an_interrupted_read_leaves_its_transaction(void *fixture)
{
    struct fixture *f = fixture;

    run(&f->db, "BEGIN");
    run(&f->db, "INSERT INTO t VALUES (1)");
    stop_at(f, 5);
    CHECK_INT(asq_db_run(&f->db, endless, NULL, NULL), SQLITE_INTERRUPT);
    CHECK(asq_db_in_transaction(&f->db));
    unwatch(f);
    run(&f->db, "COMMIT");
    CHECK_INT(count(&f->other), 1);
}

static const struct test_case cases[] = {
    {.name = "what_runs_is_interrupted", .run = what_runs_is_interrupted},
    {.name = "a_wait_for_a_lock_is_given_up",
     .run = a_wait_for_a_lock_is_given_up},
    {.name = "a_wait_given_up_is_told_as_such",
     .run = a_wait_given_up_is_told_as_such},
    {.name = "a_commit_that_waits_can_be_tried_again",
     .run = a_commit_that_waits_can_be_tried_again},
    {.name = "transactions_are_not_stopped_while_they_run",
     .run = transactions_are_not_stopped_while_they_run},
    {.name = "what_ends_a_transaction_always_runs",
     .run = what_ends_a_transaction_always_runs},
    {.name = "the_next_of_many_is_not_started",
     .run = the_next_of_many_is_not_started},
    {.name = "what_was_not_started_can_be_used_again",
     .run = what_was_not_started_can_be_used_again},
    {.name = "a_pragma_is_asked_about_before_it_is_prepared",
     .run = a_pragma_is_asked_about_before_it_is_prepared},
    {.name = "an_interrupted_insert_has_not_committed",
     .run = an_interrupted_insert_has_not_committed},
    {.name = "a_short_insert_is_done_or_not",
     .run = a_short_insert_is_done_or_not},
    {.name = "an_interrupted_write_ends_its_transaction",
     .run = an_interrupted_write_ends_its_transaction},
    {.name = "an_interrupted_read_leaves_its_transaction",
     .run = an_interrupted_read_leaves_its_transaction},
    {0},
};

const struct test_suite test_suite = {
    .name = "db_watch",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
