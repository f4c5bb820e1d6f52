/* test_store_wal - the WAL is copied after the answers, and stays short (C10 to
 * C14)
 */
#include "10-pooling/pool.h"
#include "store_world.h"

#include <sys/stat.h>

enum {
    FRAME = 4096 + 24, /* of the WAL, whose header has 32 bytes */
    READERS = 2,
    CHECKPOINT = 2 /* its first sync with NORMAL, after that of the header */
};

/* A pool of readers beside the store. */
static struct asq_pool pool;
static int pool_closed;

static void on_pool_closed(struct asq_pool *closed)
{
    (void)closed;
    pool_closed = 1;
}

static int64_t wal_size(const struct fixture *f)
{
    char name[1100];
    struct stat there;

    (void)snprintf(name, sizeof name, "%s-wal", f->profile.path);
    return stat(name, &there) == 0 ? (int64_t)there.st_size : 0;
}

static struct asq_loan loan;
static int lent;

static void on_loan(struct asq_loan *given, int status)
{
    (void)given;
    CHECK_INT(status, 0);
    lent++;
}

static void acquire(struct fixture *f, struct asq_loan *wanted)
{
    lent = 0;
    asq_loan_init(wanted);
    CHECK_INT(asq_pool_acquire(&pool, wanted, on_loan), 0);
    test_run_until(&f->loop, &lent);
}

/* So that a query never waits for another one. */
static void open_all_readers(struct fixture *f)
{
    struct asq_loan other;

    acquire(f, &loan);
    acquire(f, &other);
    asq_loan_release(&loan);
    asq_loan_release(&other);
    turn(f);
}

/* A store that checkpoints every so many pages, and a pool. */
static void open_with_pool(struct fixture *f, unsigned pages)
{
    struct asq_profile profile = f->profile;

    close_store(f);
    profile.mode = ASQ_OPEN_READ;
    asq_pool_init(&pool);
    pool.idle_ms = 0;
    pool.depth = 1;
    CHECK_INT(asq_pool_open(&pool, &f->loop, &profile, READERS), 0);
    init_store(f);
    f->store.wal_pages = pages;
    f->store.readers = &pool;
    f->store.gap_ms = 1000000;
    open_store(f);
    open_all_readers(f);
}

static void close_pool(struct fixture *f)
{
    close_store(f);
    asq_pool_close(&pool, on_pool_closed);
    test_run_until(&f->loop, &pool_closed);
}

static void open_with_pages(struct fixture *f, unsigned pages)
{
    close_store(f);
    init_store(f);
    f->store.wal_pages = pages;
    open_store(f);
}

static void insert_one(struct fixture *f)
{
    run_now(f, "INSERT INTO t (seen) VALUES (1)");
}

/* A reader elsewhere, which has its snapshot. */
static sqlite3 *read_elsewhere(struct fixture *f)
{
    sqlite3 *reader = raw_open(f->profile.path);

    raw_do(reader, "BEGIN; SELECT count(*) FROM t");
    return reader;
}

static void stop_reading(sqlite3 *reader)
{
    raw_do(reader, "COMMIT");
    raw_close(reader);
}

/* C10 */
static void answers_come_before_the_checkpoint(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    open_with_pages(f, 1);
    ask_init_all(f, asks, 3);
    ask_sql(&asks[0], "SELECT stand()");
    wait_at_gate(f);
    ask_insert(&asks[1]);
    ask_insert(&asks[2]);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 3); /* header, commit; then its first */
    let_go(f);
    expect(&asks[1], 0);
    expect(&asks[2], 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    CHECK_INT(stats(f).checkpoints, 0); /* it is in it */
    asq_slow_disk_open_gate();
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 2);
    CHECK_INT(stats(f).checkpoints, 1);
    CHECK(stats(f).checkpoint_ns > 0);
    ask_destroy_all(asks, 3);
}

