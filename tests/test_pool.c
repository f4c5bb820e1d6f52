/* test_pool - who gets a connection of a pool, in which order, and how many */
#include "pool_fixture.h"

#include <stdio.h>

/* One connection at a time: A holds it, others wait. */
static void a_query_opens_the_first_connection(void *data)
{
    struct fixture *f = data;

    open_pool(f, 3);
    CHECK_INT(stats_of(f).open, 0);
    run_query(f, "SELECT 1", 0);
    CHECK_INT(stats_of(f).open, 1);
    run_query(f, "SELECT 1", 0);
    CHECK_INT(stats_of(f).opened, 1);
    CHECK_INT(stats_of(f).runs, 2);
}

static void many_queries_stay_on_one_connection(void *data)
{
    struct fixture *f = data;
    struct query q[30];

    open_pool(f, 3);
    run_query(f, "SELECT 1", 0);
    for (int i = 0; i < 30; i++)
        start_query(f, &q[i], "SELECT count(*) FROM t");
    for (int i = 0; i < 30; i++) {
        expect_query(&q[i], 0);
        CHECK_INT(q[i].order, i + 1);
        asq_request_destroy(&q[i].request);
    }
    CHECK_INT(stats_of(f).opened, 1);
}

static void more_than_the_depth_open_another(void *data)
{
    struct fixture *f = data;
    struct query q[6];

    f->pool.depth = 2;
    open_pool(f, 3);
    run_query(f, "SELECT 1", 0);
    start_query(f, &q[0], "SELECT stand()");
    uv_sem_wait(&f->reached);
    for (int i = 1; i < 6; i++)
        start_query(f, &q[i], "SELECT 1");
    turn(f);
    uv_sem_post(&f->gate);
    for (int i = 0; i < 6; i++) {
        expect_query(&q[i], 0);
        asq_request_destroy(&q[i].request);
    }
    CHECK_INT(stats_of(f).opened + stats_of(f).opening, 2);
}

