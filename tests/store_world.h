/* store_world - a store on the slow disk, and what is asked of it
 *
 * Every answer is checked for what holds for all of them: it comes once, on the
 * loop thread, outside of submit, has a message of one line exactly when it has
 * a status, and the observer has seen as many ends as the contract says.
 *
 * The worker is kept busy by a call that stands at `gate` (hold_worker). What
 * is submitted meanwhile is taken as one batch once let_go has been called. The
 * SQL function stand() stands there, too; fault() lets the next read fail.
 */
#ifndef TESTS_STORE_WORLD_H
#define TESTS_STORE_WORLD_H

#include "01-blocking/stmt.h"
#include "13-group-commit/store.h"
#include "common/slow_disk.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <string.h>

/* Each request that succeeds leaves a row, which says what it saw. */
#define TABLES                                                                 \
    "CREATE TABLE t (id INTEGER PRIMARY KEY, seen INTEGER CHECK (seen >= 0), " \
    "b BLOB);"                                                                 \
    "CREATE TABLE child (p REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED);"  \
    "CREATE TABLE bad (n);"                                                    \
    "CREATE TRIGGER no BEFORE INSERT ON bad BEGIN "                            \
    "SELECT RAISE(ROLLBACK, 'not here'); END;"

enum {
    GROUP = 8
};

struct fixture {
    uv_loop_t loop;
    struct asq_profile profile;
    struct asq_store store;
    uv_thread_t loop_thread;
    bool submitting, close_called;
    int opened, open_status, closed;
    unsigned answers; /* so far */
    uv_sem_t reached, gate;
    int told, told_status; /* by on_wal */
    size_t told_pages;
    sqlite3_blob *blob; /* that a function has left open; worker thread */
    struct asq_request *marked; /* tells `reached` when it starts */
};

/* A request and what became of it. */
struct ask {
    struct asq_request request;
    struct fixture *fixture;
    int done;
    int status;
    unsigned calls;
    unsigned order;        /* answers that came before */
    unsigned starts, ends; /* that the observer saw; the worker's until done */
    int64_t id;            /* of the row that it writes */
    struct asq_value values[2];
    void (*then)(struct ask *ask); /* in the callback, or NULL */
};

/* On the worker */

static inline void note_request(struct asq_conn *conn,
                                const struct asq_request *request,
                                enum asq_event event)
{
    struct fixture *f = conn->data;
    struct ask *ask = request->data;

    if (request == &f->store.gap)
        return;
    CHECK(request->started_ns != 0);
    if (event == ASQ_EVENT_START) {
        ask->starts++;
        if (request == f->marked)
            uv_sem_post(&f->reached);
    } else {
        ask->ends++;
        CHECK(request->ended_ns >= request->started_ns);
    }
}

static inline void
stand(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count; /* there are no values */
    (void)values;
    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
    sqlite3_result_int(context, 1);
}

static inline void
set_fault(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count; /* there are no values */
    (void)values;
    asq_slow_disk_fail(ASQ_DISK_READ, 1, SQLITE_IOERR_READ, 0);
    sqlite3_result_int(context, 1);
}

static inline int add_functions(struct asq_db *db, void *data)
{
    sqlite3 *handle = asq_db_handle(db);

    CHECK_INT(sqlite3_create_function(handle, "stand", 0, SQLITE_UTF8, data,
                                      stand, NULL, NULL),
              0);
    CHECK_INT(sqlite3_create_function(handle, "fault", 0, SQLITE_UTF8, NULL,
                                      set_fault, NULL, NULL),
              0);
    return 0;
}

/* Opening and closing */

static inline void on_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->loop_thread));
    CHECK(!f->submitting);
    CHECK_INT(f->opened, 0);
    f->opened++;
    f->open_status = status;
}

static inline void on_closed(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    CHECK_INT(conn->pending, 0);
    f->closed++;
}

