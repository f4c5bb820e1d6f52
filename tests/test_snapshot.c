/* test_snapshot - reads on several connections agree, whatever is written */
#include "11-concurrent-queries/snapshot.h"
#include "pool_fixture.h"

#include <stdio.h>
#include <stdlib.h>

struct seen {
    struct fixture *f; /* whose pool is that of the readers */
    struct asq_pool writer;
    int writer_closed;
    struct asq_snapshot snapshot;
    int ready, status, ended;
};

static void note_writer_closed(struct asq_pool *pool)
{
    struct seen *seen = pool->data;

    seen->writer_closed++;
}

static void note_ready(struct asq_snapshot *snapshot, int status)
{
    struct seen *seen = snapshot->data;

    CHECK(!seen->f->calling);
    seen->ready++;
    seen->status = status;
    CHECK((status == 0) == (snapshot->message[0] == '\0'));
}

static void note_ended(struct asq_snapshot *snapshot, int status)
{
    struct seen *seen = snapshot->data;

    CHECK(!seen->f->calling);
    CHECK_INT(status, 0);
    seen->ended++;
}

static void open_seen(struct fixture *f, struct seen *seen, unsigned readers)
{
    struct borrower b[4];

    memset(seen, 0, sizeof *seen);
    seen->f = f;
    asq_pool_init(&seen->writer);
    seen->writer.data = seen;
    CHECK_INT(asq_pool_open(&seen->writer, &f->loop, &f->profile, 1), 0);
    f->profile.mode = ASQ_OPEN_READ;
    open_pool(f, readers);
    for (unsigned i = 0; i < readers; i++)
        borrow(f, &b[i], "b");
    for (unsigned i = 0; i < readers; i++)
        end_borrower(&b[i]);
    asq_snapshot_init(&seen->snapshot);
    seen->snapshot.data = seen;
}

static void close_seen(struct seen *seen)
{
    asq_pool_close(&seen->writer, note_writer_closed);
    test_run_until(&seen->f->loop, &seen->writer_closed);
    asq_snapshot_destroy(&seen->snapshot);
}

static void begin(struct seen *seen)
{
    seen->ready = seen->ended = 0;
    seen->f->calling = true;
    CHECK_INT(asq_snapshot_begin(&seen->snapshot, &seen->f->pool, &seen->writer,
                                 note_ready),
              0);
    seen->f->calling = false;
}

static void expect_ready(struct seen *seen, int status)
{
    test_run_until(&seen->f->loop, &seen->ready);
    CHECK_INT(seen->ready, 1);
    CHECK_INT(seen->status, status);
}

static void end(struct seen *seen)
{
    seen->f->calling = true;
    CHECK_INT(asq_snapshot_end(&seen->snapshot, note_ended), 0);
    seen->f->calling = false;
    test_run_until(&seen->f->loop, &seen->ended);
}

/* Asks one number, through the snapshot or a pool. */
static int64_t ask(struct seen *seen, struct asq_pool *pool, const char *sql)
{
    struct query q;
    int64_t n;
    int rc;

    memset(&q, 0, sizeof q);
    q.fixture = seen->f;
    asq_request_init(&q.request);
    q.request.data = &q;
    rc = pool == NULL ? asq_snapshot_run(&seen->snapshot, &q.request, sql, NULL,
                                         take_query)
                      : asq_pool_run(pool, &q.request, sql, NULL, take_query);
    CHECK_INT(rc, 0);
    expect_query(&q, 0);
    n = asq_result_int64(&q.request.result, 0, "n");
    asq_request_destroy(&q.request);
    return n;
}

static void write_one(struct seen *seen)
{
    (void)ask(seen, &seen->writer, "INSERT INTO t VALUES (1)");
}

/* G7: a commit between any two reads. The reads through the pool show that it
 * is the snapshot that makes them agree. */
static void reads_agree_although_others_write(void *data)
{
    static const char count[] = "SELECT count(*) AS n FROM t";
    struct fixture *f = data;
    struct seen seen;

    open_seen(f, &seen, 3);
    seen.snapshot.wanted = 3;
    write_one(&seen);
    begin(&seen);
    expect_ready(&seen, 0);
    CHECK_INT(seen.snapshot.readers, 3);
    for (int i = 0; i < 6; i++) {
        CHECK_INT(ask(&seen, NULL, count), 1);
        write_one(&seen);
    }
    end(&seen);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ask(&seen, &f->pool, count), 7 + i);
        write_one(&seen);
    }
    CHECK_INT(stats_of(f).undone, 0);
    CHECK_INT(stats_of(f).replaced, 0);
    close_seen(&seen);
}

/* Each query goes to the reader with the least to do. A commit comes after each
 * has begun, and all see the same. */