/* The first that is open does not get the whole line. */
static void a_burst_is_shared_by_those_that_open(void *data)
{
    struct fixture *f = data;
    struct query q[8];

    f->pool.depth = 2;
    open_pool(f, 4);
    for (int i = 0; i < 8; i++)
        start_query(f, &q[i], "SELECT stand()");
    CHECK_INT(stats_of(f).opening, 4);
    for (int i = 0; i < 4; i++) {
        while (uv_sem_trywait(&f->reached) != 0)
            (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < 8; i++)
        uv_sem_post(&f->gate);
    for (int i = 0; i < 8; i++) {
        expect_query(&q[i], 0);
        asq_request_destroy(&q[i].request);
    }
    CHECK_INT(stats_of(f).opened, 4);
}

/* P17 */
static void a_slow_query_gets_no_company(void *data)
{
    struct fixture *f = data;
    struct query slow, q[40];
    struct borrower a, b;

    f->pool.depth = 1;
    open_pool(f, 2);
    borrow(f, &a, "a");
    borrow(f, &b, "b");
    end_borrower(&a);
    end_borrower(&b);
    CHECK_INT(stats_of(f).open, 2);
    start_query(f, &slow, "SELECT stand()");
    uv_sem_wait(&f->reached);
    for (int i = 0; i < 40; i++) {
        start_query(f, &q[i], "SELECT 1");
        expect_query(&q[i], 0);
        asq_request_destroy(&q[i].request);
    }
    CHECK_INT(slow.done, 0);
    uv_sem_post(&f->gate);
    expect_query(&slow, 0);
    asq_request_destroy(&slow.request);
}

/* P1: given up between the grant and its callback. */
static void one_given_up_goes_to_the_next(void *data)
{
    struct fixture *f = data;
    struct borrower a, b, c;

    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    init(f, &c, "c");
    acquire(&b);
    acquire(&c);
    release(&a);
    CHECK_INT(b.loan.state, ASQ_LOAN_DUE);
    asq_loan_give_up(&b.loan);
    expect_loan(&b, UV_ECANCELED);
    expect_loan(&c, 0);
    CHECK_INT(stats_of(f).lent, 1);
    CHECK_INT(stats_of(f).open, 1);
    end_borrower(&c);
    CHECK_INT(stats_of(f).idle, 1);
}

/* P2 */
static struct borrower *newcomer;

static void release_and_ask_again(struct borrower *self)
{
    self->then = NULL;
    release(self);
    acquire(newcomer);
}

static void a_newcomer_takes_nothing_from_the_line(void *data)
{
    struct fixture *f = data;
    struct borrower a, b, again;

    open_pool(f, 1);
    init(f, &a, "a");
    init(f, &b, "b");
    init(f, &again, "again");
    newcomer = &again;
    a.then = release_and_ask_again;
    acquire(&a);
    acquire(&b);
    expect_loan(&b, 0);
    CHECK_INT(again.done, 0);
    release(&b);
    expect_loan(&again, 0);
    CHECK_INT(a.order, 0);
    CHECK_INT(b.order, 1);
    CHECK_INT(again.order, 2);
    end_borrower(&again);
}

static void go_on(struct borrower *self)
{
    release(self);
}

static void the_line_is_first_come_first_served(void *data)
{
    struct fixture *f = data;
    struct borrower b[20];

    open_pool(f, 1);
    for (int i = 0; i < 20; i++) {
        init(f, &b[i], "b");
        b[i].then = go_on;
        acquire(&b[i]);
    }
    for (int i = 0; i < 20; i++) {
        expect_loan(&b[i], 0);
        CHECK_INT(b[i].order, i);
    }
}

/* Loans and runs share the line. */
static void a_run_behind_a_loan_waits_its_turn(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    struct query before, after;

    open_pool(f, 1);
    borrow(f, &a, "a");
    start_query(f, &before, "SELECT 1");
    init(f, &b, "b");
    acquire(&b);
    start_query(f, &after, "SELECT 1");
    release(&a);
    expect_query(&before, 0);
    expect_loan(&b, 0);
    turn(f);
    CHECK_INT(after.done, 0);
    CHECK(before.order < b.order);
    end_borrower(&b);
    expect_query(&after, 0);
    asq_request_destroy(&before.request);
    asq_request_destroy(&after.request);
}

/* A loan is served although runs come without end. */
static void runs_do_not_starve_a_loan(void *data)
{
    struct fixture *f = data;
    struct borrower b;
    struct query q[50];
    int before;

    open_pool(f, 1);
    run_query(f, "SELECT 1", 0);
    start_query(f, &q[0], "SELECT stand()");
    uv_sem_wait(&f->reached);
    init(f, &b, "b");
    acquire(&b);
    for (int i = 1; i < 50; i++)
        start_query(f, &q[i], "SELECT 1");
    uv_sem_post(&f->gate);
    expect_loan(&b, 0);
    before = 0;
    for (int i = 0; i < 50; i++)
        before += q[i].done;
    CHECK_INT(before, 1);
    end_borrower(&b);
    for (int i = 0; i < 50; i++) {
        expect_query(&q[i], 0);
        asq_request_destroy(&q[i].request);
    }
}

/* P3 */
static void a_waiter_that_gives_up_takes_nothing_along(void *data)
{
    struct fixture *f = data;
    struct borrower a, b, c;

    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    init(f, &c, "c");
    acquire(&b);
    acquire(&c);
    asq_loan_give_up(&b.loan);
    release(&a);
    expect_loan(&c, 0);
    expect_loan(&b, UV_ECANCELED);
    end_borrower(&c);
}

static void time_over_and_release_in_one_turn(void *data)
{
    struct fixture *f = data;

    open_pool(f, 1);
    for (int first = 0; first < 2; first++) {
        struct borrower a, b, c;

        borrow(f, &a, "a");
        init(f, &b, "b");
        init(f, &c, "c");
        b.loan.timeout_ms = 100;
        acquire(&b);
        acquire(&c);
        move_clock(100);
        if (first == 0) {
            let_it_look(f); /* the time comes first */
            release(&a);
            expect_loan(&b, UV_ETIMEDOUT);
        } else {
            release(&a);
            expect_loan(&b, 0); /* it was given before anybody looked */
            end_borrower(&b);
        }
        expect_loan(&c, 0);
        end_borrower(&c);
    }
}

/* P4 */
static void a_deadline_does_not_begin_anew(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    f->profile.mode = ASQ_OPEN_READ;
    open_pool(f, 1);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 1);
    init(f, &a, "a");
    init(f, &b, "b");
    b.loan.timeout_ms = 500;
    acquire(&a);
    acquire(&b);
    expect_loan(&a, SQLITE_CANTOPEN); /* the oldest is told */
    move_clock(99);
    let_it_look(f);
    CHECK_INT(b.done, 0);
    move_clock(401);
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1); /* the next try hangs */
    let_it_look(f);
    expect_loan(&b, UV_ETIMEDOUT);
    asq_slow_disk_open_gate();
    CHECK_INT(stats_of(f).timed_out, 1);
}

/* P5 */
static void each_failed_open_is_told_to_one(void *data)
{
    struct fixture *f = data;
    struct borrower b[3], late;

    open_pool(f, 3);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 1);
    for (int i = 0; i < 3; i++) {
        init(f, &b[i], "b");
        acquire(&b[i]);
        CHECK(stats_of(f).opening <= (unsigned)i + 1);
    }
    for (int i = 0; i < 3; i++) {
        expect_loan(&b[i], SQLITE_CANTOPEN);
        CHECK_INT(b[i].order, i);
        CHECK_CONTAINS(b[i].loan.message, "pool.db");
    }
    CHECK_INT(stats_of(f).failed_opens, 3);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 0, 0, 0);
    init(f, &late, "late");
    acquire(&late);
    turn(f);
    CHECK_INT(stats_of(f).opening, 0); /* there is a pause */
    move_clock(100);
    expect_loan(&late, 0);
    end_borrower(&late);
}

