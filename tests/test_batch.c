/* test_batch - rows in chunks: what is counted, kept, undone and reported
 *
 * The table t has a row for each id; every batch writes ids 0, 1, 2 ... The
 * SQL function stand() holds the worker at the row whose id is f->stand_at.
 */
#include "06-batches/batch.h"
#include "conn_trace.h"

#include <stdlib.h>

#define INSERT "INSERT INTO t VALUES (?1, ?2)"

enum {
    ROWS_MAX = 12,
    ERRORS = 2
};

struct batch_fixture {
    struct fixture conn; /* first: its set_up and tear_down are used */
    struct asq_batch batch;
    struct asq_value values[2 * ROWS_MAX];
    struct asq_row_error errors[ERRORS];
    int done, status;
    size_t chunks;
    int64_t stand_at;
    struct ask ask;
    void (*in_chunk)(struct batch_fixture *b);
};

static void stand(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct batch_fixture *b = sqlite3_user_data(context);

    (void)count; /* it is 1 */
    if (sqlite3_value_int64(values[0]) == b->stand_at) {
        uv_sem_post(&b->conn.reached);
        uv_sem_wait(&b->conn.gate);
    }
    sqlite3_result_text(context, "{}", -1, SQLITE_STATIC);
}

static int add_stand(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_create_function(asq_db_handle(db), "stand", 1, SQLITE_UTF8,
                                   ask->fixture, stand, NULL, NULL);
}

static void set_up(void *data)
{
    struct batch_fixture *b = data;

    conn_set_up(&b->conn);
    open_conn(&b->conn);
    run_now(&b->conn, "CREATE TABLE t (id INTEGER PRIMARY KEY,"
                      " data TEXT NOT NULL CHECK (data <> '{'))");
    call_now(&b->conn, add_stand);
    ask_init(&b->conn, &b->ask);
    asq_batch_init(&b->batch);
    b->batch.data = b;
    b->batch.sql = INSERT;
    b->batch.values = b->values;
    b->batch.columns = 2;
    b->batch.errors = b->errors;
    b->batch.errors_room = ERRORS;
    b->stand_at = -1;
    for (int i = 0; i < ROWS_MAX; i++) {
        b->values[2 * i] = asq_int64(i);
        b->values[2 * i + 1] = asq_text("[]");
    }
    b->conn.answers = 0;
}

static void tear_down(void *data)
{
    struct batch_fixture *b = data;

    asq_batch_destroy(&b->batch);
    conn_tear_down(&b->conn);
    ask_destroy_all(&b->ask, 1);
}

static void on_chunk(struct asq_batch *batch)
{
    struct batch_fixture *b = batch->data;

    b->chunks++;
    CHECK_INT(b->chunks, batch->commits);
    CHECK_INT(b->done, 0);
    CHECK_INT(batch->settled, batch->chunk == 0 ? batch->rows
                              : b->chunks * batch->chunk < batch->rows
                                  ? b->chunks * batch->chunk
                                  : batch->rows);
    if (b->in_chunk != NULL)
        b->in_chunk(b);
}

static void on_batch(struct asq_batch *batch, int status)
{
    struct batch_fixture *b = batch->data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &b->conn.loop_thread));
    CHECK(!b->conn.submitting);
    CHECK_INT(status != 0, batch->request.message[0] != '\0');
    b->done++;
    b->status = status;
}

static void start(struct batch_fixture *b, size_t rows, size_t chunk)
{
    b->batch.rows = rows;
    b->batch.chunk = chunk;
    b->batch.on_chunk = on_chunk;
    b->done = 0;
    b->chunks = 0;
    b->conn.submitting = true;
    CHECK_INT(asq_batch_start(&b->batch, &b->conn.conn, on_batch), 0);
    b->conn.submitting = false;
}