static void each_time_it_has_grown(void *data)
{
    struct fixture *f = data;
    size_t before;

    open_with_pages(f, 4);
    before = stats(f).checkpoints;
    for (int i = 0; i < 40; i++)
        insert_one(f);
    run_now(f, "SELECT 1"); /* the last one is over */
    CHECK_RANGE(stats(f).checkpoints - before, 8, 10);
    CHECK_RANGE(stats(f).wal_longest, 4, 5);
    CHECK(stats(f).wal_pages <= stats(f).wal_longest);
    CHECK_INT(f->told, 0);
    CHECK(wal_size(f) <= 32 + 5 * FRAME);
}

static void with_no_pages_you_do_it(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    close_store(f);
    init_store(f);
    f->store.wal_pages = 0;
    f->store.wal_limit = 10;
    open_store(f);
    for (int i = 0; i < 20; i++)
        insert_one(f);
    CHECK_INT(stats(f).checkpoints, 0);
    CHECK_RANGE(stats(f).wal_longest, 20, 40);
    CHECK_INT(f->told, 1); /* the limit holds all the same */
    ask_init(f, &ask);
    begin_ask(&ask);
    CHECK_INT(end_ask(&ask, asq_conn_checkpoint(&f->store.conn, &ask.request,
                                                SQLITE_CHECKPOINT_TRUNCATE,
                                                on_answer)),
              0);
    expect(&ask, 0);
    CHECK_INT(wal_size(f), 0);
    asq_request_destroy(&ask.request);
}

/* What the profile says about it is not used. */
static void sqlite_does_none_itself(void *data)
{
    struct fixture *f = data;

    f->profile.wal_autocheckpoint = 1;
    open_with_pages(f, 1000);
    for (int i = 0; i < 20; i++)
        insert_one(f);
    CHECK_INT(stats(f).checkpoints, 0);
    CHECK(wal_size(f) >= 20 * FRAME);
}

static void not_while_a_hold_has_something_open(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[3];

    open_with_pages(f, 1);
    CHECK_INT(asq_hold_begin(&f->store.conn, &hold), 0);
    ask_init_all(f, asks, 3);
    for (int i = 0; i < 3; i++)
        asks[i].request.hold = &hold;
    ask_sql(&asks[0], "BEGIN");
    ask_insert(&asks[1]);
    expect(&asks[1], 0);
    CHECK_INT(stats(f).checkpoints, 0);
    ask_sql(&asks[2], "COMMIT");
    expect(&asks[2], 0);
    asq_hold_end(&hold);
    run_now(f, "SELECT 1");
    CHECK_INT(stats(f).checkpoints, 1);
    ask_destroy_all(asks, 3);
}

static void without_wal_there_is_nothing_to_do(void *data)
{
    struct fixture *f = data;

    close_store(f);
    raw_run(f->profile.path, "PRAGMA journal_mode = DELETE");
    f->profile.wal = false;
    open_with_pages(f, 1);
    for (int i = 0; i < 5; i++)
        insert_one(f);
    CHECK_INT(stats(f).checkpoints, 0);
    CHECK_INT(stats(f).wal_longest, 0);
}

/* C13 */
static void a_failed_checkpoint_is_told_and_tried_again(void *data)
{
    struct fixture *f = data;

    f->profile.synchronous = 1;
    open_with_pages(f, 1);
    asq_slow_disk_fail(ASQ_DISK_SYNC, CHECKPOINT, SQLITE_IOERR_FSYNC, 0);
    insert_one(f); /* answered before */
    run_now(f, "SELECT 1");
    test_run_until(&f->loop, &f->told);
    CHECK_INT(f->told_status, SQLITE_IOERR_FSYNC);
    insert_one(f);
    run_now(f, "SELECT 1");
    CHECK_INT(f->told, 1);
    CHECK(stats(f).checkpoints >= 2);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 2);
}

static void after_the_second_the_store_is_down(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    f->profile.synchronous = 1;
    open_with_pages(f, 1);
    asq_slow_disk_fail(ASQ_DISK_SYNC, CHECKPOINT, SQLITE_IOERR_FSYNC, 1);
    insert_one(f);
    ask_init(f, &ask);
    ask_insert(&ask); /* before the news, or never */
    wait_for(&ask);
    CHECK(ask.status == 0 || ask.status == UV_ESHUTDOWN);
    while (ask.status == 0) {
        if (try_sql(&ask, "SELECT 1") != 0)
            break;
        wait_for(&ask);
    }
    CHECK_INT(ask.status, UV_ESHUTDOWN);
    CHECK_CONTAINS(ask.request.message, "two checkpoints have failed");
    CHECK_CONTAINS(ask.request.message, "disk I/O error");
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(f->told_status, SQLITE_IOERR_FSYNC);
    close_store(f);
    asq_slow_disk_reset();
    CHECK(there(f, "SELECT count(*) FROM t") >= 1);
    check_integrity(f->profile.path);
    asq_request_destroy(&ask.request);
}

