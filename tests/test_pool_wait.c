/* test_pool_wait - opening and closing a pool while the loop turns */
#include "11-concurrent-queries/pool_wait.h"
#include "pool_fixture.h"

/* Another try after a failed opening comes after some time, which goes on. */
static void set_up(void *data)
{
    struct fixture *f = data;

    pool_set_up(data);
    f->pool.now_ns = NULL;
}

static void all_are_open_and_idle(void *data)
{
    struct fixture *f = data;

    CHECK_INT(asq_pool_open_wait(&f->pool, &f->loop, &f->profile, 3), 0);
    CHECK_INT(stats_of(f).open, 3);
    CHECK_INT(stats_of(f).idle, 3);
    CHECK_INT(stats_of(f).lent, 0);
    run_query(f, "SELECT 1", 0);
    asq_pool_close_wait(&f->pool);
    CHECK_INT(stats_of(f).open, 0);
    asq_pool_close_wait(&f->pool); /* it is closed already */
}

static void it_can_be_opened_again(void *data)
{
    struct fixture *f = data;

    for (int i = 0; i < 2; i++) {
        CHECK_INT(asq_pool_open_wait(&f->pool, &f->loop, &f->profile, 2), 0);
        asq_pool_close_wait(&f->pool);
    }
}

static void one_that_failed_to_open_needs_no_close(void *data)
{
    struct fixture *f = data;

    f->profile.path = test_path("absent.db");
    f->profile.mode = ASQ_OPEN_READ;
    CHECK_INT(asq_pool_open_wait(&f->pool, &f->loop, &f->profile, 2),
              SQLITE_CANTOPEN);
    CHECK(f->pool.message[0] != '\0');
    CHECK(!f->pool.must_close);
    CHECK_INT(asq_pool_open_wait(&f->pool, &f->loop, &f->profile, 0),
              UV_EINVAL);
}

static void no_memory_is_told(void *data)
{
    struct fixture *f = data;
    int rc = UV_ENOMEM;

    for (uint64_t nth = 1; nth == 1 || test_alloc_has_failed(); nth++) {
        test_alloc_fail_at(TEST_ALLOC_MALLOC, nth, 0);
        rc = asq_pool_open_wait(&f->pool, &f->loop, &f->profile, 2);
        CHECK(f->pool.must_close == (rc == 0));
        CHECK((f->pool.message[0] == '\0') == (rc == 0));
        asq_pool_close_wait(&f->pool);
    }
    CHECK_INT(rc, 0);
}

static const struct test_case cases[] = {
    {.name = "all_are_open_and_idle", .run = all_are_open_and_idle},
    {.name = "it_can_be_opened_again", .run = it_can_be_opened_again},
    {.name = "one_that_failed_to_open_needs_no_close",
     .run = one_that_failed_to_open_needs_no_close},
    {.name = "no_memory_is_told", .run = no_memory_is_told},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "pool_wait",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = pool_tear_down};
