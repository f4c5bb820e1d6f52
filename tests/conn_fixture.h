/* conn_fixture - a connection and what is asked of it
 *
 * Every answer is checked for what holds for all of them: it comes once, on
 * the loop thread, outside of submit, and has a message of one line exactly
 * when it has a status.
 *
 * The worker is kept busy by a call that stands at `gate` (hold_worker); what
 * is submitted meanwhile is taken as one batch once let_go has been called.
 *
 * With FIXTURE_STORE the connection is a store, which keeps the contract of a
 * conn: the same tests hold for it.
 */
#ifndef TESTS_CONN_FIXTURE_H
#define TESTS_CONN_FIXTURE_H

#include "01-blocking/stmt.h"
#include "03-event-loop/conn.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <string.h>

#ifdef FIXTURE_STORE
#include "13-group-commit/store.h"
#endif

/* A query that never ends. */
#define ENDLESS                                                                \
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "         \
    "SELECT count(*) FROM n"

/* The same, once it has stood at the gate (see add_stand_inside). */
#define ENDLESS_STAND                                                          \
    "WITH RECURSIVE n(x) AS (SELECT stand() UNION ALL SELECT x + 1 FROM n) "   \
    "SELECT count(*) FROM n"

/* A query that gives the watch reason to be asked, and ends. */
#define LONG                                                                   \
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "          \
    "WHERE x < 2000) SELECT count(*) FROM n"

struct fixture {
    uv_loop_t loop;
    struct asq_profile profile;
#ifdef FIXTURE_STORE
    union {
        struct asq_conn conn; /* of the store */
        struct asq_store store;
    };
#else
    struct asq_conn conn;
#endif
    uv_thread_t loop_thread;
    bool submitting;
    bool close_called;
    int opened, open_status;
    int closed;
    unsigned answers; /* so far */
    uv_sem_t reached, gate;
    struct asq_request *marked; /* stands at the gate when it starts */
    char trace[4096]; /* first words of what SQLite ran; worker thread only */
};

/* A request and what became of it. */
struct ask {
    struct asq_request request;
    struct fixture *fixture;
    int done;
    int status;
    unsigned calls;
    unsigned order;                /* answers that came before */
    void (*then)(struct ask *ask); /* in the callback, or NULL */
};

/* Opening and closing */

static inline void on_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->loop_thread));
    CHECK(!f->submitting);
    CHECK(!f->closed);
    CHECK_INT(f->opened, 0);
    f->opened++;
    f->open_status = status;
}

static inline void on_closed(struct asq_conn *conn)
{
    struct fixture *f = conn->data;

    CHECK_INT(conn->pending, 0);
    CHECK_INT(f->opened, 1);
    f->closed++;
}

static inline void init_connection(struct fixture *f)
{
#ifdef FIXTURE_STORE
    asq_store_init(&f->store);
#else
    asq_conn_init(&f->conn);
#endif
    f->conn.data = f;
}

/* Everything but opening: a test may change the profile before. */
static inline void conn_set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    f->loop_thread = uv_thread_self();
    f->profile = asq_profile_default(test_path("a.db"));
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(uv_loop_init(&f->loop), 0);
    init_connection(f);
}

static inline void start_open(struct fixture *f)
{
    f->submitting = true;
    CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open), 0);
    f->submitting = false;
}

static inline void open_conn(struct fixture *f)
{
    start_open(f);
    test_run_until(&f->loop, &f->opened);
    if (f->open_status != 0)
        FAIL("%d: %s", f->open_status, f->conn.message);
}

static inline void start_close(struct fixture *f)
{
    f->close_called = true;
    f->submitting = true;
    asq_conn_close(&f->conn, on_closed);
    f->submitting = false;
}

static inline void close_conn(struct fixture *f)
{
    if (!f->close_called)
        start_close(f);
    test_run_until(&f->loop, &f->closed);
}

/* To open the same memory again. */
static inline void init_again(struct fixture *f)
{
    CHECK(f->closed);
    f->opened = 0;
    f->closed = 0;
    f->close_called = false;
    init_connection(f);
}

/* Opens it anew as one on which a transaction stays open for everybody. */
static inline void share_tx(struct fixture *f)
{
    close_conn(f);
    init_again(f);
    f->conn.shared_tx = true;
    open_conn(f);
}

static inline void conn_tear_down(void *data)
{
    struct fixture *f = data;

    if (f->opened > 0)
        close_conn(f);
    test_close_loop(&f->loop);
    CHECK(f->closed <= 1);
    uv_sem_destroy(&f->gate);
    uv_sem_destroy(&f->reached);
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
    for (size_t i = 0; i < n; i++)
        ask_init(f, &asks[i]);
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
    ask->calls++;
    ask->done = 1;
    ask->status = status;
    ask->order = f->answers++;
    if (ask->then != NULL)
        ask->then(ask);
}

static inline int try_sql(struct ask *ask, const char *sql)
{
    struct fixture *f = ask->fixture;
    int rc;

    f->submitting = true;
    rc = asq_conn_run(&f->conn, &ask->request, sql, NULL, on_answer);
    f->submitting = false;
    if (rc == 0)
        ask->done = 0;
    return rc;
}

static inline void ask_sql(struct ask *ask, const char *sql)
{
    CHECK_INT(try_sql(ask, sql), 0);
}

static inline void ask_call(struct ask *ask, asq_call_cb call)
{
    struct fixture *f = ask->fixture;

    f->submitting = true;
    CHECK_INT(asq_conn_call(&f->conn, &ask->request, call, on_answer), 0);
    f->submitting = false;
    ask->done = 0;
}

static inline void wait_for(struct ask *ask)
{
    test_run_until(&ask->fixture->loop, &ask->done);
}

static inline void expect(struct ask *ask, int status)
{
    wait_for(ask);
    if (ask->status != status)
        FAIL("status %d instead of %d: %s", ask->status, status,
             ask->request.message);
}

/* The first cell of the answer. */
static inline int64_t number_of(const struct ask *ask)
{
    struct asq_value value = asq_result_at(&ask->request.result, 0, 0);

    CHECK_INT(value.type, ASQ_INT64);
    return value.as.int64;
}

/* Asks and waits for the answer, which must be a success. */
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

/* The gate */

static inline int stand_at_gate(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    (void)db; /* only time is needed */
    uv_sem_post(&ask->fixture->reached);
    uv_sem_wait(&ask->fixture->gate);
    return 0;
}

static inline void hold_worker(struct ask *ask)
{
    ask_call(ask, stand_at_gate);
    uv_sem_wait(&ask->fixture->reached);
}

/* An observer. A request is marked while the worker is held. */
static inline void stand_if_marked(struct asq_conn *conn,
                                   const struct asq_request *request,
                                   enum asq_event event)
{
    struct fixture *f = conn->data;

    if (event == ASQ_EVENT_START && request == f->marked) {
        uv_sem_post(&f->reached);
        uv_sem_wait(&f->gate);
    }
}

/* Makes the SQL function stand(), which stands at the gate: the statement that
 * calls it is under way then. */
static inline void
stand_inside(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count; /* there are no values */
    (void)values;
    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
    sqlite3_result_int(context, 1);
}

static inline int add_stand_inside(struct asq_db *db,
                                   struct asq_request *request)
{
    struct ask *ask = request->data;

    return sqlite3_create_function(asq_db_handle(db), "stand", 0, SQLITE_UTF8,
                                   ask->fixture, stand_inside, NULL, NULL);
}

static inline void let_go(struct fixture *f)
{
    uv_sem_post(&f->gate);
}

#endif