/* P6 */
static void opening_goes_on_for_the_next(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    init(f, &a, "a");
    acquire(&a);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    asq_loan_give_up(&a.loan);
    expect_loan(&a, UV_ECANCELED);
    asq_slow_disk_open_gate();
    while (stats_of(f).idle == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK_INT(stats_of(f).opened, 1);
    borrow(f, &b, "b");
    CHECK_INT(stats_of(f).opened, 1);
    end_borrower(&b);
}

/* P7 */
static void the_limit_holds_while_many_race(void *data)
{
    struct fixture *f = data;
    struct borrower b[8];
    int served = 0;

    open_pool(f, 3);
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    for (int i = 0; i < 8; i++) {
        init(f, &b[i], "b");
        acquire(&b[i]);
        CHECK(stats_of(f).opening <= 3);
    }
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    turn(f);
    CHECK(stats_of(f).opening + stats_of(f).open <= 3);
    asq_slow_disk_open_gate();
    while (served < 8) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
        CHECK(stats_of(f).opening + stats_of(f).open <= 3);
        CHECK(stats_of(f).lent <= 3);
        for (int i = 0; i < 8; i++) {
            if (b[i].loan.state == ASQ_LOAN_HELD) {
                end_borrower(&b[i]);
                served++;
            }
        }
    }
    CHECK_INT(stats_of(f).opened + stats_of(f).opening, 3);
}

/* P11 */
static void pending_requests_come_before_the_next_caller(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    borrow(f, &a, "a");
    start_on(&a, "SELECT stand()");
    uv_sem_wait(&f->reached);
    init(f, &b, "b");
    acquire(&b);
    release(&a);
    turn(f);
    CHECK_INT(b.done, 0);
    uv_sem_post(&f->gate);
    expect_loan(&b, 0);
    CHECK_INT(a.answered, 1);
    end_borrower(&b);
    asq_request_destroy(&a.request);
}

/* P12 */
static void released_twice_is_released_once(void *data)
{
    struct fixture *f = data;
    struct borrower a, b, c;

    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    init(f, &c, "c");
    acquire(&b);
    acquire(&c);
    release(&a);
    release(&a);
    CHECK(a.loan.conn == NULL);
    expect_loan(&b, 0);
    turn(f);
    CHECK_INT(c.done, 0);
    end_borrower(&b);
    expect_loan(&c, 0);
    end_borrower(&c);
    asq_loan_give_up(&a.loan); /* nothing happens */
}

static void wrong_use_is_refused(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    struct query q;
    struct asq_hold hold = {0};

    init(f, &a, "a");
    CHECK_INT(asq_pool_acquire(&f->pool, &a.loan, take_loan), UV_EINVAL);
    open_pool(f, 1);
    CHECK_INT(asq_pool_open(&f->pool, &f->loop, &f->profile, 1), UV_EINVAL);
    CHECK_INT(asq_pool_acquire(&f->pool, &a.loan, NULL), UV_EINVAL);
    acquire(&a);
    CHECK_INT(asq_pool_acquire(&f->pool, &a.loan, take_loan), UV_EINVAL);
    expect_loan(&a, 0);
    CHECK_INT(asq_pool_acquire(&f->pool, &a.loan, take_loan), UV_EINVAL);
    start_query(f, &q, "SELECT 1");
    CHECK_INT(asq_pool_run(&f->pool, &q.request, "SELECT 1", NULL, take_query),
              UV_EINVAL);
    init(f, &b, "b");
    CHECK_INT(asq_pool_run(&f->pool, &b.request, NULL, NULL, take_borrowed),
              UV_EINVAL);
    b.request.hold = &hold;
    CHECK_INT(
        asq_pool_run(&f->pool, &b.request, "SELECT 1", NULL, take_borrowed),
        UV_EINVAL);
    f->pool.capacity = 1;
    CHECK_INT(asq_pool_acquire(&f->pool, &b.loan, take_loan), UV_ENOBUFS);
    end_borrower(&a);
    expect_query(&q, 0);
    asq_request_destroy(&q.request);
}

