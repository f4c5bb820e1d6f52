/* test_db_faults - memory and disk fail at every point
 *
 * One workload is run again and again; each time the next allocation or the
 * next operation of the disk fails, until nothing fails any more.
 */
#include "common/slow_disk.h"
#include "db_fixture.h"

#include <stdio.h>

/* What became of one INSERT. */
enum outcome {
    NOT_DONE,
    DONE,
    UNKNOWN
};

static void make_table(const struct asq_profile *profile)
{
    struct asq_profile plain = *profile;
    struct asq_db db;

    plain.vfs = NULL;
    CHECK_INT(asq_db_open(&db, &plain), 0);
    CHECK_INT(asq_db_run(&db, "CREATE TABLE t (n INTEGER UNIQUE, name TEXT)",
                         NULL, NULL),
              0);
    CHECK_INT(asq_db_close(&db), 0);
}

/* Memory */

/* Returns 0 or the first error. Rows that arrive are the right ones. */
static int insert_and_read(struct asq_db *db, int64_t n)
{
    static const char *const names[] = {"n", "name"};
    struct asq_value values[] = {asq_int64(n), asq_text("a name")};
    struct asq_params params = {values, names, 2};
    struct asq_result result = {0};
    int rc = asq_db_run(db, "INSERT INTO t VALUES (:n, :name)", &params, NULL);

    if (rc == 0) {
        params = (struct asq_params){values, NULL, 1};
        rc = asq_db_run(db, "SELECT n, name FROM t WHERE n = ?", &params,
                        &result);
    }
    if (rc == 0) {
        CHECK_INT(result.rows, 1);
        CHECK_INT(asq_result_int64(&result, 0, "n"), n);
        CHECK_TEXT(asq_result_text(&result, 0, "name"), "a name");
    }
    asq_result_destroy(&result);
    return rc;
}

/* With strict, whatever has failed before the end must have been told. */
static int live_once(const struct asq_profile *profile, int64_t n, int strict)
{
    struct asq_db db;
    int rc = asq_db_open(&db, profile);

    if (rc == 0)
        rc = insert_and_read(&db, n);
    if (rc != 0)
        CHECK(asq_db_message(&db)[0] != '\0');
    else if (strict)
        CHECK(!test_alloc_has_failed());
    CHECK_INT(asq_db_close(&db), 0);
    return rc;
}

/* Without keep one allocation fails, with it all that follow as well. */
static void fail_each_allocation(int keep)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    int64_t held, nth = 0;
    int failed, rc;

    make_table(&profile);
    CHECK_INT(live_once(&profile, 0, 0), 0);
    held = test_alloc_held();
    do {
        test_alloc_fail_at(TEST_ALLOC_ALL, (uint64_t)++nth, keep);
        rc = live_once(&profile, nth, keep);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        CHECK_INT(test_alloc_held(), held);
    } while (failed);
    CHECK_INT(rc, 0);
    CHECK(nth > 100);
}

static void any_allocation_may_fail(void *fixture)
{
    (void)fixture;
    fail_each_allocation(0);
}

static void memory_may_end_anywhere(void *fixture)
{
    (void)fixture;
    fail_each_allocation(1);
}

/* Disk */

/* Opens, inserts n, closes. Returns what is known about n. */
static enum outcome insert_once(const struct asq_profile *profile, int64_t n)
{
    enum outcome outcome = NOT_DONE;
    struct asq_value value = asq_int64(n);
    struct asq_params params = {.values = &value, .count = 1};
    struct asq_db db;

    if (asq_db_open(&db, profile) == 0) {
        int rc = asq_db_run(&db, "INSERT INTO t (n) VALUES (?)", &params, NULL);

        if (rc == 0)
            outcome = DONE;
        else if (db.outcome_unknown)
            outcome = UNKNOWN;
    }
    CHECK_INT(asq_db_close(&db), 0);
    return outcome;
}

/* Looks at the file without the slow disk: it is whole, and holds n as
 * promised. */
