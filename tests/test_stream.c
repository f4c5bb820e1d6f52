/* test_stream - rows come in chunks, in order, and only as fast as wanted */
#include "12-streaming/stream.h"

#include "03-event-loop/conn_wait.h"
#include "10-pooling/pool.h"
#include "common/elsewhere.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <stdio.h>
#include <string.h>

#define BY_ID "SELECT id, text FROM t WHERE id > ?1 ORDER BY id"

struct fixture {
    uv_loop_t loop;
    struct asq_profile profile;
    struct asq_conn conn;
    struct asq_stream stream;
    struct asq_value after; /* ?1 */
    char path[512];
    /* what came */
    int ended, status;
    unsigned chunks;
    int64_t rows, sum, last; /* rows in order: id is always greater */
    unsigned keep_every;     /* chunks of which one is kept; 0: none */
    unsigned stop_at;        /* chunk in which it is stopped; 0: none */
    struct asq_result taken;
    unsigned take_at;
    bool calling;
    uv_sem_t reached, gate;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    char message[256];

    test_alloc_install();
    CHECK_INT(uv_loop_init(&f->loop), 0);
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(asq_slow_disk_register(), 0);
    (void)snprintf(f->path, sizeof f->path, "%s", test_path("stream.db"));
    CHECK_INT(
        asq_ask_elsewhere(
            f->path,
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT;"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "WHERE i < 100) INSERT INTO t SELECT i, 'row ' || i FROM n",
            NULL, message, sizeof message),
        0);
    f->profile = asq_profile_default(f->path);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.cache_kib = 16;
    asq_conn_init(&f->conn);
    CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    asq_stream_init(&f->stream);
    f->stream.data = f;
    f->stream.chunk_rows = 10;
    f->after = asq_int64(0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    asq_stream_destroy(&f->stream);
    asq_result_destroy(&f->taken);
    asq_conn_close_wait(&f->conn);
    CHECK_INT(uv_loop_close(&f->loop), 0);
    uv_sem_destroy(&f->reached);
    uv_sem_destroy(&f->gate);
    asq_slow_disk_reset();
}

static enum asq_chunk take_chunk(struct asq_stream *stream,
                                 struct asq_result *rows)
{
    struct fixture *f = stream->data;

    CHECK(!f->calling);
    CHECK(!f->ended);
    CHECK(rows->rows > 0);
    for (size_t i = 0; i < rows->rows; i++) {
        int64_t id = asq_result_int64(rows, i, "id");

        CHECK(id > f->last);
        f->last = id;
        f->sum += id;
    }
    f->rows += (int64_t)rows->rows;
    CHECK_INT(stream->rows, f->rows);
    f->chunks++;
    if (f->chunks == f->take_at)
        asq_result_take(rows, &f->taken);
    if (f->chunks == f->stop_at)
        asq_stream_stop(stream);
    return f->keep_every != 0 && f->chunks % f->keep_every == 0
               ? ASQ_CHUNK_KEPT
               : ASQ_CHUNK_DONE;
}

static void note_end(struct asq_stream *stream, int status)
{
    struct fixture *f = stream->data;

    CHECK(!f->calling);
    f->ended++;
    f->status = status;
    CHECK((status == 0) == (stream->message[0] == '\0'));
}

static void start_sql(struct fixture *f, const char *sql)
{
    struct asq_params params = {.values = &f->after,
                                .count = strchr(sql, '?') != NULL};

    f->ended = 0;
    f->chunks = 0;
    f->rows = f->sum = f->last = 0;
    f->calling = true;
    CHECK_INT(asq_stream_start(&f->stream, &f->loop, &f->conn, sql, &params,
                               take_chunk, note_end),
              0);
    f->calling = false;
}

static void expect_end(struct fixture *f, int status)
{
    test_run_until(&f->loop, &f->ended);
    CHECK_INT(f->ended, 1);
    CHECK_INT(f->status, status);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    CHECK_INT(f->ended, 1);
}