static void several_readers_agree(void *data)
{
    static const char count[] = "WITH b AS MATERIALIZED (SELECT stand())"
                                " SELECT count(*) AS n FROM b, t";
    struct fixture *f = data;
    struct query q[3];
    struct seen seen;

    open_seen(f, &seen, 3);
    seen.snapshot.wanted = 3;
    write_one(&seen);
    begin(&seen);
    expect_ready(&seen, 0);
    for (int i = 0; i < 3; i++) {
        memset(&q[i], 0, sizeof q[i]);
        q[i].fixture = f;
        asq_request_init(&q[i].request);
        q[i].request.data = &q[i];
        CHECK_INT(asq_snapshot_run(&seen.snapshot, &q[i].request, count, NULL,
                                   take_query),
                  0);
        uv_sem_wait(&f->reached); /* all stand there at once */
        write_one(&seen);
    }
    for (int i = 0; i < 3; i++)
        uv_sem_post(&f->gate);
    for (int i = 0; i < 3; i++) {
        expect_query(&q[i], 0);
        CHECK_INT(asq_result_int64(&q[i].request.result, 0, "n"), 1);
        asq_request_destroy(&q[i].request);
    }
    end(&seen);
    close_seen(&seen);
}

/* G8: writers wait until all readers have begun, and no longer. */
static void writers_wait_for_the_beginning_only(void *data)
{
    struct fixture *f = data;
    struct query q;
    struct seen seen;

    open_seen(f, &seen, 2);
    write_one(&seen);
    asq_slow_disk_gate(ASQ_DISK_READ, 2); /* the second reader's first one */
    begin(&seen);
    while (seen.snapshot.state != ASQ_SNAPSHOT_BEGINNING)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    memset(&q, 0, sizeof q);
    q.fixture = f;
    asq_request_init(&q.request);
    q.request.data = &q;
    CHECK_INT(asq_pool_run(&seen.writer, &q.request, "INSERT INTO t VALUES (1)",
                           NULL, take_query),
              0);
    turn(f);
    CHECK_INT(q.done, 0);
    CHECK_INT(seen.ready, 0);
    asq_slow_disk_open_gate();
    expect_ready(&seen, 0);
    expect_query(&q, 0);
    CHECK_INT(ask(&seen, NULL, "SELECT count(*) AS n FROM t"), 1);
    asq_request_destroy(&q.request);
    end(&seen);
    close_seen(&seen);
}

static void a_reader_that_cannot_begin_lets_writers_go_on(void *data)
{
    struct fixture *f = data;
    struct seen seen;

    open_seen(f, &seen, 2);
    write_one(&seen);
    asq_slow_disk_fail(ASQ_DISK_READ, 2, SQLITE_IOERR_READ, 0);
    begin(&seen);
    test_run_until(&f->loop, &seen.ready);
    CHECK_INT(seen.status & 0xff, SQLITE_IOERR);
    CHECK_INT(seen.snapshot.state, ASQ_SNAPSHOT_NONE);
    asq_slow_disk_fail(ASQ_DISK_READ, 0, 0, 0);
    write_one(&seen);
    CHECK_INT(stats_of(f).lent, 0);
    begin(&seen);
    expect_ready(&seen, 0);
    end(&seen);
    close_seen(&seen);
}

/* G9 */
static void two_at_once_share_the_readers(void *data)
{
    struct fixture *f = data;
    struct seen seen;
    struct asq_snapshot other;
    struct seen second;

    open_seen(f, &seen, 3);
    asq_snapshot_init(&other);
    memset(&second, 0, sizeof second);
    second.f = f;
    second.snapshot.data = NULL;
    other.data = &second;
    begin(&seen);
    CHECK_INT(asq_snapshot_begin(&other, &f->pool, &seen.writer, note_ready),
              0);
    expect_ready(&seen, 0);
    test_run_until(&f->loop, &second.ready);
    CHECK_INT(second.status, 0);
    CHECK_INT(seen.snapshot.readers, 2);
    CHECK_INT(other.readers, 1);
    end(&seen);
    CHECK_INT(asq_snapshot_end(&other, note_ended), 0);
    test_run_until(&f->loop, &second.ended);
    asq_snapshot_destroy(&other);
    close_seen(&seen);
}

/* G10: returns whether somebody keeps the WAL from starting anew. */
static int64_t is_wal_busy(const struct fixture *f)
{
    char message[256];
    int64_t busy = 0;

    CHECK_INT(asq_ask_elsewhere(f->path,
                                "PRAGMA busy_timeout = 1;"
                                "PRAGMA wal_checkpoint(TRUNCATE)",
                                &busy, message, sizeof message),
              0);
    return busy;
}