static void check_kept(const char *path, int64_t n, enum outcome outcome)
{
    struct asq_profile profile = asq_profile_default(path);
    struct asq_db db;
    char sql[64];
    int64_t there;

    profile.wal = false; /* leave the mode as it is */
    CHECK_INT(asq_db_open(&db, &profile), 0);
    CHECK_INT(ask(&db, "SELECT integrity_check = 'ok'"
                       " FROM pragma_integrity_check LIMIT 1"),
              1);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE n = %lld",
                   (long long)n); /* it fits */
    there = ask(&db, sql);
    if (outcome != UNKNOWN)
        CHECK_INT(there, outcome == DONE);
    CHECK_INT(asq_db_close(&db), 0);
}

static void fail_each(enum asq_disk_op op, int code, int keep, bool wal)
{
    struct asq_profile profile =
        asq_profile_default(test_path(wal ? "wal.db" : "rollback.db"));
    enum outcome outcome;
    int64_t nth = 0;
    uint64_t ops;

    profile.wal = wal;
    profile.synchronous = 2;
    profile.vfs = ASQ_SLOW_DISK;
    make_table(&profile);
    do {
        asq_slow_disk_reset();
        asq_slow_disk_fail(op, (uint64_t)++nth, code, keep);
        outcome = insert_once(&profile, nth);
        ops = asq_slow_disk_count(op);
        asq_slow_disk_reset();
        check_kept(profile.path, nth, outcome);
    } while (ops >= (uint64_t)nth);
    CHECK_INT(outcome, DONE);
    CHECK(nth > 1);
}

static void fail_each_way(enum asq_disk_op op, int code)
{
    for (int keep = 0; keep < 2; keep++) {
        fail_each(op, code, keep, false);
        CHECK_INT(remove(test_path("rollback.db")), 0);
        fail_each(op, code, keep, true);
        CHECK_INT(remove(test_path("wal.db")), 0);
    }
}

static void any_read_may_fail(void *fixture)
{
    (void)fixture;
    fail_each_way(ASQ_DISK_READ, SQLITE_IOERR_READ);
}

static void any_write_may_fail(void *fixture)
{
    (void)fixture;
    fail_each_way(ASQ_DISK_WRITE, SQLITE_IOERR_WRITE);
}

static void the_disk_may_be_full_anywhere(void *fixture)
{
    (void)fixture;
    fail_each_way(ASQ_DISK_WRITE, SQLITE_FULL);
}

static void any_sync_may_fail(void *fixture)
{
    (void)fixture;
    fail_each_way(ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC);
}

static void any_open_may_fail(void *fixture)
{
    (void)fixture;
    fail_each_way(ASQ_DISK_OPEN, SQLITE_CANTOPEN);
}

/* The outcome of a commit */

static void run_all(struct asq_db *db, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        if (asq_db_run(db, *texts, NULL, NULL) != 0)
            FAIL("%s: %s", *texts, asq_db_message(db));
    }
}

static void open_slow(struct asq_db *db, bool wal)
{
    static const char *const texts[] = {
        "CREATE TABLE IF NOT EXISTS t (n INTEGER)", NULL};
    struct asq_profile profile =
        asq_profile_default(test_path(wal ? "wal.db" : "rollback.db"));

    profile.wal = wal;
    profile.synchronous = 2;
    profile.vfs = ASQ_SLOW_DISK;
    asq_slow_disk_reset();
    if (asq_db_open(db, &profile) != 0)
        FAIL("%s", asq_db_message(db));
    run_all(db, texts);
}

/* Runs what comes before, then a commit whose nth sync fails. Returns whether
 * there was an nth. The first syncs of a rollback journal come before anything
 * is written to the file; any other sync leaves the outcome open. */
static bool commit_fails(bool wal,
                         const char *const *before,
                         const char *commit,
                         int nth,
                         int *unknown)
{
    struct asq_db db;
    int rc;

    open_slow(&db, wal);
    run_all(&db, before);
    CHECK(!db.outcome_unknown);
    asq_slow_disk_fail(ASQ_DISK_SYNC, (uint64_t)nth, SQLITE_IOERR_FSYNC, 0);
    rc = asq_db_run(&db, commit, NULL, NULL);
    if (rc != 0)
        CHECK_INT(rc, SQLITE_IOERR_FSYNC);
    if (wal || rc == 0)
        CHECK_INT(db.outcome_unknown, rc != 0);
    *unknown += db.outcome_unknown;
    CHECK_INT(asq_db_close(&db), 0);
    return rc != 0;
}

