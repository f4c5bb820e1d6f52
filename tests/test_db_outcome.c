/* test_db_outcome - what is certain after a commit that failed
 *
 * The same small write is done again and again, and each time another op of
 * the disk goes wrong. Then the files are copied as they lie there, which is
 * what a crash would leave, and the connection is closed. A row that was
 * acknowledged is in both, one that certainly failed is in neither, and only
 * where the outcome is unknown it may be in one of them.
 */
#include "common/slow_disk.h"
#include "db_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const journals[] = {"wal", "delete", "truncate", "persist"};

/* What is written, in a transaction or alone. Some need many pages, so that
 * the page cache spills and the WAL rewrites what it has. */
static const struct work {
    const char *const before[3];
    const char *last; /* this one meets the fault, and before the others */
} works[] = {
    {{NULL}, "INSERT INTO t VALUES (2, zeroblob(9000))"},
    {{NULL}, "INSERT INTO t VALUES (2, 1) RETURNING n"},
    {{"BEGIN", "INSERT INTO t VALUES (2, zeroblob(9000))", NULL}, "COMMIT"},
    {{"SAVEPOINT s", "INSERT INTO t VALUES (2, 1)", NULL}, "RELEASE s"},
    {{"BEGIN",
      "INSERT INTO t VALUES (2, zeroblob(50000)),"
      " (3, zeroblob(50000))",
      "UPDATE t SET v = randomblob(50000) WHERE n = 2"},
     "COMMIT"},
};

enum {
    WORKS = sizeof works / sizeof works[0],
    SMALL = WORKS - 1 /* those before the one that spills */
};

struct fault {
    enum asq_disk_op op;
    int code;
    int error; /* of the system; 0: none */
    int keep;  /* it goes on failing */
};

struct tally {
    unsigned certain, unknown;
    unsigned there; /* of the unknown ones */
};

struct trial {
    const char *journal;
    const struct work *work;
    const struct fault *fault;
    asq_open_db_cb hook; /* or NULL */
    bool sync;           /* each commit; real syncs take time */
    bool unsafe;         /* a disk that overwrites unsafely, if power is cut */
    struct tally tally;
};

static const char *const endings[] = {"", "-wal", "-journal"};

static void name(char *ret_path, const char *base, const char *ending)
{
    /* The folder of a test is no longer than this. */
    (void)snprintf(ret_path, 1024, "%s%s", base, ending);
}

static void remove_files(const char *base)
{
    char path[1024];

    for (int i = 0; i < 3; i++) {
        name(path, base, endings[i]);
        (void)unlink(path); /* not every one is there */
    }
}

static void copy_file(const char *from, const char *to)
{
    char bytes[8192];
    size_t size;
    FILE *in = fopen(from, "rb");
    FILE *out;

    if (in == NULL)
        return;
    out = fopen(to, "wb");
    CHECK(out != NULL);
    while ((size = fread(bytes, 1, sizeof bytes, in)) > 0)
        CHECK_INT(fwrite(bytes, 1, size, out), size);
    CHECK_INT(fclose(in), 0);
    CHECK_INT(fclose(out), 0);
}

static void copy_files(const char *from, const char *to)
{
    char source[1024], target[1024];

    for (int i = 0; i < 3; i++) {
        name(source, from, endings[i]);
        name(target, to, endings[i]);
        copy_file(source, target);
    }
}

/* Only a URI can ask for this. */
static void open_unsafe(struct asq_db *db)
{
    char uri[1100];

    (void)snprintf(uri, sizeof uri, "file:%s?psow=0", test_path("a.db"));
    asq__db_init(db);
    CHECK_INT(sqlite3_open_v2(uri, &db->handle,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                  SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE,
                              ASQ_SLOW_DISK),
              0);
    run(db, "PRAGMA synchronous=FULL");
}

static void open_plain(struct asq_db *db, const struct trial *trial)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.wal = false;
    profile.synchronous = trial->sync ? 2 : 0;
    profile.cache_kib = 16;
    profile.vfs = ASQ_SLOW_DISK;
    profile.on_open_db = trial->hook;
    open_with(db, &profile);
}

/* A file with a row in it, and in WAL with a commit in the WAL. */
static void open_work(struct asq_db *db, const struct trial *trial)
{
    char sql[64];

    if (trial->unsafe)
        open_unsafe(db);
    else
        open_plain(db, trial);
    (void)snprintf(sql, sizeof sql, "PRAGMA main.journal_mode=%s",
                   trial->journal);
    run(db, sql);
    run(db, "CREATE TABLE t (n INTEGER PRIMARY KEY, v)");
    run(db, "INSERT INTO t VALUES (1, 1)");
}

