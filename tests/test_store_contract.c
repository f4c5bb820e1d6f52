/* test_store_contract - a group, its commit, and who is told what (C1, C2, C5
 * to C7) */
#include "store_world.h"

/* Submits a group of eight rows behind a held worker. */
static void
hold_with_group(struct fixture *f, struct ask *holder, struct ask *asks)
{
    ask_init(f, holder);
    hold_worker(holder);
    ask_init_all(f, asks, GROUP);
    for (int i = 0; i < GROUP; i++)
        ask_insert(&asks[i]);
}

static void end_group(struct ask *holder, struct ask *asks)
{
    asq_request_destroy(&holder->request);
    ask_destroy_all(asks, GROUP);
}

static void all_that_waits_is_one_group(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];
    uint64_t syncs;

    hold_with_group(f, &holder, asks);
    syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    let_go(f);
    for (int i = 0; i < GROUP; i++) {
        expect(&asks[i], 0);
        CHECK_INT(number_of(&asks[i]), i);
        CHECK_INT(asks[i].order, i + 1);
        CHECK_INT(asks[i].starts, 1);
        CHECK_INT(asks[i].request.result.changes, 1);
        CHECK_INT(asks[i].request.result.last_insert_id, i);
    }
    CHECK_INT(stats(f).groups, 2);
    CHECK_INT(stats(f).largest, GROUP);
    CHECK_INT(stats(f).committed, GROUP + 1);
    CHECK_INT(stats(f).rerun, 0);
    /* The first commit of a new WAL syncs its header as well. */
    CHECK_RANGE(asq_slow_disk_count(ASQ_DISK_SYNC) - syncs, 1, 2);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP);
    end_group(&holder, asks);
}

/* C1 */
static void nothing_is_answered_before_its_commit(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    run_now(f, "INSERT INTO child VALUES (NULL)"); /* the WAL has its header */
    hold_with_group(f, &holder, asks);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    let_go(f);
    expect(&holder, 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    turn(f);
    for (int i = 0; i < GROUP; i++)
        CHECK_INT(asks[i].done, 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 0);
    asq_slow_disk_open_gate();
    for (int i = 0; i < GROUP; i++)
        expect(&asks[i], 0);
    end_group(&holder, asks);
}

/* The next group waits for the disk, and what was committed before is told. */
static void a_group_is_answered_before_the_next_one_commits(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    close_store(f);
    init_store(f);
    f->store.group_rows = 4;
    open_store(f);
    run_now(f, "INSERT INTO child VALUES (NULL)");
    hold_with_group(f, &holder, asks);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 2);
    let_go(f);
    for (int i = 0; i < 4; i++)
        expect(&asks[i], 0);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    turn(f);
    CHECK_INT(asks[4].done, 0);
    asq_slow_disk_open_gate();
    expect(&asks[7], 0);
    end_group(&holder, asks);
}

/* C2 */
static void a_failed_sync_is_told_to_all_members_and_nobody_else(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP], late;
    int64_t rows;

    hold_with_group(f, &holder, asks);
    asks[3].values[0] = asq_int64(0); /* fails by itself */
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    let_go(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    ask_init(f, &late);
    ask_sql(&late, "INSERT INTO t VALUES (100, 0, NULL)");
    asq_slow_disk_open_gate();
    for (int i = 0; i < GROUP; i++) {
        int own = i == 3;

        expect(&asks[i],
               own ? SQLITE_CONSTRAINT_PRIMARYKEY : SQLITE_IOERR_FSYNC);
        CHECK_INT(asks[i].request.outcome_unknown, !own);
        CHECK_INT(asks[i].starts, 1);
        CHECK_INT(asks[i].request.result.rows, 0);
    }
    expect(&late, UV_ESHUTDOWN);
    CHECK_INT(late.request.outcome_unknown, 0);
    CHECK_INT(late.starts, 0);
    CHECK_CONTAINS(late.request.message, "the database is not open");
    CHECK_INT(try_sql(&late, "SELECT 1"), UV_ESHUTDOWN);
    CHECK_INT(holder.status, 0);
    CHECK_INT(holder.request.outcome_unknown, 0);
    close_store(f);
    rows = there(f, "SELECT count(*) FROM t");
    CHECK(rows == 0 || rows == GROUP - 1);
    CHECK_INT(there(f, "SELECT count(*) FROM t WHERE id = 100"), 0);
    check_integrity(f->profile.path);
    asq_request_destroy(&late.request);
    end_group(&holder, asks);
}

