/* test_contract_unknown - the one case in which a status does not say what is
 * in the database: the disk fails while it commits
 *
 *     what fails           afterwards, in the WAL           kept?
 *     ------------------   ------------------------------   ------------------
 *     a write              no whole commit                  no
 *     the sync, once       a whole commit, which SQLite     no: the close that
 *                          does not count                   follows removes it
 *     the sync, and all    the same, but that close fails   yes: who opens the
 *     that follow          too, and the WAL stays           file next finds it
 *
 * The status is that of the fault in each case, and outcome_unknown is 1. All
 * of it is kept or nothing. Nothing runs any more before the database has been
 * opened again: a program that goes on would have to guess.
 */
#include "06-batches/batch.h"
#include "07-transactions/tx.h"
#include "contract_fixture.h"

enum {
    ROWS = 3
};

static const struct fault {
    enum asq_disk_op op;
    uint64_t nth;
    int code;
    int keep;
    bool kept;
} faults[] = {
    {ASQ_DISK_WRITE, 1, SQLITE_IOERR_WRITE, 0, false},
    {ASQ_DISK_WRITE, 1, SQLITE_IOERR_WRITE, 1, false},
    {ASQ_DISK_WRITE, 2, SQLITE_IOERR_WRITE, 0, false},
    {ASQ_DISK_WRITE, 2, SQLITE_IOERR_WRITE, 1, false},
    {ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0, false},
    {ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 1, true},
};

struct unknown {
    struct fixture f;
    struct ask queued;
    int done, status;
};

static void set_up(void *data)
{
    contract_set_up(&((struct unknown *)data)->f);
}

static void tear_down(void *data)
{
    conn_tear_down(&((struct unknown *)data)->f);
}

/* What is submitted between the two meets the fault, and `queued` comes after
 * it. */
static void begin(struct unknown *u, const struct fault *fault)
{
    open_new(&u->f);
    u->done = 0;
    asq_slow_disk_fail(fault->op, fault->nth, fault->code, fault->keep);
}

static void end(struct unknown *u, const struct fault *fault)
{
    struct fixture *f = &u->f;
    struct ask refused;

    ask_init(f, &u->queued);
    ask_sql(&u->queued, WRITE_ONE);
    test_run_until(&f->loop, &u->done);
    CHECK_INT(u->status, fault->code);
    expect(&u->queued, UV_ESHUTDOWN);
    CHECK_INT(u->queued.request.outcome_unknown, 0); /* it never ran */
    ask_init(f, &refused);
    CHECK_INT(try_sql(&refused, WRITE_ONE), UV_ESHUTDOWN);
    asq_request_destroy(&u->queued.request);
    CHECK_INT(rows_left(f), fault->kept ? ROWS : 0);
}

static void note(struct unknown *u, int status, int outcome_unknown)
{
    CHECK_INT(outcome_unknown, 1);
    CHECK_INT(u->done, 0);
    u->done = 1;
    u->status = status;
}

static void note_request(struct asq_request *request, int status)
{
    note(request->data, status, request->outcome_unknown);
}

static void a_request(void *data)
{
    struct unknown *u = data;
    struct asq_request request;

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        begin(u, &faults[i]);
        asq_request_init(&request);
        request.data = u;
        CHECK_INT(asq_conn_run(&u->f.conn, &request,
                               "INSERT INTO t VALUES (1), (2), (3)", NULL,
                               note_request),
                  0);
        end(u, &faults[i]);
        asq_request_destroy(&request);
    }
}

static void note_tx(struct asq_tx *tx, int status)
{
    note(tx->data, status, tx->outcome_unknown);
}

static void a_transaction(void *data)
{
    struct unknown *u = data;
    struct asq_tx tx;
    struct asq_tx_step steps[ROWS];

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        begin(u, &faults[i]);
        asq_tx_init(&tx, &u->f.conn);
        tx.data = u;
        tx.on_end = note_tx;
        for (int k = 0; k < ROWS; k++) {
            asq_tx_step_init(&steps[k]);
            CHECK_INT(asq_tx_run(&tx, &steps[k], WRITE_ONE, NULL, NULL), 0);
        }
        end(u, &faults[i]);
        for (int k = 0; k < ROWS; k++)
            asq_tx_step_destroy(&steps[k]);
        asq_tx_destroy(&tx);
    }
}

static void note_batch(struct asq_batch *batch, int status)
{
    CHECK_INT(batch->settled, 0);
    note(batch->data, status, batch->request.outcome_unknown);
}

static void a_batch(void *data)
{
    static const struct asq_value values[ROWS] = {
        {.type = ASQ_INT64}, {.type = ASQ_INT64}, {.type = ASQ_INT64}};
    struct unknown *u = data;
    struct asq_batch batch;

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        begin(u, &faults[i]);
        asq_batch_init(&batch);
        batch.data = u;
        batch.sql = "INSERT INTO t VALUES (?1)";
        batch.values = values;
        batch.rows = ROWS;
        batch.columns = 1;
        CHECK_INT(asq_batch_start(&batch, &u->f.conn, note_batch), 0);
        end(u, &faults[i]);
        asq_batch_destroy(&batch);
    }
}

static const struct test_case cases[] = {
    {.name = "a_request", .run = a_request},
    {.name = "a_transaction", .run = a_transaction},
    {.name = "a_batch", .run = a_batch},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "contract_unknown",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct unknown),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
