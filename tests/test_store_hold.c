/* test_store_hold - what runs beside groups: holds, transactions, batches,
 * checkpoints; and how durable a commit is
 */
#include "06-batches/batch.h"
#include "07-transactions/tx.h"
#include "store_world.h"

#define INSERT_ONE "INSERT INTO t (seen) VALUES (0)"

static void prime(struct fixture *f)
{
    run_now(f, "INSERT INTO child VALUES (NULL)"); /* the WAL has its header */
}

/* Under a hold it is a connection as any other. */
static void a_hold_has_the_connection(void *data)
{
    static const char *const sql[] = {"PRAGMA user_version = 7",
                                      "BEGIN",
                                      "INSERT INTO t VALUES (1, 0, NULL)",
                                      "SAVEPOINT a",
                                      "INSERT INTO t VALUES (2, 0, NULL)",
                                      "ROLLBACK TO a",
                                      "COMMIT",
                                      "ATTACH ':memory:' AS m",
                                      "DETACH m",
                                      "VACUUM"};
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask under[10], others[3];

    ask_init_all(f, under, 10);
    ask_init_all(f, others, 3);
    CHECK_INT(asq_hold_begin(&f->store.conn, &hold), 0);
    for (int i = 0; i < 3; i++) {
        others[i].id = 10 + i;
        ask_insert(&others[i]);
    }
    for (int i = 0; i < 10; i++) {
        under[i].request.hold = &hold;
        ask_sql(&under[i], sql[i]);
        expect(&under[i], 0);
    }
    turn(f);
    CHECK_INT(others[0].done, 0);
    asq_hold_end(&hold);
    for (int i = 0; i < 3; i++) {
        expect(&others[i], 0);
        CHECK_INT(number_of(&others[i]), 1 + i);
    }
    CHECK_INT(stats(f).committed, 3);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 4);
    ask_destroy_all(under, 10);
    ask_destroy_all(others, 3);
}

/* What a hold leaves open is undone, and is not part of the next group. */
static void what_a_hold_leaves_is_in_no_group(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct ask asks[4];

    ask_init_all(f, asks, 4);
    CHECK_INT(asq_hold_begin(&f->store.conn, &hold), 0);
    asks[0].request.hold = asks[1].request.hold = &hold;
    ask_sql(&asks[0], "BEGIN");
    ask_sql(&asks[1], "INSERT INTO t VALUES (1, 0, NULL)");
    asq_hold_end(&hold);
    ask_insert(&asks[2]);
    ask_insert(&asks[3]);
    for (int i = 0; i < 4; i++)
        expect(&asks[i], 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t WHERE id = 1"), 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 2);
    close_store(f);
    CHECK_INT(f->store.conn.left_open.transactions, 1);
    ask_destroy_all(asks, 4);
}

/* Between two groups of one batch. */
static void a_checkpoint_runs_between_groups(void *data)
{
    struct fixture *f = data;
    struct ask asks[6];

    ask_init_all(f, asks, 6);
    ask_sql(&asks[0], "SELECT stand()");
    wait_at_gate(f);
    for (int i = 1; i < 6; i++) {
        if (i != 3) {
            ask_insert(&asks[i]);
            continue;
        }
        begin_ask(&asks[3]);
        CHECK_INT(end_ask(&asks[3], asq_conn_checkpoint(
                                        &f->store.conn, &asks[3].request,
                                        SQLITE_CHECKPOINT_TRUNCATE, on_answer)),
                  0);
    }
    let_go(f);
    for (int i = 0; i < 6; i++) {
        expect(&asks[i], 0);
        CHECK_INT(asks[i].order, i);
    }
    CHECK_INT(number_of(&asks[3]), 0); /* not busy */
    CHECK_INT(stats(f).groups, 3);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 4);
    ask_destroy_all(asks, 6);
}

/* Transactions of lesson 07 */

struct block {
    struct asq_tx tx;
    struct asq_tx_step steps[3];
    int ended, status;
};

static void on_end(struct asq_tx *tx, int status)
{
    struct block *block = tx->data;

    block->ended = 1;
    block->status = status;
}

static void block_init(struct fixture *f, struct block *block)
{
    *block = (struct block){0};
    asq_tx_init(&block->tx, &f->store.conn);
    block->tx.data = block;
    block->tx.on_end = on_end;
    for (int i = 0; i < 3; i++)
        asq_tx_step_init(&block->steps[i]);
}

static void block_destroy(struct block *block)
{
    for (int i = 0; i < 3; i++)
        asq_tx_step_destroy(&block->steps[i]);
    asq_tx_destroy(&block->tx);
}

static void
run_block(struct block *block, const char *first, const char *second)
{
    CHECK_INT(asq_tx_run(&block->tx, &block->steps[0], first, NULL, NULL), 0);
    CHECK_INT(asq_tx_run(&block->tx, &block->steps[1], second, NULL, NULL), 0);
}

