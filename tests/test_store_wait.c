/* test_store_wait - who waits, for how long and for whom (C8, C9)
 *
 * The lock for writing, the bounds of a group, urgent requests, capacity.
 */
#include "store_world.h"

#include <stdlib.h>

/* Holds the worker, but not the lock for writing. */
static void hold_reading(struct fixture *f, struct ask *holder)
{
    ask_init(f, holder);
    ask_sql(holder, "SELECT stand()");
    wait_at_gate(f);
}

static sqlite3 *lock(struct fixture *f)
{
    sqlite3 *other = raw_open(f->profile.path);

    raw_do(other, "BEGIN IMMEDIATE");
    return other;
}

static void unlock(sqlite3 *other)
{
    raw_do(other, "COMMIT");
    raw_close(other);
}

static void reopen(struct fixture *f, unsigned busy_ms)
{
    close_store(f);
    init_store(f);
    f->profile.busy_ms = busy_ms;
    open_store(f);
}

/* Waiting for the lock */

static void all_who_waited_for_the_lock_are_told(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];
    sqlite3 *other;

    reopen(f, 0);
    other = lock(f);
    hold_reading(f, &holder);
    ask_init_all(f, asks, GROUP);
    for (int i = 0; i < GROUP; i++) {
        if (i == 3)
            ask_call(&asks[i], stand_at_gate);
        else
            ask_insert(&asks[i]);
    }
    asq_request_cancel(&asks[5].request);
    let_go(f);
    for (int i = 0; i < GROUP; i++) {
        expect(&asks[i], i == 5 ? UV_ECANCELED : SQLITE_BUSY);
        CHECK_INT(asks[i].starts, i != 5);
        /* The cancelled one may be told early. */
        CHECK_RANGE(asks[i].order, i == 5 ? 0 : i, i + 2);
        if (i != 5)
            CHECK_TEXT(asks[i].request.message, "database is locked");
    }
    unlock(other);
    CHECK_INT(stats(f).groups, 1);
    for (int i = 0; i < GROUP; i++) {
        if (i != 3)
            ask_insert(&asks[i]);
    }
    for (int i = 0; i < GROUP; i++)
        wait_for(&asks[i]);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP - 1);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, GROUP);
}

/* What is not a member was not waiting for it. */
static void a_checkpoint_among_them_is_not_told(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[4];
    sqlite3 *other;

    reopen(f, 0);
    other = lock(f);
    hold_reading(f, &holder);
    ask_init_all(f, asks, 4);
    ask_insert(&asks[0]);
    ask_insert(&asks[1]);
    begin_ask(&asks[2]);
    CHECK_INT(end_ask(&asks[2], asq_conn_checkpoint(
                                    &f->store.conn, &asks[2].request,
                                    SQLITE_CHECKPOINT_PASSIVE, on_answer)),
              0);
    ask_insert(&asks[3]);
    let_go(f);
    for (int i = 0; i < 4; i++)
        expect(&asks[i], i == 2 ? 0 : SQLITE_BUSY);
    unlock(other);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, 4);
}

static void one_that_waits_can_be_cancelled_or_late(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[GROUP];
    sqlite3 *other;

    reopen(f, 1000000);
    other = lock(f);
    hold_reading(f, &holder);
    ask_init_all(f, asks, GROUP);
    asks[4].request.timeout_ms = 1;
    for (int i = 0; i < GROUP; i++)
        ask_insert(&asks[i]);
    f->marked = &asks[0].request;
    let_go(f);
    wait_at_gate(f); /* it has started: it waits for the lock */
    asq_request_cancel(&asks[2].request);
    expect(&asks[2], UV_ECANCELED);
    expect(&asks[4], UV_ETIMEDOUT);
    CHECK_INT(asks[4].request.timed_out_in, ASQ_PLACE_QUEUE);
    CHECK_INT(asks[0].done, 0);
    asq_request_cancel(&asks[0].request); /* the next one waits instead */
    expect(&asks[0], SQLITE_INTERRUPT);
    CHECK_CONTAINS(asks[0].request.message, "cancelled");
    unlock(other);
    for (int i = 1; i < GROUP; i++) {
        if (i != 2 && i != 4)
            expect(&asks[i], 0);
        CHECK_INT(asks[i].starts, i != 2 && i != 4);
    }
    CHECK_INT(there(f, "SELECT count(*) FROM t"), GROUP - 3);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, GROUP);
}

