/* test_queue_faults - the whole life of a queue, while memory is missing once,
 * or the disk fails once or for a while
 *
 * Whatever fails: every callback comes, a put that was told as done is there,
 * and in the end every job is done.
 */
#include "disk_faults.h"
#include "queue_fixture.h"

enum {
    PUTS = 4
};

struct life {
    struct placed puts[PUTS];
    unsigned stored; /* puts that were told as done */
    int64_t ids[PUTS];
};

/* Once more, and then done. */
static void serve_twice(struct side *side, struct asq_queue_job *job)
{
    (void)side; /* it is the job's */
    if (job->attempt == 1)
        CHECK_INT(asq_job_retry(job, 0, "again", take_job_end), 0);
    else
        CHECK_INT(asq_job_done(job, take_job_end), 0);
}

static void put_all(struct side *side, struct life *life)
{
    for (int i = 0; i < PUTS; i++) {
        struct placed *p = &life->puts[i];

        placed_init(side, p);
        p->put.payload = "payload";
        p->put.size = 7;
        p->put.key = i % 2 == 0 ? NULL : "k";
        p->put.delay_ms = i == 2 ? 1000 : 0;
        side->f->calling = true;
        p->status = asq_queue_put(&side->queue, &p->put, take_put);
        side->f->calling = false;
        p->done = p->status != 0;
    }
    settle(side->f);
    for (int i = 0; i < PUTS; i++) {
        CHECK_INT(life->puts[i].done, 1);
        if (life->puts[i].status == 0)
            life->ids[life->stored++] = life->puts[i].put.id;
        asq_put_destroy(&life->puts[i].put);
    }
}

static void live(struct side *side, struct life *life)
{
    struct fixture *f = side->f;

    *life = (struct life){0};
    side->opened = side->closed = side->drained = 0;
    side->count = 0;
    side->open_status = 0;
    f->calling = true;
    if (asq_queue_open(&side->queue, &f->loop, &side->conn, "mail",
                       take_opened) != 0)
        side->open_status = -1; /* its database was closed before */
    f->calling = false;
    if (side->open_status != 0)
        return;
    side->serve = serve_twice;
    start_work(side, 2);
    put_all(side, life);
    for (int i = 0; i < 4; i++) {
        move_clocks(LEASE_MS / 3);
        look(side);
    }
    CHECK_INT(side->opened, 1);
    CHECK_INT(asq_queue_drain(&side->queue, 0, take_drained), 0);
    test_run_until(&f->loop, &side->drained);
    close_queue(side);
}

static void end_of_faults(void)
{
    test_alloc_fail_at(TEST_ALLOC_ALL, 0, 0);
    for (int op = 0; op < ASQ_DISK_OPS; op++)
        asq_slow_disk_fail((enum asq_disk_op)op, 0, 0, 0);
}

/* Stays open, so that no close copies the WAL: there are many lives. */
static sqlite3 *keeper;

static void open_keeper(struct fixture *f)
{
    keeper = raw_open(f->path);
    raw_do(keeper, "PRAGMA journal_mode = WAL");
    raw_do(keeper, "PRAGMA synchronous = OFF");
}

static void check_done(int64_t id)
{
    char sql[96];

    (void)snprintf(sql, sizeof sql,
                   "SELECT state FROM asq_jobs WHERE id = %lld", (long long)id);
    CHECK_INT(raw_ask(keeper, sql), ASQ_QUEUE_DONE);
}

/* By another worker, after the leases of this one. */
static void check_all(struct fixture *f, const struct life *life)
{
    struct side *other = open_side(f, 1);

    other->serve = serve_done;
    other->count = 0;
    move_clocks(LEASE_MS);
    work(other, 2);
    move_clocks(LEASE_MS);
    look(other);
    look(other);
    for (unsigned i = 0; i < life->stored; i++)
        check_done(life->ids[i]);
    CHECK_INT(raw_ask(keeper, "SELECT count(*) FROM asq_jobs WHERE state <> 3"),
              0);
    close_side(other);
    raw_do(keeper, "DELETE FROM asq_jobs");
}

static void memory_may_be_missing_once(void *data)
{
    struct fixture *f = data;
    struct life life;
    bool failed = true;
    unsigned step = 10 / test_scaled(10); /* more than one with a sanitizer */
    uint64_t nth;

    open_keeper(f);
    f->profile.synchronous = 0;
    for (nth = 1; failed; nth += step) {
        struct side *side;

        test_while("allocation %d fails", (int)nth);
        side = open_conn(f, 0);
        test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth, 0);
        live(side, &life);
        failed = test_alloc_has_failed();
        end_of_faults();
        close_side(side);
        check_all(f, &life);
    }
    CHECK(nth > 50);
    CHECK_INT(life.stored, PUTS);
    check_integrity(f->path);
    raw_close(keeper);
}

static void memory_may_be_missing_for_payloads(void *data)
{
    struct fixture *f = data;
    struct side *side = open_side(f, 0);

    (void)put(side, "x");
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    work(side, 1);
    CHECK(test_alloc_has_failed());
    end_of_faults();
    CHECK_INT(side->count, 0);
    look(side);
    CHECK_INT(side->count, 1);
    CHECK_INT(column_of(f, 1, "max_attempts - attempt"), 4);
}

