/* test_store - bounds, durability, and what holds for every request */
#include "07-transactions/tx.h"
#include "10-pooling/pool.h"
#include "power_cut.h"
#include "store_fault.h"
#include "store_fixture.h"

static struct asq_store_stats stats_of(struct fixture *f)
{
    return asq_store_statistics(&f->store);
}

/* Bounds */

/* How many groups the members are, who wait behind the first. */
static size_t
groups_of(struct fixture *f, struct ask asks[], int count, const char *sql)
{
    size_t before;

    ask_init_all(f, asks, (size_t)count);
    hold_worker(&asks[0]);
    for (int i = 1; i < count; i++)
        ask_sql(&asks[i], sql);
    before = stats_of(f).groups + 1; /* that of the first */
    let_go(f);
    for (int i = 1; i < count; i++)
        expect(&asks[i], 0);
    ask_destroy_all(asks, (size_t)count);
    return stats_of(f).groups - before;
}

static void a_group_ends_with_enough_rows(void *data)
{
    struct fixture *f = data;
    struct ask asks[13];

    f->store.group_rows = 10;
    open_store(f);
    /* Of four rows each: three reach 10. */
    CHECK_INT(groups_of(f, asks, 13,
                        "INSERT INTO t VALUES (NULL), (NULL), (NULL), (NULL)"),
              4);
    CHECK_INT(rows_in(f), 48);
}

static void a_group_ends_when_its_time_is_over(void *data)
{
    struct fixture *f = data;
    struct ask asks[5];

    f->store.group_us = 1;
    open_store(f);
    CHECK_INT(groups_of(f, asks, 5, LONG), 4);
}

/* Texts of these sizes wait; returns how many groups they become. */
static size_t
groups_of_texts(struct fixture *f, const size_t sizes[], int count)
{
    static char text[1000];
    struct asq_value values[16];
    struct ask asks[16];
    struct ask first;
    size_t before;

    memset(text, 'x', sizeof text);
    ask_init(f, &first);
    ask_init_all(f, asks, (size_t)count);
    hold_worker(&first);
    for (int i = 0; i < count; i++) {
        struct asq_params params = {.values = &values[i], .count = 1};

        values[i] = asq_text_n(text, sizes[i]);
        CHECK_INT(asq_conn_run(&f->conn, &asks[i].request,
                               "INSERT INTO u VALUES (?1)", &params, on_answer),
                  0);
        asks[i].done = 0;
    }
    before = stats_of(f).groups + 1;
    let_go(f);
    for (int i = 0; i < count; i++)
        expect(&asks[i], 0);
    ask_destroy_all(asks, (size_t)count);
    asq_request_destroy(&first.request);
    return stats_of(f).groups - before;
}

static void a_group_ends_with_enough_bytes(void *data)
{
    static const size_t equal[] = {90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90};
    static const size_t one_large[] = {10, 10, 101, 10, 10};
    static const size_t large[] = {500, 500, 10};
    struct fixture *f = data;

    f->store.group_bytes = 800;
    open_store(f);
    run_now(f, "CREATE TABLE u (b)");
    CHECK_INT(groups_of_texts(f, equal, 11), 2); /* nine, and two */
    /* A large one does not join a group that has begun. */
    CHECK_INT(groups_of_texts(f, one_large, 5), 2);
    CHECK_INT(groups_of_texts(f, large, 3), 2);
}

static void wrong_bounds_are_refused(void *data)
{
    struct fixture *f = data;

    f->conn.shared_tx = true;
    for (int i = 0; i < 4; i++) {
        CHECK_INT(asq_conn_open(&f->conn, &f->loop, &f->profile, on_open),
                  UV_EINVAL);
        asq_store_init(&f->store);
        f->conn.data = f;
        if (i == 0)
            f->store.group_rows = 0;
        else if (i == 1)
            f->store.group_bytes = 0;
        else if (i == 2)
            f->store.group_us = 0;
    }
    open_store(f);
}

/* What is no member */

static void data_version_may_be_asked(void *data)
{
    struct fixture *f = data;
    int64_t before;

    open_store(f);
    before = ask_number(f, "PRAGMA data_version");
    run_now(f, "INSERT INTO t VALUES (1)");
    CHECK_INT(ask_number(f, "PRAGMA data_version"), before);
    raw_run(f->profile.path, "INSERT INTO t VALUES (2)");
    CHECK(ask_number(f, "PRAGMA data_version") != before);
}