/* It is opened again as any conn. */
static void after_that_it_can_be_opened_again(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    ask_init(f, &ask);
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 0);
    ask_insert(&ask);
    expect(&ask, SQLITE_IOERR_FSYNC);
    CHECK_INT(ask.request.outcome_unknown, 1);
    open_again(f);
    CHECK_INT(stats(f).groups, 0);
    run_now(f, "INSERT INTO t VALUES (7, 7, NULL)");
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t WHERE id = 7"), 1);
    asq_request_destroy(&ask.request);
}

/* C5 */
static void use_rollback_journal(struct fixture *f)
{
    close_store(f);
    raw_run(f->profile.path, "PRAGMA journal_mode = DELETE");
    init_store(f);
    f->profile.wal = false;
    f->profile.busy_ms = 0;
    open_store(f);
}

static void a_commit_that_finds_a_reader_is_busy_for_all(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];
    sqlite3 *reader;

    use_rollback_journal(f);
    reader = raw_open(f->profile.path);
    raw_do(reader, "BEGIN; SELECT count(*) FROM t");
    hold_with_group(f, &holder, asks);
    asks[3].values[0] = asq_int64(0); /* fails by itself */
    let_go(f);
    for (int i = 0; i < GROUP; i++) {
        expect(&asks[i], i == 3 ? SQLITE_CONSTRAINT_PRIMARYKEY : SQLITE_BUSY);
        CHECK_INT(asks[i].request.outcome_unknown, 0);
        CHECK_INT(asks[i].starts, 1);
        CHECK_INT(asks[i].request.result.rows, 0);
    }
    raw_do(reader, "COMMIT");
    raw_close(reader);
    ask_insert(&asks[0]); /* the next group starts clean */
    expect(&asks[0], 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 1);
    end_group(&holder, asks);
}

/* By itself a statement and a function get the same. */
static int insert_two(struct asq_db *db, struct asq_request *request)
{
    int rc = asq_db_run(db, "INSERT INTO t VALUES (50, 0, NULL)", NULL, NULL);

    (void)request;
    return rc != 0 ? rc
                   : asq_db_run(db, "INSERT INTO t VALUES (51, 0, NULL)", NULL,
                                NULL);
}

static void so_it_is_for_one_that_is_alone(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    sqlite3 *reader;

    use_rollback_journal(f);
    reader = raw_open(f->profile.path);
    raw_do(reader, "BEGIN; SELECT count(*) FROM t");
    ask_init(f, &ask);
    ask_insert(&ask);
    expect(&ask, SQLITE_BUSY);
    ask_call(&ask, insert_two);
    expect(&ask, SQLITE_BUSY);
    CHECK_INT(ask.starts, 1);
    ask_script(&ask, "INSERT INTO t VALUES (60, 0, NULL);"
                     "INSERT INTO t VALUES (61, 0, NULL)");
    expect(&ask, SQLITE_BUSY);
    raw_do(reader, "COMMIT");
    CHECK_INT(raw_ask(reader, "SELECT count(*) FROM t"), 0);
    raw_close(reader);
    ask_call(&ask, insert_two);
    expect(&ask, 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 2);
    asq_request_destroy(&ask.request);
}

static void a_full_disk_at_commit_lets_all_run_again(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    hold_with_group(f, &holder, asks);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 0);
    let_go(f);
    for (int i = 0; i < GROUP; i++) {
        expect(&asks[i], 0);
        CHECK_INT(number_of(&asks[i]), i);
        CHECK_INT(asks[i].starts, 2);
        CHECK_INT(asks[i].order, i + 1);
    }
    CHECK_INT(stats(f).rerun, GROUP);
    end_group(&holder, asks);
}

static void a_disk_that_stays_full_is_told_to_all(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    hold_with_group(f, &holder, asks);
    asks[3].values[0] = asq_int64(0);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 1, SQLITE_FULL, 1);
    let_go(f);
    for (int i = 0; i < GROUP; i++) {
        expect(&asks[i], SQLITE_FULL);
        CHECK_INT(asks[i].request.outcome_unknown, 0);
        CHECK_INT(asks[i].starts, 2);
    }
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    ask_insert(&asks[0]);
    expect(&asks[0], 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), 1);
    end_group(&holder, asks);
}