/* Returns whether the fault has happened. */
static bool live_with(struct fixture *f,
                      const struct disk_fault *fault,
                      uint64_t nth,
                      bool keep)
{
    struct side *side = open_conn(f, 0);
    struct life life;
    uint64_t before = asq_slow_disk_count(fault->op);
    bool failed;

    test_while("op %d of kind %d fails with %d", (int)nth, (int)fault->op,
               fault->code);
    asq_slow_disk_fail(fault->op, nth, fault->code, keep);
    live(side, &life);
    failed = asq_slow_disk_count(fault->op) >= before + nth;
    end_of_faults();
    close_side(side);
    check_all(f, &life);
    return failed;
}

static void the_disk_may_fail(void *data)
{
    struct fixture *f = data;
    unsigned lives = 0;

    open_keeper(f);
    f->profile.synchronous = 2;
    for (size_t i = 0; i < DISK_FAULTS; i++)
        for (int keep = 0; keep < 2; keep++) {
            uint64_t nth = 1;

            while (live_with(f, &disk_faults[i], nth, keep))
                nth++;
            lives += (unsigned)nth;
        }
    CHECK(lives > 40);
    check_integrity(f->path);
    raw_close(keeper);
}

/* Somebody else has the lock for longer than the busy time. */
static void a_lock_may_be_taken_for_long(void *data)
{
    struct fixture *f = data;
    struct side *side;
    unsigned errors;
    sqlite3 *other;

    f->profile.busy_ms = 1;
    side = open_side(f, 0);
    (void)put(side, "x");
    other = raw_open(f->path);
    raw_do(other, "BEGIN IMMEDIATE");
    work(side, 1);
    CHECK_INT(side->count, 0);
    CHECK_INT(side->error & 0xff, SQLITE_BUSY);
    errors = side->errors;
    look(side);
    CHECK_INT(side->errors, 2 * errors); /* with each look, not more often */
    raw_do(other, "COMMIT");
    look(side);
    CHECK_INT(side->count, 1);
    raw_do(other, "BEGIN IMMEDIATE");
    done(last_job(side));
    CHECK_INT(side->ended[0], 0);
    raw_do(other, "COMMIT");
    look(side);
    CHECK_INT(side->ended[0], 1);
    raw_close(other);
}

/* A profile with a small limit: fewer jobs at a time, until they fit. */
static void results_may_be_too_big(void *data)
{
    static char payload[10000];
    struct fixture *f = data;
    struct side *side;

    f->profile.result_limit = 25000;
    side = open_side(f, 0);
    for (int i = 0; i < LANES; i++) {
        struct placed p;

        placed_init(side, &p);
        p.put.payload = payload;
        p.put.size = sizeof payload;
        (void)put_as(side, &p, 0);
    }
    side->serve = serve_done;
    work(side, LANES);
    CHECK_INT(side->ended[0], LANES);
    CHECK_INT(side->errors, 0);
    close_side(side);
    f->profile.result_limit = 5000; /* not even one */
    side = open_side(f, 0);
    raw_run(f->path, "UPDATE asq_jobs SET state = 0");
    work(side, LANES);
    CHECK_INT(side->error, SQLITE_TOOBIG);
    CHECK_INT(side->errors, 1);
}

/* The database is closed for this process: a worker that has nothing to do says
 * so. */
static void a_database_that_is_lost_is_told_by_an_idle_worker(void *data)
{
    struct fixture *f = data;
    struct side *side;
    struct placed p;

    f->profile.synchronous = 2;
    side = open_side(f, 0);
    work(side, 1);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    placed_init(side, &p);
    start_put(side, &p);
    settle(f);
    CHECK(p.status > 0);
    CHECK_INT(side->errors, 0);
    look(side);
    look(side);
    CHECK_INT(side->error, UV_ESHUTDOWN);
    asq_put_destroy(&p.put);
}

static void tables_that_cannot_be_made_are_told(void *data)
{
    struct fixture *f = data;
    struct side *side = open_conn(f, 0);

    raw_run(f->path, "CREATE VIEW asq_jobs AS SELECT 1");
    CHECK_INT(asq_queue_open(&side->queue, &f->loop, &side->conn, "mail",
                             take_opened),
              0);
    test_run_until(&f->loop, &side->opened);
    CHECK_INT(side->open_status, SQLITE_ERROR);
    CHECK_CONTAINS(side->queue.message, "views may not be indexed");
    close_queue(side);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test, .seconds = 120                             \
    }
static const struct test_case cases[] = {
    CASE(memory_may_be_missing_once),
    CASE(memory_may_be_missing_for_payloads),
    CASE(the_disk_may_fail),
    CASE(a_lock_may_be_taken_for_long),
    CASE(results_may_be_too_big),
    CASE(a_database_that_is_lost_is_told_by_an_idle_worker),
    CASE(tables_that_cannot_be_made_are_told),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_faults",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