static void a_checkpoint_stands_between_two_groups(void *data)
{
    struct fixture *f = data;
    struct ask asks[6];

    open_store(f);
    ask_init_all(f, asks, 6);
    hold_worker(&asks[0]);
    for (int i = 1; i < 6; i++) {
        if (i == 3)
            CHECK_INT(asq_conn_checkpoint(&f->conn, &asks[i].request,
                                          SQLITE_CHECKPOINT_TRUNCATE,
                                          on_answer),
                      0);
        else
            ask_sql(&asks[i], "INSERT INTO t VALUES (NULL)");
        asks[i].done = 0;
    }
    let_go(f);
    for (int i = 1; i < 6; i++)
        expect(&asks[i], 0);
    CHECK_INT(number_of(&asks[3]), 0); /* nothing was in the way */
    CHECK_INT(rows_in(f), 4);
    ask_destroy_all(asks, 6);
}

static void a_hold_stands_between_two_groups(void *data)
{
    static const char *const sql[] = {"INSERT INTO t VALUES (1)",
                                      "BEGIN",
                                      "INSERT INTO t VALUES (2)",
                                      "ROLLBACK",
                                      "SELECT 1",
                                      "INSERT INTO t VALUES (3)"};
    struct asq_hold hold = {0};
    struct fixture *f = data;
    struct ask asks[7];

    open_store(f);
    ask_init_all(f, asks, 7);
    hold_worker(&asks[6]);
    ask_sql(&asks[0], sql[0]);
    CHECK_INT(asq_hold_begin(&f->conn, &hold), 0);
    for (int i = 1; i < 6; i++) {
        asks[i].request.hold = i < 4 ? &hold : NULL;
        ask_sql(&asks[i], sql[i]);
    }
    asq_hold_end(&hold);
    let_go(f);
    for (int i = 0; i < 6; i++)
        expect(&asks[i], 0);
    CHECK_INT(raw_number(f->profile.path, "SELECT sum(n) FROM t"), 4);
    ask_destroy_all(asks, 7);
}

/* Reading what was written */

struct looking {
    struct ask ask; /* first */
    struct asq_pool pool;
    struct ask look;
    int closed;
};

static void look_in_the_pool(struct ask *ask)
{
    struct looking *looking = (struct looking *)ask;

    CHECK_INT(asq_pool_run(&looking->pool, &looking->look.request,
                           "SELECT count(*) FROM t", NULL, on_answer),
              0);
}

static void note_pool_closed(struct asq_pool *pool)
{
    *(int *)pool->data = 1;
}

/* Whatever else the readers do: their read transactions are older or newer than
 * the answer, never open across it. */
static void who_is_answered_can_read_it(void *data)
{
    struct fixture *f = data;
    struct looking looking = {.closed = 0};
    struct ask others[64];

    f->profile.synchronous = 1;
    open_store(f);
    asq_pool_init(&looking.pool);
    looking.pool.data = &looking.closed;
    CHECK_INT(asq_pool_open(&looking.pool, &f->loop, &f->profile, 2), 0);
    ask_init(f, &looking.ask);
    looking.ask.then = look_in_the_pool;
    for (int round = 1; round <= 30; round++) {
        ask_init_all(f, others, 64);
        ask_init(f, &looking.look);
        for (int i = 0; i < 64; i++)
            CHECK_INT(asq_pool_run(&looking.pool, &others[i].request,
                                   "SELECT count(*) FROM t", NULL, on_answer),
                      0);
        ask_sql(&looking.ask, "INSERT INTO t VALUES (NULL)");
        wait_for(&looking.ask);
        expect(&looking.look, 0);
        CHECK_INT(number_of(&looking.look), round);
        for (int i = 0; i < 64; i++)
            expect(&others[i], 0);
        ask_destroy_all(others, 64);
        asq_request_destroy(&looking.look.request);
    }
    asq_pool_close(&looking.pool, note_pool_closed);
    test_run_until(&f->loop, &looking.closed);
    asq_request_destroy(&looking.ask.request);
}

/* Durability */

static uint64_t syncs_of(struct fixture *f, struct ask asks[], int durable)
{
    uint64_t before = asq_slow_disk_count(ASQ_DISK_SYNC);

    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    for (int i = 1; i < 4; i++) {
        asks[i].request.durable = i == durable;
        ask_sql(&asks[i], "INSERT INTO t VALUES (NULL)");
    }
    let_go(f);
    for (int i = 1; i < 4; i++)
        expect(&asks[i], 0);
    ask_destroy_all(asks, 4);
    return asq_slow_disk_count(ASQ_DISK_SYNC) - before;
}

