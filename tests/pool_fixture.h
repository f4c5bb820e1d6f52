/* pool_fixture - a pool, callers that borrow, and queries
 *
 * Time is the fixture's: it stands still until a test moves it. A statement
 * that calls stand() stops on its worker until the test opens the gate.
 */
#ifndef TESTS_POOL_FIXTURE_H
#define TESTS_POOL_FIXTURE_H

#include "10-pooling/pool.h"
#include "10-pooling/pool_report.h"
#include "common/elsewhere.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <string.h>

struct fixture {
    uv_loop_t loop;
    struct asq_profile profile;
    struct asq_pool pool;
    int closed;
    unsigned calls; /* of callbacks, so far */
    bool calling;   /* a function of the pool is being called */
    uv_sem_t reached, gate;
    char path[512];
};

/* A caller that wants a connection of its own. */
struct borrower {
    struct asq_loan loan;
    struct fixture *fixture;
    int done; /* calls of the callback */
    int status;
    unsigned order;                      /* callbacks that came before */
    void (*then)(struct borrower *self); /* in the callback, or NULL */
    struct asq_request request;
    int answered, answer; /* calls, status */
};

struct query {
    struct asq_request request;
    struct fixture *fixture;
    int done;
    int status;
    unsigned order;
};

static uint64_t clock_ns = 1000000000;

static inline uint64_t read_clock(void)
{
    return clock_ns;
}

static inline void move_clock(unsigned ms)
{
    clock_ns += ms * UINT64_C(1000000);
}

/* Turns the loop so often that whatever needs no other thread has happened. */
static inline void turn(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static inline void note_tick(uv_timer_t *timer)
{
    *(int *)timer->data += 1;
    uv_close((uv_handle_t *)timer, NULL);
}

/* Lets the pool's timer see where the clock stands: it looks every 10 ms while
 * somebody waits. */
static inline void let_it_look(struct fixture *f)
{
    uv_timer_t timer;
    int ticked = 0;

    CHECK_INT(uv_timer_init(&f->loop, &timer), 0);
    timer.data = &ticked;
    CHECK_INT(uv_timer_start(&timer, note_tick, 60, 0), 0);
    test_run_until(&f->loop, &ticked);
    turn(f);
}

static inline void stand(sqlite3_context *context, int count, sqlite3_value **v)
{
    struct fixture *f = sqlite3_user_data(context);

    (void)count;
    (void)v;
    uv_sem_post(&f->reached);
    uv_sem_wait(&f->gate);
    sqlite3_result_int(context, 1);
}

static inline int add_stand(struct asq_db *db, void *data)
{
    return sqlite3_create_function(asq_db_handle(db), "stand", 0, SQLITE_UTF8,
                                   data, stand, NULL, NULL);
}

static inline void pool_set_up(void *data)
{
    struct fixture *f = data;
    char message[256];

    CHECK_INT(uv_loop_init(&f->loop), 0);
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(asq_slow_disk_register(), 0);
    (void)snprintf(f->path, sizeof f->path, "%s", test_path("pool.db"));
    CHECK_INT(asq_ask_elsewhere(f->path,
                                "PRAGMA journal_mode = WAL;"
                                "CREATE TABLE t (a INTEGER) STRICT",
                                NULL, message, sizeof message),
              0);
    f->profile = asq_profile_default(f->path);
    f->profile.vfs = ASQ_SLOW_DISK;
    f->profile.on_open_db = add_stand;
    f->profile.on_open_data = f;
    asq_pool_init(&f->pool);
    f->pool.data = f;
    f->pool.now_ns = read_clock;
    f->pool.idle_ms = 0;
}

static inline void open_pool(struct fixture *f, unsigned limit)
{
    CHECK_INT(asq_pool_open(&f->pool, &f->loop, &f->profile, limit), 0);
}

static inline void note_pool_closed(struct asq_pool *pool)
{
    struct fixture *f = pool->data;

    CHECK(!f->calling);
    f->closed++;
}

static inline void close_pool(struct fixture *f)
{
    f->calling = true;
    asq_pool_close(&f->pool, note_pool_closed);
    f->calling = false;
}

static inline void pool_tear_down(void *data)
{
    struct fixture *f = data;

    if (f->closed == 0 && f->pool.must_close) {
        close_pool(f);
        test_run_until(&f->loop, &f->closed);
    }
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&f->loop), 0);
    uv_sem_destroy(&f->reached);
    uv_sem_destroy(&f->gate);
    asq_slow_disk_reset();
}

