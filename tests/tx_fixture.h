/* tx_fixture - transactions, their steps, and what became of both
 *
 * Every answer and every end is checked for what holds for all of them. When
 * a test is over, no transaction and no statement may be open any more.
 *
 * A step that is marked (mark) stands at the gate of conn_fixture when it
 * starts; a part that is marked, when its COMMIT or RELEASE does.
 */
#ifndef TESTS_TX_FIXTURE_H
#define TESTS_TX_FIXTURE_H

#include "07-transactions/tx.h"
#include "conn_trace.h"

#include <limits.h>

enum {
    STEPS = 12,
    PARTS = 3,
    AS_STATUS = INT_MIN /* a verdict: what the status is */
};

struct tx_fixture;

/* A transaction or a savepoint. */
struct part {
    struct asq_tx tx;
    struct tx_fixture *fixture;
    int ended; /* since the last expect_end */
    int status;
    unsigned order;                  /* ends that came before */
    void (*then)(struct part *part); /* at its end, or NULL */
};

struct step {
    struct asq_tx_step step;
    struct tx_fixture *fixture;
    int done;
    int status;
    int verdict; /* what its callback returns */
    unsigned calls;
    unsigned order;                  /* answers that came before */
    void (*then)(struct step *step); /* in its callback, or NULL */
};

/* Each of parts stands in the one before it; other is one of its own. */
struct tx_fixture {
    struct fixture f;
    struct part parts[PARTS];
    struct part other;
    struct step steps[STEPS];
    unsigned answers, ends;
    unsigned requests; /* that started; worker thread only */
};

static inline void observe_tx(struct asq_conn *conn,
                              const struct asq_request *request,
                              enum asq_event event)
{
    struct fixture *f = conn->data;
    struct tx_fixture *t = ASQ_CONTAINER_OF(f, struct tx_fixture, f);

    t->requests += event == ASQ_EVENT_START;
    stand_if_marked(conn, request, event);
}

static inline void check_loop_thread(const struct fixture *f)
{
    uv_thread_t self = uv_thread_self();

    CHECK(uv_thread_equal(&self, &f->loop_thread));
    CHECK(!f->submitting);
    CHECK(!f->closed);
}

static inline void on_end(struct asq_tx *tx, int status)
{
    struct part *part = tx->data;
    struct tx_fixture *t = part->fixture;

    check_loop_thread(&t->f);
    CHECK_INT(tx->state, ASQ_TX_CLOSED);
    CHECK_INT(status != 0, tx->message[0] != '\0');
    CHECK_INT(status == UV_ETIMEDOUT, tx->timed_out_in != ASQ_PLACE_NONE);
    part->ended++;
    part->status = status;
    part->order = t->ends++;
    if (part->then != NULL)
        part->then(part);
}

static inline int
on_step(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct step *s = ASQ_CONTAINER_OF(step, struct step, step);
    struct tx_fixture *t = s->fixture;
    int verdict = s->verdict == AS_STATUS ? status : s->verdict;

    check_loop_thread(&t->f);
    CHECK(tx->state == ASQ_TX_OPEN);
    CHECK_INT(status != 0, step->request.message[0] != '\0');
    CHECK(!step->request.pending);
    s->calls++;
    s->done = 1;
    s->status = status;
    s->order = t->answers++;
    if (s->then != NULL)
        s->then(s); /* s may be gone after this */
    return verdict;
}

static inline void init_part(struct tx_fixture *t, struct part *part)
{
    part->fixture = t;
    part->tx.data = part;
    part->tx.on_end = on_end;
}

static inline void init_step(struct tx_fixture *t, struct step *s)
{
    *s = (struct step){.fixture = t, .verdict = AS_STATUS};
    asq_tx_step_init(&s->step);
}

/* Everything but opening. */
static inline void tx_prepare(void *data)
{
    struct tx_fixture *t = data;

    conn_set_up(&t->f);
    t->f.conn.observe = observe_tx;
    for (int i = 0; i < PARTS; i++) {
        if (i == 0)
            asq_tx_init(&t->parts[i].tx, &t->f.conn);
        else
            asq_tx_init_inside(&t->parts[i].tx, &t->parts[i - 1].tx);
        init_part(t, &t->parts[i]);
    }
    asq_tx_init(&t->other.tx, &t->f.conn);
    init_part(t, &t->other);
    for (int i = 0; i < STEPS; i++)
        init_step(t, &t->steps[i]);
}

