/* test_shutdown_random - any work, shut down at any moment
 *
 * Each round opens up to three connections on two files and asks for requests,
 * scripts, functions of short statements, transactions, batches and holds, some
 * of them endless or forgotten, some leaving things open. At a random moment
 * the shutdown starts, and maybe is hurried. In the end every answer has come
 * once, the files hold what the answers say, and what was left is counted.
 */
#include "shutdown_fixture.h"

#include "06-batches/batch.h"
#include "07-transactions/tx.h"

#include <limits.h>

enum {
    ROUNDS = 300,
    JOBS = 24,
    STEPS = 3, /* of a transaction */
    ROWS = 6,  /* of a batch */
    FILES = 2
};

enum kind {
    INSERT,
    READ_ENDLESS,
    TRANSACTION,
    BATCH,
    HOLD, /* an insert under it, and another from its callback */
    HOLD_FORGOTTEN,
    HOLD_LEFT, /* ends with a transaction and a statement open */
    SHORT_ONES,
    SHORT_ENDLESS,
    SCRIPT,
    LEFT, /* a function that leaves a transaction open */
    KINDS
};

/* One piece of work; what it writes is its number. */
struct job {
    enum kind kind;
    struct asq_conn *conn;
    int file;
    int owed;     /* callbacks that have to come */
    int expected; /* rows that it has left, as the answers say */
    struct asq_value values[ROWS];
    struct asq_params params;
    struct asq_request request;
    struct asq_hold hold;
    struct asq_tx tx;
    struct asq_tx_step step;
    int left; /* steps, or requests of the hold, still to ask for */
    struct asq_batch batch;
    char script[80];
    /* the worker's until it is answered */
    int rows;              /* that a function has committed */
    int transactions_left; /* and statements, when it returned */
    int statements_left;
};

static struct {
    uint64_t random;
    struct fixture f;
    struct job jobs[JOBS];
    int submitted;
    bool needs_hurry; /* or it would never end */
    /* over all rounds */
    unsigned in_time, cut_short, good[KINDS], bad[KINDS];
} all;

static const char insert[] = "INSERT INTO t VALUES (?1)";

static unsigned draw(unsigned below)
{
    all.random =
        all.random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(all.random >> 33) % below;
}

static void note(struct job *job, int status, int rows)
{
    CHECK_INT(all.f.down, 0);
    CHECK(job->owed > 0);
    job->owed--;
    job->expected += rows;
    if (status == 0)
        all.good[job->kind]++;
    else
        all.bad[job->kind]++;
    if (status != 0 && status != UV_ECANCELED && status != UV_ESHUTDOWN &&
        status != SQLITE_INTERRUPT &&
        !(status == SQLITE_MISUSE && job->kind == LEFT))
        FAIL("status %d of kind %d", status, (int)job->kind);
}

static void take_answer(struct asq_request *request, int status);

static int short_ones(struct asq_db *db, struct asq_request *request)
{
    struct job *job = request->data;
    int many = job->kind == SHORT_ENDLESS ? INT_MAX : 100;
    int rc = 0;

    for (int i = 0; i < many && rc == 0; i++) {
        rc = asq_db_run(db, insert, &job->params, NULL);
        job->rows += rc == 0;
    }
    return rc;
}

static int leave(struct asq_db *db, struct asq_request *request)
{
    struct job *job = request->data;
    struct asq_stmt *stmt = NULL;
    int rc = asq_db_run(db, "BEGIN IMMEDIATE", NULL, NULL);

    if (rc == 0)
        rc = asq_db_run(db, insert, &job->params, NULL);
    if (rc == 0 && job->kind == HOLD_LEFT)
        rc = asq_stmt_prepare(db, "SELECT a FROM t", ASQ_WHOLE_TEXT, &stmt);
    job->transactions_left = asq_db_in_transaction(db);
    job->statements_left = stmt != NULL;
    return rc;
}

static int ask_for(struct job *job)
{
    struct asq_request *request = &job->request;
    int rc;

    switch (job->kind) {
    case READ_ENDLESS:
        rc = asq_conn_run(job->conn, request, ENDLESS, NULL, take_answer);
        break;
    case SHORT_ONES:
    case SHORT_ENDLESS:
        rc = asq_conn_call(job->conn, request, short_ones, take_answer);
        break;
    case HOLD_LEFT:
    case LEFT:
        rc = asq_conn_call(job->conn, request, leave, take_answer);
        break;
    case SCRIPT:
        rc = asq_conn_script(job->conn, request, job->script, take_answer);
        break;
    default:
        rc =
            asq_conn_run(job->conn, request, insert, &job->params, take_answer);
    }
    job->owed += rc == 0;
    return rc;
}