static inline void on_wal(struct asq_store *store, int status, size_t pages)
{
    struct fixture *f = store->conn.data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->loop_thread));
    CHECK(!f->submitting);
    f->told++;
    f->told_status = status;
    f->told_pages = pages;
}

static inline void init_store(struct fixture *f)
{
    f->opened = f->closed = 0;
    f->close_called = false;
    asq_store_init(&f->store);
    f->store.conn.data = f;
    f->store.conn.observe = note_request;
    f->store.on_wal = on_wal;
    f->store.group_us = 1000000000; /* no test depends on time */
}

/* Everything but opening: a test may change the profile before. */
static inline void store_prepare(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    f->loop_thread = uv_thread_self();
    CHECK_INT(asq_slow_disk_register(), 0);
    f->profile = asq_profile_default(test_path("a.db"));
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.synchronous = 2;
    f->profile.on_open_db = add_functions;
    f->profile.on_open_data = f;
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(uv_loop_init(&f->loop), 0);
    init_store(f);
}

static inline void open_store(struct fixture *f)
{
    f->submitting = true;
    CHECK_INT(asq_conn_open(&f->store.conn, &f->loop, &f->profile, on_open), 0);
    f->submitting = false;
    test_run_until(&f->loop, &f->opened);
    if (f->open_status != 0)
        FAIL("%d: %s", f->open_status, f->store.conn.message);
}

static inline void start_close(struct fixture *f)
{
    f->close_called = true;
    f->submitting = true;
    asq_conn_close(&f->store.conn, on_closed);
    f->submitting = false;
}

static inline void close_store(struct fixture *f)
{
    if (!f->close_called)
        start_close(f);
    test_run_until(&f->loop, &f->closed);
}

static inline void open_again(struct fixture *f)
{
    close_store(f);
    init_store(f);
    open_store(f);
}

/* The tables, and a store that is open. */
static inline void store_set_up(void *data)
{
    struct fixture *f = data;

    store_prepare(f);
    raw_run(f->profile.path, "PRAGMA journal_mode = WAL;" TABLES);
    open_store(f);
}

static inline void store_tear_down(void *data)
{
    struct fixture *f = data;

    if (f->opened > 0)
        close_store(f);
    test_close_loop(&f->loop);
    CHECK(f->closed <= 1);
    uv_sem_destroy(&f->gate);
    uv_sem_destroy(&f->reached);
    asq_slow_disk_reset();
}

/* Requests */

static inline void ask_init(struct fixture *f, struct ask *ask)
{
    *ask = (struct ask){.fixture = f};
    asq_request_init(&ask->request);
    ask->request.data = ask;
}

static inline void ask_init_all(struct fixture *f, struct ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ask_init(f, &asks[i]);
        asks[i].id = (int64_t)i;
    }
}

static inline void ask_destroy_all(struct ask *asks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        asq_request_destroy(&asks[i].request);
}

static inline void on_answer(struct asq_request *request, int status)
{
    struct ask *ask = request->data;
    struct fixture *f = ask->fixture;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->loop_thread));
    CHECK(!f->submitting);
    CHECK(!f->closed);
    CHECK_INT(status != 0, request->message[0] != '\0');
    CHECK(strchr(request->message, '\n') == NULL);
    CHECK_INT(status == UV_ETIMEDOUT, request->timed_out_in != ASQ_PLACE_NONE);
    CHECK(request->ended_ns >= request->started_ns);
    CHECK_RANGE(ask->starts, 0, 2);
    CHECK_INT(ask->ends, ask->starts > 0);
    ask->calls++;
    ask->done = 1;
    ask->status = status;
    ask->order = f->answers++;
    if (ask->then != NULL)
        ask->then(ask);
}

static inline void begin_ask(struct ask *ask)
{
    ask->fixture->submitting = true;
    ask->done = 0;
    ask->starts = ask->ends = 0;
}

