/* test_pool_life - how many connections there are, for how long, and the end */
#include "pool_fixture.h"

#include <stdio.h>

/* Opens so many connections, and gives them back. */
static void open_connections(struct fixture *f, unsigned count)
{
    struct borrower b[8];

    for (unsigned i = 0; i < count; i++)
        borrow(f, &b[i], "b");
    for (unsigned i = 0; i < count; i++)
        end_borrower(&b[i]);
    CHECK_INT(stats_of(f).open, count);
}

static void until_open(struct fixture *f, unsigned count)
{
    while (stats_of(f).open != count)
        let_it_look(f);
}

/* Lets the timer know that the clock has moved; then it looks. */
static void move_on(struct fixture *f, unsigned ms)
{
    move_clock(ms);
    CHECK_INT(asq_pool_resize(&f->pool, f->pool.limit), 0);
    let_it_look(f);
}

/* P13 */
static void idle_ones_go_but_not_below_keep(void *data)
{
    struct fixture *f = data;

    f->pool.idle_ms = 10;
    f->pool.keep = 1;
    open_pool(f, 4);
    open_connections(f, 4);
    move_clock(9);
    run_query(f, "SELECT 1", 0); /* the first is used */
    let_it_look(f);
    CHECK_INT(stats_of(f).open, 4);
    move_clock(1);
    until_open(f, 1);
    move_clock(1000);
    let_it_look(f);
    CHECK_INT(stats_of(f).open, 1);
    CHECK_INT(stats_of(f).replaced, 0);
}

static void a_used_one_outlives_the_others(void *data)
{
    struct fixture *f = data;

    f->pool.idle_ms = 10;
    open_pool(f, 4);
    open_connections(f, 4);
    for (int i = 0; i < 5; i++) {
        move_clock(9);
        run_query(f, "SELECT 1", 0);
        let_it_look(f);
    }
    CHECK_INT(stats_of(f).open, 1);
    CHECK_INT(stats_of(f).opened, 4);
}

static void old_ones_do_not_go_together(void *data)
{
    struct fixture *f = data;
    unsigned before = 4, replaced;

    f->pool.life_ms = 640;
    open_pool(f, 4);
    open_connections(f, 4);
    move_on(f, 600);
    CHECK_INT(stats_of(f).open, 4);
    for (int i = 0; i < 4; i++) {
        move_on(f, 10); /* they live for 610, 620, 630 and 640 */
        CHECK_INT(stats_of(f).open, before - 1);
        before--;
    }
    replaced = (unsigned)stats_of(f).replaced;
    CHECK_INT(replaced, 4);
}

static void an_old_one_that_is_busy_is_replaced_when_free(void *data)
{
    struct fixture *f = data;
    struct query slow;

    f->pool.life_ms = 640;
    open_pool(f, 1);
    run_query(f, "SELECT 1", 0);
    start_query(f, &slow, "SELECT stand()");
    uv_sem_wait(&f->reached);
    move_on(f, 1000);
    CHECK_INT(stats_of(f).open, 1);
    CHECK_INT(slow.done, 0);
    uv_sem_post(&f->gate);
    expect_query(&slow, 0);
    asq_request_destroy(&slow.request);
    run_query(f, "SELECT 1", 0);
    CHECK_INT(stats_of(f).opened, 2);
    CHECK_INT(stats_of(f).replaced, 1);
}

/* P14 */
static void close_waits_for_what_is_lent(void *data)
{
    struct fixture *f = data;
    struct borrower held[2], waiting[3];
    struct query q;
    char text[256];

    open_pool(f, 2);
    borrow(f, &held[0], "import");
    borrow(f, &held[1], "export");
    for (int i = 0; i < 3; i++) {
        init(f, &waiting[i], "w");
        acquire(&waiting[i]);
    }
    start_query(f, &q, "SELECT 1");
    close_pool(f);
    for (int i = 0; i < 3; i++)
        expect_loan(&waiting[i], UV_ESHUTDOWN);
    expect_query(&q, UV_ESHUTDOWN);
    CHECK_INT(asq_pool_acquire(&f->pool, &waiting[0].loan, take_loan),
              UV_ESHUTDOWN);
    CHECK_INT(asq_pool_run(&f->pool, &q.request, "SELECT 1", NULL, take_query),
              UV_ESHUTDOWN);
    (void)asq_pool_report(&f->pool, text, sizeof text);
    CHECK_CONTAINS(text, "2 lent (import for 0.0 s, export for 0.0 s)");
    run_on(&held[0], "INSERT INTO t VALUES (1)"); /* a loan goes on */
    end_borrower(&held[0]);
    turn(f);
    CHECK_INT(f->closed, 0);
    end_borrower(&held[1]);
    test_run_until(&f->loop, &f->closed);
    asq_request_destroy(&q.request);
}

