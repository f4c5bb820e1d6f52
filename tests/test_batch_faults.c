/* test_batch_faults - no memory and no disk at any moment of a batch
 *
 * Six rows in chunks of two, the fourth of them bad. Whatever goes wrong on
 * the way, what the batch says is settled must be what the file then holds.
 */
#include "06-batches/batch.h"
#include "common/slow_disk.h"
#include "conn_fixture.h"
#include "disk_faults.h"

enum {
    ROWS = 6,
    CHUNK = 2,
    BAD = 3 /* its id is there already */
};

struct life {
    struct ask make;
    struct asq_batch batch;
    int done, status;
};

static void set_up(void *data)
{
    struct fixture *f = data;

    conn_set_up(f);
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2; /* so that every commit is synced */
}

static void on_batch(struct asq_batch *batch, int status)
{
    struct life *life = batch->data;

    CHECK_INT(status != 0, batch->request.message[0] != '\0');
    life->done++;
    life->status = status;
}

static void init_batch(struct life *life,
                       struct asq_value ids[static ROWS],
                       const char *sql)
{
    asq_batch_init(&life->batch);
    life->batch.data = life;
    life->batch.sql = sql;
    life->batch.values = ids;
    life->batch.rows = ROWS;
    life->batch.columns = 1;
    life->batch.chunk = CHUNK;
}

/* Opens, makes the table, runs the batch, closes. Reopening is left to who
 * looks at the file. */
static void live(struct fixture *f, struct life *life)
{
    struct asq_value ids[ROWS];

    for (int i = 0; i < ROWS; i++)
        ids[i] = asq_int64(i == BAD ? 0 : i);
    *life = (struct life){.status = 0};
    ask_init(f, &life->make);
    init_batch(life, ids, "INSERT INTO t VALUES (?1, randomblob(3000))");
    life->batch.keep_good = true;
    start_open(f);
    ask_sql(&life->make, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    CHECK_INT(asq_batch_start(&life->batch, &f->conn, on_batch), 0);
    test_run_until(&f->loop, &life->done);
    close_conn(f);
    asq_batch_destroy(&life->batch);
    ask_destroy_all(&life->make, 1);
    init_again(f);
}

static int64_t count(sqlite3 *db, size_t from, size_t to)
{
    char sql[96];

    /* It fits. */
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM t WHERE id >= %zu AND id < %zu", from,
                   to);
    return raw_ask(db, sql);
}

static void check_life(struct fixture *f, const struct life *life)
{
    const struct asq_batch *batch = &life->batch;
    sqlite3 *db = raw_open(f->profile.path);

    CHECK_INT(life->done, 1);
    CHECK_INT(batch->settled, batch->commits * CHUNK);
    CHECK_INT(batch->failed, batch->settled > BAD);
    CHECK_INT(batch->changes, batch->settled - batch->failed);
    if (life->status == 0)
        CHECK_INT(batch->settled, ROWS);
    if (raw_ask(db, "SELECT count(*) FROM sqlite_schema") == 0) {
        CHECK_INT(batch->settled, 0);
    } else if (batch->request.outcome_unknown) {
        size_t end = batch->settled + CHUNK;
        int64_t more = count(db, batch->settled, end);

        CHECK_INT(count(db, 0, batch->settled), batch->changes);
        CHECK(more == 0 || more == (batch->settled + 1 == BAD ? 1 : 2));
        CHECK_INT(count(db, end, ROWS), 0);
    } else {
        CHECK_INT(count(db, 0, ROWS), batch->changes);
        CHECK_INT(count(db, 0, batch->settled), batch->changes);
    }
    raw_close(db);
    check_integrity(f->profile.path);
}

static void fail_each_allocation(struct fixture *f, int keep)
{
    int64_t held;
    uint64_t nth = 0;
    int failed;
    struct life life;

    f->profile.vfs = NULL;
    remove_files(f->profile.path);
    live(f, &life); /* what SQLite allocates once and keeps */
    check_life(f, &life);
    held = test_alloc_held();
    do {
        nth++;
        remove_files(f->profile.path);
        test_alloc_fail_at(TEST_ALLOC_ALL, nth, keep);
        live(f, &life);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        CHECK_INT(test_alloc_held(), held);
        check_life(f, &life);
    } while (failed);
    CHECK(nth > 1);
    CHECK_INT(life.status, 0);
}

static void one_allocation_may_fail(void *data)
{
    fail_each_allocation(data, 0);
}

static void all_that_follow_may_fail(void *data)
{
    fail_each_allocation(data, 1);
}

/* From each allocation of the batch on there is no memory until it is done:
 * not even for a ROLLBACK. The next write must not fall into its
 * transaction. */