/* C15 */
static void a_query_shares_the_fate_of_its_group(void *data)
{
    struct fixture *f = data;
    struct ask asks[3];

    ask_init_all(f, asks, 3);
    hold_worker(&asks[0]);
    ask_insert(&asks[1]);
    ask_sql(&asks[2], "SELECT count(*) FROM t");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    let_go(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    turn(f);
    CHECK_INT(asks[2].done, 0); /* it has seen a row that may not stay */
    asq_slow_disk_fail(ASQ_DISK_SYNC, 1, SQLITE_IOERR_FSYNC, 1);
    asq_slow_disk_open_gate();
    expect(&asks[1], SQLITE_IOERR_FSYNC);
    expect(&asks[2], SQLITE_IOERR_FSYNC);
    CHECK_INT(asks[2].request.outcome_unknown, 1);
    CHECK_INT(asks[2].request.result.rows, 0);
    asq_slow_disk_reset();
    ask_destroy_all(asks, 3);
}

static void and_runs_again_with_the_rest(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT count(*) FROM t");
    ask_sql(&asks[2], "INSERT OR ROLLBACK INTO t VALUES (1, -1, NULL)");
    ask_insert(&asks[3]);
    let_go(f);
    expect(&asks[1], 0);
    CHECK_INT(asks[1].starts, 2);
    CHECK_INT(asks[1].request.result.rows, 1);
    CHECK_INT(number_of(&asks[1]), 0);
    expect(&asks[2], SQLITE_CONSTRAINT_CHECK);
    expect(&asks[3], 0);
    CHECK_INT(asks[3].starts, 1);
    ask_destroy_all(asks, 4);
}

/* C6 */
static void cancelled_before_its_group_begins_it_does_not_run(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    hold_with_group(f, &holder, asks);
    asq_request_cancel(&asks[2].request);
    asks[5].request.deadline_ns = 1; /* the worker has not seen it yet */
    let_go(f);
    for (int i = 0; i < GROUP; i++) {
        expect(&asks[i], i == 2 ? UV_ECANCELED : i == 5 ? UV_ETIMEDOUT : 0);
        CHECK_INT(asks[i].starts, i != 2 && i != 5);
    }
    CHECK_INT(asks[5].request.timed_out_in, ASQ_PLACE_QUEUE);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP - 2);
    end_group(&holder, asks);
}

static void cancelled_after_its_statement_it_is_committed(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];

    hold_with_group(f, &holder, asks);
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    let_go(f);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    for (int i = 0; i < GROUP; i++)
        asq_request_cancel(&asks[i].request);
    asq_slow_disk_open_gate();
    for (int i = 0; i < GROUP; i++)
        expect(&asks[i], 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP);
    end_group(&holder, asks);
}

/* Unless it must run again: that is begun anew. */
static void cancelled_when_it_must_run_again_it_does_not(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];

    ask_init_all(f, asks, 5);
    hold_worker(&asks[0]);
    ask_insert(&asks[1]);
    ask_insert(&asks[2]);
    ask_insert(&asks[3]);
    ask_sql(&asks[4], "INSERT OR ROLLBACK INTO t VALUES (9, -stand(), NULL)");
    let_go(f);
    wait_at_gate(f);
    asq_request_cancel(&asks[1].request);
    asks[3].request.deadline_ns = 1;
    let_go(f);
    expect(&asks[1], UV_ECANCELED);
    expect(&asks[2], 0);
    expect(&asks[3], UV_ETIMEDOUT);
    expect(&asks[4], SQLITE_CONSTRAINT_CHECK);
    for (int i = 1; i < 5; i++)
        CHECK_INT(asks[i].starts, 1 + (i == 2));
    CHECK_INT(asks[1].request.result.rows, 0);
    CHECK_INT(there(f, "SELECT sum(id) FROM t"), 2);
    ask_destroy_all(asks, 5);
}

/* C7 */
static void count_active_timer(uv_handle_t *handle, void *count)
{
    *(int *)count += handle->type == UV_TIMER && uv_is_active(handle);
}