static void a_group_is_as_durable_as_its_most_careful_member(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    f->profile.synchronous = 1;
    open_store(f);
    CHECK_INT(syncs_of(f, asks, 0), 0);
    for (int i = 1; i < 4; i++) {
        CHECK_INT(syncs_of(f, asks, i), 1);
        CHECK_INT(syncs_of(f, asks, 0), 0);
    }
}

static void alone_it_may_be_durable_too(void *data)
{
    struct fixture *f = data;
    struct ask ask;

    f->profile.synchronous = 1;
    open_store(f);
    ask_init(f, &ask);
    for (int durable = 0; durable < 3; durable++) {
        uint64_t before = asq_slow_disk_count(ASQ_DISK_SYNC);

        ask.request.durable = durable == 1;
        ask_sql(&ask, "INSERT INTO t VALUES (NULL)");
        expect(&ask, 0);
        CHECK_INT(asq_slow_disk_count(ASQ_DISK_SYNC) - before, durable == 1);
    }
    asq_request_destroy(&ask.request);
}

static void note_end(struct asq_tx *tx, int status)
{
    CHECK_INT(status, 0);
    *(int *)tx->data = 1;
}

static void a_transaction_is_as_durable_as_its_first_step(void *data)
{
    struct fixture *f = data;
    struct asq_tx tx;
    struct asq_tx_step step;

    f->profile.synchronous = 1;
    open_store(f);
    asq_tx_init(&tx, &f->conn);
    asq_tx_step_init(&step);
    tx.on_end = note_end;
    for (int durable = 0; durable < 2; durable++) {
        uint64_t before = asq_slow_disk_count(ASQ_DISK_SYNC);
        int ended = 0;

        tx.data = &ended;
        step.request.durable = durable;
        CHECK_INT(
            asq_tx_run(&tx, &step, "INSERT INTO t VALUES (NULL)", NULL, NULL),
            0);
        test_run_until(&f->loop, &ended);
        CHECK_INT(asq_slow_disk_count(ASQ_DISK_SYNC) - before, durable);
    }
    asq_tx_step_destroy(&step);
    asq_tx_destroy(&tx);
}

static void cut_each(struct fixture *f, int synchronous, int groups, int step)
{
    uint64_t nth = 1;

    f->profile.synchronous = synchronous;
    open_conn(f);
    close_conn(f);
    while (cut_at(f, nth, groups))
        nth += (uint64_t)step;
    CHECK(nth > 3);
}

static void full_loses_nothing_that_was_acknowledged(void *data)
{
    cut_each(data, 2, 300, 11); /* make campaign takes every one */
}

static void normal_loses_the_end_and_leaves_no_hole(void *data)
{
    cut_each(data, 1, 300, 3);
}

/* An op that fails, at each place. */

static void what_fails_is_not_there(void *data)
{
    static const struct {
        enum asq_disk_op op;
        int code;
    } faults[] = {{ASQ_DISK_WRITE, SQLITE_FULL},
                  {ASQ_DISK_WRITE, SQLITE_IOERR_WRITE},
                  {ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC}};
    struct fixture *f = data;

    open_conn(f);
    close_conn(f);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint64_t n = 1;

        while (fail_at(f, faults[i].op, faults[i].code, n, 0))
            n++;
        CHECK(n > 3);
    }
}

#define CASE(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    CASE(a_group_ends_with_enough_rows),
    CASE(a_group_ends_when_its_time_is_over),
    CASE(a_group_ends_with_enough_bytes),
    CASE(wrong_bounds_are_refused),
    CASE(data_version_may_be_asked),
    CASE(a_checkpoint_stands_between_two_groups),
    CASE(a_hold_stands_between_two_groups),
    CASE(who_is_answered_can_read_it),
    CASE(a_group_is_as_durable_as_its_most_careful_member),
    CASE(alone_it_may_be_durable_too),
    CASE(a_transaction_is_as_durable_as_its_first_step),
    CASE(full_loses_nothing_that_was_acknowledged),
    CASE(normal_loses_the_end_and_leaves_no_hole),
    CASE(what_fails_is_not_there),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
