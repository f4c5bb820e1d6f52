/* test_pool_shutdown - a pool ends as a part of a shutdown */
#include "10-pooling/pool_part.h"
#include "pool_fixture.h"

#include <stdio.h>

struct ending {
    struct fixture *f;
    struct asq_shutdown shutdown;
    struct asq_shutdown_part part;
    int down;
};

static void note_down(struct asq_shutdown *shutdown)
{
    struct ending *ending = shutdown->data;

    CHECK(!ending->f->calling);
    CHECK(!ending->f->pool.must_close);
    ending->down++;
    ending->f->closed = 1;
}

static void init_ending(struct fixture *f, struct ending *ending)
{
    memset(ending, 0, sizeof *ending);
    ending->f = f;
    asq_shutdown_init(&ending->shutdown);
    ending->shutdown.data = ending;
    ending->shutdown.drain_ms = 1000000; /* only a test ends it */
    asq_pool_part_init(&ending->part, &f->pool, "readers", false);
    asq_shutdown_add(&ending->shutdown, &ending->part);
}

static void start(struct ending *ending)
{
    ending->f->calling = true;
    CHECK_INT(
        asq_shutdown_start(&ending->shutdown, &ending->f->loop, note_down), 0);
    ending->f->calling = false;
}

static void a_pool_that_is_idle_goes_down(void *data)
{
    struct fixture *f = data;

    for (int used = 0; used < 2; used++) {
        struct ending ending;

        f->closed = 0;
        open_pool(f, 2);
        if (used)
            run_query(f, "SELECT 1", 0);
        init_ending(f, &ending);
        start(&ending);
        test_run_until(&f->loop, &ending.down);
        CHECK(ending.shutdown.in_time);
        CHECK_INT(ending.part.cancelled, 0);
    }
}

static void those_that_wait_are_served_first(void *data)
{
    struct fixture *f = data;
    struct borrower a, b, late;
    struct query q;
    struct ending ending;

    open_pool(f, 1);
    borrow(f, &a, "a");
    init(f, &b, "b");
    acquire(&b);
    start_query(f, &q, "SELECT 1");
    init_ending(f, &ending);
    start(&ending);
    init(f, &late, "late");
    CHECK_INT(asq_pool_acquire(&f->pool, &late.loan, take_loan), UV_ESHUTDOWN);
    CHECK_INT(
        asq_pool_run(&f->pool, &late.request, "SELECT 1", NULL, take_borrowed),
        UV_ESHUTDOWN);
    turn(f);
    CHECK_INT(ending.down, 0);
    run_on(&a, "INSERT INTO t VALUES (1)");
    end_borrower(&a);
    expect_loan(&b, 0);
    run_on(&b, "INSERT INTO t VALUES (2)");
    turn(f);
    CHECK_INT(ending.down, 0);
    end_borrower(&b);
    expect_query(&q, 0);
    test_run_until(&f->loop, &ending.down);
    CHECK(ending.shutdown.in_time);
    asq_request_destroy(&q.request);
}

static void hurry_takes_loans_back(void *data)
{
    struct fixture *f = data;
    struct borrower a, b;
    struct ending ending;
    char text[256];

    open_pool(f, 1);
    borrow(f, &a, "a");
    run_on(&a, "BEGIN IMMEDIATE");
    run_on(&a, "INSERT INTO t VALUES (1)");
    init(f, &b, "b");
    acquire(&b);
    init_ending(f, &ending);
    start(&ending);
    turn(f);
    CHECK_INT(ending.down, 0);
    asq_shutdown_hurry(&ending.shutdown);
    CHECK(a.loan.conn == NULL);
    expect_loan(&b, UV_ESHUTDOWN);
    test_run_until(&f->loop, &ending.down);
    CHECK(!ending.shutdown.in_time);
    CHECK_INT(ending.part.cancelled, 2);
    CHECK(asq_shutdown_report(&ending.part, text, sizeof text));
    CHECK_TEXT(text, "readers: 2 requests cancelled");
    end_borrower(&a);
}

static void hurry_interrupts_what_runs(void *data)
{
    struct fixture *f = data;
    struct query q;
    struct ending ending;

    open_pool(f, 1);
    run_query(f, "SELECT 1", 0);
    start_query(f, &q,
                "WITH RECURSIVE n(x) AS (SELECT stand() UNION ALL SELECT x + 1 "
                "FROM n) SELECT count(*) FROM n");
    uv_sem_wait(&f->reached);
    init_ending(f, &ending);
    start(&ending);
    uv_sem_post(&f->gate);
    asq_shutdown_hurry(&ending.shutdown);
    expect_query(&q, SQLITE_INTERRUPT);
    test_run_until(&f->loop, &ending.down);
    CHECK_INT(ending.part.cancelled, 1);
    asq_request_destroy(&q.request);
}

/* The pool of the writer is closed after that of the readers: while one of the
 * readers is lent, the writer stays open, and the WAL is gone at the end. */
static void the_writer_goes_last(void *data)
{
    struct fixture *f = data;
    struct asq_pool writer;
    struct asq_shutdown_part part;
    struct borrower reader;
    struct query q;
    struct ending ending;
    char path[600];
    FILE *wal;

    asq_pool_init(&writer);
    writer.data = f;
    CHECK_INT(asq_pool_open(&writer, &f->loop, &f->profile, 1), 0);
    f->profile.mode = ASQ_OPEN_READ;
    open_pool(f, 1);
    memset(&q, 0, sizeof q);
    q.fixture = f;
    asq_request_init(&q.request);
    q.request.data = &q;
    CHECK_INT(asq_pool_run(&writer, &q.request, "INSERT INTO t VALUES (1)",
                           NULL, take_query),
              0);
    expect_query(&q, 0);
    borrow(f, &reader, "reader");
    init_ending(f, &ending);
    asq_pool_part_init(&part, &writer, "writer", true);
    asq_shutdown_add(&ending.shutdown, &part);
    start(&ending);
    turn(f);
    CHECK(writer.must_close);
    CHECK_INT(asq_pool_statistics(&writer).open, 1);
    end_borrower(&reader);
    test_run_until(&f->loop, &ending.down);
    CHECK(!writer.must_close);
    (void)snprintf(path, sizeof path, "%s-wal", f->path);
    wal = fopen(path, "r");
    CHECK(wal == NULL); /* the last one to close has copied it */
    asq_request_destroy(&q.request);
}

static const struct test_case cases[] = {
    {.name = "a_pool_that_is_idle_goes_down",
     .run = a_pool_that_is_idle_goes_down},
    {.name = "those_that_wait_are_served_first",
     .run = those_that_wait_are_served_first},
    {.name = "hurry_takes_loans_back", .run = hurry_takes_loans_back},
    {.name = "hurry_interrupts_what_runs", .run = hurry_interrupts_what_runs},
    {.name = "the_writer_goes_last", .run = the_writer_goes_last},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "pool_shutdown",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