static void take_answer(struct asq_request *request, int status)
{
    struct job *job = request->data;
    bool is_insert =
        job->kind == INSERT || job->kind == HOLD || job->kind == HOLD_FORGOTTEN;

    note(job, status, status != 0 ? 0 : job->kind == SCRIPT ? 2 : is_insert);
    if (job->left-- > 0 && ask_for(job) == 0)
        return;
    if (job->kind == HOLD || job->kind == HOLD_LEFT)
        asq_hold_end(&job->hold);
}

static int take_step(struct asq_tx *tx, struct asq_tx_step *step, int status)
{
    struct job *job = tx->data;

    if (status != 0 || job->left-- == 0)
        return status;
    return asq_tx_run(tx, step, insert, &job->params, take_step);
}

static void take_tx_end(struct asq_tx *tx, int status)
{
    note(tx->data, status, status == 0 ? STEPS : 0);
}

static void take_batch_end(struct asq_batch *batch, int status)
{
    note(batch->data, status, (int)batch->settled);
}

static int start_tx(struct job *job)
{
    job->left = STEPS - 1;
    job->tx.on_end = take_tx_end;
    return asq_tx_run(&job->tx, &job->step, insert, &job->params, take_step);
}

static int start_batch(struct job *job)
{
    job->batch.sql = insert;
    job->batch.values = job->values;
    job->batch.rows = ROWS;
    job->batch.columns = 1;
    job->batch.chunk = 2;
    return asq_batch_start(&job->batch, job->conn, take_batch_end);
}

static int start_hold(struct job *job)
{
    int rc = asq_hold_begin(job->conn, &job->hold);

    job->request.hold = &job->hold;
    job->left = job->kind != HOLD_LEFT;
    return rc == 0 ? ask_for(job) : rc;
}

static enum kind draw_kind(void)
{
    unsigned number = draw(100);

    return number < 30   ? INSERT
           : number < 45 ? TRANSACTION
           : number < 60 ? BATCH
           : number < 72 ? HOLD
           : number < 80 ? SHORT_ONES
           : number < 86 ? SCRIPT
           : number < 92 ? LEFT
           : number < 95 ? HOLD_LEFT
           : number < 97 ? READ_ENDLESS
           : number < 98 ? SHORT_ENDLESS
                         : HOLD_FORGOTTEN;
}

static void init_job(struct job *job, int number)
{
    int conn = (int)draw((unsigned)all.f.count);

    *job = (struct job){
        .kind = draw_kind(), .conn = &all.f.conns[conn], .file = conn % FILES};
    for (int i = 0; i < ROWS; i++)
        job->values[i] = asq_int64(number);
    job->params = (struct asq_params){.values = job->values, .count = 1};
    (void)snprintf(job->script, sizeof job->script,
                   "INSERT INTO t VALUES (%d); INSERT INTO t VALUES (%d)",
                   number, number);
    asq_request_init(&job->request);
    job->request.data = job;
    asq_tx_init(&job->tx, job->conn);
    job->tx.data = job;
    asq_tx_step_init(&job->step);
    asq_batch_init(&job->batch);
    job->batch.data = job;
}

static void submit_next(void)
{
    struct job *job = &all.jobs[all.submitted];
    int rc;

    init_job(job, all.submitted++);
    if (job->kind == TRANSACTION || job->kind == BATCH) {
        rc = job->kind == BATCH ? start_batch(job) : start_tx(job);
        job->owed += rc == 0;
    } else if (job->kind == HOLD || job->kind == HOLD_FORGOTTEN ||
               job->kind == HOLD_LEFT) {
        rc = start_hold(job);
    } else {
        rc = ask_for(job);
    }
    CHECK_INT(rc, all.f.shutdown.state == ASQ_UP ? 0 : UV_ESHUTDOWN);
    if (rc == 0 && (job->kind == READ_ENDLESS || job->kind == SHORT_ENDLESS ||
                    job->kind == HOLD_FORGOTTEN))
        all.needs_hurry = true;
}