static void its_end_frees_the_wal(void *data)
{
    struct fixture *f = data;
    struct seen seen;

    open_seen(f, &seen, 2);
    write_one(&seen);
    begin(&seen);
    expect_ready(&seen, 0);
    write_one(&seen);
    CHECK_INT(is_wal_busy(f), 1);
    end(&seen);
    CHECK_INT(is_wal_busy(f), 0);
    close_seen(&seen);
}

static void losing_it_frees_the_wal(void *data)
{
    struct fixture *f = data;
    struct seen seen;

    open_seen(f, &seen, 2);
    write_one(&seen);
    begin(&seen);
    expect_ready(&seen, 0);
    close_pool(f);
    asq_pool_cancel(&f->pool);
    test_run_until(&f->loop, &f->closed);
    write_one(&seen);
    CHECK_INT(is_wal_busy(f), 0);
    CHECK_INT(asq_snapshot_run(&seen.snapshot, &(struct asq_request){0},
                               "SELECT 1", NULL, take_query),
              UV_ESHUTDOWN);
    end(&seen); /* still has its callback */
    close_seen(&seen);
}

/* At each state: the callback of ready says that it was ended, then ended. */
static void it_can_be_ended_at_any_moment(void *data)
{
    struct fixture *f = data;
    struct seen seen;

    open_seen(f, &seen, 2);
    for (int turns = 0; turns < 40; turns++) {
        begin(&seen);
        for (int i = 0; i < turns && seen.ready == 0; i++)
            (void)uv_run(&f->loop, UV_RUN_NOWAIT);
        end(&seen);
        CHECK_INT(seen.ready, 1);
        CHECK(seen.status == 0 || seen.status == UV_ECANCELED);
        CHECK_INT(seen.ended, 1);
        CHECK_INT(seen.snapshot.state, ASQ_SNAPSHOT_NONE);
    }
    write_one(&seen);
    CHECK_INT(is_wal_busy(f), 0);
    CHECK_INT(stats_of(f).lent, 0);
    close_seen(&seen);
}

static void one_reader_needs_no_writer(void *data)
{
    struct fixture *f = data;
    struct seen seen;

    open_seen(f, &seen, 2);
    CHECK_INT(asq_snapshot_begin(&seen.snapshot, &f->pool, NULL, note_ready),
              0);
    expect_ready(&seen, 0);
    CHECK_INT(seen.snapshot.readers, 1);
    CHECK_INT(stats_of(f).lent, 1);
    end(&seen);
    CHECK_INT(asq_pool_statistics(&seen.writer).loans, 0);
    close_seen(&seen);
}

static void without_wal_one_reader_is_all(void *data)
{
    struct fixture *f = data;
    struct seen seen;
    char message[256];

    CHECK_INT(asq_ask_elsewhere(f->path, "PRAGMA journal_mode = DELETE", NULL,
                                message, sizeof message),
              0);
    f->profile.wal = false;
    open_seen(f, &seen, 2);
    begin(&seen);
    expect_ready(&seen, 0);
    CHECK_INT(seen.snapshot.readers, 1);
    end(&seen);
    close_seen(&seen);
}

static void no_reader_in_time_is_told(void *data)
{
    struct fixture *f = data;
    struct borrower b;
    struct seen seen;

    open_seen(f, &seen, 1);
    borrow(f, &b, "b");
    seen.snapshot.timeout_ms = 100;
    begin(&seen);
    move_clock(100);
    expect_ready(&seen, UV_ETIMEDOUT);
    CHECK_CONTAINS(seen.snapshot.message, "in time");
    end_borrower(&b);
    close_seen(&seen);
}

static void wrong_use_is_refused(void *data)
{
    struct fixture *f = data;
    struct seen seen;
    struct asq_request request;

    open_seen(f, &seen, 1);
    asq_request_init(&request);
    CHECK_INT(asq_snapshot_end(&seen.snapshot, note_ended), UV_EINVAL);
    CHECK_INT(asq_snapshot_run(&seen.snapshot, &request, "SELECT 1", NULL,
                               take_query),
              UV_EINVAL);
    CHECK_INT(asq_snapshot_begin(&seen.snapshot, &f->pool, &seen.writer, NULL),
              UV_EINVAL);
    seen.snapshot.wanted = 0;
    CHECK_INT(
        asq_snapshot_begin(&seen.snapshot, &f->pool, &seen.writer, note_ready),
        UV_EINVAL);
    seen.snapshot.wanted = ASQ_SNAPSHOT_READERS + 1;
    CHECK_INT(
        asq_snapshot_begin(&seen.snapshot, &f->pool, &seen.writer, note_ready),
        UV_EINVAL);
    seen.snapshot.wanted = 1;
    begin(&seen);
    CHECK_INT(
        asq_snapshot_begin(&seen.snapshot, &f->pool, &seen.writer, note_ready),
        UV_EINVAL);
    expect_ready(&seen, 0);
    CHECK_INT(asq_snapshot_end(&seen.snapshot, NULL), UV_EINVAL);
    end(&seen);
    close_seen(&seen);
}