/* Told even if the next one succeeds before the loop looks. */
static void no_failure_is_forgotten(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    f->profile.synchronous = 1;
    close_store(f);
    init_store(f);
    f->store.wal_pages = 1;
    f->store.group_rows = 1;
    open_store(f);
    ask_init_all(f, asks, 4);
    ask_sql(&asks[0], "SELECT stand()");
    wait_at_gate(f);
    ask_insert(&asks[1]);
    ask_insert(&asks[2]);
    ask_sql(&asks[3], "SELECT stand()");
    asq_slow_disk_fail(ASQ_DISK_SYNC, CHECKPOINT, SQLITE_IOERR_FSYNC, 0);
    let_go(f);
    wait_at_gate(f); /* both checkpoints are over, and the loop saw nothing */
    let_go(f);
    expect(&asks[3], 0);
    test_run_until(&f->loop, &f->told);
    CHECK_INT(f->told, 1);
    CHECK_INT(f->told_status, SQLITE_IOERR_FSYNC);
    ask_destroy_all(asks, 4);
}

/* An interrupt that comes too late for a raw statement stays set. */
static int interrupt_itself(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    CHECK_INT(asq_db_run(db, "INSERT INTO t (seen) VALUES (0)", NULL, NULL), 0);
    sqlite3_interrupt(asq_db_handle(db));
    return 0;
}

static void an_interrupt_is_not_a_failure(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[3];

    open_with_pages(f, 1);
    CHECK_INT(asq_hold_begin(&f->store.conn, &hold), 0);
    ask_init_all(f, asks, 3);
    for (int i = 0; i < 3; i++) {
        asks[i].request.hold = &hold;
        ask_call(&asks[i], interrupt_itself);
        expect(&asks[i], 0);
    }
    asq_hold_end(&hold);
    run_now(f, "SELECT 1");
    CHECK_INT(f->told, 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 3);
    ask_destroy_all(asks, 3);
}

/* Somebody else who checkpoints or reads is no failure either. */
static void a_reader_is_not_a_failure(void *data)
{
    struct fixture *f = data;
    sqlite3 *reader;

    open_with_pages(f, 2);
    insert_one(f);
    reader = read_elsewhere(f);
    for (int i = 0; i < 20; i++)
        insert_one(f);
    run_now(f, "SELECT 1");
    CHECK(stats(f).checkpoints >= 5);
    CHECK_INT(f->told, 0);
    stop_reading(reader);
}

/* The limit */
static void a_long_wal_is_told_once(void *data)
{
    struct fixture *f = data;
    sqlite3 *reader;

    close_store(f);
    init_store(f);
    f->store.wal_pages = 4;
    f->store.wal_limit = 20;
    open_store(f);
    for (int round = 1; round <= 2; round++) {
        insert_one(f);
        reader = read_elsewhere(f);
        for (int i = 0; i < 60; i++)
            insert_one(f);
        run_now(f, "SELECT 1");
        CHECK_INT(f->told, round);
        CHECK_INT(f->told_status, 0);
        CHECK(f->told_pages > 20);
        stop_reading(reader);
        for (int i = 0; i < 10; i++) /* it starts over */
            insert_one(f);
        CHECK(stats(f).wal_pages < 20);
    }
    CHECK(stats(f).wal_longest > 60);
    CHECK_INT(stats(f).gaps, 0); /* there is no pool */
}

/* C11: readers that overlap all the time */

struct query {
    struct asq_request request;
    struct fixture *fixture;
    int done, status;
};

static void on_query(struct asq_request *request, int status)
{
    struct query *query = request->data;

    query->done = 1;
    query->status = status;
}