static void expect_batch(struct batch_fixture *b, int status, size_t settled)
{
    test_run_until(&b->conn.loop, &b->done);
    CHECK_INT(b->done, 1);
    if (b->status != status)
        FAIL("status %d instead of %d: %s", b->status, status,
             b->batch.request.message);
    CHECK_INT(b->batch.settled, settled);
}

/* The file holds this many rows, and the connection is free to write. */
static void expect_rows(struct batch_fixture *b, int64_t rows)
{
    CHECK_INT(raw_number(b->conn.profile.path, "SELECT count(*) FROM t"), rows);
    if (b->conn.close_called)
        return;
    run_now(&b->conn, "INSERT INTO t VALUES (-1, '{}')");
    CHECK_INT(raw_number(b->conn.profile.path, "SELECT count(*) FROM t"),
              rows + 1);
    run_now(&b->conn, "DELETE FROM t WHERE id = -1");
}

/* Rows in, and how many */

static void one_hop_one_transaction_prepared_once(void *data)
{
    struct batch_fixture *b = data;

    call_now(&b->conn, start_trace);
    start(b, 3, 0);
    expect_batch(b, 0, 3);
    call_now(&b->conn, stop_trace);
    CHECK_TEXT(b->conn.trace, "BEGIN INSERT INSERT INSERT COMMIT");
    CHECK_INT(b->batch.commits, 1);
    CHECK_INT(b->batch.changes, 3);
    expect_rows(b, 3);
}

static int64_t misses; /* of the cache of statements */

static int note_misses(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* the number is taken when it is done */
    misses = (int64_t)db->cache.misses;
    return 0;
}

static void the_second_batch_prepares_nothing(void *data)
{
    struct batch_fixture *b = data;
    int64_t before;

    start(b, 4, 2);
    expect_batch(b, 0, 4);
    call_now(&b->conn, note_misses);
    before = misses;
    b->batch.values += 8;
    start(b, 4, 1);
    expect_batch(b, 0, 4);
    call_now(&b->conn, note_misses);
    CHECK_INT(misses, before);
    expect_rows(b, 8);
}

static void missing_data_is_an_empty_object(void *data)
{
    struct batch_fixture *b = data;

    b->batch.sql = "INSERT INTO t VALUES (?1, coalesce(?2, '{}'))";
    b->values[3] = asq_null();
    start(b, 3, 0);
    expect_batch(b, 0, 3);
    CHECK_INT(ask_number(&b->conn, "SELECT id FROM t WHERE data = '{}'"), 1);
    CHECK_INT(ask_number(&b->conn, "SELECT count(*) FROM t"
                                   " WHERE data = '[]'"),
              2);
}

static void an_update_counts_what_changed(void *data)
{
    struct batch_fixture *b = data;

    run_now(&b->conn, "INSERT INTO t VALUES (1, '{}'), (3, '{}')");
    b->batch.sql = "UPDATE t SET data = ?2 WHERE id = ?1";
    start(b, 4, 3);
    expect_batch(b, 0, 4);
    CHECK_INT(b->batch.changes, 2);
    CHECK_INT(b->batch.commits, 2);
    CHECK_INT(b->batch.failed, 0);
}

static void no_rows_are_answered_too(void *data)
{
    struct batch_fixture *b = data;

    call_now(&b->conn, start_trace);
    start(b, 0, 5);
    expect_batch(b, 0, 0);
    CHECK_INT(b->chunks, 0);
    CHECK_INT(b->batch.commits, 0);
    call_now(&b->conn, stop_trace);
    CHECK_TEXT(b->conn.trace, "");
}

static void what_cannot_start_is_refused(void *data)
{
    struct batch_fixture *b = data;
    struct asq_batch *batch = &b->batch;

    batch->rows = 1;
    batch->sql = NULL;
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, on_batch), UV_EINVAL);
    batch->sql = INSERT;
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, NULL), UV_EINVAL);
    batch->values = NULL;
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, on_batch), UV_EINVAL);
    batch->values = b->values;
    start(b, 1, 0);
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, on_batch), UV_EINVAL);
    expect_batch(b, 0, 1);
    close_conn(&b->conn);
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, on_batch), UV_ESHUTDOWN);
    CHECK_INT(b->done, 1);
    asq_batch_cancel(batch); /* harmless */
}

