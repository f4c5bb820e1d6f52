/* test_store_memory - no memory, or a bad disk, at any moment of a store's life
 *
 * Opens a new file, makes a table, runs a group in which one member undoes
 * everything, and closes; all of it is submitted before the file is open.
 * Whatever goes wrong on the way, what the answers say must be what the file
 * then holds.
 */
#include "disk_faults.h"
#include "store_world.h"

enum {
    MAKE,
    FIRST,
    PAIR, /* a function */
    QUERY,
    SCRIPT,
    UNDOES,
    DURABLE,
    ASKS
};

static struct ask asks[ASKS];

static int insert_pair(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_db_run(db, "INSERT INTO t VALUES (21, 2, NULL)", NULL, NULL);

    (void)request;
    return rc != 0 ? rc
                   : asq_db_run(db, "INSERT INTO t VALUES (22, 2, NULL)", NULL,
                                NULL);
}

static void live(struct fixture *f)
{
    init_store(f);
    f->store.wal_pages = 2;
    ask_init_all(f, asks, ASKS);
    CHECK_INT(asq_conn_open(&f->store.conn, &f->loop, &f->profile, on_open), 0);
    ask_sql(&asks[MAKE], "CREATE TABLE t (id INTEGER PRIMARY KEY, "
                         "who CHECK (who > 0), b)");
    ask_sql(&asks[FIRST], "INSERT INTO t VALUES (11, 1, randomblob(9000))");
    ask_call(&asks[PAIR], insert_pair);
    ask_sql(&asks[QUERY], "SELECT count(*), sum(length(b)) FROM t");
    ask_script(&asks[SCRIPT], "INSERT INTO t VALUES (41, 4, NULL);"
                              "INSERT INTO t VALUES (42, 4, NULL)");
    ask_sql(&asks[UNDOES], "INSERT OR ROLLBACK INTO t VALUES (51, 5, NULL), "
                           "(52, -5, NULL)");
    asks[DURABLE].request.durable = true;
    ask_sql(&asks[DURABLE], "INSERT INTO t VALUES (61, 6, randomblob(5000))");
    for (int i = 0; i < ASKS; i++)
        wait_for(&asks[i]);
    close_store(f);
    ask_destroy_all(asks, ASKS);
}

/* All or nothing. */
static void check_rows(sqlite3 *db, int which, int who, int rows)
{
    char sql[80];
    int64_t found;

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE who = %d",
                   who);
    found = raw_ask(db, sql);
    if (asks[which].request.outcome_unknown)
        CHECK(found == 0 || found == rows);
    else
        CHECK_INT(found, asks[which].status == 0 ? rows : 0);
}

static void check_life(struct fixture *f)
{
    sqlite3 *db = raw_open(f->profile.path);
    int64_t tables = raw_ask(db, "SELECT count(*) FROM sqlite_schema");

    CHECK(asks[UNDOES].status != 0);
    if (!asks[MAKE].request.outcome_unknown)
        CHECK_INT(tables, asks[MAKE].status == 0);
    if (tables > 0) {
        check_rows(db, FIRST, 1, 1);
        check_rows(db, PAIR, 2, 2);
        check_rows(db, SCRIPT, 4, 2);
        check_rows(db, DURABLE, 6, 1);
        CHECK_INT(raw_ask(db, "SELECT count(*) FROM t WHERE who = 5"), 0);
    }
    raw_close(db);
    check_integrity(f->profile.path);
}

static void check_success(void)
{
    for (int i = 0; i < ASKS; i++)
        CHECK_INT(asks[i].status, i == UNDOES ? SQLITE_CONSTRAINT_CHECK : 0);
}

static void fail_each_allocation(struct fixture *f, int kinds, int keep)
{
    int64_t held;
    uint64_t nth = 0;
    bool failed;

    remove_files(f->profile.path);
    live(f);
    check_life(f);
    check_success();
    held = test_alloc_held();
    do {
        nth++;
        remove_files(f->profile.path);
        test_alloc_fail_at(kinds, nth, keep);
        live(f);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        CHECK_INT(test_alloc_held(), held);
        check_life(f);
    } while (failed);
    CHECK(nth > 1);
    check_success();
}

static void one_allocation_may_fail(void *data)
{
    fail_each_allocation(data, TEST_ALLOC_ALL, 0);
}

static void all_that_follow_may_fail(void *data)
{
    fail_each_allocation(data, TEST_ALLOC_ALL, 1);
}

static void one_may_fail_where_nothing_is_cached(void *data)
{
    struct fixture *f = data;

    f->profile.statements = 0;
    f->profile.synchronous = 1; /* so that a setting may fail */
    fail_each_allocation(f, TEST_ALLOC_ALL, 0);
}

static void
fail_each_op(struct fixture *f, enum asq_disk_op op, int code, int keep)
{
    uint64_t nth = 0, ops;

    do {
        nth++;
        remove_files(f->profile.path);
        asq_slow_disk_reset();
        asq_slow_disk_fail(op, nth, code, keep);
        live(f);
        ops = asq_slow_disk_count(op);
        asq_slow_disk_reset();
        check_life(f);
    } while (nth <= ops);
    CHECK(nth > 1);
    check_success();
}

static void fail_all(struct fixture *f)
{
    f->profile.synchronous = 2;
    for (size_t i = 0; i < DISK_FAULTS; i++) {
        for (int keep = 0; keep < 2; keep++)
            fail_each_op(f, disk_faults[i].op, disk_faults[i].code, keep);
    }
    fail_each_op(f, ASQ_DISK_OPEN, SQLITE_CANTOPEN, 0);
}

static void every_op_may_fail(void *data)
{
    fail_all(data);
}

static void every_op_may_fail_without_wal(void *data)
{
    struct fixture *f = data;

    f->profile.wal = false;
    fail_all(f);
}

/* Without functions of its own, which could not be made. */
static void set_up(void *data)
{
    struct fixture *f = data;

    store_prepare(f);
    f->profile.on_open_db = NULL;
    f->profile.synchronous = 0;
}

static const struct test_case cases[] = {
    {.name = "one_allocation_may_fail",
     .run = one_allocation_may_fail,
     .seconds = 60},
    {.name = "all_that_follow_may_fail",
     .run = all_that_follow_may_fail,
     .seconds = 60},
    {.name = "one_may_fail_where_nothing_is_cached",
     .run = one_may_fail_where_nothing_is_cached,
     .seconds = 60},
    {.name = "every_op_may_fail", .run = every_op_may_fail, .seconds = 60},
    {.name = "every_op_may_fail_without_wal",
     .run = every_op_may_fail_without_wal,
     .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_memory",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = store_tear_down};