static void a_commit_that_fails_leaves_its_outcome_open(void *fixture)
{
    static const char insert[] = "INSERT INTO t VALUES (1)";
    const struct {
        const char *before[3];
        const char *commit;
    } ways[] = {
        {{"BEGIN", insert, NULL}, "COMMIT"},
        {{"BEGIN", insert, NULL}, "END"},
        {{"SAVEPOINT s", insert, NULL}, "RELEASE s"},
        {{NULL}, insert},
        {{NULL}, "INSERT INTO t VALUES (1) RETURNING n"},
        {{NULL}, "PRAGMA user_version = 3"},
    };

    (void)fixture;
    for (int wal = 0; wal < 2; wal++) {
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            int nth = 1, unknown = 0;

            while (commit_fails(wal, ways[i].before, ways[i].commit, nth,
                                &unknown))
                nth++;
            if (unknown == 0)
                FAIL("%s: no outcome was open", ways[i].commit);
        }
    }
}

static void a_read_that_fails_is_no_commit(void *fixture)
{
    static const char *const alone[] = {NULL};
    static const char *const inside[] = {"BEGIN", "PRAGMA user_version = 3",
                                         NULL};
    struct asq_db db;

    (void)fixture;
    for (int i = 0; i < 4; i++) {
        open_slow(&db, i % 2 == 0); /* makes the table */
        CHECK_INT(asq_db_close(&db), 0);
        open_slow(&db, i % 2 == 0);
        run_all(&db, i < 2 ? alone : inside);
        asq_slow_disk_fail(ASQ_DISK_READ, 1, SQLITE_IOERR_READ, 0);
        CHECK_INT(asq_db_run(&db, "SELECT count(*) FROM t", NULL, NULL),
                  SQLITE_IOERR_READ);
        CHECK_TEXT(asq_db_message(&db), "disk I/O error");
        CHECK(!db.outcome_unknown);
        CHECK(!asq_db_in_transaction(&db)); /* the error has ended it */
        CHECK_INT(asq_db_close(&db), 0);
    }
}

/* Without a disk there is nothing to be unsure about. */
static void an_error_that_is_not_of_the_disk_is_clear(void *fixture)
{
    static const char *const rows[] = {"CREATE UNIQUE INDEX i ON t (n)",
                                       "INSERT INTO t VALUES (1)", NULL};
    struct asq_db db;

    (void)fixture;
    open_slow(&db, true);
    run_all(&db, rows);
    CHECK_INT(asq_db_run(&db, "INSERT INTO t VALUES (1)", NULL, NULL),
              SQLITE_CONSTRAINT_UNIQUE);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    CHECK_INT(asq_db_run(&db, "INSERT INTO t VALUES (2)", NULL, NULL),
              SQLITE_FULL);
    CHECK(!db.outcome_unknown);
    CHECK_INT(asq_db_close(&db), 0);
}

static void set_up(void *fixture)
{
    (void)fixture;
    test_alloc_install();
    CHECK_INT(asq_slow_disk_register(), 0);
}

static const struct test_case cases[] = {
    {.name = "any_allocation_may_fail", .run = any_allocation_may_fail},
    {.name = "memory_may_end_anywhere", .run = memory_may_end_anywhere},
    {.name = "any_read_may_fail", .run = any_read_may_fail},
    {.name = "any_write_may_fail", .run = any_write_may_fail},
    {.name = "the_disk_may_be_full_anywhere",
     .run = the_disk_may_be_full_anywhere},
    {.name = "any_sync_may_fail", .run = any_sync_may_fail},
    {.name = "any_open_may_fail", .run = any_open_may_fail},
    {.name = "a_commit_that_fails_leaves_its_outcome_open",
     .run = a_commit_that_fails_leaves_its_outcome_open},
    {.name = "a_read_that_fails_is_no_commit",
     .run = a_read_that_fails_is_no_commit},
    {.name = "an_error_that_is_not_of_the_disk_is_clear",
     .run = an_error_that_is_not_of_the_disk_is_clear},
    {0},
};

const struct test_suite test_suite = {
    .name = "db_faults",
    .cases = cases,
    .set_up = set_up,
};