static void query_init(struct fixture *f, struct query *query)
{
    *query = (struct query){.fixture = f};
    asq_request_init(&query->request);
    query->request.data = query;
}

static void start_query(struct query *query, const char *sql)
{
    query->done = 0;
    CHECK_INT(asq_pool_run(&pool, &query->request, sql, NULL, on_query), 0);
}

static void expect_query(struct query *query, int status)
{
    test_run_until(&query->fixture->loop, &query->done);
    CHECK_INT(query->status, status);
}

static void run_until_standing(struct fixture *f)
{
    while (uv_sem_trywait(&f->reached) != 0)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* Commits until the store has asked for a gap. The reader in the pool stands,
 * so that no checkpoint could make the WAL begin anew. */
static void commit_until_a_gap(struct fixture *f)
{
    size_t gaps = stats(f).gaps;

    for (int i = 0; i < 1000 && stats(f).gaps == gaps; i++) {
        insert_one(f);
        turn(f);
    }
    CHECK_INT(stats(f).gaps, gaps + 1);
}

static void a_gap_makes_the_wal_begin_anew(void *data)
{
    struct fixture *f = data;
    struct query old, young;
    size_t pages;

    open_with_pool(f, 8);
    query_init(f, &old);
    query_init(f, &young);
    start_query(&old, "SELECT stand(), count(*) FROM t");
    run_until_standing(f);
    commit_until_a_gap(f);
    pages = stats(f).wal_pages;
    CHECK(pages >= 16);
    start_query(&young, "SELECT count(*) FROM t"); /* waits for the gap */
    turn(f);
    CHECK_INT(young.done, 0);
    CHECK_INT(old.done, 0);
    let_go(f); /* the last reader goes */
    expect_query(&old, 0);
    expect_query(&young, 0);
    insert_one(f);
    CHECK(stats(f).wal_pages < pages);
    CHECK(stats(f).wal_pages <= 4);
    CHECK_INT(stats(f).gaps, 1);
    for (int i = 0; i < 8; i++)
        insert_one(f);
    CHECK_INT(stats(f).gaps, 1);
    asq_request_destroy(&old.request);
    asq_request_destroy(&young.request);
    close_pool(f);
}

/* Two readers in turn, so that one of them always reads (C11b). */

static struct query *wait_for_either(struct fixture *f, struct query *queries)
{
    while (!queries[0].done && !queries[1].done)
        CHECK(uv_run(&f->loop, UV_RUN_ONCE) != 0);
    return queries[0].done ? &queries[0] : &queries[1];
}

static void commit_beside_readers(struct fixture *f, int commits)
{
    static const char sql[] = "SELECT stand(), count(*) FROM t";
    struct query queries[READERS], *next = &queries[1];

    query_init(f, &queries[0]);
    query_init(f, &queries[1]);
    start_query(&queries[0], sql);
    run_until_standing(f);
    for (int i = 0; i < commits; i++) {
        bool in_gap;

        insert_one(f);
        in_gap = f->store.in_gap;
        start_query(next, sql);
        if (!in_gap)
            run_until_standing(f);
        let_go(f);
        next = wait_for_either(f, queries);
        CHECK_INT(next->status, 0);
        if (in_gap) /* it waited for the one that was reading, and no longer */
            run_until_standing(f);
    }
    let_go(f);
    expect_query(&queries[0], 0);
    expect_query(&queries[1], 0);
    asq_request_destroy(&queries[0].request);
    asq_request_destroy(&queries[1].request);
}

static void the_wal_stays_short_beside_readers(void *data)
{
    struct fixture *f = data;

    open_with_pool(f, 8);
    commit_beside_readers(f, 300);
    CHECK_RANGE(stats(f).wal_longest, 16, 24);
    CHECK_RANGE(stats(f).gaps, 300 / 24, 300 / 16 + 1);
    CHECK(wal_size(f) <= 32 + 24 * FRAME);
    close_pool(f);
}

/* Although each checkpoint is complete. */
static void without_a_gap_it_does_not(void *data)
{
    struct fixture *f = data;

    open_with_pool(f, 8);
    close_store(f);
    init_store(f);
    f->store.wal_pages = 8;
    open_store(f);
    commit_beside_readers(f, 100);
    CHECK(stats(f).wal_longest >= 100);
    CHECK(stats(f).checkpoints >= 10);
    close_pool(f);
}

/* A loan that never ends: the gap ends, and comes again later. */
static struct query under_loan;

static void pin(struct fixture *f)
{
    acquire(f, &loan);
    query_init(f, &under_loan);
    CHECK_INT(
        asq_conn_run(loan.conn, &under_loan.request, "BEGIN", NULL, on_query),
        0);
    expect_query(&under_loan, 0);
    under_loan.done = 0;
    CHECK_INT(asq_conn_run(loan.conn, &under_loan.request,
                           "SELECT count(*) FROM t", NULL, on_query),
              0);
    expect_query(&under_loan, 0);
}

static void unpin(void)
{
    asq_loan_release(&loan);
    asq_request_destroy(&under_loan.request);
}

static void a_loan_that_never_ends_cannot_stop_readers(void *data)
{
    struct fixture *f = data;
    struct query query;
    size_t pages;

    open_with_pool(f, 8);
    f->store.gap_ms = 20; /* the time is over, whatever happens */
    query_init(f, &query);
    insert_one(f);
    pin(f);
    commit_until_a_gap(f);
    start_query(&query, "SELECT count(*) FROM t");
    expect_query(&query, 0);
    insert_one(f);
    pages = stats(f).wal_pages;
    CHECK(pages >= 16);
    commit_until_a_gap(f); /* asked for again when it is twice as long */
    CHECK(stats(f).wal_pages >= 2 * 16);
    unpin();
    insert_one(f);
    asq_request_destroy(&query.request);
    close_pool(f);
}

/* However long the store needs for the gap, here because of a loan, the readers
 * wait no longer than gap_ms. */
static uint64_t clock_ns = 1000000000;

static uint64_t read_clock(void)
{
    return clock_ns;
}

static void the_pause_ends_by_itself(void *data)
{
    struct fixture *f = data;
    struct query query;

    open_with_pool(f, 8);
    pool.now_ns = read_clock;
    query_init(f, &query);
    insert_one(f);
    pin(f);
    commit_until_a_gap(f);
    clock_ns += 999999 * UINT64_C(1000000);
    start_query(&query, "SELECT count(*) FROM t");
    turn(f);
    CHECK_INT(query.done, 0);
    clock_ns += UINT64_C(2000000);
    expect_query(&query, 0); /* the gap is not over yet */
    CHECK(f->store.in_gap);
    unpin();
    insert_one(f);
    asq_request_destroy(&query.request);
    close_pool(f);
}

/* A gap, and somebody closes. */
static void the_store_may_close_in_a_gap(void *data)
{
    struct fixture *f = data;
    struct query query;

    open_with_pool(f, 8);
    query_init(f, &query);
    insert_one(f);
    pin(f);
    commit_until_a_gap(f);
    start_query(&query, "SELECT count(*) FROM t");
    asq_conn_cancel(&f->store.conn);
    close_store(f);
    expect_query(&query, 0);
    unpin();
    asq_request_destroy(&query.request);
    close_pool(f);
}

static void the_pool_may_close_in_a_gap(void *data)
{
    struct fixture *f = data;
    struct query query;

    open_with_pool(f, 8);
    query_init(f, &query);
    insert_one(f);
    pin(f);
    commit_until_a_gap(f);
    start_query(&query, "SELECT count(*) FROM t");
    asq_pool_close(&pool, on_pool_closed);
    expect_query(&query, UV_ESHUTDOWN);
    CHECK_INT(pool_closed, 0);
    unpin();
    test_run_until(&f->loop, &pool_closed);
    insert_one(f);
    CHECK(!f->store.in_gap);
    for (int i = 0; i < 100; i++) /* a later gap finds it closed */
        insert_one(f);
    asq_request_destroy(&query.request);
}

/* C12 */
static void the_wal_file_shrinks(void *data)
{
    struct fixture *f = data;
    sqlite3 *reader;

    open_with_pages(f, 4);
    insert_one(f);
    reader = read_elsewhere(f);
    for (int i = 0; i < 40; i++)
        insert_one(f);
    CHECK(wal_size(f) > 4 * 8192);
    stop_reading(reader);
    for (int i = 0; i < 8; i++)
        insert_one(f);
    CHECK_INT(wal_size(f), 4 * 8192);
}

static void as_far_as_the_profile_says(void *data)
{
    struct fixture *f = data;
    sqlite3 *reader;

    f->profile.journal_size_limit = 100000;
    open_with_pages(f, 4);
    insert_one(f);
    reader = read_elsewhere(f);
    for (int i = 0; i < 80; i++)
        insert_one(f);
    CHECK(wal_size(f) > 100000);
    stop_reading(reader);
    for (int i = 0; i < 8; i++)
        insert_one(f);
    CHECK_INT(wal_size(f), 100000);
}

/* C14 */
static struct query after[64];

static void read_own_write(struct ask *ask)
{
    struct query *query = &after[ask->id];

    query_init(ask->fixture, query);
    start_query(query, "SELECT max(id) FROM t");
}

static void a_read_in_the_callback_sees_the_write(void *data)
{
    struct fixture *f = data;
    struct ask asks[64];

    open_with_pool(f, 8);
    ask_init_all(f, asks, 64);
    for (int i = 0; i < 64; i++) {
        asks[i].then = read_own_write;
        ask_insert(&asks[i]);
    }
    for (int i = 0; i < 64; i++)
        expect(&asks[i], 0);
    for (int i = 0; i < 64; i++) {
        expect_query(&after[i], 0);
        CHECK(asq_result_at(&after[i].request.result, 0, 0).as.int64 >= i);
        asq_request_destroy(&after[i].request);
    }
    ask_destroy_all(asks, 64);
    close_pool(f);
}

static const struct test_case cases[] = {
    {.name = "answers_come_before_the_checkpoint",
     .run = answers_come_before_the_checkpoint},
    {.name = "each_time_it_has_grown", .run = each_time_it_has_grown},
    {.name = "with_no_pages_you_do_it", .run = with_no_pages_you_do_it},
    {.name = "sqlite_does_none_itself", .run = sqlite_does_none_itself},
    {.name = "not_while_a_hold_has_something_open",
     .run = not_while_a_hold_has_something_open},
    {.name = "without_wal_there_is_nothing_to_do",
     .run = without_wal_there_is_nothing_to_do},
    {.name = "a_failed_checkpoint_is_told_and_tried_again",
     .run = a_failed_checkpoint_is_told_and_tried_again},
    {.name = "after_the_second_the_store_is_down",
     .run = after_the_second_the_store_is_down},
    {.name = "no_failure_is_forgotten", .run = no_failure_is_forgotten},
    {.name = "an_interrupt_is_not_a_failure",
     .run = an_interrupt_is_not_a_failure},
    {.name = "a_reader_is_not_a_failure", .run = a_reader_is_not_a_failure},
    {.name = "a_long_wal_is_told_once", .run = a_long_wal_is_told_once},
    {.name = "a_gap_makes_the_wal_begin_anew",
     .run = a_gap_makes_the_wal_begin_anew},
    {.name = "the_wal_stays_short_beside_readers",
     .run = the_wal_stays_short_beside_readers},
    {.name = "without_a_gap_it_does_not", .run = without_a_gap_it_does_not},
    {.name = "a_loan_that_never_ends_cannot_stop_readers",
     .run = a_loan_that_never_ends_cannot_stop_readers},
    {.name = "the_pause_ends_by_itself", .run = the_pause_ends_by_itself},
    {.name = "the_store_may_close_in_a_gap",
     .run = the_store_may_close_in_a_gap},
    {.name = "the_pool_may_close_in_a_gap", .run = the_pool_may_close_in_a_gap},
    {.name = "the_wal_file_shrinks", .run = the_wal_file_shrinks},
    {.name = "as_far_as_the_profile_says", .run = as_far_as_the_profile_says},
    {.name = "a_read_in_the_callback_sees_the_write",
     .run = a_read_in_the_callback_sees_the_write},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_wal",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
