/* test_conn_memory - no memory at any moment of a connection's life */
#include "conn_life.h"

/* Each allocation of a life in turn fails, until one is left alone. */
static void fail_each(struct fixture *f, int kinds, int keep)
{
    int64_t held;
    uint64_t nth = 0;
    int failed;
    struct life life;

    remove_files(f->profile.path);
    live(f, &life); /* what SQLite allocates once and keeps */
    check_life(f, &life);
    held = test_alloc_held();
    do {
        nth++;
        remove_files(f->profile.path);
        test_alloc_fail_at(kinds, nth, keep);
        live(f, &life);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        CHECK_INT(test_alloc_held(), held);
        check_life(f, &life);
    } while (failed);
    CHECK(nth > 1);
    for (int i = 0; i < LIFE_ASKS; i++)
        CHECK_INT(life.asks[i].status, 0);
}

static void one_allocation_may_fail(void *data)
{
    fail_each(data, TEST_ALLOC_ALL, 0);
}

static void all_that_follow_may_fail(void *data)
{
    fail_each(data, TEST_ALLOC_ALL, 1);
}

static void one_may_fail_where_nothing_is_cached(void *data)
{
    struct fixture *f = data;

    f->profile.statements = 0;
    fail_each(f, TEST_ALLOC_MALLOC, 0);
}

/* There is no memory from the end of the last query until the write begins:
 * not even for ending the queries' transaction. */
static void no_memory_between(struct asq_conn *conn,
                              const struct asq_request *request,
                              enum asq_event event)
{
    struct fixture *f = conn->data;

    if (event == ASQ_EVENT_END && request == f->marked)
        test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    else
        test_alloc_fail_at(0, 0, 0);
}

static void a_write_never_gets_into_a_transaction_of_queries(void *data)
{
    struct fixture *f = data;
    struct ask asks[4];

    f->conn.observe = no_memory_between;
    f->profile.statements = 0;
    open_conn(f);
    run_now(f, "CREATE TABLE t (n)");
    ask_init_all(f, asks, 4);
    hold_worker(&asks[0]);
    ask_sql(&asks[1], "SELECT 1");
    ask_sql(&asks[2], "SELECT 2");
    f->marked = &asks[2].request;
    ask_sql(&asks[3], "INSERT INTO t VALUES (1)");
    let_go(f);
    wait_for(&asks[3]);
    test_alloc_fail_at(0, 0, 0);
    close_conn(f);
    CHECK_INT(raw_number(f->profile.path, "SELECT count(*) FROM t"),
              asks[3].status == 0);
    ask_destroy_all(asks, 4);
}

static const struct test_case cases[] = {
    {.name = "one_allocation_may_fail", .run = one_allocation_may_fail},
    {.name = "all_that_follow_may_fail", .run = all_that_follow_may_fail},
    {.name = "one_may_fail_where_nothing_is_cached",
     .run = one_may_fail_where_nothing_is_cached},
    {.name = "a_write_never_gets_into_a_transaction_of_queries",
     .run = a_write_never_gets_into_a_transaction_of_queries},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "conn_memory",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = conn_set_up,
                                      .tear_down = conn_tear_down};