/* A run in the line ends by its deadline, or when it is cancelled. */
static void a_run_in_the_line_can_end_early(void *data)
{
    struct fixture *f = data;
    struct borrower a;
    struct query late, cancelled;

    open_pool(f, 1);
    borrow(f, &a, "a");
    memset(&late, 0, sizeof late);
    late.fixture = f;
    asq_request_init(&late.request);
    late.request.data = &late;
    late.request.timeout_ms = 1;
    CHECK_INT(
        asq_pool_run(&f->pool, &late.request, "SELECT 1", NULL, take_query), 0);
    start_query(f, &cancelled, "SELECT 1");
    asq_request_cancel(&cancelled.request);
    expect_query(&late, UV_ETIMEDOUT);
    CHECK_INT(late.request.timed_out_in, ASQ_PLACE_QUEUE);
    expect_query(&cancelled, UV_ECANCELED);
    CHECK_INT(stats_of(f).waiting, 0);
    end_borrower(&a);
    asq_request_destroy(&late.request);
    asq_request_destroy(&cancelled.request);
}

/* P16 */
static void several_connections_to_memory_are_refused(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < 2; i++) {
        f->profile.path = i == 0 ? ":memory:" : "";
        f->profile.vfs = NULL;
        CHECK_INT(asq_pool_open(&f->pool, &f->loop, &f->profile, 2), UV_EINVAL);
        CHECK_CONTAINS(f->pool.message, "in memory");
    }
    f->profile.path = ":memory:";
    CHECK_INT(asq_pool_open(&f->pool, &f->loop, &f->profile, 0), UV_EINVAL);
    open_pool(f, 1);
    CHECK_INT(asq_pool_resize(&f->pool, 2), UV_EINVAL);
    run_query(f, "SELECT 1", 0);
}

/* The one that was expected to be free first is not. */
static void one_that_becomes_idle_is_lent_at_once(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    struct query slow, quick;

    f->pool.depth = 1;
    open_pool(f, 2);
    borrow(f, &a, "a");
    borrow(f, &b, "b");
    end_borrower(&a);
    end_borrower(&b);
    start_query(f, &slow, "SELECT stand()");
    uv_sem_wait(&f->reached);
    start_query(f, &quick, "SELECT 1");
    init(f, &a, "a");
    acquire(&a);
    expect_query(&quick, 0);
    CHECK_INT(a.loan.state, ASQ_LOAN_DUE);
    expect_loan(&a, 0);
    CHECK_INT(slow.done, 0);
    end_borrower(&a);
    uv_sem_post(&f->gate);
    expect_query(&slow, 0);
    asq_request_destroy(&slow.request);
    asq_request_destroy(&quick.request);
}

static const struct test_case cases[] = {
    {.name = "a_query_opens_the_first_connection",
     .run = a_query_opens_the_first_connection},
    {.name = "many_queries_stay_on_one_connection",
     .run = many_queries_stay_on_one_connection},
    {.name = "more_than_the_depth_open_another",
     .run = more_than_the_depth_open_another},
    {.name = "a_burst_is_shared_by_those_that_open",
     .run = a_burst_is_shared_by_those_that_open},
    {.name = "a_slow_query_gets_no_company",
     .run = a_slow_query_gets_no_company},
    {.name = "one_given_up_goes_to_the_next",
     .run = one_given_up_goes_to_the_next},
    {.name = "a_newcomer_takes_nothing_from_the_line",
     .run = a_newcomer_takes_nothing_from_the_line},
    {.name = "the_line_is_first_come_first_served",
     .run = the_line_is_first_come_first_served},
    {.name = "a_run_behind_a_loan_waits_its_turn",
     .run = a_run_behind_a_loan_waits_its_turn},
    {.name = "runs_do_not_starve_a_loan", .run = runs_do_not_starve_a_loan},
    {.name = "a_waiter_that_gives_up_takes_nothing_along",
     .run = a_waiter_that_gives_up_takes_nothing_along},
    {.name = "time_over_and_release_in_one_turn",
     .run = time_over_and_release_in_one_turn},
    {.name = "a_deadline_does_not_begin_anew",
     .run = a_deadline_does_not_begin_anew},
    {.name = "each_failed_open_is_told_to_one",
     .run = each_failed_open_is_told_to_one},
    {.name = "opening_goes_on_for_the_next",
     .run = opening_goes_on_for_the_next},
    {.name = "the_limit_holds_while_many_race",
     .run = the_limit_holds_while_many_race},
    {.name = "pending_requests_come_before_the_next_caller",
     .run = pending_requests_come_before_the_next_caller},
    {.name = "released_twice_is_released_once",
     .run = released_twice_is_released_once},
    {.name = "wrong_use_is_refused", .run = wrong_use_is_refused},
    {.name = "a_run_in_the_line_can_end_early",
     .run = a_run_in_the_line_can_end_early},
    {.name = "several_connections_to_memory_are_refused",
     .run = several_connections_to_memory_are_refused},
    {.name = "one_that_becomes_idle_is_lent_at_once",
     .run = one_that_becomes_idle_is_lent_at_once},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "pool",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