/* Borrowing */

static inline void take_loan(struct asq_loan *loan, int status)
{
    struct borrower *b = loan->data;

    CHECK(!b->fixture->calling);
    b->done++;
    b->status = status;
    b->order = b->fixture->calls++;
    CHECK((loan->conn != NULL) == (status == 0));
    CHECK((loan->message[0] != '\0') == (status != 0));
    if (b->then != NULL)
        b->then(b);
}

static inline void init(struct fixture *f, struct borrower *b, const char *who)
{
    memset(b, 0, sizeof *b);
    b->fixture = f;
    asq_loan_init(&b->loan);
    b->loan.data = b;
    b->loan.who = who;
    asq_request_init(&b->request);
    b->request.data = b;
}

static inline void acquire(struct borrower *b)
{
    b->done = 0;
    b->fixture->calling = true;
    CHECK_INT(asq_pool_acquire(&b->fixture->pool, &b->loan, take_loan), 0);
    b->fixture->calling = false;
}

static inline void expect_loan(struct borrower *b, int status)
{
    test_run_until(&b->fixture->loop, &b->done);
    CHECK_INT(b->done, 1);
    CHECK_INT(b->status, status);
}

static inline void
borrow(struct fixture *f, struct borrower *b, const char *who)
{
    init(f, b, who);
    acquire(b);
    expect_loan(b, 0);
}

static inline void release(struct borrower *b)
{
    b->fixture->calling = true;
    asq_loan_release(&b->loan);
    b->fixture->calling = false;
}

static inline void take_borrowed(struct asq_request *request, int status)
{
    struct borrower *b = request->data;

    b->answered++;
    b->answer = status;
}

/* Starts a statement on the borrowed connection. */
static inline void start_on(struct borrower *b, const char *sql)
{
    b->answered = 0;
    CHECK_INT(asq_conn_run(b->loan.conn, &b->request, sql, NULL, take_borrowed),
              0);
}

static inline void run_on(struct borrower *b, const char *sql)
{
    start_on(b, sql);
    test_run_until(&b->fixture->loop, &b->answered);
    CHECK_INT(b->answer, 0);
}

static inline int64_t number_on(struct borrower *b, const char *sql)
{
    run_on(b, sql);
    return asq_result_int64(&b->request.result, 0, "n");
}

static inline void end_borrower(struct borrower *b)
{
    release(b);
    asq_request_destroy(&b->request);
}

/* Running */

static inline void take_query(struct asq_request *request, int status)
{
    struct query *q = request->data;

    CHECK(!q->fixture->calling);
    q->done++;
    q->status = status;
    q->order = q->fixture->calls++;
}

static inline void
start_query(struct fixture *f, struct query *q, const char *sql)
{
    memset(q, 0, sizeof *q);
    q->fixture = f;
    asq_request_init(&q->request);
    q->request.data = q;
    f->calling = true;
    CHECK_INT(asq_pool_run(&f->pool, &q->request, sql, NULL, take_query), 0);
    f->calling = false;
}

static inline void expect_query(struct query *q, int status)
{
    test_run_until(&q->fixture->loop, &q->done);
    CHECK_INT(q->done, 1);
    CHECK_INT(q->status, status);
}

static inline void run_query(struct fixture *f, const char *sql, int status)
{
    struct query q;

    start_query(f, &q, sql);
    expect_query(&q, status);
    asq_request_destroy(&q.request);
}

static inline struct asq_pool_stats stats_of(const struct fixture *f)
{
    return asq_pool_statistics(&f->pool);
}

#endif