static void check_files(void)
{
    static const char *const names[FILES] = {"a.db", "b.db"};

    for (int file = 0; file < FILES; file++) {
        sqlite3 *db = raw_open(test_path(names[file]));
        int64_t rows = 0;

        for (int i = 0; i < all.submitted; i++) {
            char sql[80];

            if (all.jobs[i].file != file)
                continue;
            (void)snprintf(sql, sizeof sql,
                           "SELECT count(*) FROM t WHERE a = %d", i);
            CHECK_INT(raw_ask(db, sql),
                      all.jobs[i].expected + all.jobs[i].rows);
            rows += all.jobs[i].expected + all.jobs[i].rows;
        }
        CHECK_INT(raw_ask(db, "SELECT count(*) FROM t"), rows);
        raw_do(db, "DELETE FROM t");
        raw_close(db);
    }
}

/* What was left open is counted, where it was left. Of one that was cut short
 * the transaction that was under way ends with its closing, and counts. */
static void check_left(void)
{
    for (int i = 0; i < all.f.count; i++) {
        const struct asq_conn *conn = &all.f.conns[i];
        unsigned transactions = 0, statements = 0;

        for (int k = 0; k < all.submitted; k++) {
            if (all.jobs[k].conn != conn)
                continue;
            transactions += (unsigned)all.jobs[k].transactions_left;
            statements += (unsigned)all.jobs[k].statements_left;
        }
        CHECK_RANGE(conn->left_open.transactions, transactions,
                    transactions + !all.f.shutdown.in_time);
        CHECK_INT(conn->left_open.statements, statements);
        CHECK_INT(conn->left_open.handles, 0);
    }
}

static void finish_jobs(void)
{
    for (int i = 0; i < all.submitted; i++) {
        struct job *job = &all.jobs[i];

        CHECK_INT(job->owed, 0);
        asq_request_destroy(&job->request);
        asq_tx_step_destroy(&job->step);
        asq_tx_destroy(&job->tx);
        asq_batch_destroy(&job->batch);
    }
}

static void do_nothing(uv_timer_t *timer)
{
    (void)timer; /* the loop has turned: that is all */
}

/* What never ends must not keep the loop from turning. */
static void turn_and_submit(unsigned turns)
{
    uv_timer_t tick;

    CHECK_INT(uv_timer_init(&all.f.loop, &tick), 0);
    CHECK_INT(uv_timer_start(&tick, do_nothing, 1, 1), 0);
    for (unsigned i = 0; i < turns; i++) {
        while (draw(3) != 0 && all.submitted < JOBS)
            submit_next();
        CHECK(uv_run(&all.f.loop, UV_RUN_ONCE) != 0);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    (void)uv_run(&all.f.loop, UV_RUN_NOWAIT); /* closed after one turn */
}

static void run_round(void)
{
    static const char *const names[FILES] = {"a.db", "b.db"};
    struct fixture *f = &all.f;
    unsigned conns = 1 + draw(3);

    *f = (struct fixture){0};
    all.submitted = 0;
    all.needs_hurry = false;
    set_up(f);
    for (unsigned i = 0; i < conns; i++)
        add_conn(f, test_path(names[i % FILES]), i < FILES);
    turn_and_submit(draw(12));
    start(f);
    turn_and_submit(draw(12));
    if (f->down == 0 && (all.needs_hurry || draw(3) == 0))
        asq_shutdown_hurry(&f->shutdown);
    wait_down(f);
    if (f->shutdown.in_time)
        all.in_time++;
    else
        all.cut_short++;
    check_left();
    finish_jobs();
    tear_down(f);
    check_files();
}

static void every_answer_is_true(void *data)
{
    unsigned rounds = test_scaled(ROUNDS);
    int64_t held = 0;

    (void)data;
    test_alloc_install();
    raw_run(test_path("a.db"), "CREATE TABLE t (a)");
    raw_run(test_path("b.db"), "CREATE TABLE t (a)");
    all.random = test_seed();
    for (unsigned i = 0; i < rounds; i++) {
        run_round();
        if (i == 0)
            held = test_alloc_held();
    }
    CHECK_INT(test_alloc_held(), held);
    /* It has all happened. */
    CHECK(all.in_time > 0);
    CHECK(all.cut_short > 0);
    for (int kind = 0; kind < KINDS && rounds == ROUNDS; kind++) {
        CHECK(all.bad[kind] > 0);
        CHECK(all.good[kind] > 0 || kind == READ_ENDLESS ||
              kind == SHORT_ENDLESS || kind == LEFT);
    }
}

static const struct test_case cases[] = {
    {.name = "every_answer_is_true",
     .run = every_answer_is_true,
     .seconds = 60},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "shutdown_random",
                                      .cases = cases};