static void one_alone_waits_for_no_timer(void *data)
{
    struct fixture *f = data;
    struct ask ask;
    int timers = 0;
    uint64_t syncs;

    ask_init(f, &ask);
    run_now(f, "INSERT INTO child VALUES (NULL)");
    syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    ask_insert(&ask);
    uv_walk(&f->loop, count_active_timer, &timers);
    CHECK_INT(timers, 0);
    expect(&ask, 0);
    CHECK_INT(asq_slow_disk_count(ASQ_DISK_SYNC) - syncs, 1);
    CHECK_INT(stats(f).groups, 2);
    CHECK_INT(stats(f).largest, 1);
    asq_request_destroy(&ask.request);
}

/* What waits behind a commit is the next group: nothing else collects it. */
static void those_that_come_meanwhile_are_the_next_group(void *data)
{
    struct fixture *f = data;
    struct ask first, asks[GROUP];

    ask_init(f, &first);
    first.id = 100;
    run_now(f, "INSERT INTO child VALUES (NULL)");
    asq_slow_disk_gate(ASQ_DISK_SYNC, 1);
    ask_insert(&first);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    ask_init_all(f, asks, GROUP);
    for (int i = 0; i < GROUP; i++)
        ask_insert(&asks[i]);
    asq_slow_disk_open_gate();
    for (int i = 0; i < GROUP; i++)
        expect(&asks[i], 0);
    CHECK_INT(first.status, 0);
    CHECK_INT(stats(f).groups, 3);
    CHECK_INT(stats(f).largest, GROUP);
    end_group(&first, asks);
}

/* C17 */
static void no_update_is_lost(void *data)
{
    struct fixture *f = data;
    struct ask asks[64];

    run_now(f, "INSERT INTO t VALUES (1, 0, NULL)");
    ask_init_all(f, asks, 64);
    for (int i = 0; i < 64; i++)
        ask_sql(&asks[i], "UPDATE t SET seen = seen + 1 WHERE id = 1");
    for (int i = 0; i < 64; i++)
        expect(&asks[i], 0);
    CHECK_INT(there(f, "SELECT seen FROM t"), 64);
    ask_destroy_all(asks, 64);
}

static const struct test_case cases[] = {
    {.name = "all_that_waits_is_one_group", .run = all_that_waits_is_one_group},
    {.name = "nothing_is_answered_before_its_commit",
     .run = nothing_is_answered_before_its_commit},
    {.name = "a_group_is_answered_before_the_next_one_commits",
     .run = a_group_is_answered_before_the_next_one_commits},
    {.name = "a_failed_sync_is_told_to_all_members_and_nobody_else",
     .run = a_failed_sync_is_told_to_all_members_and_nobody_else},
    {.name = "after_that_it_can_be_opened_again",
     .run = after_that_it_can_be_opened_again},
    {.name = "a_commit_that_finds_a_reader_is_busy_for_all",
     .run = a_commit_that_finds_a_reader_is_busy_for_all},
    {.name = "so_it_is_for_one_that_is_alone",
     .run = so_it_is_for_one_that_is_alone},
    {.name = "a_full_disk_at_commit_lets_all_run_again",
     .run = a_full_disk_at_commit_lets_all_run_again},
    {.name = "a_disk_that_stays_full_is_told_to_all",
     .run = a_disk_that_stays_full_is_told_to_all},
    {.name = "a_query_shares_the_fate_of_its_group",
     .run = a_query_shares_the_fate_of_its_group},
    {.name = "and_runs_again_with_the_rest",
     .run = and_runs_again_with_the_rest},
    {.name = "cancelled_before_its_group_begins_it_does_not_run",
     .run = cancelled_before_its_group_begins_it_does_not_run},
    {.name = "cancelled_after_its_statement_it_is_committed",
     .run = cancelled_after_its_statement_it_is_committed},
    {.name = "cancelled_when_it_must_run_again_it_does_not",
     .run = cancelled_when_it_must_run_again_it_does_not},
    {.name = "one_alone_waits_for_no_timer",
     .run = one_alone_waits_for_no_timer},
    {.name = "those_that_come_meanwhile_are_the_next_group",
     .run = those_that_come_meanwhile_are_the_next_group},
    {.name = "no_update_is_lost", .run = no_update_is_lost},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_contract",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