static void wrong_sql_is_no_fault_of_a_row(void *data)
{
    static const struct {
        const char *sql, *message;
        int status;
    } wrong[] = {
        {"INSERT INTO nowhere VALUES (?1, ?2)", "no such table", SQLITE_ERROR},
        {"INSERT INTO t VALUES (?1, '{}')", "2 values", SQLITE_RANGE},
        {"", "no statement", SQLITE_MISUSE},
        {"COMMIT -- ?1, ?2", "", SQLITE_RANGE},
    };
    struct batch_fixture *b = data;

    b->batch.keep_good = true;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        b->batch.sql = wrong[i].sql;
        start(b, 2, 1);
        expect_batch(b, wrong[i].status, 0);
        CHECK_CONTAINS(b->batch.request.message, wrong[i].message);
        CHECK_INT(b->batch.failed, 0);
        CHECK_INT(b->batch.stopped_at, 0);
    }
    b->batch.columns = 0;
    b->batch.sql = "COMMIT";
    start(b, 2, 0);
    expect_batch(b, SQLITE_MISUSE, 0);
    expect_rows(b, 0);
}

static void the_transaction_of_somebody_else_is_left_alone(void *data)
{
    struct batch_fixture *b = data;

    share_tx(&b->conn);
    run_now(&b->conn, "BEGIN");
    run_now(&b->conn, "INSERT INTO t VALUES (7, '{}')");
    start(b, 2, 0);
    expect_batch(b, SQLITE_ERROR, 0);
    run_now(&b->conn, "COMMIT");
    expect_rows(b, 1);
}

/* Chunks */

/* The worker stands before the first chunk. Whoever asks now comes before the
 * second one, and counts the rows of the first. */
static void others_get_in_between_two_chunks(void *data)
{
    struct batch_fixture *b = data;

    close_conn(&b->conn);
    init_again(&b->conn);
    b->conn.conn.observe = stand_if_marked;
    b->conn.marked = &b->batch.request;
    open_conn(&b->conn);
    start(b, 10, 4);
    uv_sem_wait(&b->conn.reached);
    ask_sql(&b->ask, "SELECT count(*) FROM t");
    b->conn.marked = NULL;
    let_go(&b->conn);
    expect(&b->ask, 0);
    CHECK_INT(number_of(&b->ask), 4);
    expect_batch(b, 0, 10);
    CHECK_INT(b->chunks, 3);
    CHECK_INT(b->batch.changes, 10);
    expect_rows(b, 10);
}

static void ask_in_chunk(struct batch_fixture *b)
{
    if (b->chunks == 2)
        ask_sql(&b->ask, "SELECT count(*) FROM t");
}

static void what_on_chunk_submits_comes_before_the_next(void *data)
{
    struct batch_fixture *b = data;

    b->in_chunk = ask_in_chunk;
    start(b, 9, 3);
    expect_batch(b, 0, 9);
    expect(&b->ask, 0);
    CHECK_INT(number_of(&b->ask), 6);
}

static void a_full_queue_ends_it(void *data)
{
    struct batch_fixture *b = data;

    b->conn.conn.capacity = 1;
    b->in_chunk = ask_in_chunk;
    start(b, 9, 3);
    expect_batch(b, UV_ENOBUFS, 6);
    expect(&b->ask, 0);
    expect_rows(b, 6);
}

/* Bad rows */

static void spoil(struct batch_fixture *b, int row)
{
    b->values[2 * row + 1] = asq_text("{");
}