static void the_first_that_is_late_does_not_speak_for_others(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[3];
    sqlite3 *other;

    reopen(f, 1000000);
    other = lock(f);
    hold_reading(f, &holder);
    ask_init_all(f, asks, 3);
    asks[0].request.timeout_ms = 100;
    for (int i = 0; i < 3; i++)
        ask_insert(&asks[i]);
    let_go(f);
    expect(&asks[0], UV_ETIMEDOUT);
    turn(f);
    CHECK_INT(asks[1].done, 0);
    unlock(other);
    expect(&asks[1], 0);
    expect(&asks[2], 0);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, 3);
}

/* A process holds a lock for as long as it lives. */
static void a_query_alone_needs_no_lock(void *data)
{
    struct fixture *f = data;
    sqlite3 *other;

    reopen(f, 0);
    other = lock(f);
    CHECK_INT(ask_number(f, "SELECT count(*) FROM t"), 0);
    unlock(other);
}

/* C8: bounds */

static void ask_blob(struct ask *ask, size_t bytes)
{
    static const char many[2000];

    ask->values[0] = asq_int64(ask->id);
    ask->values[1] = asq_blob(many, bytes);
    ask_sql(ask, "INSERT INTO t VALUES (?1, 0, ?2)");
}

/* Submits as many as there are sizes; 0 ends them. Returns how many groups
 * they made; *ret_largest is set. */
static size_t groups_of(struct fixture *f, const size_t *sizes)
{
    struct ask holder, asks[32];
    size_t count = 0, groups;

    hold_reading(f, &holder);
    groups = stats(f).groups;
    for (; sizes[count] != 0; count++) {
        ask_init(f, &asks[count]);
        asks[count].id = (int64_t)count;
        ask_blob(&asks[count], sizes[count]);
    }
    let_go(f);
    for (size_t i = 0; i < count; i++)
        expect(&asks[i], 0);
    CHECK_INT(there(f, "SELECT count(*) FROM t"), count);
    groups = stats(f).groups - groups - 1; /* the holder's */
    ask_destroy_all(asks, count);
    asq_request_destroy(&holder.request);
    run_now(f, "DELETE FROM t");
    return groups;
}

static void bytes_bound_a_group(void *data)
{
    struct fixture *f = data;

    close_store(f);
    init_store(f);
    f->store.group_bytes = 800;
    open_store(f);
    CHECK_INT(
        groups_of(f, (size_t[]){100, 100, 100, 100, 100, 100, 100, 100, 0}), 1);
    CHECK_INT(groups_of(f, (size_t[]){100, 100, 100, 100, 100, 100, 100, 100,
                                      100, 100, 0}),
              2);
    CHECK_INT(stats(f).largest, 8);
    /* A large one does not join a group that has begun, but begins one. */
    CHECK_INT(groups_of(f, (size_t[]){10, 10, 101, 10, 10, 0}), 2);
    CHECK_INT(groups_of(f, (size_t[]){101, 10, 10, 0}), 1);
    CHECK_INT(groups_of(f, (size_t[]){900, 10, 10, 0}), 2);
    CHECK_INT(groups_of(f, (size_t[]){101, 101, 101, 0}), 3);
}