static void close_lets_runs_finish(void *data)
{
    struct fixture *f = data;
    struct query q[2];

    open_pool(f, 1);
    run_query(f, "SELECT 1", 0);
    start_query(f, &q[0], "SELECT stand()");
    start_query(f, &q[1], "SELECT 1");
    uv_sem_wait(&f->reached);
    close_pool(f);
    turn(f);
    CHECK_INT(f->closed, 0);
    uv_sem_post(&f->gate);
    test_run_until(&f->loop, &f->closed);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(q[i].status, 0);
        asq_request_destroy(&q[i].request);
    }
}

static void close_while_it_opens(void *data)
{
    struct fixture *f = data;
    struct borrower a;

    open_pool(f, 2);
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    init(f, &a, "a");
    acquire(&a);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    close_pool(f);
    expect_loan(&a, UV_ESHUTDOWN);
    asq_slow_disk_open_gate();
    test_run_until(&f->loop, &f->closed);
}

static void close_and_release(struct borrower *self)
{
    close_pool(self->fixture);
    release(self);
}

static void close_inside_a_callback(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    init(f, &a, "a");
    init(f, &b, "b");
    a.then = close_and_release;
    acquire(&a);
    acquire(&b);
    expect_loan(&b, UV_ESHUTDOWN);
    test_run_until(&f->loop, &f->closed);
}

static void a_pool_that_opened_nothing_closes(void *data)
{
    struct fixture *f = data;

    open_pool(f, 3);
    close_pool(f);
    close_pool(f); /* does nothing */
    test_run_until(&f->loop, &f->closed);
    CHECK_INT(f->closed, 1);
    f->closed = 0;
    open_pool(f, 1); /* and it may be opened again */
    run_query(f, "SELECT 1", 0);
}

static void cancel_takes_loans_back(void *data)
{
    struct fixture *f = data;
    struct borrower a;
    struct query q;

    open_pool(f, 2);
    borrow(f, &a, "a");
    start_on(&a, "SELECT stand() UNION ALL SELECT a FROM t");
    uv_sem_wait(&f->reached);
    start_query(f, &q, "SELECT 1");
    asq_pool_cancel(&f->pool); /* not before close */
    CHECK(a.loan.conn != NULL);
    close_pool(f);
    asq_pool_cancel(&f->pool);
    CHECK(a.loan.conn == NULL);
    uv_sem_post(&f->gate);
    test_run_until(&f->loop, &f->closed);
    CHECK_INT(a.answered, 1);
    CHECK_INT(q.done, 1);
    end_borrower(&a); /* harmless */
    asq_request_destroy(&q.request);
}

/* P15 */
static void shrinking_waits_for_the_holders(void *data)
{
    struct fixture *f = data;
    struct borrower b[4];

    open_pool(f, 4);
    for (int i = 0; i < 4; i++)
        borrow(f, &b[i], "b");
    end_borrower(&b[3]);
    CHECK_INT(asq_pool_resize(&f->pool, 1), 0);
    CHECK_INT(stats_of(f).lent, 3);
    until_open(f, 3);
    run_on(&b[0], "SELECT 1");
    end_borrower(&b[0]);
    end_borrower(&b[1]);
    until_open(f, 1);
    end_borrower(&b[2]);
    run_query(f, "SELECT 1", 0);
    CHECK_INT(stats_of(f).open, 1);
    CHECK_INT(stats_of(f).replaced, 0);
}

static void growing_serves_those_that_wait(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    acquire(&b);
    turn(f);
    CHECK_INT(b.done, 0);
    CHECK_INT(asq_pool_resize(&f->pool, 0), UV_EINVAL);
    CHECK_INT(asq_pool_resize(&f->pool, 2), 0);
    expect_loan(&b, 0);
    end_borrower(&a);
    end_borrower(&b);
}