static void a_chunk_never_leaves_its_transaction_open(void *data)
{
    struct fixture *f = data;
    struct asq_value ids[ROWS];
    uint64_t nth = 0;
    int failed;

    f->profile.vfs = NULL;
    f->profile.statements = 0; /* everything is prepared anew */
    open_conn(f);
    run_now(f, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    for (int i = 0; i < ROWS; i++)
        ids[i] = asq_int64(i);
    do {
        struct life life = {.status = 0};

        init_batch(&life, ids, "INSERT INTO t VALUES (?1)");
        run_now(f, "DELETE FROM t");
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, ++nth, 1);
        CHECK_INT(asq_batch_start(&life.batch, &f->conn, on_batch), 0);
        test_run_until(&f->loop, &life.done);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        run_now(f, "INSERT INTO t VALUES (100)");
        CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"),
                  life.batch.settled + 1);
        asq_batch_destroy(&life.batch);
    } while (failed);
    CHECK(nth > ROWS);
}

static void
fail_each_op(struct fixture *f, enum asq_disk_op op, int code, int keep)
{
    uint64_t nth = 0;
    uint64_t ops;
    struct life life;

    do {
        nth++;
        remove_files(f->profile.path);
        asq_slow_disk_reset();
        asq_slow_disk_fail(op, nth, code, keep);
        live(f, &life);
        ops = asq_slow_disk_count(op);
        asq_slow_disk_reset();
        check_life(f, &life);
    } while (nth <= ops);
    CHECK(nth > 1);
    CHECK_INT(life.status, 0);
}

static void fail_all_ops(struct fixture *f)
{
    for (size_t i = 0; i < DISK_FAULTS; i++) {
        for (int keep = 0; keep < 2; keep++)
            fail_each_op(f, disk_faults[i].op, disk_faults[i].code, keep);
    }
}

static void every_op_may_fail(void *data)
{
    fail_all_ops(data);
}

static void every_op_may_fail_without_wal(void *data)
{
    struct fixture *f = data;

    f->profile.wal = false;
    fail_all_ops(f);
}

/* The second commit is not synced: whether it happened is not known, so the
 * third never begins. */
static void the_chunk_of_a_failed_sync_is_unknown(void *data)
{
    struct fixture *f = data;
    struct life life;
    uint64_t syncs;

    live(f, &life);
    syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    CHECK_INT(life.status, 0);
    for (uint64_t nth = 1; nth <= syncs; nth++) {
        remove_files(f->profile.path);
        asq_slow_disk_reset();
        asq_slow_disk_fail(ASQ_DISK_SYNC, nth, SQLITE_IOERR_FSYNC, 0);
        live(f, &life);
        asq_slow_disk_reset();
        check_life(f, &life);
        if (life.batch.request.outcome_unknown && life.batch.commits == 1)
            return;
    }
    FAIL("no sync of the second chunk was found");
}

/* Whoever cancels while a COMMIT waits for the disk comes too late for it. */
static void a_commit_that_has_begun_is_not_cancelled(void *data)
{
    struct fixture *f = data;
    struct asq_value ids[ROWS];
    struct life life = {.status = 0};

    for (int i = 0; i < ROWS; i++)
        ids[i] = asq_int64(i);
    open_conn(f);
    run_now(f, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    init_batch(&life, ids, "INSERT INTO t VALUES (?1)");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    CHECK_INT(asq_batch_start(&life.batch, &f->conn, on_batch), 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    asq_batch_cancel(&life.batch);
    asq_slow_disk_open_gate();
    test_run_until(&f->loop, &life.done);
    CHECK_INT(life.status, UV_ECANCELED);
    CHECK_INT(life.batch.settled, CHUNK);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"), CHUNK);
    asq_batch_destroy(&life.batch);
}

static const struct test_case cases[] = {
    {.name = "one_allocation_may_fail", .run = one_allocation_may_fail},
    {.name = "all_that_follow_may_fail", .run = all_that_follow_may_fail},
    {.name = "a_chunk_never_leaves_its_transaction_open",
     .run = a_chunk_never_leaves_its_transaction_open},
    {.name = "every_op_may_fail", .run = every_op_may_fail},
    {.name = "every_op_may_fail_without_wal",
     .run = every_op_may_fail_without_wal},
    {.name = "the_chunk_of_a_failed_sync_is_unknown",
     .run = the_chunk_of_a_failed_sync_is_unknown},
    {.name = "a_commit_that_has_begun_is_not_cancelled",
     .run = a_commit_that_has_begun_is_not_cancelled},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "batch_faults",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = conn_tear_down};