static void rows_bound_a_group(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[3];

    close_store(f);
    init_store(f);
    f->store.group_rows = 3;
    open_store(f);
    CHECK_INT(groups_of(f, (size_t[]){1, 1, 1, 1, 1, 1, 1, 1, 0}), 3);
    CHECK_INT(stats(f).largest, 3);
    hold_reading(f, &holder);
    ask_init_all(f, asks, 3);
    ask_sql(&asks[0], "INSERT INTO t (id) VALUES (1), (2), (3), (4)");
    ask_sql(&asks[1], "SELECT 1");
    ask_sql(&asks[2], "SELECT 1");
    let_go(f);
    for (int i = 0; i < 3; i++)
        expect(&asks[i], 0);
    CHECK_INT(stats(f).groups, 1 + 3 + 1 + 1 + 2);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, 3);
}

static void time_bounds_a_group(void *data)
{
    struct fixture *f = data;

    close_store(f);
    init_store(f);
    f->store.group_us = 1;
    open_store(f);
    CHECK_INT(groups_of(f, (size_t[]){1, 1, 1, 1, 1, 0}), 5);
    CHECK_INT(stats(f).largest, 1);
}

static struct ask *many_asks(struct fixture *f, size_t n)
{
    struct ask *asks = calloc(n, sizeof *asks);

    CHECK(asks != NULL);
    ask_init_all(f, asks, n);
    return asks;
}

static void a_thousand_bound_a_group(void *data)
{
    struct fixture *f = data;
    struct ask holder, *asks = many_asks(f, 1100);

    hold_reading(f, &holder);
    for (int i = 0; i < 1100; i++)
        ask_insert(&asks[i]);
    let_go(f);
    for (int i = 0; i < 1100; i++)
        expect(&asks[i], 0);
    CHECK_INT(stats(f).largest, 1024);
    CHECK_INT(stats(f).groups, 3);
    ask_destroy_all(asks, 1100);
    free(asks);
    asq_request_destroy(&holder.request);
}

/* C9 */
static void urgent_ones_come_first(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[4];

    hold_reading(f, &holder);
    ask_init_all(f, asks, 4);
    asks[3].request.priority = ASQ_PRIORITY_URGENT;
    for (int i = 0; i < 4; i++)
        ask_insert(&asks[i]);
    let_go(f);
    for (int i = 0; i < 4; i++)
        expect(&asks[i], 0);
    CHECK_INT(asks[3].order, 1);
    CHECK_INT(number_of(&asks[3]), 0);
    CHECK_INT(asks[0].order, 2);
    CHECK_INT(asks[2].order, 4);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, 4);
}

static struct ask *waiting; /* a normal one */

static void ask_again(struct ask *ask)
{
    if (!waiting->done)
        ask_sql(ask, "SELECT 1");
}

static void but_others_are_not_starved(void *data)
{
    struct fixture *f = data;
    struct ask holder, normal, *urgent;

    close_store(f);
    init_store(f);
    f->store.conn.capacity = 5000;
    open_store(f);
    urgent = many_asks(f, 4000);
    hold_reading(f, &holder);
    ask_init(f, &normal);
    ask_insert(&normal);
    waiting = &normal;
    for (int i = 0; i < 4000; i++) {
        urgent[i].request.priority = ASQ_PRIORITY_URGENT;
        urgent[i].then = ask_again;
        ask_sql(&urgent[i], "SELECT 1");
    }
    let_go(f);
    expect(&normal, 0);
    /* Those that were queued before the second full batch are before it. */
    CHECK_RANGE(normal.order, 1 + 2 * 1024, 1 + 4000 + 2 * 1024);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    ask_destroy_all(urgent, 4000);
    free(urgent);
    asq_request_destroy(&normal.request);
    asq_request_destroy(&holder.request);
}

/* Capacity, and what open refuses */