static void all_or_nothing(void *data)
{
    struct batch_fixture *b = data;

    spoil(b, 3);
    start(b, 5, 0);
    expect_batch(b, SQLITE_CONSTRAINT_CHECK, 0);
    CHECK_INT(b->batch.stopped_at, 3);
    CHECK_INT(b->batch.changes, 0);
    CHECK_CONTAINS(b->batch.request.message, "CHECK");
    expect_rows(b, 0);
}

static void chunks_before_the_bad_row_stay(void *data)
{
    struct batch_fixture *b = data;

    spoil(b, 5);
    start(b, 10, 2);
    expect_batch(b, SQLITE_CONSTRAINT_CHECK, 4);
    CHECK_INT(b->batch.stopped_at, 5);
    CHECK_INT(b->batch.changes, 4);
    expect_rows(b, 4);
}

static void good_rows_are_kept_and_bad_ones_reported(void *data)
{
    struct batch_fixture *b = data;

    b->batch.keep_good = true;
    spoil(b, 1);
    b->values[2 * 4] = asq_text("four");
    b->values[2 * 7] = asq_int64(6); /* there are more than there is room */
    start(b, 8, 3);
    expect_batch(b, 0, 8);
    CHECK_INT(b->batch.failed, 3);
    CHECK_INT(b->batch.changes, 5);
    CHECK_INT(b->errors[0].row, 1);
    CHECK_INT(b->errors[0].code, SQLITE_CONSTRAINT_CHECK);
    CHECK_CONTAINS(b->errors[0].message, "CHECK");
    CHECK_INT(b->errors[1].row, 4);
    CHECK_INT(b->errors[1].code, SQLITE_MISMATCH);
    expect_rows(b, 5);
}

/* The trigger comes when the row is in the table, and leaves it there. So does
 * OR FAIL with the first of two rows. */
static void what_a_bad_row_has_done_is_undone(void *data)
{
    static const char trigger[] =
        "CREATE TRIGGER r AFTER INSERT ON t WHEN NEW.id IN (1, 5)"
        "BEGIN SELECT RAISE(FAIL, 'not this one'); END";
    static const char *const sql[] = {
        INSERT, "INSERT OR FAIL INTO t VALUES (?1 + 100, ?2),"
                " (CASE WHEN ?1 IN (1, 5) THEN 0 + 100 ELSE ?1 + 200 END, ?2)"};
    struct batch_fixture *b = data;

    b->batch.keep_good = true;
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            run_now(&b->conn, trigger);
        b->batch.sql = sql[i];
        start(b, 8, 3);
        expect_batch(b, 0, 8);
        CHECK_INT(b->batch.failed, 2);
        CHECK_INT(b->batch.changes, i == 0 ? 6 : 12);
        CHECK_INT(b->errors[0].row, 1);
        CHECK_INT(b->errors[1].row, 5);
        CHECK_INT(b->errors[0].code, i == 0 ? SQLITE_CONSTRAINT_TRIGGER
                                            : SQLITE_CONSTRAINT_PRIMARYKEY);
        if (i == 0)
            CHECK_CONTAINS(b->errors[1].message, "not this one");
        expect_rows(b, i == 0 ? 6 : 18);
    }
    CHECK_INT(raw_number(b->conn.profile.path,
                         "SELECT count(*) FROM t WHERE id IN (1, 5, 101, 105)"),
              0);
}

/* Without keep_good the chunk is undone as a whole, as always. */
static void without_keep_good_it_ends_the_batch(void *data)
{
    struct batch_fixture *b = data;

    run_now(&b->conn, "CREATE TRIGGER r AFTER INSERT ON t WHEN NEW.id = 5 "
                      "BEGIN SELECT RAISE(FAIL, 'not this one'); END");
    start(b, 8, 3);
    expect_batch(b, SQLITE_CONSTRAINT_TRIGGER, 3);
    expect_rows(b, 3);
}