/* The observer of the fixture knows asks only. */
static void open_unobserved(struct fixture *f)
{
    close_store(f);
    init_store(f);
    f->store.conn.observe = NULL;
    open_store(f);
}

static void a_transaction_is_not_in_a_group(void *data)
{
    struct fixture *f = data;
    struct block good, bad;
    struct ask asks[3];

    open_unobserved(f);
    block_init(f, &good);
    block_init(f, &bad);
    ask_init_all(f, asks, 3);
    ask_insert(&asks[0]);
    run_block(&good, "INSERT INTO t VALUES (10, 0, NULL)",
              "INSERT INTO t VALUES (11, 0, NULL)");
    ask_insert(&asks[1]);
    run_block(&bad, "INSERT INTO t VALUES (20, 0, NULL)",
              "INSERT INTO t VALUES (20, 0, NULL)");
    ask_insert(&asks[2]);
    test_run_until(&f->loop, &bad.ended);
    for (int i = 0; i < 3; i++)
        expect(&asks[i], 0);
    CHECK_INT(good.status, 0);
    CHECK_INT(bad.status, SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK_INT(there(f, "SELECT sum(id) FROM t"), 0 + 1 + 2 + 10 + 11);
    block_destroy(&good);
    block_destroy(&bad);
    ask_destroy_all(asks, 3);
}

/* Batches of lesson 06 */

static int batch_done, batch_status;

static void on_batch(struct asq_batch *batch, int status)
{
    (void)batch;
    batch_done = 1;
    batch_status = status;
}

static void a_batch_needs_a_hold(void *data)
{
    struct fixture *f = data;
    struct asq_hold hold = {0};
    struct asq_value values[10];
    struct asq_row_error errors[2];
    struct asq_batch batch;

    open_unobserved(f);
    for (int i = 0; i < 10; i++)
        values[i] = asq_int64(i == 7 ? 6 : i);
    asq_batch_init(&batch);
    batch.sql = "INSERT INTO t (id) VALUES (?1)";
    batch.values = values;
    batch.rows = 10;
    batch.columns = 1;
    batch.chunk = 4;
    batch.keep_good = true;
    batch.errors = errors;
    batch.errors_room = 2;
    CHECK_INT(asq_batch_start(&batch, &f->store.conn, on_batch), 0);
    test_run_until(&f->loop, &batch_done);
    CHECK(batch_status != 0);
    CHECK_INT(batch.settled, 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 0);
    batch_done = 0;
    CHECK_INT(asq_hold_begin(&f->store.conn, &hold), 0);
    batch.request.hold = &hold;
    CHECK_INT(asq_batch_start(&batch, &f->store.conn, on_batch), 0);
    test_run_until(&f->loop, &batch_done);
    asq_hold_end(&hold);
    CHECK_INT(batch_status, 0);
    CHECK_INT(batch.settled, 10);
    CHECK_INT(batch.failed, 1);
    CHECK_INT(errors[0].row, 7);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 9);
    asq_batch_destroy(&batch);
}

/* How durable */

static void open_with_level(struct fixture *f, int level)
{
    close_store(f);
    init_store(f);
    f->profile.synchronous = level;
    open_store(f);
    prime(f);
}

static uint64_t syncs(void)
{
    return asq_slow_disk_count(ASQ_DISK_SYNC);
}

static int insert_call(struct asq_db *db, struct asq_request *request)
{
    (void)request;
    return asq_db_run(db, "INSERT INTO t VALUES (70, 0, NULL)", NULL, NULL);
}

/* Returns how many syncs it took. */
static uint64_t sync_one(struct fixture *f, bool durable)
{
    struct ask ask;
    uint64_t before = syncs();

    ask_init(f, &ask);
    ask.request.durable = durable;
    ask_sql(&ask, "INSERT INTO t VALUES (NULL, 0, NULL)");
    expect(&ask, 0);
    asq_request_destroy(&ask.request);
    return syncs() - before;
}

static void a_durable_request_is_synced(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    uint64_t before;

    open_with_level(f, 1);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(sync_one(f, false), 0);
        CHECK_INT(sync_one(f, true), 1);
        CHECK_INT(sync_one(f, true), 1);
        CHECK_INT(sync_one(f, false), 0);
    }
    ask_init(f, &ask);
    before = syncs();
    ask.request.durable = true;
    ask_call(&ask, insert_call);
    expect(&ask, 0);
    CHECK_INT(syncs() - before, 1);
    ask_script(&ask, "DELETE FROM t; INSERT INTO t VALUES (1, 0, NULL)");
    expect(&ask, 0);
    CHECK_INT(syncs() - before, 2);
    asq_request_destroy(&ask.request);
}

static void other_levels_do_not_ask(void *data)
{
    struct fixture *f = data;

    open_with_level(f, 2);
    CHECK_INT(sync_one(f, false), 1);
    CHECK_INT(sync_one(f, true), 1);
    open_with_level(f, 0);
    CHECK_INT(sync_one(f, false), 0);
    CHECK_INT(sync_one(f, true), 0);
}