/* Returns whether row 2 is in the file, which is whole and holds row 1. */
static bool is_there(const char *path)
{
    struct asq_profile profile = asq_profile_default(path);
    struct asq_db db;
    bool there;

    profile.wal = false;
    profile.synchronous = 0;
    open_with(&db, &profile);
    CHECK_INT(ask(&db, "SELECT integrity_check = 'ok'"
                       " FROM pragma_integrity_check LIMIT 1"),
              1);
    CHECK_INT(ask(&db, "SELECT count(*) FROM t WHERE n = 1"), 1);
    there = ask(&db, "SELECT count(*) FROM t WHERE n = 2") == 1;
    close_db(&db);
    return there;
}

/* A connection that is certain works on. */
static void go_on(struct asq_db *db)
{
    if (asq_db_in_transaction(db))
        run(db, "ROLLBACK");
    CHECK_INT(ask(db, "SELECT count(*) FROM t WHERE n >= 2"), 0);
    run(db, "INSERT INTO t VALUES (100, 1)");
    run(db, "DELETE FROM t WHERE n = 100");
}

/* Returns what the work returned; 0 where the fault came too late for it. */
static int do_work(struct asq_db *db, const struct work *work)
{
    int rc = 0;

    for (int i = 0; i < 3 && work->before[i] != NULL && rc == 0; i++)
        rc = asq_db_run(db, work->before[i], NULL, NULL);
    return rc != 0 ? rc : asq_db_run(db, work->last, NULL, NULL);
}

static void judge(struct trial *trial, struct asq_db *db, int rc)
{
    bool unknown = db->outcome_unknown;
    bool crashed, left;

    remove_files(test_path("copy.db"));
    copy_files(test_path("a.db"), test_path("copy.db"));
    if (rc != 0 && !unknown)
        go_on(db);
    CHECK_INT(asq_db_close(db), 0);
    left = is_there(test_path("a.db"));
    crashed = is_there(test_path("copy.db"));
    if (rc == 0) {
        CHECK(left && crashed);
    } else if (!unknown) {
        CHECK(!left && !crashed);
        trial->tally.certain++;
    } else {
        trial->tally.unknown++;
        trial->tally.there += left || crashed;
    }
}

/* Returns whether there was an nth op. */
static bool try_nth(struct trial *trial, uint64_t nth)
{
    const struct fault *fault = trial->fault;
    uint64_t before;
    struct asq_db db;
    bool struck;
    int rc;

    remove_files(test_path("a.db"));
    open_work(&db, trial);
    before = asq_slow_disk_count(fault->op);
    asq_slow_disk_errno(fault->error);
    asq_slow_disk_fail(fault->op, nth, fault->code, fault->keep);
    rc = do_work(&db, trial->work);
    struck = asq_slow_disk_count(fault->op) - before >= nth;
    if (rc != 0)
        CHECK(struck);
    asq_slow_disk_reset();
    judge(trial, &db, rc);
    return struck;
}

/* Fails each op of the works in each journal, once and for good, and tells
 * what came of it. */
static struct tally
fail_each(int works_count, enum asq_disk_op op, int code, int error)
{
    struct tally all = {0};

    for (int i = 0; i < 2 * 4 * works_count; i++) {
        struct fault fault = {op, code, error, i % 2};
        struct trial trial = {.journal = journals[i / 2 % 4],
                              .work = &works[i / 8],
                              .fault = &fault,
                              .sync = op == ASQ_DISK_SYNC};
        uint64_t nth = 1;

        while (try_nth(&trial, nth))
            nth++;
        all.certain += trial.tally.certain;
        all.unknown += trial.tally.unknown;
        all.there += trial.tally.there;
    }
    return all;
}

static void expect_certain(const struct tally *all)
{
    CHECK(all->certain > 0);
    CHECK_INT(all->unknown, 0);
}

static void a_read_is_certain(void *fixture)
{
    struct tally all = fail_each(SMALL, ASQ_DISK_READ, SQLITE_IOERR_READ, EIO);

    (void)fixture;
    expect_certain(&all);
}

/* What is larger than the page cache reads while it commits in WAL. */
static void a_read_in_the_middle_of_a_commit_is_not(void *fixture)
{
    struct tally all = fail_each(WORKS, ASQ_DISK_READ, SQLITE_IOERR_READ, EIO);

    (void)fixture;
    CHECK(all.certain > 0);
    CHECK(all.unknown > 0);
}

static void a_full_disk_is_certain(void *fixture)
{
    struct tally all = fail_each(WORKS, ASQ_DISK_WRITE, SQLITE_FULL, 0);

    (void)fixture;
    expect_certain(&all);
}