static int
note_statement(unsigned mask, void *data, void *statement, void *text)
{
    struct fixture *f = data;

    (void)mask;
    (void)statement;
    if (strcmp(text, "BEGIN IMMEDIATE") == 0)
        uv_sem_post(&f->reached);
    return 0;
}

static int add_trace(struct asq_db *db, void *data)
{
    return sqlite3_trace_v2(asq_db_handle(db), SQLITE_TRACE_STMT,
                            note_statement, data);
}

/* Even where it is interrupted while it waits for the write lock. */
static void ended_before_ready_is_cancelled(void *data)
{
    struct fixture *f = data;
    struct seen seen;
    sqlite3 *other;

    f->profile.on_open_db = add_trace;
    open_seen(f, &seen, 2);
    CHECK_INT(sqlite3_open(f->path, &other), 0);
    CHECK_INT(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);
    begin(&seen);
    while (seen.snapshot.state != ASQ_SNAPSHOT_LOCKING)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    uv_sem_wait(&f->reached);
    end(&seen);
    CHECK_INT(seen.ready, 1);
    CHECK_INT(seen.status, UV_ECANCELED);
    CHECK_TEXT(seen.snapshot.message, "ended before it was ready");
    CHECK_INT(sqlite3_close(other), 0);
    close_seen(&seen);
}

static void note_heap_closed(struct asq_pool *pool)
{
    struct fixture *f = pool->data;

    f->closed++;
    free(pool);
}

/* What it had borrowed was taken back, and all of it is gone. */
static void it_ends_after_its_pools(void *data)
{
    struct fixture *f = data;
    struct asq_snapshot snapshot;
    struct asq_pool *pool = malloc(sizeof *pool);
    struct seen seen = {.f = f};

    CHECK(pool != NULL);
    asq_pool_init(pool);
    pool->data = f;
    CHECK_INT(asq_pool_open(pool, &f->loop, &f->profile, 1), 0);
    asq_snapshot_init(&snapshot);
    snapshot.data = &seen;
    CHECK_INT(asq_snapshot_begin(&snapshot, pool, NULL, note_ready), 0);
    test_run_until(&f->loop, &seen.ready);
    asq_pool_close(pool, note_heap_closed);
    asq_pool_cancel(pool);
    test_run_until(&f->loop, &f->closed);
    CHECK_INT(asq_snapshot_end(&snapshot, note_ended), 0);
    test_run_until(&f->loop, &seen.ended);
    asq_snapshot_destroy(&snapshot);
}

/* They are taken back while it waits for the writer. */
static void without_readers_it_is_not_ready(void *data)
{
    struct fixture *f = data;
    struct seen seen;
    struct borrower w;

    open_seen(f, &seen, 2);
    init(f, &w, "w");
    CHECK_INT(asq_pool_acquire(&seen.writer, &w.loan, take_loan), 0);
    expect_loan(&w, 0);
    begin(&seen);
    while (seen.snapshot.writer.state != ASQ_LOAN_WAITING)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    close_pool(f);
    asq_pool_cancel(&f->pool);
    test_run_until(&f->loop, &f->closed);
    end_borrower(&w);
    expect_ready(&seen, UV_ESHUTDOWN);
    close_seen(&seen);
}

static const struct test_case cases[] = {
    {.name = "reads_agree_although_others_write",
     .run = reads_agree_although_others_write},
    {.name = "several_readers_agree", .run = several_readers_agree},
    {.name = "writers_wait_for_the_beginning_only",
     .run = writers_wait_for_the_beginning_only},
    {.name = "a_reader_that_cannot_begin_lets_writers_go_on",
     .run = a_reader_that_cannot_begin_lets_writers_go_on},
    {.name = "two_at_once_share_the_readers",
     .run = two_at_once_share_the_readers},
    {.name = "its_end_frees_the_wal", .run = its_end_frees_the_wal},
    {.name = "losing_it_frees_the_wal", .run = losing_it_frees_the_wal},
    {.name = "it_can_be_ended_at_any_moment",
     .run = it_can_be_ended_at_any_moment},
    {.name = "one_reader_needs_no_writer", .run = one_reader_needs_no_writer},
    {.name = "without_wal_one_reader_is_all",
     .run = without_wal_one_reader_is_all},
    {.name = "no_reader_in_time_is_told", .run = no_reader_in_time_is_told},
    {.name = "wrong_use_is_refused", .run = wrong_use_is_refused},
    {.name = "ended_before_ready_is_cancelled",
     .run = ended_before_ready_is_cancelled},
    {.name = "it_ends_after_its_pools", .run = it_ends_after_its_pools},
    {.name = "without_readers_it_is_not_ready",
     .run = without_readers_it_is_not_ready},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "snapshot",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
