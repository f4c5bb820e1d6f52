/* test_gather - several statements, one callback when all are answered */
#include "11-concurrent-queries/gather.h"
#include "pool_fixture.h"

#include <stdio.h>

enum {
    PARTS = 8
};

struct all {
    struct asq_gather gather;
    struct asq_gather_part parts[PARTS];
    struct fixture *f;
    int done, status;
};

static void note_done(struct asq_gather *gather, int status)
{
    struct all *all = gather->data;

    CHECK(!all->f->calling);
    CHECK_INT(gather->pending, 0);
    all->done++;
    all->status = status;
    CHECK((status == 0) == (gather->failed == NULL));
}

static void init_all(struct fixture *f, struct all *all)
{
    memset(all, 0, sizeof *all);
    all->f = f;
    asq_gather_init(&all->gather);
    all->gather.data = all;
    for (int i = 0; i < PARTS; i++)
        asq_gather_part_init(&all->parts[i]);
}

static void start(struct all *all)
{
    all->f->calling = true;
    CHECK_INT(
        asq_gather_start(&all->gather, &all->f->loop, &all->f->pool, note_done),
        0);
    all->f->calling = false;
}

static void expect_all(struct all *all, int status)
{
    test_run_until(&all->f->loop, &all->done);
    CHECK_INT(all->done, 1);
    CHECK_INT(all->status, status);
}

static void destroy_all(struct all *all)
{
    for (int i = 0; i < PARTS; i++)
        asq_gather_part_destroy(&all->parts[i]);
}

/* Opens so many connections. */
static void warm_up(struct fixture *f, unsigned count)
{
    struct borrower b[4];

    for (unsigned i = 0; i < count; i++)
        borrow(f, &b[i], "b");
    for (unsigned i = 0; i < count; i++)
        end_borrower(&b[i]);
}

static void results_are_found_in_their_parts(void *data)
{
    struct fixture *f = data;
    static const char *const sql[] = {"SELECT 0 AS n", "SELECT 1 AS n",
                                      "SELECT 2 AS n", "SELECT 3 AS n"};
    struct all all;

    open_pool(f, 2);
    init_all(f, &all);
    for (int i = 0; i < 4; i++)
        asq_gather_add(&all.gather, &all.parts[i], sql[i], NULL);
    CHECK_INT(all.gather.count, 4);
    start(&all);
    expect_all(&all, 0);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(all.parts[i].status, 0);
        CHECK_INT(asq_result_int64(&all.parts[i].request.result, 0, "n"), i);
    }
    destroy_all(&all);
}

/* G1, G2: the second fails while the first stands at the gate. */
static void done_comes_after_every_part(void *data)
{
    struct fixture *f = data;
    struct all all;

    f->pool.depth = 1;
    open_pool(f, 3);
    warm_up(f, 3);
    init_all(f, &all);
    asq_gather_add(&all.gather, &all.parts[0],
                   "WITH RECURSIVE n(x) AS (SELECT stand() UNION ALL SELECT "
                   "x + 1 FROM n) SELECT count(*) FROM n",
                   NULL);
    asq_gather_add(&all.gather, &all.parts[1], "SELECT nonsense", NULL);
    all.gather.limit = 2;
    asq_gather_add(&all.gather, &all.parts[2], "SELECT 1", NULL);
    start(&all);
    uv_sem_wait(&f->reached);
    while (all.gather.failed == NULL)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    turn(f);
    CHECK_INT(all.done, 0);
    uv_sem_post(&f->gate);
    expect_all(&all, SQLITE_ERROR);
    CHECK(all.gather.failed == &all.parts[1]);
    CHECK_INT(all.parts[0].status, SQLITE_INTERRUPT);
    CHECK_INT(all.parts[1].status, SQLITE_ERROR);
    CHECK_INT(all.parts[2].status, UV_ECANCELED);
    destroy_all(&all);
}