static void turn(struct fixture *f)
{
    for (int i = 0; i < 50; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void more(struct fixture *f)
{
    f->calling = true;
    asq_stream_more(&f->stream);
    f->calling = false;
}

static void stop(struct fixture *f)
{
    f->calling = true;
    asq_stream_stop(&f->stream);
    f->calling = false;
}

/* Runs SQL that no stream is in the way of, on the same connection. */
static void note_answer(struct asq_request *request, int status)
{
    *(int *)request->data = 1;
    CHECK_INT(status, 0);
}

static void run_beside(struct fixture *f, const char *sql)
{
    struct asq_request request;
    int done = 0;

    asq_request_init(&request);
    request.data = &done;
    CHECK_INT(asq_conn_run(&f->conn, &request, sql, NULL, note_answer), 0);
    test_run_until(&f->loop, &done);
    asq_request_destroy(&request);
}

/* Returns whether somebody keeps the WAL from starting anew. */
static int64_t is_wal_busy(const struct fixture *f)
{
    char message[256];
    int64_t busy = 0;

    CHECK_INT(asq_ask_elsewhere(f->path,
                                "INSERT INTO t (text) VALUES ('more');"
                                "PRAGMA busy_timeout = 1;"
                                "PRAGMA wal_checkpoint(TRUNCATE)",
                                &busy, message, sizeof message),
              0);
    return busy;
}

static void check_nothing_is_left(struct fixture *f)
{
    run_beside(f, "DROP TABLE t"); /* SQLITE_LOCKED beside an open statement */
    CHECK_INT(f->conn.left_open.holds, 0);
}

static void all_rows_come_in_order(void *data)
{
    struct fixture *f = data;

    start_sql(f, BY_ID);
    expect_end(f, 0);
    CHECK_INT(f->rows, 100);
    CHECK_INT(f->sum, 5050);
    CHECK_INT(f->chunks, 10);
    CHECK_INT(f->stream.restarts, 0);
    check_nothing_is_left(f);
}

/* S6: one less than whole chunks, exactly, and one more; none at all. */
static void no_chunk_is_empty(void *data)
{
    struct fixture *f = data;

    for (int n = 0; n <= 31; n++) {
        f->after = asq_int64(100 - n);
        start_sql(f, BY_ID);
        expect_end(f, 0);
        CHECK_INT(f->rows, n);
        CHECK_INT(f->chunks, (n + 9) / 10);
    }
}

/* S1: two chunks of credit, and no step beyond. */
static void a_consumer_that_keeps_stops_the_worker(void *data)
{
    struct fixture *f = data;
    uint64_t reads;

    f->keep_every = 1;
    f->stream.pin_ms = 0;
    start_sql(f, BY_ID);
    while (f->chunks == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT); /* nothing keeps it alive */
    CHECK_INT(f->chunks, 1);
    CHECK_INT(f->stream.sides[1].state, ASQ_SIDE_FULL);
    reads = f->conn.stats.answered;
    turn(f);
    CHECK_INT(f->conn.stats.answered, reads);
    for (unsigned i = 2; i <= 10; i++) {
        more(f);
        while (f->chunks < i)
            (void)uv_run(&f->loop, UV_RUN_ONCE);
        turn(f);
        CHECK_INT(f->chunks, i);
    }
    more(f);
    more(f); /* harmless */
    expect_end(f, 0);
    CHECK_INT(f->rows, 100);
}

/* S2: stopped in each chunk, from inside. */
static void stop_in_a_chunk(void *data)
{
    struct fixture *f = data;

    for (unsigned at = 1; at <= 9; at++) {
        f->stop_at = at;
        f->keep_every = at % 2 == 0 ? at : 0; /* kept as well, or not */
        start_sql(f, BY_ID);
        expect_end(f, UV_ECANCELED);
        CHECK_INT(f->chunks, at);
        CHECK_INT(is_wal_busy(f), 0);
    }
    check_nothing_is_left(f);
}

/* From outside: after so many turns, whatever is under way. */
static void stop_at_any_moment(void *data)
{
    struct fixture *f = data;

    for (int turns = 0; turns < 40; turns++) {
        f->keep_every = (unsigned)turns % 3;
        start_sql(f, BY_ID);
        for (int i = 0; i < turns; i++)
            (void)uv_run(&f->loop, UV_RUN_NOWAIT);
        stop(f);
        stop(f); /* harmless */
        test_run_until(&f->loop, &f->ended);
        CHECK(f->status == UV_ECANCELED || (f->status == 0 && f->rows >= 100));
        CHECK_INT(is_wal_busy(f), 0);
    }
    check_nothing_is_left(f);
}

static void stand(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count;
    (void)values;
    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
    sqlite3_result_int(context, 1);
}

static int
note_statement(unsigned mask, void *data, void *statement, void *text)
{
    struct fixture *f = data;

    (void)mask;
    (void)statement;
    (void)text;
    uv_sem_post(&f->reached);
    return 0;
}

static int add_stand(struct asq_db *db, struct asq_request *request)
{
    struct fixture *f = ((void **)request->data)[0];

    return sqlite3_create_function(asq_db_handle(db), "stand", 0, SQLITE_UTF8,
                                   f, stand, NULL, NULL);
}

static int add_trace(struct asq_db *db, struct asq_request *request)
{
    struct fixture *f = ((void **)request->data)[0];

    return sqlite3_trace_v2(asq_db_handle(db), SQLITE_TRACE_STMT,
                            note_statement, f);
}

static void note_added(struct asq_request *request, int status)
{
    CHECK_INT(status, 0);
    *(int *)((void **)request->data)[1] = 1;
}

static void add(struct fixture *f, asq_call_cb what)
{
    struct asq_request request;
    int done = 0;
    void *both[] = {f, &done};

    asq_request_init(&request);
    request.data = both;
    CHECK_INT(asq_conn_call(&f->conn, &request, what, note_added), 0);
    test_run_until(&f->loop, &done);
    asq_request_destroy(&request);
}

static void stop_while_it_is_stepped(void *data)
{
    struct fixture *f = data;

    add(f, add_stand);
    start_sql(f, "WITH RECURSIVE n(id) AS (SELECT stand() UNION ALL SELECT id "
                 "+ 1 FROM n) SELECT id FROM n WHERE id < 0");
    uv_sem_wait(&f->reached);
    stop(f);
    uv_sem_post(&f->gate);
    expect_end(f, UV_ECANCELED);
    CHECK_INT(f->rows, 0);
    check_nothing_is_left(f);
}

/* S3: a chunk is kept for too long; meanwhile others write, and the WAL can
 * start anew. */
static void it_goes_on_behind_the_key(void *data)
{
    struct fixture *f = data;

    f->keep_every = 3;
    f->stream.pin_ms = 1;
    f->stream.key = "id";
    f->stream.key_param = 1;
    start_sql(f, BY_ID);
    while (f->ended == 0) {
        uint64_t let_go_ns = f->stream.let_go.submitted_ns;

        /* Until a chunk is kept, and then until the statement is let go. */
        while (f->ended == 0 && (f->stream.let_go.submitted_ns == let_go_ns ||
                                 f->stream.let_go.pending))
            (void)uv_run(&f->loop, UV_RUN_ONCE);
        if (f->ended == 0) {
            CHECK_INT(is_wal_busy(f), 0);
            more(f);
        }
    }
    CHECK_INT(f->status, 0);
    CHECK(f->rows >= 100);
    CHECK(f->stream.restarts >= 2);
    CHECK_INT(f->last, f->rows); /* none twice, none left out */
    check_nothing_is_left(f);
}

/* S4 */
static void without_a_key_it_ends(void *data)
{
    struct fixture *f = data;

    f->keep_every = 2;
    f->stream.pin_ms = 1;
    start_sql(f, BY_ID);
    expect_end(f, UV_ETIMEDOUT);
    CHECK_INT(f->chunks, 2);
    CHECK_INT(f->rows, 20);
    CHECK_INT(is_wal_busy(f), 0);
}

/* S5: whatever came before the error is given, and then the error, once. */
static void an_error_comes_after_the_rows_before_it(void *data)
{
    struct fixture *f = data;
    int failures = 0;

    for (unsigned n = 1; n < 8; n++) {
        asq_slow_disk_fail(ASQ_DISK_READ, n, SQLITE_IOERR_READ, 0);
        start_sql(f,
                  "SELECT a.id * 1000 + b.id AS id, a.text FROM t AS a, t AS "
                  "b ORDER BY a.id, b.id");
        test_run_until(&f->loop, &f->ended);
        CHECK(f->status == 0 || (f->status & 0xff) == SQLITE_IOERR);
        failures += f->status != 0;
        CHECK_INT(f->stream.rows, f->rows);
        asq_slow_disk_fail(ASQ_DISK_READ, 0, 0, 0);
        run_beside(f, "PRAGMA shrink_memory");
    }
    CHECK(failures > 0);
    start_sql(f, "SELECT id, abs(CASE id WHEN 25 THEN -9223372036854775808 "
                 "ELSE id END) FROM t ORDER BY id");
    expect_end(f, SQLITE_ERROR);
    CHECK_INT(f->rows, 24);
    CHECK_CONTAINS(f->stream.message, "integer overflow");
}

/* S7 */
static void a_wide_row_goes_alone(void *data)
{
    struct fixture *f = data;

    f->stream.chunk_bytes = 20000;
    start_sql(f, "SELECT id, CASE id % 20 WHEN 5 THEN zeroblob(50000) ELSE "
                 "zeroblob(10) END FROM t ORDER BY id");
    expect_end(f, 0);
    CHECK_INT(f->rows, 100);
    CHECK(f->chunks > 10);
    f->stream.chunk_bytes = 1;
    start_sql(f, BY_ID);
    expect_end(f, 0);
    CHECK_INT(f->chunks, 100);
}

static void a_row_beyond_the_limit_ends_it(void *data)
{
    struct fixture *f = data;

    f->conn.runner.db.result_limit = 4000; /* nothing runs on the worker */
    start_sql(f, "SELECT id, CASE id WHEN 15 THEN zeroblob(50000) ELSE "
                 "zeroblob(10) END FROM t ORDER BY id");
    expect_end(f, SQLITE_TOOBIG);
    CHECK_INT(f->rows, 14);
}

/* S8 */
static void a_chunk_can_be_taken(void *data)
{
    struct fixture *f = data;

    f->take_at = 3;
    start_sql(f, BY_ID);
    expect_end(f, 0);
    CHECK_INT(f->rows, 100);
    CHECK_INT(f->taken.rows, 10);
    CHECK_TEXT(asq_result_text(&f->taken, 0, "text"), "row 21");
}

static void memory_does_not_grow_with_the_rows(void *data)
{
    struct fixture *f = data;
    size_t capacity;

    start_sql(f, BY_ID);
    expect_end(f, 0);
    capacity = f->stream.sides[0].request.result.capacity +
               f->stream.sides[1].request.result.capacity;
    start_sql(f, "SELECT a.id * 1000 + b.id AS id, a.text FROM t AS a, t AS b "
                 "ORDER BY a.id, b.id");
    expect_end(f, 0);
    CHECK_INT(f->rows, 10000);
    CHECK(f->stream.sides[0].request.result.capacity +
              f->stream.sides[1].request.result.capacity <=
          2 * capacity);
}

/* S9: the same SQL beside it waits, and then has a statement of its own. */
static void requests_do_not_come_between(void *data)
{
    struct fixture *f = data;
    struct asq_request request;
    int done = 0;

    f->keep_every = 1;
    start_sql(f, "SELECT id FROM t ORDER BY id");
    while (f->chunks == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_request_init(&request);
    request.data = &done;
    CHECK_INT(asq_conn_run(&f->conn, &request, "SELECT id FROM t ORDER BY id",
                           NULL, note_answer),
              0);
    turn(f);
    CHECK_INT(done, 0);
    f->keep_every = 0;
    more(f);
    test_run_until(&f->loop, &done);
    CHECK_INT(f->ended, 1);
    CHECK_INT(request.result.rows, 100);
    asq_request_destroy(&request);
}

/* S11 */
static void a_write_is_refused(void *data)
{
    static const char *const writes[] = {
        "INSERT INTO t (text) VALUES ('x') RETURNING id",
        "DELETE FROM t RETURNING id", "UPDATE t SET text = 'x'",
        "PRAGMA user_version = 3"};
    struct fixture *f = data;
    char message[256];
    int64_t rows;

    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        start_sql(f, writes[i]);
        expect_end(f, SQLITE_MISUSE);
        CHECK_CONTAINS(f->stream.message, "only a query");
    }
    CHECK_INT(asq_ask_elsewhere(f->path,
                                "SELECT count(*) FROM t WHERE text LIKE 'row%'",
                                &rows, message, sizeof message),
              0);
    CHECK_INT(rows, 100);
}

static void wrong_use_is_refused(void *data)
{
    struct fixture *f = data;

    stop(f); /* nothing is started */
    more(f);
    CHECK_INT(asq_stream_start(&f->stream, &f->loop, &f->conn, NULL, NULL,
                               take_chunk, note_end),
              UV_EINVAL);
    f->stream.key = "id";
    CHECK_INT(asq_stream_start(&f->stream, &f->loop, &f->conn, BY_ID, NULL,
                               take_chunk, note_end),
              UV_EINVAL);
    f->stream.key = NULL;
    start_sql(f, BY_ID);
    CHECK_INT(asq_stream_start(&f->stream, &f->loop, &f->conn, BY_ID, NULL,
                               take_chunk, note_end),
              UV_EINVAL);
    expect_end(f, 0);
    f->stream.key = "nothing";
    f->stream.key_param = 1;
    start_sql(f, BY_ID);
    expect_end(f, SQLITE_RANGE);
    CHECK_CONTAINS(f->stream.message, "no column nothing");
    f->stream.key = NULL;
    start_sql(f, "SELECT nonsense");
    expect_end(f, SQLITE_ERROR);
}

static int conn_closed;

static void note_conn_closed(struct asq_conn *conn)
{
    (void)conn;
    conn_closed++;
}

/* The connection is closed under it, while a chunk is kept or read. */
static void a_closing_connection_ends_it(void *data)
{
    struct fixture *f = data;

    for (int kept = 0; kept < 2; kept++) {
        conn_closed = 0;
        f->keep_every = (unsigned)kept;
        start_sql(f, BY_ID);
        while (kept && f->chunks == 0)
            (void)uv_run(&f->loop, UV_RUN_ONCE);
        if (kept)
            turn(f);
        asq_conn_close(&f->conn, note_conn_closed);
        if (kept)
            stop(f); /* it may be kept for ever */
        test_run_until(&f->loop, &f->ended);
        CHECK(f->status == UV_ECANCELED || f->status == UV_ESHUTDOWN);
        test_run_until(&f->loop, &conn_closed);
        CHECK_INT(asq_conn_open_wait(&f->conn, &f->loop, &f->profile), 0);
    }
    f->keep_every = 0;
    start_sql(f, BY_ID);
    expect_end(f, 0);
}

struct lender {
    struct asq_pool pool;
    struct asq_loan loan;
    int lent, closed;
};

static void note_lent(struct asq_loan *loan, int status)
{
    CHECK_INT(status, 0);
    ((struct lender *)loan->data)->lent++;
}

static void note_pool_closed(struct asq_pool *pool)
{
    ((struct lender *)pool->data)->closed++;
}

/* The pool frees the connection while a chunk is kept. */
static void a_loan_that_is_taken_back_ends_it(void *data)
{
    struct fixture *f = data;
    struct lender lender = {0};

    f->keep_every = 1;
    f->stream.pin_ms = 0;
    for (int stopped = 0; stopped < 2; stopped++) {
        asq_pool_init(&lender.pool);
        lender.pool.data = lender.loan.data = &lender;
        lender.lent = lender.closed = f->ended = 0;
        f->chunks = 0;
        f->rows = f->last = 0;
        CHECK_INT(asq_pool_open(&lender.pool, &f->loop, &f->profile, 1), 0);
        CHECK_INT(asq_pool_acquire(&lender.pool, &lender.loan, note_lent), 0);
        test_run_until(&f->loop, &lender.lent);
        CHECK_INT(asq_stream_start(&f->stream, &f->loop, lender.loan.conn,
                                   "SELECT id, text FROM t ORDER BY id", NULL,
                                   take_chunk, note_end),
                  0);
        while (f->chunks == 0 || f->stream.sides[1].state != ASQ_SIDE_FULL)
            (void)uv_run(&f->loop, UV_RUN_ONCE);
        asq_pool_close(&lender.pool, note_pool_closed);
        asq_pool_cancel(&lender.pool);
        test_run_until(&f->loop, &lender.closed);
        CHECK_INT(f->ended, 0);
        if (stopped)
            stop(f);
        while (f->ended == 0) { /* what was read before still comes */
            more(f);
            (void)uv_run(&f->loop, UV_RUN_NOWAIT);
        }
        CHECK_INT(f->ended, 1);
        CHECK_INT(f->status, stopped ? UV_ECANCELED : UV_ESHUTDOWN);
    }
}

static unsigned restarts[4]; /* as of each chunk */

static enum asq_chunk keep_first(struct asq_stream *stream,
                                 struct asq_result *rows)
{
    struct fixture *f = stream->data;

    (void)rows;
    CHECK(f->chunks < 4);
    restarts[f->chunks++] = stream->restarts;
    return f->chunks == 1 ? ASQ_CHUNK_KEPT : ASQ_CHUNK_DONE;
}

/* The second was read before: the worker may have begun again meanwhile. */
static void a_chunk_says_how_often_it_began_again(void *data)
{
    struct fixture *f = data;
    struct asq_params params = {.values = &f->after, .count = 1};

    add(f, add_trace);
    f->stream.pin_ms = 1;
    f->stream.key = "id";
    f->stream.key_param = 1;
    f->stream.chunk_rows = 30;
    CHECK_INT(asq_stream_start(&f->stream, &f->loop, &f->conn, BY_ID, &params,
                               keep_first, note_end),
              0);
    while (f->stream.let_go.submitted_ns == 0 || f->stream.let_go.pending)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK_INT(f->stream.sides[1].state, ASQ_SIDE_FULL);
    uv_sem_wait(&f->reached);
    more(f);
    uv_sem_wait(&f->reached); /* it has begun again */
    expect_end(f, 0);
    CHECK_INT(f->chunks, 4);
    CHECK_INT(restarts[1], 0);
    CHECK_INT(restarts[2], 1);
    CHECK_INT(f->stream.restarts, 1);
}

static void an_error_waits_for_a_chunk_that_is_kept(void *data)
{
    struct fixture *f = data;

    f->keep_every = 3;
    f->stream.pin_ms = 0;
    start_sql(f, "SELECT id, abs(CASE id WHEN 25 THEN -9223372036854775808 "
                 "ELSE id END) FROM t ORDER BY id");
    while (f->chunks < 3)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    turn(f);
    CHECK_INT(f->ended, 0);
    CHECK_INT(f->rows, 24);
    more(f);
    expect_end(f, SQLITE_ERROR);
    CHECK_CONTAINS(f->stream.message, "integer overflow");
    start_sql(f, "SELECT id, abs(CASE id WHEN 25 THEN -9223372036854775808 "
                 "ELSE id END) FROM t ORDER BY id");
    while (f->chunks < 3)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    stop(f);
    expect_end(f, SQLITE_ERROR); /* it was over before */
    f->stream.pin_ms = 1;
    start_sql(f, "SELECT id, abs(CASE id WHEN 25 THEN -9223372036854775808 "
                 "ELSE id END) FROM t ORDER BY id");
    expect_end(f, SQLITE_ERROR);
}

static uint64_t kept_ns;

static enum asq_chunk work_and_keep(struct asq_stream *stream,
                                    struct asq_result *rows)
{
    uint64_t end_ns = uv_hrtime() + 3000000;

    (void)rows;
    ((struct fixture *)stream->data)->chunks++;
    while (uv_hrtime() < end_ns)
        continue;
    kept_ns = uv_hrtime();
    return ASQ_CHUNK_KEPT;
}

/* A chunk is kept from the moment when its callback returns. */
static void the_time_of_a_slow_callback_does_not_count(void *data)
{
    struct fixture *f = data;

    f->stream.pin_ms = 100000;
    CHECK_INT(asq_stream_start(&f->stream, &f->loop, &f->conn,
                               "SELECT id FROM t", NULL, work_and_keep,
                               note_end),
              0);
    while (f->chunks == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK(uv_now(&f->loop) + uv_timer_get_due_in(&f->stream.pin) >=
          kept_ns / 1000000 + 100000);
    stop(f);
    expect_end(f, UV_ECANCELED);
}

/* The limit of a result is for each row, wherever in a chunk it comes. */
static void rows_that_fit_alone_fit_in_a_chunk(void *data)
{
    struct fixture *f = data;

    f->conn.runner.db.result_limit = 1000; /* nothing runs on the worker */
    f->stream.chunk_rows = 1000;
    start_sql(f, BY_ID);
    expect_end(f, 0);
    CHECK_INT(f->rows, 100);
    CHECK(f->chunks > 4);
    start_sql(f, "SELECT id, zeroblob(CASE id % 9 WHEN 5 THEN 800 ELSE 10 END) "
                 "FROM t ORDER BY id");
    expect_end(f, 0);
    CHECK_INT(f->rows, 100);
    start_sql(f, "SELECT id, zeroblob(CASE id WHEN 50 THEN 5000 ELSE 10 END) "
                 "FROM t ORDER BY id");
    expect_end(f, SQLITE_TOOBIG);
    CHECK_INT(f->rows, 49);
}

/* Each allocation fails in turn, alone or with all after it. */
static void without_memory_it_ends(void *data)
{
    struct fixture *f = data;
    struct asq_params params = {.values = &f->after, .count = 1};

    f->stream.key = "text"; /* a key in a result of its own */
    f->stream.key_param = 1;
    f->after = asq_text("");
    for (int keep = 0; keep < 2; keep++) {
        int failed = 1;

        for (uint64_t nth = 1; failed; nth++) {
            int rc;

            asq_stream_destroy(&f->stream);
            f->ended = 0;
            f->chunks = 0;
            f->rows = f->last = 0;
            run_beside(f, "PRAGMA shrink_memory");
            test_alloc_fail_at(TEST_ALLOC_MALLOC | TEST_ALLOC_SQLITE, nth,
                               keep);
            rc = asq_stream_start(
                &f->stream, &f->loop, &f->conn,
                "SELECT id, text, zeroblob(3000 + 0 * id) FROM t WHERE id <= "
                "35 AND text > ?1 ORDER BY id",
                &params, take_chunk, note_end);
            if (rc == 0)
                test_run_until(&f->loop, &f->ended);
            failed = test_alloc_has_failed();
            test_alloc_fail_at(0, 0, 0);
            if (rc != 0)
                CHECK_INT(rc, UV_ENOMEM);
            else if (f->status != 0)
                CHECK_INT(f->status, SQLITE_NOMEM);
            else
                CHECK_INT(f->rows, 35);
        }
    }
    check_nothing_is_left(f);
}

static const struct test_case cases[] = {
    {.name = "all_rows_come_in_order", .run = all_rows_come_in_order},
    {.name = "no_chunk_is_empty", .run = no_chunk_is_empty},
    {.name = "a_consumer_that_keeps_stops_the_worker",
     .run = a_consumer_that_keeps_stops_the_worker},
    {.name = "stop_in_a_chunk", .run = stop_in_a_chunk},
    {.name = "stop_at_any_moment", .run = stop_at_any_moment},
    {.name = "stop_while_it_is_stepped", .run = stop_while_it_is_stepped},
    {.name = "it_goes_on_behind_the_key", .run = it_goes_on_behind_the_key},
    {.name = "without_a_key_it_ends", .run = without_a_key_it_ends},
    {.name = "an_error_comes_after_the_rows_before_it",
     .run = an_error_comes_after_the_rows_before_it},
    {.name = "a_wide_row_goes_alone", .run = a_wide_row_goes_alone},
    {.name = "a_row_beyond_the_limit_ends_it",
     .run = a_row_beyond_the_limit_ends_it},
    {.name = "a_chunk_can_be_taken", .run = a_chunk_can_be_taken},
    {.name = "memory_does_not_grow_with_the_rows",
     .run = memory_does_not_grow_with_the_rows},
    {.name = "requests_do_not_come_between",
     .run = requests_do_not_come_between},
    {.name = "a_write_is_refused", .run = a_write_is_refused},
    {.name = "wrong_use_is_refused", .run = wrong_use_is_refused},
    {.name = "a_closing_connection_ends_it",
     .run = a_closing_connection_ends_it},
    {.name = "a_loan_that_is_taken_back_ends_it",
     .run = a_loan_that_is_taken_back_ends_it},
    {.name = "a_chunk_says_how_often_it_began_again",
     .run = a_chunk_says_how_often_it_began_again},
    {.name = "an_error_waits_for_a_chunk_that_is_kept",
     .run = an_error_waits_for_a_chunk_that_is_kept},
    {.name = "the_time_of_a_slow_callback_does_not_count",
     .run = the_time_of_a_slow_callback_does_not_count},
    {.name = "rows_that_fit_alone_fit_in_a_chunk",
     .run = rows_that_fit_alone_fit_in_a_chunk},
    {.name = "without_memory_it_ends", .run = without_memory_it_ends},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "stream",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
