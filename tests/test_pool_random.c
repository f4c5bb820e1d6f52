/* test_pool_random - a campaign: callers come, go, fail and change their minds
 *
 * After each step: nobody has a connection that somebody else has, the limit
 * holds, and every callback has come at most once. At the end each has come.
 */
#include "grader/random.h"
#include "pool_fixture.h"

#include <stdio.h>

enum {
    BORROWERS = 10,
    QUERIES = 20,
    MOST = 5, /* connections */
    STEPS = 4000
};

struct campaign {
    struct fixture *f;
    struct test_random random;
    struct borrower borrowers[BORROWERS];
    struct query queries[QUERIES];
    bool asked[QUERIES];
    unsigned highest; /* limit since all above it are gone */
};

static unsigned draw(struct campaign *c, unsigned below)
{
    return (unsigned)test_random_range(&c->random, 0, (int64_t)below - 1);
}

static void check(struct campaign *c)
{
    struct asq_pool_stats stats = stats_of(c->f);
    unsigned held = 0;

    for (int i = 0; i < BORROWERS; i++) {
        const struct borrower *b = &c->borrowers[i];

        held += b->loan.state == ASQ_LOAN_HELD ||
                (b->loan.state == ASQ_LOAN_DUE && b->loan.status == 0);
        CHECK(b->done <= 1);
        for (int k = 0; k < i && b->loan.conn != NULL; k++)
            CHECK(b->loan.conn != c->borrowers[k].loan.conn);
    }
    CHECK_INT(stats.lent, held);
    CHECK(stats.lent + stats.idle <= stats.open);
    CHECK(stats.open + stats.opening <= c->highest);
    if (stats.open + stats.opening <= c->f->pool.limit)
        c->highest = c->f->pool.limit;
}

/* What a borrower does, some of which it should not leave behind. */
static void use(struct campaign *c, struct borrower *b)
{
    static const char *const statements[] = {"SELECT count(*) FROM t",
                                             "INSERT INTO t VALUES (1)",
                                             "BEGIN",
                                             "BEGIN IMMEDIATE",
                                             "COMMIT",
                                             "ROLLBACK",
                                             "CREATE TEMP TABLE x (a)",
                                             "PRAGMA cache_size = 20",
                                             "nonsense"};

    if (b->request.pending)
        return;
    (void)asq_conn_run(
        b->loan.conn, &b->request,
        statements[draw(c, sizeof statements / sizeof statements[0])], NULL,
        take_borrowed);
}

static void step_borrower(struct campaign *c)
{
    struct borrower *b = &c->borrowers[draw(c, BORROWERS)];

    if (b->loan.state == ASQ_LOAN_NONE) {
        b->loan.timeout_ms = draw(c, 3) == 0 ? 1 + draw(c, 50) : 0;
        acquire(b);
    } else if (b->loan.state == ASQ_LOAN_HELD) {
        if (draw(c, 3) == 0)
            release(b);
        else
            use(c, b);
    } else if (draw(c, 4) == 0) {
        asq_loan_give_up(&b->loan);
    }
}

static void step_query(struct campaign *c)
{
    unsigned i = draw(c, QUERIES);
    struct query *q = &c->queries[i];

    if (c->asked[i] && q->done == 0) {
        if (draw(c, 4) == 0)
            asq_request_cancel(&q->request);
        return;
    }
    if (c->asked[i])
        asq_request_destroy(&q->request);
    c->asked[i] = true;
    start_query(c->f, q,
                draw(c, 2) == 0 ? "SELECT count(*) FROM t"
                                : "INSERT INTO t VALUES (2)");
}

static void step(struct campaign *c)
{
    struct fixture *f = c->f;

    switch (draw(c, 20)) {
    case 0:
        CHECK_INT(asq_pool_resize(&f->pool, 1 + draw(c, MOST)), 0);
        c->highest = f->pool.limit > c->highest ? f->pool.limit : c->highest;
        break;
    case 1:
        move_clock(draw(c, 200));
        break;
    case 2:
        asq_slow_disk_fail(ASQ_DISK_OPEN, draw(c, 3), SQLITE_CANTOPEN, 0);
        break;
    case 3:
        asq_slow_disk_fail(ASQ_DISK_WRITE, 1 + draw(c, 20), SQLITE_IOERR_WRITE,
                           0);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        step_query(c);
        break;
    default:
        step_borrower(c);
    }
    /* Now and then it waits for what comes next. */
    (void)uv_run(&f->loop, draw(c, 4) == 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    check(c);
}

static void check_something_happened(const struct fixture *f)
{
    struct asq_pool_stats stats = stats_of(f);

    CHECK(stats.runs > 0 && stats.loans > 0 && stats.waits > 0);
    CHECK(stats.undone > 0 && stats.replaced > 0);
    CHECK(stats.failed_opens > 0);
}

static void everybody_gets_an_answer(void *data)
{
    struct fixture *f = data;
    static struct campaign campaign;
    struct campaign *c = &campaign;
    unsigned steps = test_scaled(STEPS);

    c->f = f;
    test_random_init(&c->random, 0);
    c->highest = 3;
    f->profile.busy_ms = 5;
    f->pool.idle_ms = 300;
    f->pool.life_ms = 2000;
    f->pool.depth = 2;
    open_pool(f, 3);
    for (int i = 0; i < BORROWERS; i++)
        init(f, &c->borrowers[i], "b");
    for (unsigned i = 0; i < steps; i++)
        step(c);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 0, 0, 0);
    asq_slow_disk_fail(ASQ_DISK_WRITE, 0, 0, 0);
    check_something_happened(f);
    close_pool(f);
    for (int i = 0; i < BORROWERS; i++)
        release(&c->borrowers[i]);
    while (f->closed == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
        for (int i = 0; i < BORROWERS; i++)
            release(&c->borrowers[i]); /* was due when the pool was closed */
    }
    for (int i = 0; i < BORROWERS; i++) {
        CHECK_INT(c->borrowers[i].loan.state, ASQ_LOAN_NONE);
        CHECK(!c->borrowers[i].request.pending);
        asq_request_destroy(&c->borrowers[i].request);
    }
    for (int i = 0; i < QUERIES; i++) {
        CHECK(!c->asked[i] || c->queries[i].done == 1);
        if (c->asked[i])
            asq_request_destroy(&c->queries[i].request);
    }
}

static const struct test_case cases[] = {
    {.name = "everybody_gets_an_answer",
     .run = everybody_gets_an_answer,
     .seconds = 300},
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "pool_random",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = pool_set_up,
                                      .tear_down = pool_tear_down};
