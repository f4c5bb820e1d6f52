/* shutdown_fixture - several connections, what is asked of them, and their end
 *
 * Every answer is checked for what holds for all of them: it comes once, on an
 * open connection whose data is still its owner's, and before on_down.
 */
#ifndef TESTS_SHUTDOWN_FIXTURE_H
#define TESTS_SHUTDOWN_FIXTURE_H

#include "01-blocking/stmt.h"
#include "09-lifetimes/shutdown.h"
#include "grader/raw_db.h"
#include "grader/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A query that never ends. */
#define ENDLESS                                                                \
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "         \
    "SELECT count(*) FROM n"

enum {
    CONNS = 4
};

struct fixture {
    uv_loop_t loop;
    struct asq_conn conns[CONNS];
    struct asq_shutdown_part parts[CONNS];
    int count;
    struct asq_shutdown shutdown;
    unsigned opened, asked, answers;
    int down;
    uv_sem_t reached, gate;
    const struct asq_request *marked; /* set before it is submitted */
    bool shared_tx; /* what is left open stays open until the close */
};

/* A request and what became of it. */
struct ask {
    struct asq_request request;
    struct fixture *fixture;
    int done;
    int status;
    void (*then)(struct ask *ask); /* in the callback, or NULL */
};

static inline void set_up(void *data)
{
    struct fixture *f = data;

    CHECK_INT(uv_loop_init(&f->loop), 0);
    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    asq_shutdown_init(&f->shutdown);
    f->shutdown.data = f;
    f->shutdown.drain_ms = 1000000; /* only what a test does ends it */
}

static inline void tear_down(void *data)
{
    struct fixture *f = data;

    test_close_loop(&f->loop);
    CHECK_INT(f->down, 1);
    uv_sem_destroy(&f->reached);
    uv_sem_destroy(&f->gate);
}

/* Says that the marked request has started. */
static inline void observe(struct asq_conn *conn,
                           const struct asq_request *request,
                           enum asq_event event)
{
    struct fixture *f = conn->data;

    if (event == ASQ_EVENT_START && request == f->marked)
        uv_sem_post(&f->reached);
}

static inline void on_open(struct asq_conn *conn, int status)
{
    struct fixture *f = conn->data;

    (void)status; /* conn->message says it; not all of them can open */
    CHECK_INT(f->down, 0);
    f->opened++;
}

/* Opens the next connection, which will be closed by the shutdown. */
static inline void add_profile(struct fixture *f,
                               const struct asq_profile *profile,
                               bool checkpoint)
{
    struct asq_conn *conn = &f->conns[f->count];
    struct asq_shutdown_part *part = &f->parts[f->count++];

    asq_conn_init(conn);
    conn->data = f;
    conn->observe = observe;
    conn->shared_tx = f->shared_tx;
    CHECK_INT(asq_conn_open(conn, &f->loop, profile, on_open), 0);
    *part = (struct asq_shutdown_part){
        .name = "part", .conn = conn, .checkpoint = checkpoint};
    asq_shutdown_add(&f->shutdown, part);
}

/* It would wait for a lock for a quarter of an hour. */
static inline void add_with_vfs(struct fixture *f,
                                const char *path,
                                const char *vfs,
                                bool checkpoint)
{
    struct asq_profile profile = asq_profile_default(path);

    profile.vfs = vfs;
    profile.busy_ms = 1000000;
    add_profile(f, &profile, checkpoint);
}

static inline void
add_conn(struct fixture *f, const char *path, bool checkpoint)
{
    add_with_vfs(f, path, NULL, checkpoint);
}

static inline void on_answer(struct asq_request *request, int status)
{
    struct ask *ask = request->data;
    struct fixture *f = ask->fixture;

    CHECK_INT(f->down, 0);
    CHECK_INT(ask->done, 0);
    for (int i = 0; i < f->count; i++)
        CHECK(f->conns[i].data == f);
    ask->done = 1;
    ask->status = status;
    f->answers++;
    if (ask->then != NULL)
        ask->then(ask);
}