static void keep_going_cancels_nothing(void *data)
{
    struct fixture *f = data;
    struct all all;

    open_pool(f, 1);
    init_all(f, &all);
    all.gather.keep_going = true;
    all.gather.limit = 1;
    asq_gather_add(&all.gather, &all.parts[0], "SELECT nonsense", NULL);
    asq_gather_add(&all.gather, &all.parts[1], "SELECT 1 AS n", NULL);
    asq_gather_add(&all.gather, &all.parts[2], "more nonsense", NULL);
    start(&all);
    expect_all(&all, SQLITE_ERROR);
    CHECK(all.gather.failed == &all.parts[0]);
    CHECK_INT(all.parts[1].status, 0);
    CHECK_INT(all.parts[2].status, SQLITE_ERROR);
    destroy_all(&all);
}

/* G3 */
static void without_parts_it_is_done_later(void *data)
{
    struct fixture *f = data;
    struct all all;

    open_pool(f, 1);
    init_all(f, &all);
    start(&all);
    CHECK_INT(all.done, 0);
    expect_all(&all, 0);
    CHECK_INT(all.gather.count, 0);
    destroy_all(&all);
}

static void a_part_that_is_refused_has_failed(void *data)
{
    struct fixture *f = data;
    struct borrower a;
    struct all all;

    f->pool.capacity = 2;
    open_pool(f, 1);
    borrow(f, &a, "a"); /* so that all have to wait in the line */
    init_all(f, &all);
    for (int i = 0; i < 5; i++)
        asq_gather_add(&all.gather, &all.parts[i], "SELECT 1", NULL);
    start(&all);
    end_borrower(&a);
    expect_all(&all, UV_ENOBUFS);
    CHECK(all.gather.failed == &all.parts[2]);
    for (int i = 3; i < 5; i++)
        CHECK_INT(all.parts[i].status, UV_ECANCELED);
    destroy_all(&all);
}

static void all_refused_is_done_later(void *data)
{
    struct fixture *f = data;
    struct all all;

    open_pool(f, 1);
    close_pool(f);
    init_all(f, &all);
    asq_gather_add(&all.gather, &all.parts[0], "SELECT 1", NULL);
    start(&all);
    expect_all(&all, UV_ESHUTDOWN);
    test_run_until(&f->loop, &f->closed);
    destroy_all(&all);
}