/* P18: a pool of readers and one of a writer know nothing of each other. */
static void a_read_never_runs_on_the_writer(void *data)
{
    struct fixture *f = data;
    struct fixture writer = *f;
    struct query slow, read, write;

    writer.pool.data = &writer;
    CHECK_INT(asq_pool_open(&writer.pool, &f->loop, &f->profile, 1), 0);
    f->profile.mode = ASQ_OPEN_READ;
    f->pool.depth = 1;
    open_pool(f, 1);
    run_query(f, "SELECT 1", 0);
    start_query(f, &slow, "SELECT stand()");
    uv_sem_wait(&f->reached);
    start_query(f, &read, "SELECT count(*) FROM t");
    start_query(&writer, &write, "INSERT INTO t VALUES (1)");
    writer.loop = f->loop;
    while (write.done == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK_INT(write.status, 0);
    CHECK_INT(read.done, 0);
    uv_sem_post(&f->gate);
    expect_query(&slow, 0);
    expect_query(&read, 0);
    asq_pool_close(&writer.pool, note_pool_closed);
    while (writer.closed == 0)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    asq_request_destroy(&slow.request);
    asq_request_destroy(&read.request);
    asq_request_destroy(&write.request);
}

/* P19 */
static void two_that_want_two_are_told(void *data)
{
    struct fixture *f = data;
    struct borrower first[2], second[2];
    static const char *const names[] = {"import", "export"};
    char text[256];

    open_pool(f, 2);
    for (int i = 0; i < 2; i++)
        borrow(f, &first[i], names[i]);
    (void)asq_pool_report(&f->pool, text, sizeof text);
    CHECK_TEXT(text,
               "2 of 2 open, 2 lent (import for 0.0 s, export for 0.0 s)");
    for (int i = 0; i < 2; i++) {
        init(f, &second[i], names[i]);
        second[i].loan.timeout_ms = 100;
        acquire(&second[i]);
    }
    move_clock(99);
    let_it_look(f);
    CHECK(asq_pool_report(&f->pool, text, sizeof text));
    CHECK_TEXT(text, "2 of 2 open, 2 lent (import for 0.1 s, export for 0.1 "
                     "s), 2 waiting, the longest for 0.1 s; each holder waits "
                     "for one more");
    move_clock(1);
    for (int i = 0; i < 2; i++)
        expect_loan(&second[i], UV_ETIMEDOUT);
    for (int i = 0; i < 2; i++)
        end_borrower(&first[i]);
    CHECK(!asq_pool_report(&f->pool, text, 8)); /* cut */
    CHECK_TEXT(text, "2 of 2 ");
}

static unsigned slow_calls;
static const char *slow_who;

static void
note_slow(struct asq_pool *pool, const char *who, uint64_t waited_ns)
{
    (void)pool;
    CHECK(waited_ns >= 1000000);
    slow_calls++;
    slow_who = who;
}

static void who_waits_for_long_is_told_once(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    struct query q;

    f->pool.slow_ms = 1;
    f->pool.on_slow = note_slow;
    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    acquire(&b);
    let_it_look(f);
    CHECK_INT(slow_calls, 0);
    move_clock(1);
    let_it_look(f);
    let_it_look(f);
    CHECK_INT(slow_calls, 1);
    CHECK_TEXT(slow_who, "b");
    asq_loan_give_up(&b.loan);
    expect_loan(&b, UV_ECANCELED);
    start_query(f, &q, "SELECT 1");
    let_it_look(f); /* runs wait by the clock of the machine */
    let_it_look(f);
    CHECK_INT(slow_calls, 2);
    CHECK(slow_who == NULL);
    end_borrower(&a);
    expect_query(&q, 0);
    asq_request_destroy(&q.request);
}

static struct borrower *other_waiter;

static void
give_up_other(struct asq_pool *pool, const char *who, uint64_t waited_ns)
{
    (void)pool;
    (void)who;
    (void)waited_ns;
    asq_loan_give_up(&other_waiter->loan);
}

/* Its time is over as well, but it waits no longer. */
static void who_is_told_may_give_another_up(void *data)
{
    struct fixture *f = data;
    struct borrower a, b, c;

    f->pool.slow_ms = 1;
    f->pool.on_slow = give_up_other;
    other_waiter = &c;
    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    init(f, &c, "c");
    c.loan.timeout_ms = 2;
    acquire(&b);
    acquire(&c);
    move_clock(2);
    let_it_look(f);
    CHECK_INT(stats_of(f).waiting, 1);
    expect_loan(&c, UV_ECANCELED);
    CHECK_INT(stats_of(f).timed_out, 0);
    end_borrower(&a);
    expect_loan(&b, 0);
    end_borrower(&b);
}

static void a_pool_without_work_lets_the_loop_end(void *data)
{
    struct fixture *f = data;
    struct borrower a;

    f->pool.idle_ms = 60000;
    open_pool(f, 2);
    borrow(f, &a, "a");
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    end_borrower(&a);
    CHECK_INT(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

static void no_memory_is_told_to_one(void *data)
{
    struct fixture *f = data;
    struct borrower a;

    open_pool(f, 1);
    init(f, &a, "a");
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 0);
    acquire(&a);
    if (test_alloc_has_failed()) {
        expect_loan(&a, UV_ENOMEM);
        move_clock(100);
        acquire(&a);
    }
    expect_loan(&a, 0);
    end_borrower(&a);
}

static int drained;
static bool refused_inside;

static void note_drained(struct asq_pool *pool)
{
    struct fixture *f = pool->data;

    CHECK(!f->calling);
    CHECK(stats_of(f).lent == 0 && stats_of(f).waiting == 0);
    drained++;
}

/* The second time comes when the callback of the first is due. */
static void refused_twice_is_drained_once(void *data)
{
    struct fixture *f = data;
    struct borrower a;

    open_pool(f, 1);
    borrow(f, &a, "a");
    CHECK(!asq_pool_refuse(&f->pool, NULL));
    CHECK(!asq_pool_refuse(&f->pool, note_drained));
    end_borrower(&a);
    CHECK(!asq_pool_refuse(&f->pool, NULL));
    CHECK(!asq_pool_refuse(&f->pool, note_drained));
    CHECK_INT(drained, 0);
    test_run_until(&f->loop, &drained);
    CHECK(asq_pool_refuse(&f->pool, note_drained));
    turn(f);
    CHECK_INT(drained, 1);
}

static void refuse_inside(struct asq_request *request, int status)
{
    struct query *q = request->data;

    q->done++;
    q->status = status;
    if (!refused_inside)
        CHECK(!asq_pool_refuse(&q->fixture->pool, note_drained));
    refused_inside = true;
}

static void an_answer_that_is_due_is_not_drained(void *data)
{
    struct fixture *f = data;
    struct query q[2];

    f->profile.on_open_db = NULL;
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 0);
    open_pool(f, 1);
    run_query(f, "SELECT 1", SQLITE_CANTOPEN); /* none is opened for a while */
    for (int i = 0; i < 2; i++) {
        start_query(f, &q[i], "SELECT 1");
        q[i].request.on_done = refuse_inside;
        asq_request_cancel(&q[i].request);
    }
    expect_query(&q[0], UV_ECANCELED);
    expect_query(&q[1], UV_ECANCELED);
    test_run_until(&f->loop, &drained);
    CHECK_INT(drained, 1);
    for (int i = 0; i < 2; i++)
        asq_request_destroy(&q[i].request);
}

/* The timer that is set for the end of its life does not delay that. */
static void one_with_a_long_life_goes_when_idle(void *data)
{
    struct fixture *f = data;

    f->pool.idle_ms = 10;
    f->pool.life_ms = 100000;
    open_pool(f, 1);
    run_query(f, "SELECT 1", 0);
    turn(f);
    move_clock(10);
    let_it_look(f);
    CHECK_INT(stats_of(f).open, 0);
    CHECK_INT(stats_of(f).replaced, 0);
}

static void an_old_one_that_is_lent_is_not_looked_at(void *data)
{
    struct fixture *f = data;
    struct borrower a;
    struct query slow;

    f->pool.life_ms = 640;
    open_pool(f, 2);
    borrow(f, &a, "a");
    move_on(f, 1000);
    CHECK(!uv_is_active((uv_handle_t *)&f->pool.timer));
    end_borrower(&a);
    let_it_look(f);
    CHECK_INT(stats_of(f).replaced, 1);
    start_query(f, &slow, "SELECT stand()");
    (void)uv_run(&f->loop, UV_RUN_ONCE);
    uv_sem_wait(&f->reached);
    move_on(f, 1000); /* it is to go as soon as it is free */
    CHECK(!uv_is_active((uv_handle_t *)&f->pool.timer));
    uv_sem_post(&f->gate);
    expect_query(&slow, 0);
    turn(f);
    CHECK_INT(stats_of(f).replaced, 2);
    asq_request_destroy(&slow.request);
}

static void a_run_that_waits_is_reported(void *data)
{
    struct fixture *f = data;
    struct borrower a;
    struct query q;
    char text[256];

    open_pool(f, 1);
    borrow(f, &a, "a");
    start_query(f, &q, "SELECT 1");
    CHECK(asq_pool_report(&f->pool, text, sizeof text));
    CHECK_TEXT(text, "1 of 1 open, 1 lent (a for 0.0 s), 1 waiting, the "
                     "longest for 0.0 s");
    end_borrower(&a);
    expect_query(&q, 0);
    asq_request_destroy(&q.request);
}

/* It is never idle: somebody waits whenever it comes back. */
static void an_old_one_that_is_always_wanted_is_replaced(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;

    f->pool.life_ms = 640;
    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    acquire(&b);
    move_clock(1000);
    end_borrower(&a);
    expect_loan(&b, 0);
    CHECK_INT(stats_of(f).opened, 2);
    CHECK_INT(stats_of(f).replaced, 1);
    end_borrower(&b);
}

static const struct test_case cases[] = {
    {.name = "idle_ones_go_but_not_below_keep",
     .run = idle_ones_go_but_not_below_keep},
    {.name = "a_used_one_outlives_the_others",
     .run = a_used_one_outlives_the_others},
    {.name = "old_ones_do_not_go_together", .run = old_ones_do_not_go_together},
    {.name = "an_old_one_that_is_busy_is_replaced_when_free",
     .run = an_old_one_that_is_busy_is_replaced_when_free},
    {.name = "close_waits_for_what_is_lent",
     .run = close_waits_for_what_is_lent},
    {.name = "close_lets_runs_finish", .run = close_lets_runs_finish},
    {.name = "close_while_it_opens", .run = close_while_it_opens},
    {.name = "close_inside_a_callback", .run = close_inside_a_callback},
    {.name = "a_pool_that_opened_nothing_closes",
     .run = a_pool_that_opened_nothing_closes},
    {.name = "cancel_takes_loans_back", .run = cancel_takes_loans_back},
    {.name = "shrinking_waits_for_the_holders",
     .run = shrinking_waits_for_the_holders},
    {.name = "growing_serves_those_that_wait",
     .run = growing_serves_those_that_wait},
    {.name = "a_read_never_runs_on_the_writer",
     .run = a_read_never_runs_on_the_writer},
    {.name = "two_that_want_two_are_told", .run = two_that_want_two_are_told},
    {.name = "who_waits_for_long_is_told_once",
     .run = who_waits_for_long_is_told_once},
    {.name = "who_is_told_may_give_another_up",
     .run = who_is_told_may_give_another_up},
    {.name = "a_pool_without_work_lets_the_loop_end",
     .run = a_pool_without_work_lets_the_loop_end},
    {.name = "no_memory_is_told_to_one", .run = no_memory_is_told_to_one},
    {.name = "refused_twice_is_drained_once",
     .run = refused_twice_is_drained_once},
    {.name = "an_answer_that_is_due_is_not_drained",
     .run = an_answer_that_is_due_is_not_drained},
    {.name = "one_with_a_long_life_goes_when_idle",
     .run = one_with_a_long_life_goes_when_idle},
    {.name = "an_old_one_that_is_lent_is_not_looked_at",
     .run = an_old_one_that_is_lent_is_not_looked_at},
    {.name = "a_run_that_waits_is_reported",
     .run = a_run_that_waits_is_reported},
    {.name = "an_old_one_that_is_always_wanted_is_replaced",
     .run = an_old_one_that_is_always_wanted_is_replaced},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "pool_life",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