static void a_quota_or_a_limit_is_certain(void *fixture)
{
    static const int errors[] = {EFBIG, EDQUOT};

    (void)fixture;
    for (int i = 0; i < 2; i++) {
        struct tally all =
            fail_each(WORKS, ASQ_DISK_WRITE, SQLITE_IOERR_WRITE, errors[i]);

        expect_certain(&all);
    }
}

static void a_file_that_cannot_be_opened_is_certain(void *fixture)
{
    struct tally all = fail_each(WORKS, ASQ_DISK_OPEN, SQLITE_CANTOPEN, EMFILE);

    (void)fixture;
    expect_certain(&all);
}

static void a_write_may_have_committed(void *fixture)
{
    struct tally all =
        fail_each(WORKS, ASQ_DISK_WRITE, SQLITE_IOERR_WRITE, EIO);

    (void)fixture;
    CHECK(all.certain > 0); /* of the rollback journal, before the file */
    CHECK(all.unknown > 0);
}

static void a_sync_may_have_committed(void *fixture)
{
    struct tally all = fail_each(WORKS, ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC, EIO);

    (void)fixture;
    CHECK(all.certain > 0);
    CHECK(all.unknown > 0);
    CHECK(all.there > 0); /* so it is right not to be certain */
}

/* There the WAL is filled up with copies of the frame that commits, and when
 * one of these is refused the commit is whole. It takes syncs to do so. */
static void a_full_disk_that_pads_is_not_certain(void *fixture)
{
    struct fault fault = {ASQ_DISK_WRITE, SQLITE_FULL, 0, 0};
    struct trial trial = {.journal = "wal",
                          .work = &works[0],
                          .fault = &fault,
                          .unsafe = true,
                          .sync = true};
    uint64_t nth = 1;

    (void)fixture;
    while (try_nth(&trial, nth))
        nth++;
    CHECK(trial.tally.there > 0);
}

static int attach(struct asq_db *db, void *data)
{
    char sql[1200];

    (void)data;
    (void)snprintf(sql, sizeof sql, "ATTACH '%s' AS b", test_path("b.db"));
    return asq_db_run(db, sql, NULL, NULL);
}

/* Each of the two commits by itself in WAL, first a.db, then b.db. */
static void two_files_in_wal_are_not_certain(void *fixture)
{
    static const struct work both = {{"BEGIN",
                                      "INSERT INTO main.t VALUES (2, 1)",
                                      "INSERT INTO b.u VALUES (2)"},
                                     "COMMIT"};
    struct fault fault = {ASQ_DISK_WRITE, SQLITE_FULL, 0, 0};
    struct trial trial = {
        .journal = "wal", .work = &both, .fault = &fault, .hook = attach};
    struct asq_profile profile = asq_profile_default(test_path("b.db"));
    struct asq_db db;
    uint64_t nth = 1;

    (void)fixture;
    open_with(&db, &profile);
    run(&db, "CREATE TABLE u (n)");
    close_db(&db);
    while (try_nth(&trial, nth))
        nth++;
    CHECK(trial.tally.there > 0);
}

/* Memory fails at each allocation of the work. */
static void no_memory_is_certain(void *fixture)
{
    (void)fixture;
    for (int i = 0; i < 2 * SMALL; i++) {
        struct trial trial = {.journal = journals[i / SMALL],
                              .work = &works[i % SMALL]};
        bool struck = true;

        for (uint64_t nth = 1; struck; nth++) {
            struct asq_db db;
            int rc;

            remove_files(test_path("a.db"));
            open_work(&db, &trial);
            test_alloc_fail_at(TEST_ALLOC_ALL, nth, 0);
            rc = do_work(&db, trial.work);
            struck = test_alloc_has_failed();
            test_alloc_fail_at(0, 0, 0);
            judge(&trial, &db, rc);
        }
        expect_certain(&trial.tally);
    }
}

static int use_small_pages(struct asq_db *db, void *data)
{
    (void)data;
    return asq_db_run(db, "PRAGMA page_size = 512", NULL, NULL);
}

/* The index of the WAL is made in parts, the first for 4,062 frames. The next
 * part is made once the frames are written, the last of which commits. */