static void a_function_that_refuses_is_a_bad_row(void *data)
{
    struct batch_fixture *b = data;

    b->batch.keep_good = true;
    b->batch.sql = "INSERT INTO t VALUES (?1, json(?2))";
    spoil(b, 0);
    b->values[3] = asq_text_n("a\0b", 3); /* not even bound */
    start(b, 4, 0);
    expect_batch(b, 0, 4);
    CHECK_INT(b->batch.failed, 2);
    CHECK_INT(b->errors[0].code, SQLITE_ERROR);
    CHECK_CONTAINS(b->errors[0].message, "malformed JSON");
    CHECK_INT(b->errors[1].code, SQLITE_MISMATCH);
    expect_rows(b, 2);
}

static int limit_length(struct asq_db *db, struct asq_request *request)
{
    (void)request; /* the limit is the connection's */
    (void)sqlite3_limit(asq_db_handle(db), SQLITE_LIMIT_LENGTH, 500);
    return 0;
}

static void a_value_that_is_too_big_is_a_bad_row(void *data)
{
    static const char big[600];
    struct batch_fixture *b = data;

    call_now(&b->conn, limit_length);
    b->batch.keep_good = true;
    b->values[3] = asq_blob(big, sizeof big);
    start(b, 3, 0);
    expect_batch(b, 0, 3);
    CHECK_INT(b->batch.failed, 1);
    CHECK_INT(b->errors[0].code, SQLITE_TOOBIG);
    expect_rows(b, 2);
}

/* SQLite itself has undone the chunk: rows 4 and 5 are gone with row 6, and
 * what comes after must not run outside of a transaction. */
static void an_automatic_rollback_is_noticed(void *data)
{
    struct batch_fixture *b = data;

    b->batch.keep_good = true;
    b->batch.sql = "INSERT OR ROLLBACK INTO t VALUES (?1, ?2)";
    b->values[2 * 6] = asq_int64(5);
    start(b, 12, 4);
    expect_batch(b, SQLITE_CONSTRAINT_PRIMARYKEY, 4);
    CHECK_INT(b->batch.stopped_at, 6);
    CHECK_INT(b->batch.failed, 0);
    expect_rows(b, 4);
}

static void a_trigger_that_rolls_back_is_noticed(void *data)
{
    struct batch_fixture *b = data;

    run_now(&b->conn, "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.id = 2 "
                      "BEGIN SELECT RAISE(ROLLBACK, 'not two'); END");
    b->batch.keep_good = true;
    start(b, 6, 0);
    expect_batch(b, SQLITE_CONSTRAINT_TRIGGER, 0);
    CHECK_CONTAINS(b->batch.request.message, "not two");
    expect_rows(b, 0);
}

static void a_commit_that_fails_undoes_its_chunk(void *data)
{
    struct batch_fixture *b = data;

    run_now(&b->conn, "CREATE TABLE parts (id INTEGER PRIMARY KEY, whole "
                      "REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)");
    b->batch.keep_good = true;
    b->batch.sql = "INSERT INTO parts SELECT ?1, iif(?1 = 3, 99, NULL)"
                   " WHERE ?2 IS NOT NULL";
    start(b, 6, 2);
    expect_batch(b, SQLITE_CONSTRAINT_FOREIGNKEY, 2);
    CHECK_INT(b->batch.stopped_at, 4); /* the end of its chunk */
    CHECK_INT(b->batch.request.outcome_unknown, 0);
    CHECK_INT(ask_number(&b->conn, "SELECT count(*) FROM parts"), 2);
    expect_rows(b, 0);
}

/* Cancel, deadline, close */

static void cancel_in_chunk(struct batch_fixture *b)
{
    if (b->chunks == 2)
        asq_batch_cancel(&b->batch);
}