/* A group is as durable as its most careful member. */
static void one_durable_member_is_enough(void *data)
{
    struct fixture *f = data;
    struct ask asks[GROUP];
    uint64_t before;

    open_with_level(f, 1);
    for (int place = 0; place <= GROUP; place++) {
        run_now(f, "DELETE FROM t");
        ask_init_all(f, asks, GROUP);
        ask_sql(&asks[0], "SELECT stand()");
        wait_at_gate(f);
        for (int i = 1; i < GROUP; i++) {
            asks[i].request.durable = i == place;
            ask_insert(&asks[i]);
        }
        before = syncs();
        let_go(f);
        for (int i = 1; i < GROUP; i++)
            expect(&asks[i], 0);
        CHECK_INT(syncs() - before, place > 0 && place < GROUP);
        ask_destroy_all(asks, GROUP);
    }
}

static void one_that_runs_again_is_durable_still(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];
    uint64_t before;

    open_with_level(f, 1);
    ask_init_all(f, asks, 5);
    ask_sql(&asks[0], "SELECT stand()");
    wait_at_gate(f);
    for (int i = 1; i < 4; i++)
        ask_insert(&asks[i]);
    asks[2].request.durable = true;
    ask_sql(&asks[4], "INSERT OR ROLLBACK INTO t VALUES (5, -1, NULL)");
    before = syncs();
    let_go(f);
    expect(&asks[4], SQLITE_CONSTRAINT_CHECK);
    CHECK_INT(asks[2].starts, 2);
    CHECK_INT(syncs() - before, 1);
    ask_destroy_all(asks, 5);
}

/* The first step says it for a transaction. */
static void a_transaction_may_be_durable(void *data)
{
    struct fixture *f = data;
    struct block block;
    uint64_t before;

    f->profile.synchronous = 1;
    open_unobserved(f);
    prime(f);
    for (int durable = 0; durable < 2; durable++) {
        before = syncs();
        block_init(f, &block);
        block.steps[0].request.durable = durable;
        run_block(&block, "INSERT INTO t (seen) VALUES (0)",
                  "INSERT INTO t (seen) VALUES (1)");
        test_run_until(&f->loop, &block.ended);
        CHECK_INT(block.status, 0);
        CHECK_INT(syncs() - before, durable);
        block_destroy(&block);
    }
}

/* Without memory for the setting it is not committed at all. */
static void no_memory_for_it(struct asq_conn *conn,
                             const struct asq_request *request,
                             enum asq_event event)
{
    const struct fixture *f = conn->data;
    bool fails = event == ASQ_EVENT_START && request == f->marked;

    test_alloc_fail_at(fails ? TEST_ALLOC_MALLOC : 0, fails, fails);
}

static void what_cannot_be_durable_is_not_committed(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    close_store(f);
    init_store(f);
    f->profile.synchronous = 1;
    f->store.conn.observe = no_memory_for_it;
    open_store(f);
    prime(f);
    run_now(f, INSERT_ONE);
    ask_init_all(f, asks, 3);
    f->marked = &asks[1].request;
    asks[1].request.durable = true;
    for (int n = 0; n < 2; n++) { /* alone, and as the first of a group */
        if (n > 0) {
            ask_sql(&asks[0], "SELECT stand()");
            wait_at_gate(f);
        }
        ask_sql(&asks[1], INSERT_ONE);
        if (n > 0) {
            ask_sql(&asks[2], INSERT_ONE);
            let_go(f);
            expect(&asks[2], 0);
        }
        expect(&asks[1], SQLITE_NOMEM);
        CHECK_INT(there(f, "SELECT count(*) FROM t"), 1 + n);
    }
    f->marked = NULL;
    CHECK_INT(sync_one(f, true), 1);
    CHECK_INT(sync_one(f, false), 0);
    ask_destroy_all(asks, 3);
}

static const struct test_case cases[] = {
    {.name = "a_hold_has_the_connection", .run = a_hold_has_the_connection},
    {.name = "what_a_hold_leaves_is_in_no_group",
     .run = what_a_hold_leaves_is_in_no_group},
    {.name = "a_checkpoint_runs_between_groups",
     .run = a_checkpoint_runs_between_groups},
    {.name = "a_transaction_is_not_in_a_group",
     .run = a_transaction_is_not_in_a_group},
    {.name = "a_batch_needs_a_hold", .run = a_batch_needs_a_hold},
    {.name = "a_durable_request_is_synced", .run = a_durable_request_is_synced},
    {.name = "other_levels_do_not_ask", .run = other_levels_do_not_ask},
    {.name = "one_durable_member_is_enough",
     .run = one_durable_member_is_enough},
    {.name = "one_that_runs_again_is_durable_still",
     .run = one_that_runs_again_is_durable_still},
    {.name = "a_transaction_may_be_durable",
     .run = a_transaction_may_be_durable},
    {.name = "what_cannot_be_durable_is_not_committed",
     .run = what_cannot_be_durable_is_not_committed},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_hold",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
