/* test_contract_tx - a status, and what is in the database: transactions and
 * batches
 *
 *     what happens          while a transaction     its status     kept?
 *     -------------------   ---------------------   ------------   -----
 *     asq_tx_fail, or       waits (for a lock)      UV_ECANCELED   no
 *     a step is cancelled   runs a step             UV_ECANCELED   no
 *                           commits                 0              yes
 *     its deadline passes   waits, runs             UV_ETIMEDOUT   no
 *                           commits                 0              yes
 *     asq_conn_close        waits, runs a step      UV_ECANCELED   no
 *                           commits                 0              yes
 *
 *     what happens          while a batch           its status       kept?
 *     -------------------   ---------------------   --------------   ----------
 *     asq_batch_cancel      waits                   UV_ECANCELED     nothing
 *                           runs a chunk            SQLITE_INTERRUPT what is
 *                           commits a chunk         UV_ECANCELED     settled
 *     its deadline passes   any of these            UV_ETIMEDOUT     the same
 *     asq_conn_close        waits                   UV_ECANCELED     nothing
 *                           runs, commits           UV_ESHUTDOWN     the same,
 *                                                   and this chunk
 *
 * No is: nothing of it.
 */
#include "06-batches/batch.h"
#include "07-transactions/tx.h"
#include "contract_fixture.h"

struct contract {
    struct fixture f;
    struct asq_tx tx;
    struct asq_tx_step steps[2];
    struct asq_batch batch;
    int done, status;
};

struct situation {
    enum where where;
    unsigned timeout_ms;
    int status;
    int64_t rows;
};

typedef void (*act_cb)(struct contract *c);

static void close_all(struct contract *c)
{
    start_close(&c->f);
}

static void set_up(void *data)
{
    contract_set_up(&((struct contract *)data)->f);
}

static void tear_down(void *data)
{
    conn_tear_down(&((struct contract *)data)->f);
}

/* Transactions: two steps; the second is held when it runs. */

static void on_end(struct asq_tx *tx, int status)
{
    struct contract *c = tx->data;

    c->done++;
    c->status = status;
}

static void fail_it(struct contract *c)
{
    asq_tx_fail(&c->tx, UV_ECANCELED);
}

static void cancel_step(struct contract *c)
{
    asq_request_cancel(&c->steps[1].request);
}

static void tx_is_late(struct contract *c)
{
    wait_until(c->tx.deadline_ns);
}

static void submit_steps(struct contract *c, const struct situation *s)
{
    asq_tx_init(&c->tx, &c->f.conn);
    c->tx.data = c;
    c->tx.on_end = on_end;
    c->tx.timeout_ms = s->timeout_ms;
    for (int i = 0; i < 2; i++)
        asq_tx_step_init(&c->steps[i]);
    if (s->where == LOCKED)
        c->f.marked = &c->steps[0].request;
    CHECK_INT(asq_tx_run(&c->tx, &c->steps[0], WRITE_ONE, NULL, NULL), 0);
    CHECK_INT(asq_tx_run(&c->tx, &c->steps[1],
                         s->where == RUNS ? WRITE_LONG : WRITE_ONE, NULL, NULL),
              0);
}

static bool play_tx(struct contract *c, const struct situation *s, act_cb act)
{
    struct fixture *f = &c->f;
    struct ask first;
    sqlite3 *other = NULL;
    bool came;

    c->done = 0;
    open_new(f);
    ask_init(f, &first);
    if (s->where == WAITS)
        ask_call(&first, stand_at_gate);
    if (s->where == LOCKED) {
        other = raw_open(f->profile.path);
        raw_do(other, "BEGIN IMMEDIATE");
    }
    if (s->where == COMMITS)
        asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    submit_steps(c, s);
    came = it_stands(f, s->where, &c->done);
    if (came) {
        act(c);
        let_it_go(f, s->where);
    }
    if (act == close_all && other != NULL)
        raw_do(other, "COMMIT");
    test_run_until(&f->loop, &c->done);
    CHECK_INT(c->done, 1);
    CHECK_INT(c->tx.outcome_unknown, 0);
    if (came)
        CHECK_INT(c->status, s->status);
    if (other != NULL)
        raw_close(other);
    CHECK_INT(rows_left(f), came ? s->rows : 0);
    for (int i = 0; i < 2; i++)
        asq_tx_step_destroy(&c->steps[i]);
    asq_tx_destroy(&c->tx);
    asq_request_destroy(&first.request);
    return came;
}

/* Batches: six rows, two a chunk; the second chunk is held when it runs. */

static const struct asq_value values[] = {
    {.type = ASQ_INT64, .as.int64 = 1},    {.type = ASQ_INT64, .as.int64 = 2},
    {.type = ASQ_INT64, .as.int64 = 1000}, {.type = ASQ_INT64, .as.int64 = 4},
    {.type = ASQ_INT64, .as.int64 = 5},    {.type = ASQ_INT64, .as.int64 = 6},
};

static void on_batch(struct asq_batch *batch, int status)
{
    struct contract *c = batch->data;

    c->done++;
    c->status = status;
}