static void cancelled_between_two_chunks(void *data)
{
    struct batch_fixture *b = data;

    b->in_chunk = cancel_in_chunk;
    start(b, 9, 3);
    expect_batch(b, UV_ECANCELED, 6);
    CHECK_INT(b->batch.stopped_at, 6);
    expect_rows(b, 6);
    run_now(&b->conn, "DELETE FROM t");
    start(b, 6, 3); /* too late: everything is settled */
    expect_batch(b, 0, 6);
}

static void cancelled_before_it_ran(void *data)
{
    struct batch_fixture *b = data;

    hold_worker(&b->ask);
    start(b, 4, 0);
    asq_batch_cancel(&b->batch);
    let_go(&b->conn);
    expect_batch(b, UV_ECANCELED, 0);
    expect_rows(b, 0);
}

/* The worker stands in row 5, the second row of the second chunk. */
static void stand_in_row_5(struct batch_fixture *b)
{
    b->batch.sql = "INSERT INTO t VALUES (?1, coalesce(stand(?1), ?2))";
    b->stand_at = 5;
    start(b, 12, 4);
    while (b->chunks == 0)
        (void)uv_run(&b->conn.loop, UV_RUN_ONCE);
    uv_sem_wait(&b->conn.reached);
}

static void cancelled_inside_a_chunk(void *data)
{
    struct batch_fixture *b = data;

    stand_in_row_5(b);
    asq_batch_cancel(&b->batch);
    let_go(&b->conn);
    expect_batch(b, SQLITE_INTERRUPT, 4);
    CHECK_RANGE(b->batch.stopped_at, 5, 6);
    expect_rows(b, 4);
}

static void the_deadline_passes_inside_a_chunk(void *data)
{
    struct batch_fixture *b = data;

    b->batch.timeout_ms = 60000;
    stand_in_row_5(b);
    b->batch.request.deadline_ns = 1;
    let_go(&b->conn);
    expect_batch(b, UV_ETIMEDOUT, 4);
    CHECK_INT(b->batch.stopped_at, 6);
    expect_rows(b, 4);
}

static void let_pass(struct batch_fixture *b)
{
    b->batch.deadline_ns = 1;
}

static void the_deadline_passes_between_two_chunks(void *data)
{
    struct batch_fixture *b = data;

    b->batch.timeout_ms = 60000;
    b->in_chunk = let_pass;
    start(b, 4, 2);
    expect_batch(b, UV_ETIMEDOUT, 2);
    expect_rows(b, 2);
}

static void the_deadline_passes_in_a_row(void *data)
{
    struct batch_fixture *b = data;

    b->batch.sql = "INSERT INTO t VALUES (?1, ?2 || (" ENDLESS "))";
    b->batch.timeout_ms = 1;
    b->batch.keep_good = true;
    start(b, 4, 1);
    expect_batch(b, UV_ETIMEDOUT, 0);
    expect_rows(b, 0);
}

static void the_deadline_covers_the_wait_for_a_lock(void *data)
{
    struct batch_fixture *b = data;
    sqlite3 *other = raw_open(b->conn.profile.path);

    raw_do(other, "BEGIN IMMEDIATE");
    b->batch.timeout_ms = 1;
    start(b, 4, 1);
    expect_batch(b, UV_ETIMEDOUT, 0);
    raw_do(other, "COMMIT");
    raw_close(other);
    expect_rows(b, 0);
}

static void close_lets_the_chunk_finish(void *data)
{
    struct batch_fixture *b = data;

    stand_in_row_5(b);
    start_close(&b->conn);
    let_go(&b->conn);
    expect_batch(b, UV_ESHUTDOWN, 8);
    close_conn(&b->conn);
    expect_rows(b, 8);
}

static void close_drops_a_chunk_that_waits(void *data)
{
    struct batch_fixture *b = data;

    hold_worker(&b->ask);
    start(b, 4, 0);
    start_close(&b->conn);
    let_go(&b->conn);
    expect_batch(b, UV_ECANCELED, 0);
    close_conn(&b->conn);
    expect_rows(b, 0);
}