static inline void ask_init(struct fixture *f, struct ask *ask)
{
    *ask = (struct ask){.fixture = f};
    asq_request_init(&ask->request);
    ask->request.data = ask;
}

static inline int try_sql(struct ask *ask, int conn, const char *sql)
{
    struct fixture *f = ask->fixture;
    int rc = asq_conn_run(&f->conns[conn], &ask->request, sql, NULL, on_answer);

    if (rc == 0) {
        ask->done = 0;
        f->asked++;
    }
    return rc;
}

static inline void ask_sql(struct ask *ask, int conn, const char *sql)
{
    CHECK_INT(try_sql(ask, conn, sql), 0);
}

static inline void ask_call(struct ask *ask, int conn, asq_call_cb call)
{
    struct fixture *f = ask->fixture;

    CHECK_INT(asq_conn_call(&f->conns[conn], &ask->request, call, on_answer),
              0);
    ask->done = 0;
    f->asked++;
}

static inline void expect(struct ask *ask, int status)
{
    test_run_until(&ask->fixture->loop, &ask->done);
    if (ask->status != status)
        FAIL("status %d instead of %d: %s", ask->status, status,
             ask->request.message);
    asq_request_destroy(&ask->request);
}

static inline void run_now(struct fixture *f, int conn, const char *sql)
{
    struct ask ask;

    ask_init(f, &ask);
    ask_sql(&ask, conn, sql);
    expect(&ask, 0);
}

static inline void call_now(struct fixture *f, int conn, asq_call_cb call)
{
    struct ask ask;

    ask_init(f, &ask);
    ask_call(&ask, conn, call);
    expect(&ask, 0);
}

static inline int stand_at_gate(struct asq_db *db, struct asq_request *request)
{
    struct ask *ask = request->data;

    (void)db; /* only time is needed */
    uv_sem_post(&ask->fixture->reached);
    uv_sem_wait(&ask->fixture->gate);
    return 0;
}

static inline void hold_worker(struct ask *ask, int conn)
{
    ask_call(ask, conn, stand_at_gate);
    uv_sem_wait(&ask->fixture->reached);
}

/* The end */

static inline void on_down(struct asq_shutdown *shutdown)
{
    struct fixture *f = shutdown->data;

    CHECK_INT(f->down, 0);
    CHECK_INT(f->opened, f->count);
    CHECK_INT(f->answers, f->asked);
    CHECK_INT(shutdown->state, ASQ_DOWN);
    for (int i = 0; i < f->count; i++) {
        CHECK_INT(f->conns[i].pending, 0);
        CHECK(f->conns[i].data == f);
    }
    f->down = 1;
}

static inline void start(struct fixture *f)
{
    CHECK_INT(asq_shutdown_start(&f->shutdown, &f->loop, on_down), 0);
    CHECK_INT(f->down, 0);
}

static inline void wait_for_state(struct fixture *f,
                                  enum asq_shutdown_state state)
{
    while (f->shutdown.state < state)
        CHECK(uv_run(&f->loop, UV_RUN_ONCE) != 0);
    CHECK_INT(f->shutdown.state, state);
}

static inline void wait_down(struct fixture *f)
{
    test_run_until(&f->loop, &f->down);
}

static inline void shut_down(struct fixture *f)
{
    start(f);
    wait_down(f);
}

static inline void check_report(const struct asq_shutdown_part *part,
                                const char *expected)
{
    char text[200];

    CHECK_INT(asq_shutdown_report(part, text, sizeof text),
              expected[0] != '\0');
    CHECK_TEXT(text, expected);
}

/* In bytes; 0 if it is not there. */
static inline int64_t wal_size(const char *path)
{
    char name[1100];
    struct stat there;

    (void)snprintf(name, sizeof name, "%s-wal", path);
    return stat(name, &there) == 0 ? (int64_t)there.st_size : 0;
}

#endif