static void cancel_batch(struct contract *c)
{
    asq_batch_cancel(&c->batch);
}

static void batch_is_late(struct contract *c)
{
    wait_until(c->batch.request.deadline_ns);
}

static void start_batch(struct contract *c, const struct situation *s)
{
    asq_batch_init(&c->batch);
    c->batch.data = c;
    c->batch.sql = "INSERT INTO t VALUES (stand(?1))";
    c->batch.values = values;
    c->batch.rows = 6;
    c->batch.columns = 1;
    c->batch.chunk = 2;
    c->batch.timeout_ms = s->timeout_ms;
    CHECK_INT(asq_batch_start(&c->batch, &c->f.conn, on_batch), 0);
}

static bool
play_batch(struct contract *c, const struct situation *s, act_cb act)
{
    struct fixture *f = &c->f;
    struct ask first;
    bool came;

    c->done = 0;
    open_new(f);
    ask_init(f, &first);
    if (s->where == WAITS)
        ask_call(&first, stand_at_gate);
    if (s->where == COMMITS)
        asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    start_batch(c, s);
    came = it_stands(f, s->where, &c->done);
    if (came) {
        act(c);
        let_it_go(f, s->where);
    }
    test_run_until(&f->loop, &c->done);
    CHECK_INT(c->done, 1);
    CHECK_INT(c->batch.request.outcome_unknown, 0);
    if (came) {
        CHECK_INT(c->status, s->status);
        CHECK_INT(c->batch.settled, s->rows);
    }
    CHECK_INT(rows_left(f), c->batch.settled);
    asq_batch_destroy(&c->batch);
    asq_request_destroy(&first.request);
    return came;
}

typedef bool (*play_cb)(struct contract *c,
                        const struct situation *situation,
                        act_cb act);

static void play_all(struct contract *c,
                     play_cb play,
                     const struct situation *situations,
                     size_t count,
                     act_cb act)
{
    for (size_t i = 0; i < count; i++) {
        int tries = 1;

        while (!play(c, &situations[i], act)) {
            if (tries++ == 50)
                FAIL("situation %zu never came", i);
        }
    }
}

static void a_transaction_is_given_up(void *data)
{
    static const struct situation failed[] = {
        {WAITS, 0, UV_ECANCELED, 0},
        {LOCKED, 0, UV_ECANCELED, 0},
        {RUNS, 0, UV_ECANCELED, 0},
        {COMMITS, 0, 0, 2},
    };

    play_all(data, play_tx, failed, 4, fail_it);
    play_all(data, play_tx, &failed[2], 1, cancel_step);
}

static void a_transaction_is_too_late(void *data)
{
    static const struct situation late[] = {
        {WAITS, TIMEOUT_MS, UV_ETIMEDOUT, 0},
        {LOCKED, TIMEOUT_MS, UV_ETIMEDOUT, 0},
        {RUNS, TIMEOUT_MS, UV_ETIMEDOUT, 0},
        {COMMITS, TIMEOUT_MS, 0, 2},
    };

    play_all(data, play_tx, late, 4, tx_is_late);
}

static void a_transaction_meets_close(void *data)
{
    static const struct situation closed[] = {
        {WAITS, 0, UV_ECANCELED, 0},
        {LOCKED, 0, UV_ECANCELED, 0},
        {RUNS, 0, UV_ECANCELED, 0},
        {COMMITS, 0, 0, 2},
    };

    play_all(data, play_tx, closed, 4, close_all);
}

static void a_batch_is_cancelled(void *data)
{
    static const struct situation cancelled[] = {
        {WAITS, 0, UV_ECANCELED, 0},
        {RUNS, 0, SQLITE_INTERRUPT, 2},
        {COMMITS, 0, UV_ECANCELED, 2},
    };

    play_all(data, play_batch, cancelled, 3, cancel_batch);
}

static void a_batch_is_too_late(void *data)
{
    static const struct situation late[] = {
        {WAITS, TIMEOUT_MS, UV_ETIMEDOUT, 0},
        {RUNS, TIMEOUT_MS, UV_ETIMEDOUT, 2},
        {COMMITS, TIMEOUT_MS, UV_ETIMEDOUT, 2},
    };

    play_all(data, play_batch, late, 3, batch_is_late);
}

static void a_batch_meets_close(void *data)
{
    static const struct situation closed[] = {
        {WAITS, 0, UV_ECANCELED, 0},
        {RUNS, 0, UV_ESHUTDOWN, 4},
        {COMMITS, 0, UV_ESHUTDOWN, 2},
    };

    play_all(data, play_batch, closed, 3, close_all);
}

static const struct test_case cases[] = {
    {.name = "a_transaction_is_given_up", .run = a_transaction_is_given_up},
    {.name = "a_transaction_is_too_late", .run = a_transaction_is_too_late},
    {.name = "a_transaction_meets_close", .run = a_transaction_meets_close},
    {.name = "a_batch_is_cancelled", .run = a_batch_is_cancelled},
    {.name = "a_batch_is_too_late", .run = a_batch_is_too_late},
    {.name = "a_batch_meets_close", .run = a_batch_meets_close},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "contract_tx",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct contract),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
