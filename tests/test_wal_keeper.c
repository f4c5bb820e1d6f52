/* test_wal_keeper - the WAL of a store stays short, or somebody is told */
#include "10-pooling/loan.h"
#include "store_fixture.h"

/* What the store has told. */
static struct told {
    int calls, status;
    size_t pages;
} told;

static void note_wal(struct asq_store *store, int status, size_t pages)
{
    const struct fixture *f = store->conn.data;

    CHECK(!f->submitting);
    told.calls++;
    told.status = status;
    told.pages = pages;
}

static void set_up(void *data)
{
    struct fixture *f = data;

    store_set_up(f);
    f->profile.synchronous = 1;
    f->store.on_wal = note_wal;
    told = (struct told){0};
}

static struct asq_store_stats stats_of(struct fixture *f)
{
    return asq_store_statistics(&f->store);
}

static void insert_some(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        run_now(f, "INSERT INTO t VALUES (NULL)");
}

/* A checkpoint is due after the next commit. With NORMAL a commit syncs nothing
 * but the head of a WAL that begins anew, so the next sync is the checkpoint's.
 */
static void write_until_due(struct fixture *f)
{
    f->store.wal_pages = 8;
    open_store(f);
    while (stats_of(f).wal_pages < 7)
        run_now(f, "INSERT INTO t VALUES (NULL)");
    CHECK_INT(stats_of(f).wal_pages, 7);
    CHECK_INT(stats_of(f).checkpoints, 0);
}

static void answers_go_out_before_a_checkpoint(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    write_until_due(f);
    ask_init(f, &ask);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    ask_sql(&ask, "INSERT INTO t VALUES (NULL)");
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    test_run_until(&f->loop, &ask.done); /* while the checkpoint stands */
    CHECK_INT(ask.status, 0);
    asq_slow_disk_open_gate();
    run_now(f, "SELECT 1");
    CHECK_INT(stats_of(f).checkpoints, 1);
    asq_request_destroy(&ask.request);
}

static void without_readers_the_wal_begins_anew(void *data)
{
    struct fixture *f = data;

    f->store.wal_pages = 20;
    open_store(f);
    insert_some(f, 300);
    CHECK_RANGE(stats_of(f).wal_longest, 20, 24);
    CHECK_RANGE(stats_of(f).checkpoints, 12, 40);
    CHECK_INT(stats_of(f).gaps, 0);
    CHECK_INT(told.calls, 0);
}

static void with_0_pages_it_does_nothing(void *data)
{
    struct fixture *f = data;

    f->store.wal_pages = 0;
    open_store(f);
    insert_some(f, 1500); /* SQLite's own checkpoint would come at 1,000 */
    CHECK_INT(stats_of(f).checkpoints, 0);
    CHECK_RANGE(stats_of(f).wal_pages, 1500, 3100);
}

/* A reader that never ends: nothing helps, so it is told, once. */
static void a_wal_that_grows_is_told_once(void *data)
{
    struct fixture *f = data;
    sqlite3 *reader;

    f->store.wal_pages = 10;
    f->store.wal_limit = 50;
    open_store(f);
    reader = raw_open(f->profile.path);
    raw_do(reader, "BEGIN");
    (void)raw_ask(reader, "SELECT count(*) FROM t");
    insert_some(f, 100);
    CHECK_INT(told.calls, 1);
    CHECK_INT(told.status, 0);
    CHECK_RANGE(told.pages, 51, 54);
    raw_do(reader, "COMMIT");
    insert_some(f, 40); /* the WAL begins anew, and again it would be told */
    CHECK_RANGE(stats_of(f).wal_pages, 1, 24);
    raw_do(reader, "BEGIN");
    (void)raw_ask(reader, "SELECT count(*) FROM t");
    insert_some(f, 100);
    CHECK_INT(told.calls, 2);
    raw_close(reader);
}

static void a_checkpoint_that_fails_is_told_and_tried_again(void *data)
{
    struct fixture *f = data;

    write_until_due(f);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    run_now(f, "INSERT INTO t VALUES (101)");
    run_now(f, "INSERT INTO t VALUES (102)");
    CHECK_INT(told.calls, 1);
    CHECK_INT(told.status, SQLITE_IOERR_FSYNC);
    run_now(f, "INSERT INTO t VALUES (103)");
    run_now(f, "SELECT 1");
    CHECK_INT(told.calls, 1);
    CHECK_INT(stats_of(f).checkpoints, 2);
    CHECK_INT(
        raw_number(f->profile.path, "SELECT count(*) FROM t WHERE n > 100"), 3);
}