static void close_in_chunk(struct batch_fixture *b)
{
    start_close(&b->conn);
}

static void on_chunk_may_close(void *data)
{
    struct batch_fixture *b = data;

    b->in_chunk = close_in_chunk;
    start(b, 4, 2);
    expect_batch(b, UV_ESHUTDOWN, 2);
    close_conn(&b->conn);
    expect_rows(b, 2);
}

/* Its memory */

static void start_again(struct asq_batch *batch, int status)
{
    struct batch_fixture *b = batch->data;

    CHECK_INT(status, 0);
    batch->values += 2 * batch->rows;
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, on_batch), 0);
    CHECK_INT(b->done, 0);
}

static void it_may_be_started_again_when_done(void *data)
{
    struct batch_fixture *b = data;

    b->batch.rows = 3;
    CHECK_INT(asq_batch_start(&b->batch, &b->conn.conn, start_again), 0);
    expect_batch(b, 0, 3);
    expect_rows(b, 6);
}

static void free_batch(struct asq_batch *batch, int status)
{
    struct batch_fixture *b = batch->data;

    b->done = 1;
    b->status = status;
    asq_batch_destroy(batch);
    free(batch);
}

static void it_may_be_freed_when_done(void *data)
{
    struct batch_fixture *b = data;
    struct asq_batch *batch = malloc(sizeof *batch);

    CHECK(batch != NULL);
    asq_batch_init(batch);
    asq_batch_destroy(batch);
    asq_batch_destroy(NULL);
    batch->data = b;
    batch->sql = INSERT;
    batch->values = b->values;
    batch->columns = 2;
    batch->rows = 5;
    batch->chunk = 2;
    CHECK_INT(asq_batch_start(batch, &b->conn.conn, free_batch), 0);
    test_run_until(&b->conn.loop, &b->done);
    CHECK_INT(b->status, 0);
    expect_rows(b, 5);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }

static const struct test_case cases[] = {
    CASE(one_hop_one_transaction_prepared_once),
    CASE(the_second_batch_prepares_nothing),
    CASE(missing_data_is_an_empty_object),
    CASE(an_update_counts_what_changed),
    CASE(no_rows_are_answered_too),
    CASE(what_cannot_start_is_refused),
    CASE(wrong_sql_is_no_fault_of_a_row),
    CASE(the_transaction_of_somebody_else_is_left_alone),
    CASE(others_get_in_between_two_chunks),
    CASE(what_on_chunk_submits_comes_before_the_next),
    CASE(a_full_queue_ends_it),
    CASE(all_or_nothing),
    CASE(chunks_before_the_bad_row_stay),
    CASE(good_rows_are_kept_and_bad_ones_reported),
    CASE(what_a_bad_row_has_done_is_undone),
    CASE(without_keep_good_it_ends_the_batch),
    CASE(a_function_that_refuses_is_a_bad_row),
    CASE(a_value_that_is_too_big_is_a_bad_row),
    CASE(an_automatic_rollback_is_noticed),
    CASE(a_trigger_that_rolls_back_is_noticed),
    CASE(a_commit_that_fails_undoes_its_chunk),
    CASE(cancelled_between_two_chunks),
    CASE(cancelled_before_it_ran),
    CASE(cancelled_inside_a_chunk),
    CASE(the_deadline_passes_inside_a_chunk),
    CASE(the_deadline_passes_between_two_chunks),
    CASE(the_deadline_passes_in_a_row),
    CASE(the_deadline_covers_the_wait_for_a_lock),
    CASE(close_lets_the_chunk_finish),
    CASE(close_drops_a_chunk_that_waits),
    CASE(on_chunk_may_close),
    CASE(it_may_be_started_again_when_done),
    CASE(it_may_be_freed_when_done),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "batch",
                                      .cases = cases,
                                      .fixture_size =
                                          sizeof(struct batch_fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