static void no_memory_for_the_index_of_the_wal_is_not(void *fixture)
{
    struct trial trial = {
        .journal = "wal", .work = &works[0], .hook = use_small_pages};
    bool struck = true;

    (void)fixture;
    for (uint64_t nth = 1; struck; nth++) {
        struct asq_db db;
        int rc;

        remove_files(test_path("a.db"));
        open_work(&db, &trial);
        run(&db, "PRAGMA wal_autocheckpoint = 0");
        run(&db, "INSERT INTO t VALUES (0, zeroblob(508 * 4046))");
        test_alloc_fail_at(TEST_ALLOC_ALL, nth, 0);
        rc = do_work(&db, trial.work);
        struck = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        judge(&trial, &db, rc);
    }
    CHECK(trial.tally.certain > 0);
    CHECK(trial.tally.there > 0);
}

/* Of the system, without the slow disk. The limit is for the whole process. */
static void a_limit_of_the_system_is_certain(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct trial trial = {.journal = "wal"};
    struct rlimit before, limit;

    (void)fixture;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    profile.synchronous = 0;
    for (rlim_t bytes = 20000; bytes < 40000; bytes += 500) {
        struct asq_db db;
        int rc;

        remove_files(test_path("a.db"));
        open_with(&db, &profile);
        run(&db, "CREATE TABLE t (n INTEGER PRIMARY KEY, v)");
        run(&db, "INSERT INTO t VALUES (1, 1)");
        limit = before;
        limit.rlim_cur = bytes;
        CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
        rc = asq_db_run(&db, "INSERT INTO t VALUES (2, zeroblob(9000))", NULL,
                        NULL);
        CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (rc != 0)
            CHECK_INT(rc, SQLITE_IOERR_WRITE);
        judge(&trial, &db, rc);
    }
    expect_certain(&trial.tally);
}

/* OR FAIL commits the rows before the bad one, and says so by a constraint. */
static void rows_before_a_bad_one_are_certain(void *fixture)
{
    static const char *const sql[] = {
        "INSERT OR FAIL INTO t VALUES (1, 1), (2, 2), (2, 3)",
        "INSERT INTO v VALUES (1)"};
    struct asq_db db;

    (void)fixture;
    for (int i = 0; i < 2; i++) {
        remove_files(test_path("a.db"));
        open_default(&db);
        run(&db, "CREATE TABLE t (n INTEGER PRIMARY KEY, v)");
        run(&db, "CREATE TABLE v (n)");
        run(&db, "CREATE TRIGGER no AFTER INSERT ON v BEGIN "
                 "SELECT RAISE(FAIL, 'no'); END");
        CHECK_INT(asq_db_run(&db, sql[i], NULL, NULL) & 0xff,
                  SQLITE_CONSTRAINT);
        CHECK(!db.outcome_unknown);
        close_db(&db);
        open_default(&db);
        CHECK_INT(ask(&db, i == 0 ? "SELECT count(*) FROM t"
                                  : "SELECT count(*) FROM v"),
                  i == 0 ? 2 : 1);
        close_db(&db);
    }
}

static void set_up(void *fixture)
{
    (void)fixture;
    test_alloc_install();
    CHECK_INT(asq_slow_disk_register(), 0);
}

static const struct test_case cases[] = {
    {.name = "a_read_is_certain", .run = a_read_is_certain, .seconds = 60},
    {.name = "a_read_in_the_middle_of_a_commit_is_not",
     .run = a_read_in_the_middle_of_a_commit_is_not,
     .seconds = 60},
    {.name = "a_full_disk_is_certain",
     .run = a_full_disk_is_certain,
     .seconds = 60},
    {.name = "a_quota_or_a_limit_is_certain",
     .run = a_quota_or_a_limit_is_certain,
     .seconds = 60},
    {.name = "a_file_that_cannot_be_opened_is_certain",
     .run = a_file_that_cannot_be_opened_is_certain,
     .seconds = 60},
    {.name = "a_write_may_have_committed",
     .run = a_write_may_have_committed,
     .seconds = 60},
    {.name = "a_sync_may_have_committed",
     .run = a_sync_may_have_committed,
     .seconds = 60},
    {.name = "a_full_disk_that_pads_is_not_certain",
     .run = a_full_disk_that_pads_is_not_certain},
    {.name = "two_files_in_wal_are_not_certain",
     .run = two_files_in_wal_are_not_certain},
    {.name = "a_limit_of_the_system_is_certain",
     .run = a_limit_of_the_system_is_certain},
    {.name = "rows_before_a_bad_one_are_certain",
     .run = rows_before_a_bad_one_are_certain},
    {.name = "no_memory_for_the_index_of_the_wal_is_not",
     .run = no_memory_for_the_index_of_the_wal_is_not},
    {.name = "no_memory_is_certain",
     .run = no_memory_is_certain,
     .seconds = 60},
    {0},
};

const struct test_suite test_suite = {
    .name = "db_outcome", .cases = cases, .set_up = set_up};