static void two_that_fail_close_the_database(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    write_until_due(f);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 1);
    run_now(f, "INSERT INTO t VALUES (101)");
    run_now(f, "INSERT INTO t VALUES (102)");
    ask_init(f, &ask);
    ask_sql(&ask, "INSERT INTO t VALUES (103)");
    expect(&ask, UV_ESHUTDOWN);
    CHECK_CONTAINS(ask.request.message, "two checkpoints have failed");
    CHECK_INT(try_sql(&ask, "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(told.status, SQLITE_IOERR_FSYNC);
    asq_slow_disk_reset();
    close_conn(f);
    CHECK_INT(
        raw_number(f->profile.path, "SELECT count(*) FROM t WHERE n > 100"), 2);
    asq_request_destroy(&ask.request);
}

/* A gap */

enum {
    READERS = 2
};

struct readers {
    struct asq_pool pool;
    struct fixture *f;
    int lent, all_lent, closed;
};

static int add_stand(struct asq_db *db, void *data)
{
    return sqlite3_create_function(asq_db_handle(db), "stand", 0, SQLITE_UTF8,
                                   data, stand_inside, NULL, NULL);
}

static void note_pool_closed(struct asq_pool *pool)
{
    ((struct readers *)pool->data)->closed = 1;
}

static void note_loan(struct asq_loan *loan, int status)
{
    struct readers *readers = loan->data;

    CHECK_INT(status, 0);
    readers->lent++;
    readers->all_lent = readers->lent == READERS;
}

/* All connections are open, so that a read need not wait behind another. */
static void open_readers(struct fixture *f, struct readers *readers)
{
    struct asq_loan loans[READERS];
    struct asq_profile profile = f->profile;

    *readers = (struct readers){.f = f};
    profile.on_open_db = add_stand;
    profile.on_open_data = f;
    asq_pool_init(&readers->pool);
    readers->pool.data = readers;
    readers->pool.depth = 1;
    CHECK_INT(asq_pool_open(&readers->pool, &f->loop, &profile, READERS), 0);
    for (int i = 0; i < READERS; i++) {
        asq_loan_init(&loans[i]);
        loans[i].data = readers;
        CHECK_INT(asq_pool_acquire(&readers->pool, &loans[i], note_loan), 0);
    }
    test_run_until(&f->loop, &readers->all_lent);
    for (int i = 0; i < READERS; i++)
        asq_loan_release(&loans[i]);
    f->store.readers = &readers->pool;
}

static void close_readers(struct readers *readers)
{
    asq_pool_close(&readers->pool, note_pool_closed);
    test_run_until(&readers->f->loop, &readers->closed);
}

static void read_at(struct readers *readers, struct ask *ask, const char *sql)
{
    ask_init(readers->f, ask);
    readers->f->submitting = true;
    CHECK_INT(asq_pool_run(&readers->pool, &ask->request, sql, NULL, on_answer),
              0);
    readers->f->submitting = false;
}

static void turn(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* The table has a row before, or the function would not be called. */
static void
begin_reading(struct fixture *f, struct readers *readers, struct ask *first)
{
    f->store.wal_pages = 10;
    f->store.gap_ms = 3600000;
    open_store(f);
    run_now(f, "INSERT INTO t VALUES (NULL)");
    open_readers(f, readers);
    read_at(readers, first, "SELECT n, stand() FROM t LIMIT 1");
    while (uv_sem_trywait(&f->reached) != 0)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void readers_make_room_for_a_moment(void *data)
{
    struct fixture *f = data;
    struct readers readers;
    struct ask first, second, write;

    begin_reading(f, &readers, &first);
    while (stats_of(f).gaps == 0)
        run_now(f, "INSERT INTO t VALUES (NULL)");
    CHECK_RANGE(stats_of(f).wal_pages, 20, 26);
    read_at(&readers, &second, "SELECT count(*) FROM t");
    ask_init(f, &write);
    ask_sql(&write, "INSERT INTO t VALUES (NULL)");
    turn(f);
    CHECK_INT(second.calls, 0); /* the pool pauses */
    CHECK_INT(first.calls, 0);
    let_go(f); /* the reader that everybody waits for */
    expect(&first, 0);
    expect(&second, 0);
    expect(&write, 0);
    CHECK_INT(stats_of(f).gaps, 1);
    insert_some(f, 2);
    CHECK_RANGE(stats_of(f).wal_pages, 1, 9); /* it has begun anew */
    CHECK_INT(told.calls, 0);
    close_readers(&readers);
    asq_request_destroy(&first.request);
    asq_request_destroy(&second.request);
    asq_request_destroy(&write.request);
}

/* One that reads for ever: readers and writes go on after gap_ms. */
static void a_gap_that_does_not_help_ends(void *data)
{
    struct fixture *f = data;
    struct readers readers;
    struct ask first, second;

    f->store.on_wal = NULL; /* it is not needed */
    begin_reading(f, &readers, &first);
    f->store.gap_ms = 20;
    while (stats_of(f).gaps == 0)
        run_now(f, "INSERT INTO t VALUES (NULL)");
    read_at(&readers, &second, "SELECT count(*) FROM t");
    expect(&second, 0);
    CHECK_INT(first.calls, 0);
    insert_some(f, 100);
    CHECK_RANGE(stats_of(f).gaps, 2, 4); /* at 20, 40, 80 pages */
    let_go(f);
    expect(&first, 0);
    close_readers(&readers);
    asq_request_destroy(&first.request);
    asq_request_destroy(&second.request);
}

/* Closing ends the gap; the pool goes on. */
static void a_store_may_close_in_a_gap(void *data)
{
    struct fixture *f = data;
    struct readers readers;
    struct ask first, second;

    begin_reading(f, &readers, &first);
    while (stats_of(f).gaps == 0)
        run_now(f, "INSERT INTO t VALUES (NULL)");
    read_at(&readers, &second, "SELECT 1");
    asq_conn_cancel(&f->conn);
    close_conn(f);
    f->closed = 0; /* the pool's answers come after it */
    expect(&second, 0);
    let_go(f);
    expect(&first, 0);
    close_readers(&readers);
    f->closed = 1;
    asq_request_destroy(&first.request);
    asq_request_destroy(&second.request);
}

static void the_pool_may_close_in_a_gap(void *data)
{
    struct fixture *f = data;
    struct readers readers;
    struct ask first, second;

    begin_reading(f, &readers, &first);
    while (stats_of(f).gaps == 0)
        run_now(f, "INSERT INTO t VALUES (NULL)");
    read_at(&readers, &second, "SELECT 1");
    asq_pool_close(&readers.pool, note_pool_closed);
    expect(&second, UV_ESHUTDOWN);
    let_go(f);
    expect(&first, 0);
    test_run_until(&f->loop, &readers.closed);
    insert_some(f, 30);
    asq_request_destroy(&first.request);
    asq_request_destroy(&second.request);
}

/* What is left on the disk */

static void the_file_becomes_short_again(void *data)
{
    struct fixture *f = data;
    sqlite3 *reader;
    FILE *file;
    char path[600];

    f->store.wal_pages = 10;
    open_store(f);
    reader = raw_open(f->profile.path);
    raw_do(reader, "BEGIN");
    (void)raw_ask(reader, "SELECT count(*) FROM t");
    insert_some(f, 200);
    raw_close(reader);
    insert_some(f, 30);
    (void)snprintf(path, sizeof path, "%s-wal", f->profile.path);
    file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK_INT(fseek(file, 0, SEEK_END), 0);
    CHECK_RANGE(ftell(file), 1, 10 * 8192);
    CHECK_INT(fclose(file), 0);
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(answers_go_out_before_a_checkpoint),
    CASE(without_readers_the_wal_begins_anew),
    CASE(with_0_pages_it_does_nothing),
    CASE(a_wal_that_grows_is_told_once),
    CASE(a_checkpoint_that_fails_is_told_and_tried_again),
    CASE(two_that_fail_close_the_database),
    CASE(readers_make_room_for_a_moment),
    CASE(a_gap_that_does_not_help_ends),
    CASE(a_store_may_close_in_a_gap),
    CASE(the_pool_may_close_in_a_gap),
    CASE(the_file_becomes_short_again),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "wal_keeper",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = store_tear_down};