static void beyond_its_capacity_it_refuses(void *data)
{
    struct fixture *f = data;
    struct ask holder, asks[3];

    CHECK_INT(f->store.conn.capacity, 4096);
    close_store(f);
    init_store(f);
    f->store.conn.capacity = 3;
    open_store(f);
    hold_reading(f, &holder);
    ask_init_all(f, asks, 3);
    ask_insert(&asks[0]);
    ask_insert(&asks[1]);
    CHECK_INT(try_sql(&asks[2], "SELECT 1"), UV_ENOBUFS);
    let_go(f);
    expect(&asks[1], 0);
    CHECK_INT(try_sql(&asks[2], "SELECT 1"), 0);
    expect(&asks[2], 0);
    asq_request_destroy(&holder.request);
    ask_destroy_all(asks, 3);
}

static void some_settings_are_refused(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_conn_open(&f->store.conn, &f->loop, &f->profile, on_open),
              UV_EINVAL); /* it is open */
    run_now(f, "SELECT 1");
    close_store(f);
    for (int i = 0; i < 6; i++) {
        init_store(f);
        f->store.conn.shared_tx = i == 0;
        f->store.group_rows = i != 1;
        f->store.group_bytes = i != 2;
        f->store.group_us = i != 3;
        f->store.gap_ms = i != 4;
        f->store.conn.capacity = i != 5;
        CHECK_INT(asq_conn_open(&f->store.conn, &f->loop, &f->profile, on_open),
                  UV_EINVAL);
    }
}

static void what_it_counts(void *data)
{
    struct fixture *f = data;
    struct asq_store_stats now;
    struct asq_hold hold = {0};
    struct ask asks[3];

    ask_init_all(f, asks, 3);
    CHECK_INT(asq_hold_begin(&f->store.conn, &hold), 0);
    asks[0].request.hold = &hold; /* is not counted */
    ask_insert(&asks[0]);
    expect(&asks[0], 0);
    asq_hold_end(&hold);
    ask_insert(&asks[1]);
    expect(&asks[1], 0);
    ask_sql(&asks[2], "INSERT INTO nowhere");
    expect(&asks[2], SQLITE_ERROR);
    now = stats(f);
    CHECK_INT(now.groups, 1);
    CHECK_INT(now.committed, 1);
    CHECK_INT(now.largest, 1);
    CHECK_INT(now.rerun, 0);
    CHECK_INT(now.checkpoints, 0);
    CHECK_INT(now.checkpoint_ns, 0);
    CHECK_INT(now.gaps, 0);
    CHECK(now.wal_pages > 0);
    CHECK_INT(now.wal_pages, now.wal_longest);
    ask_destroy_all(asks, 3);
}

static const struct test_case cases[] = {
    {.name = "all_who_waited_for_the_lock_are_told",
     .run = all_who_waited_for_the_lock_are_told},
    {.name = "a_checkpoint_among_them_is_not_told",
     .run = a_checkpoint_among_them_is_not_told},
    {.name = "one_that_waits_can_be_cancelled_or_late",
     .run = one_that_waits_can_be_cancelled_or_late},
    {.name = "the_first_that_is_late_does_not_speak_for_others",
     .run = the_first_that_is_late_does_not_speak_for_others},
    {.name = "a_query_alone_needs_no_lock", .run = a_query_alone_needs_no_lock},
    {.name = "bytes_bound_a_group", .run = bytes_bound_a_group},
    {.name = "rows_bound_a_group", .run = rows_bound_a_group},
    {.name = "time_bounds_a_group", .run = time_bounds_a_group},
    {.name = "a_thousand_bound_a_group", .run = a_thousand_bound_a_group},
    {.name = "urgent_ones_come_first", .run = urgent_ones_come_first},
    {.name = "but_others_are_not_starved", .run = but_others_are_not_starved},
    {.name = "beyond_its_capacity_it_refuses",
     .run = beyond_its_capacity_it_refuses},
    {.name = "some_settings_are_refused", .run = some_settings_are_refused},
    {.name = "what_it_counts", .run = what_it_counts},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "store_wait",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = store_set_up,
                                      .tear_down = store_tear_down};