/* G4 */
static void no_more_than_the_limit_are_under_way(void *data)
{
    struct fixture *f = data;
    struct all all;

    f->pool.depth = 1;
    open_pool(f, 4);
    warm_up(f, 4);
    init_all(f, &all);
    all.gather.limit = 2;
    for (int i = 0; i < PARTS; i++)
        asq_gather_add(&all.gather, &all.parts[i], "SELECT stand()", NULL);
    start(&all);
    for (int i = 0; i < PARTS; i++) {
        uv_sem_wait(&f->reached);
        CHECK(all.gather.pending <= 2);
        uv_sem_post(&f->gate);
        while (all.parts[i].status != 0 &&
               all.parts[(i + 1) % PARTS].status != 0)
            (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    expect_all(&all, 0);
    destroy_all(&all);
}

/* G5: two stand at the gate at once on two connections, never on one. */
static void only_several_connections_work_at_once(void *data)
{
    struct fixture *f = data;

    f->pool.depth = 1;
    open_pool(f, 2);
    warm_up(f, 2);
    for (int on_one = 0; on_one < 2; on_one++) {
        struct borrower b;
        struct all all;

        init_all(f, &all);
        if (on_one) {
            borrow(f, &b, "b");
            all.gather.conn = b.loan.conn;
        }
        for (int i = 0; i < 2; i++)
            asq_gather_add(&all.gather, &all.parts[i], "SELECT stand()", NULL);
        start(&all);
        uv_sem_wait(&f->reached);
        if (on_one)
            CHECK(uv_sem_trywait(&f->reached) != 0);
        else
            uv_sem_wait(&f->reached);
        uv_sem_post(&f->gate);
        uv_sem_post(&f->gate);
        expect_all(&all, 0);
        if (on_one) {
            uv_sem_wait(&f->reached);
            end_borrower(&b);
        }
        destroy_all(&all);
    }
}

/* G6 */
static void no_row_and_null_are_told_apart(void *data)
{
    struct fixture *f = data;
    struct all all;
    const struct asq_result *absent, *sum;

    open_pool(f, 1);
    init_all(f, &all);
    asq_gather_add(&all.gather, &all.parts[0], "SELECT a FROM t WHERE a = 9",
                   NULL);
    asq_gather_add(&all.gather, &all.parts[1], "SELECT sum(a) AS n FROM t",
                   NULL);
    start(&all);
    expect_all(&all, 0);
    absent = &all.parts[0].request.result;
    sum = &all.parts[1].request.result;
    CHECK_INT(absent->rows, 0);
    CHECK_INT(sum->rows, 1);
    CHECK_INT(asq_result_at(sum, 0, 0).type, ASQ_NULL);
    destroy_all(&all);
}

static void cancel_reaches_what_never_ran(void *data)
{
    struct fixture *f = data;
    struct all all;

    open_pool(f, 1);
    warm_up(f, 1);
    init_all(f, &all);
    asq_gather_cancel(&all.gather); /* nothing is started */
    all.gather.limit = 1;
    asq_gather_add(&all.gather, &all.parts[0], "SELECT stand()", NULL);
    asq_gather_add(&all.gather, &all.parts[1], "SELECT 1", NULL);
    start(&all);
    uv_sem_wait(&f->reached);
    asq_gather_cancel(&all.gather);
    uv_sem_post(&f->gate);
    expect_all(&all, UV_ECANCELED);
    CHECK(all.gather.failed == &all.parts[1]);
    destroy_all(&all);
}

static void start_again(struct asq_gather *gather, int status)
{
    struct all *all = gather->data;

    CHECK_INT(status, 0);
    if (++all->done == 3)
        return;
    asq_gather_add(gather, &all->parts[0], "SELECT 1", NULL);
    CHECK_INT(
        asq_gather_start(gather, &all->f->loop, &all->f->pool, start_again), 0);
}

static void it_can_be_started_again_in_its_callback(void *data)
{
    struct fixture *f = data;
    struct all all;

    open_pool(f, 1);
    init_all(f, &all);
    CHECK_INT(asq_gather_start(&all.gather, &f->loop, NULL, start_again),
              UV_EINVAL);
    CHECK_INT(asq_gather_start(&all.gather, &f->loop, &f->pool, NULL),
              UV_EINVAL);
    CHECK_INT(asq_gather_start(&all.gather, &f->loop, &f->pool, start_again),
              0);
    CHECK_INT(asq_gather_start(&all.gather, &f->loop, &f->pool, start_again),
              UV_EINVAL);
    while (all.done < 3)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    CHECK_INT(all.gather.count, 1);
    destroy_all(&all);
}

static void its_count_begins_anew(void *data)
{
    struct fixture *f = data;
    struct all all;

    open_pool(f, 1);
    init_all(f, &all);
    asq_gather_add(&all.gather, &all.parts[0], "SELECT 1", NULL);
    asq_gather_add(&all.gather, &all.parts[1], "SELECT 1", NULL);
    start(&all);
    expect_all(&all, 0);
    CHECK_INT(all.gather.count, 2);
    all.done = 0;
    start(&all); /* without parts */
    expect_all(&all, 0);
    CHECK_INT(all.gather.count, 0);
    destroy_all(&all);
}

static const struct test_case cases[] = {
    {.name = "results_are_found_in_their_parts",
     .run = results_are_found_in_their_parts},
    {.name = "done_comes_after_every_part", .run = done_comes_after_every_part},
    {.name = "keep_going_cancels_nothing", .run = keep_going_cancels_nothing},
    {.name = "without_parts_it_is_done_later",
     .run = without_parts_it_is_done_later},
    {.name = "a_part_that_is_refused_has_failed",
     .run = a_part_that_is_refused_has_failed},
    {.name = "all_refused_is_done_later", .run = all_refused_is_done_later},
    {.name = "no_more_than_the_limit_are_under_way",
     .run = no_more_than_the_limit_are_under_way},
    {.name = "only_several_connections_work_at_once",
     .run = only_several_connections_work_at_once},
    {.name = "no_row_and_null_are_told_apart",
     .run = no_row_and_null_are_told_apart},
    {.name = "cancel_reaches_what_never_ran",
     .run = cancel_reaches_what_never_ran},
    {.name = "it_can_be_started_again_in_its_callback",
     .run = it_can_be_started_again_in_its_callback},
    {.name = "its_count_begins_anew", .run = its_count_begins_anew},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "gather",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