static inline void tx_set_up(void *data)
{
    struct tx_fixture *t = data;

    tx_prepare(t);
    open_conn(&t->f);
    run_now(&t->f, "CREATE TABLE t (n INTEGER PRIMARY KEY)");
}

static inline int nothing_is_open(struct asq_db *db,
                                  struct asq_request *request)
{
    (void)request; /* it only looks */
    CHECK(!asq_db_in_transaction(db));
    CHECK_INT(db->open_statements, 0);
    return 0;
}

/* Under a hold, because a store runs other functions in a transaction. */
static inline void check_nothing_is_open(struct tx_fixture *t)
{
    struct asq_hold hold = {0};
    struct ask ask;

    ask_init(&t->f, &ask);
    ask.request.hold = &hold;
    if (!t->f.close_called && asq_hold_begin(&t->f.conn, &hold) == 0 &&
        asq_conn_call(&t->f.conn, &ask.request, nothing_is_open, on_answer) ==
            0)
        wait_for(&ask);
    asq_hold_end(&hold);
    if (ask.status != 0)
        CHECK_INT(ask.status, UV_ESHUTDOWN); /* it could not be read */
    raw_run(t->f.profile.path, "BEGIN IMMEDIATE; COMMIT");
    asq_request_destroy(&ask.request);
}

static inline void tx_tear_down(void *data)
{
    struct tx_fixture *t = data;

    check_nothing_is_open(t);
    conn_tear_down(&t->f);
    for (int i = 0; i < STEPS; i++)
        asq_tx_step_destroy(&t->steps[i].step);
    for (int i = 0; i < PARTS; i++) {
        CHECK_INT(t->parts[i].ended, 0);
        asq_tx_destroy(&t->parts[i].tx);
    }
    CHECK_INT(t->other.ended, 0);
    asq_tx_destroy(&t->other.tx);
}

static inline int try_step(struct part *part, struct step *s, const char *sql)
{
    struct fixture *f = &part->fixture->f;
    int rc;

    f->submitting = true;
    rc = asq_tx_run(&part->tx, &s->step, sql, NULL, on_step);
    f->submitting = false;
    if (rc == 0)
        s->done = 0;
    return rc;
}

static inline void run(struct part *part, struct step *s, const char *sql)
{
    CHECK_INT(try_step(part, s, sql), 0);
}

static inline void call(struct part *part, struct step *s, asq_call_cb call_cb)
{
    CHECK_INT(asq_tx_call(&part->tx, &s->step, call_cb, on_step), 0);
    s->done = 0;
}

static inline void expect_step(struct step *s, int status)
{
    test_run_until(&s->fixture->f.loop, &s->done);
    if (s->status != status)
        FAIL("status %d instead of %d: %s", s->status, status,
             s->step.request.message);
}

static inline void expect_end(struct part *part, int status)
{
    test_run_until(&part->fixture->f.loop, &part->ended);
    CHECK_INT(part->ended, 1);
    if (part->status != status)
        FAIL("status %d instead of %d: %s", part->status, status,
             part->tx.message);
    part->ended = 0;
}

static inline int64_t count_rows(struct tx_fixture *t)
{
    return raw_number(t->f.profile.path, "SELECT count(*) FROM t");
}

/* A step: tells that it runs, and never ends. */
static inline int run_endless(struct asq_db *db, struct asq_request *request)
{
    struct step *s = ASQ_CONTAINER_OF(request, struct step, step.request);

    uv_sem_post(&s->fixture->f.reached);
    return asq_db_run(db, "INSERT INTO t " ENDLESS, NULL, NULL);
}

/* Marks a request while the worker has nothing to do. */
static inline void mark(struct tx_fixture *t, struct asq_request *request)
{
    t->f.marked = request;
}

static inline void wait_at_gate(struct tx_fixture *t)
{
    uv_sem_wait(&t->f.reached);
}

/* Runs the loop until a COMMIT or RELEASE is under way. */
static inline void run_until_committing(struct part *part)
{
    while (part->tx.state != ASQ_TX_COMMITTING) {
        CHECK(uv_run(&part->fixture->f.loop, UV_RUN_ONCE) != 0);
        CHECK(!part->ended);
    }
}

#endif