static inline int end_ask(struct ask *ask, int rc)
{
    ask->fixture->submitting = false;
    return rc;
}

static inline int try_sql(struct ask *ask, const char *sql)
{
    struct asq_params params = {.values = ask->values,
                                .count = ask->values[0].type == ASQ_NULL   ? 0
                                         : ask->values[1].type == ASQ_NULL ? 1
                                                                           : 2};

    begin_ask(ask);
    return end_ask(ask, asq_conn_run(&ask->fixture->store.conn, &ask->request,
                                     sql, &params, on_answer));
}

static inline void ask_sql(struct ask *ask, const char *sql)
{
    CHECK_INT(try_sql(ask, sql), 0);
}

static inline void ask_call(struct ask *ask, asq_call_cb call)
{
    begin_ask(ask);
    CHECK_INT(end_ask(ask, asq_conn_call(&ask->fixture->store.conn,
                                         &ask->request, call, on_answer)),
              0);
}

static inline void ask_script(struct ask *ask, const char *sql)
{
    begin_ask(ask);
    CHECK_INT(end_ask(ask, asq_conn_script(&ask->fixture->store.conn,
                                           &ask->request, sql, on_answer)),
              0);
}

/* Asks for a row that says how many there were before. */
#define INSERT                                                                 \
    "INSERT INTO t (id, seen) SELECT ?1, count(*) FROM t RETURNING seen"

static inline void ask_insert(struct ask *ask)
{
    ask->values[0] = asq_int64(ask->id);
    ask_sql(ask, INSERT);
}

static inline void wait_for(struct ask *ask)
{
    test_run_until(&ask->fixture->loop, &ask->done);
}

static inline void expect(struct ask *ask, int status)
{
    wait_for(ask);
    if (ask->status != status)
        FAIL("request %d: status %d instead of %d: %s", (int)ask->id,
             ask->status, status, ask->request.message);
}

static inline int64_t number_of(const struct ask *ask)
{
    struct asq_value value = asq_result_at(&ask->request.result, 0, 0);

    CHECK_INT(value.type, ASQ_INT64);
    return value.as.int64;
}

static inline void run_now(struct fixture *f, const char *sql)
{
    struct ask ask;

    ask_init(f, &ask);
    ask_sql(&ask, sql);
    expect(&ask, 0);
    asq_request_destroy(&ask.request);
}

static inline void call_now(struct fixture *f, asq_call_cb call)
{
    struct ask ask;

    ask_init(f, &ask);
    ask_call(&ask, call);
    expect(&ask, 0);
    asq_request_destroy(&ask.request);
}

static inline int64_t ask_number(struct fixture *f, const char *sql)
{
    struct ask ask;
    int64_t number;

    ask_init(f, &ask);
    ask_sql(&ask, sql);
    expect(&ask, 0);
    number = number_of(&ask);
    asq_request_destroy(&ask.request);
    return number;
}

/* What is in the file, for a connection of its own. */
static inline int64_t there(const struct fixture *f, const char *sql)
{
    return raw_number(f->profile.path, sql);
}

static inline struct asq_store_stats stats(const struct fixture *f)
{
    return asq_store_statistics(&f->store);
}

/* The gate */

static inline int stand_at_gate(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    (void)db; /* only time is needed */
    uv_sem_post(&ask->fixture->reached);
    uv_sem_wait(&ask->fixture->gate);
    return 0;
}

/* It begins a group of its own, which commits nothing. */
static inline void hold_worker(struct ask *ask)
{
    ask_call(ask, stand_at_gate);
    uv_sem_wait(&ask->fixture->reached);
}

static inline void let_go(struct fixture *f)
{
    uv_sem_post(&f->gate);
}

static inline void wait_at_gate(struct fixture *f)
{
    uv_sem_wait(&f->reached);
}

/* Turns the loop so often that whatever needs no other thread has happened. */
static inline void turn(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

#endif
