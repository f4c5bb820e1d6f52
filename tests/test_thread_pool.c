/* test_thread_pool - threads that borrow connections, wait for them, and end
 *
 * Where a test needs a thread to be waiting it looks at the statistics until
 * they say so.
 */
#include "10-pooling/thread_pool.h"

#include "01-blocking/stmt.h"
#include "common/elsewhere.h"
#include "common/slow_disk.h"
#include "grader/test.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

enum {
    THREADS = 8,
    LIMIT = 3
};

struct fixture {
    struct asq_profile profile;
    struct asq_thread_pool pool;
    uv_sem_t reached, gate;
    uv_barrier_t meeting;
    char path[512];
    int served; /* order of those that got a connection; one at a time */
};

struct caller {
    struct fixture *fixture;
    struct asq_thread_loan loan;
    uv_thread_t thread;
    int rc, closed_rc;
    int order;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    char message[256];

    CHECK_INT(uv_sem_init(&f->reached, 0), 0);
    CHECK_INT(uv_sem_init(&f->gate, 0), 0);
    CHECK_INT(uv_barrier_init(&f->meeting, THREADS), 0);
    CHECK_INT(asq_slow_disk_register(), 0);
    (void)snprintf(f->path, sizeof f->path, "%s", test_path("pool.db"));
    CHECK_INT(asq_ask_elsewhere(f->path,
                                "PRAGMA journal_mode = WAL;"
                                "CREATE TABLE t (a INTEGER) STRICT",
                                NULL, message, sizeof message),
              0);
    f->profile = asq_profile_default(f->path);
    f->profile.vfs = ASQ_SLOW_DISK;
}

static void open_pool(struct fixture *f, unsigned limit)
{
    CHECK_INT(asq_thread_pool_init(&f->pool, &f->profile, limit), 0);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    if (f->pool.slots != NULL)
        CHECK_INT(asq_thread_pool_close(&f->pool, 0), 0);
    asq_thread_pool_destroy(&f->pool);
    uv_barrier_destroy(&f->meeting);
    uv_sem_destroy(&f->gate);
    uv_sem_destroy(&f->reached);
    asq_slow_disk_reset();
}

static struct asq_thread_pool_stats stats_of(struct fixture *f)
{
    return asq_thread_pool_statistics(&f->pool);
}

static void await_waiting(struct fixture *f, unsigned threads)
{
    while (stats_of(f).waiting != threads)
        (void)sched_yield();
}

static void take(struct fixture *f, struct asq_thread_loan *loan)
{
    CHECK_INT(asq_thread_pool_take(&f->pool, loan), 0);
    CHECK(loan->db != NULL);
}

static void give(struct fixture *f, struct asq_thread_loan *loan)
{
    CHECK_INT(asq_thread_pool_give_back(&f->pool, loan), 0);
    CHECK(loan->db == NULL);
}

static void run(struct asq_thread_loan *loan, const char *sql)
{
    CHECK_INT(asq_db_run(loan->db, sql, NULL, NULL), 0);
}

static int64_t count_rows(struct asq_thread_loan *loan)
{
    struct asq_result result = {0};
    int64_t n;

    CHECK_INT(
        asq_db_run(loan->db, "SELECT count(*) AS n FROM t", NULL, &result), 0);
    n = asq_result_int64(&result, 0, "n");
    asq_result_destroy(&result);
    return n;
}

static void
start(struct fixture *f, struct caller *caller, void (*body)(void *))
{
    caller->fixture = f;
    CHECK_INT(uv_thread_create(&caller->thread, body, caller), 0);
}

static void join(struct caller *caller)
{
    CHECK_INT(uv_thread_join(&caller->thread), 0);
}

/* Bodies of threads */

static void take_and_give(void *data)
{
    struct caller *c = data;

    c->rc = asq_thread_pool_take(&c->fixture->pool, &c->loan);
    if (c->rc != 0)
        return;
    c->order = c->fixture->served++;
    give(c->fixture, &c->loan);
}

static void take_and_stand(void *data)
{
    struct caller *c = data;

    c->rc = asq_thread_pool_take(&c->fixture->pool, &c->loan);
    uv_sem_post(&c->fixture->reached);
    uv_sem_wait(&c->fixture->gate);
    if (c->rc == 0)
        give(c->fixture, &c->loan);
}

static void take_and_end(void *data)
{
    struct caller *c = data;

    take(c->fixture, &c->loan);
    run(&c->loan, "BEGIN IMMEDIATE");
    run(&c->loan, "INSERT INTO t VALUES (1)");
}

static void meet_and_write(void *data)
{
    struct caller *c = data;

    (void)uv_barrier_wait(&c->fixture->meeting); /* who is last is all one */
    for (int i = 0; i < 5; i++) {
        take(c->fixture, &c->loan);
        run(&c->loan, "INSERT INTO t VALUES (1)");
        give(c->fixture, &c->loan);
    }
}

static void close_pool(void *data)
{
    struct caller *c = data;

    c->closed_rc = asq_thread_pool_close(&c->fixture->pool, 0);
}

/* Tests */

static void it_opens_nothing_before_it_is_asked(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, LIMIT);
    CHECK_INT(stats_of(f).open, 0);
    take(f, &loan);
    CHECK_INT(stats_of(f).open, 1);
    CHECK_INT(stats_of(f).lent, 1);
    give(f, &loan);
    CHECK_INT(stats_of(f).open, 1);
    CHECK_INT(stats_of(f).lent, 0);
}

static void what_was_used_last_is_lent_next(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan a = {0}, b = {0};
    struct asq_db *last;

    open_pool(f, LIMIT);
    take(f, &a);
    take(f, &b);
    last = a.db;
    give(f, &b);
    give(f, &a);
    take(f, &b);
    CHECK(b.db == last);
    give(f, &b);
    CHECK_INT(stats_of(f).opened, 2);
    CHECK_INT(stats_of(f).loans, 3);
    CHECK_INT(stats_of(f).waits, 0);
}

static void the_limit_is_one_of_connections(void *data)
{
    struct fixture *f = data;
    struct caller callers[THREADS];

    memset(callers, 0, sizeof callers);
    open_pool(f, LIMIT);
    for (int i = 0; i < LIMIT; i++)
        start(f, &callers[i], take_and_stand);
    for (int i = 0; i < LIMIT; i++)
        uv_sem_wait(&f->reached);
    for (int i = LIMIT; i < THREADS; i++)
        start(f, &callers[i], take_and_stand);
    await_waiting(f, THREADS - LIMIT);
    CHECK_INT(stats_of(f).open, LIMIT);
    CHECK_INT(stats_of(f).lent, LIMIT);
    for (int i = 0; i < THREADS; i++)
        uv_sem_post(&f->gate);
    for (int i = 0; i < THREADS; i++) {
        join(&callers[i]);
        CHECK_INT(callers[i].rc, 0);
    }
    CHECK_INT(stats_of(f).opened, LIMIT);
    CHECK_INT(stats_of(f).waits, THREADS - LIMIT);
    CHECK(stats_of(f).longest_wait_ns > 0);
}

static void threads_are_served_in_the_order_they_came(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct caller callers[THREADS];

    memset(callers, 0, sizeof callers);
    open_pool(f, 1);
    take(f, &loan);
    for (int i = 0; i < THREADS; i++) {
        start(f, &callers[i], take_and_give);
        await_waiting(f, (unsigned)i + 1);
    }
    give(f, &loan);
    for (int i = 0; i < THREADS; i++) {
        join(&callers[i]);
        CHECK_INT(callers[i].order, i);
    }
}

/* It has come back, but to the thread that waits. */
static void a_newcomer_takes_nothing_from_the_line(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct caller waiting = {.fixture = f};

    open_pool(f, 1);
    take(f, &loan);
    start(f, &waiting, take_and_stand);
    await_waiting(f, 1);
    give(f, &loan);
    loan.timeout_ms = 1;
    CHECK_INT(asq_thread_pool_take(&f->pool, &loan), UV_ETIMEDOUT);
    uv_sem_wait(&f->reached);
    CHECK_INT(waiting.rc, 0);
    uv_sem_post(&f->gate);
    join(&waiting);
}

static void a_wait_has_an_end(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan a = {0}, b = {.timeout_ms = 1};

    open_pool(f, 1);
    take(f, &a);
    CHECK_INT(asq_thread_pool_take(&f->pool, &b), UV_ETIMEDOUT);
    CHECK(b.db == NULL);
    CHECK(b.waited_ns >= 1000000);
    CHECK(b.message[0] != '\0');
    CHECK_INT(stats_of(f).timed_out, 1);
    CHECK_INT(stats_of(f).waiting, 0);
    give(f, &a);
    take(f, &b);
    give(f, &b);
}

static void a_wait_that_ended_takes_nothing_along(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct caller first = {.fixture = f}, second = {.fixture = f};

    open_pool(f, 1);
    take(f, &loan);
    first.loan.timeout_ms = 1;
    start(f, &first, take_and_give);
    start(f, &second, take_and_give);
    join(&first);
    CHECK_INT(first.rc, UV_ETIMEDOUT);
    await_waiting(f, 1);
    give(f, &loan);
    join(&second);
    CHECK_INT(second.rc, 0);
}

static void a_transaction_is_undone(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, 1);
    take(f, &loan);
    run(&loan, "BEGIN");
    run(&loan, "INSERT INTO t VALUES (1)");
    give(f, &loan);
    take(f, &loan);
    CHECK(!asq_db_in_transaction(loan.db));
    CHECK_INT(count_rows(&loan), 0);
    give(f, &loan);
    CHECK_INT(stats_of(f).undone, 1);
    CHECK_INT(stats_of(f).opened, 1);
}

static void a_read_transaction_is_ended(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan a = {0}, b = {0};

    open_pool(f, 2);
    take(f, &a);
    take(f, &b);
    run(&a, "BEGIN");
    CHECK_INT(count_rows(&a), 0);
    run(&b, "INSERT INTO t VALUES (1)");
    CHECK_INT(count_rows(&a), 0);
    give(f, &a);
    take(f, &a);
    CHECK_INT(count_rows(&a), 1);
    give(f, &a);
    give(f, &b);
}

static void a_statement_is_released(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct asq_stmt *stmt;

    open_pool(f, 1);
    take(f, &loan);
    run(&loan, "INSERT INTO t VALUES (1), (2)");
    CHECK_INT(
        asq_stmt_prepare(loan.db, "SELECT a FROM t", ASQ_WHOLE_TEXT, &stmt), 0);
    CHECK_INT(asq_stmt_step(stmt), SQLITE_ROW);
    give(f, &loan);
    take(f, &loan);
    CHECK_INT(loan.db->open_statements, 0);
    give(f, &loan);
    CHECK_INT(stats_of(f).undone, 1);
}

static int refuse_all(void *data)
{
    (void)data;
    return 1;
}

static void a_watch_does_not_stay(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, 1);
    take(f, &loan);
    CHECK_INT(asq_db_watch(loan.db, refuse_all, NULL), 0);
    CHECK_INT(asq_db_run(loan.db, "SELECT 1", NULL, NULL), SQLITE_INTERRUPT);
    give(f, &loan);
    take(f, &loan);
    run(&loan, "SELECT 1");
    give(f, &loan);
}

static void an_open_blob_costs_the_connection(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    sqlite3_blob *blob = NULL;

    open_pool(f, 1);
    take(f, &loan);
    run(&loan, "CREATE TABLE b (x BLOB)");
    run(&loan, "INSERT INTO b VALUES (x'0102')");
    CHECK_INT(sqlite3_blob_open(asq_db_handle(loan.db), "main", "b", "x", 1, 0,
                                &blob),
              0);
    give(f, &loan);
    CHECK_INT(stats_of(f).open, 0);
    CHECK_INT(stats_of(f).replaced, 1);
    take(f, &loan);
    run(&loan, "SELECT 1");
    give(f, &loan);
    CHECK_INT(stats_of(f).opened, 2);
    CHECK_INT(sqlite3_blob_close(blob), 0);
}

static void a_connection_that_was_closed_is_opened_again(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, 1);
    take(f, &loan);
    CHECK_INT(asq_db_close(loan.db), 0);
    give(f, &loan);
    take(f, &loan);
    run(&loan, "SELECT 1");
    give(f, &loan);
}

static void a_thread_that_ends_gives_back(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct caller caller = {.fixture = f};

    open_pool(f, 1);
    start(f, &caller, take_and_end);
    take(f, &loan); /* whether it comes before or after it */
    give(f, &loan);
    join(&caller);
    take(f, &loan);
    CHECK_INT(count_rows(&loan), 0);
    give(f, &loan);
    CHECK_INT(stats_of(f).abandoned, 1);
    CHECK_INT(stats_of(f).undone, 1);
    CHECK_INT(stats_of(f).lent, 0);
}

static void hold_three_and_end(void *data)
{
    struct caller *c = data;
    struct asq_thread_loan loans[LIMIT];

    memset(loans, 0, sizeof loans);
    for (int i = 0; i < LIMIT; i++)
        take(c->fixture, &loans[i]);
    give(c->fixture, &loans[1]); /* out of the middle of its list */
}

static void all_that_it_held_comes_back(void *data)
{
    struct fixture *f = data;
    struct caller caller = {.fixture = f};

    open_pool(f, LIMIT);
    start(f, &caller, hold_three_and_end);
    join(&caller);
    CHECK_INT(stats_of(f).abandoned, LIMIT - 1);
    CHECK_INT(stats_of(f).lent, 0);
    CHECK_INT(stats_of(f).open, LIMIT);
}

static void keep_loan(void *data)
{
    struct caller *c = data;

    take(c->fixture, &c->loan);
}

static void an_abandoned_loan_cannot_be_given_back(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct caller caller = {.fixture = f};

    open_pool(f, 1);
    start(f, &caller, keep_loan);
    join(&caller);
    CHECK_INT(asq_thread_pool_give_back(&f->pool, &caller.loan), UV_EINVAL);
    take(f, &loan); /* the same connection, in another loan */
    CHECK_INT(asq_thread_pool_give_back(&f->pool, &caller.loan), UV_EINVAL);
    run(&loan, "SELECT 1");
    give(f, &loan);
}

static void give_of_another(void *data)
{
    struct caller *c = data;

    c->rc = asq_thread_pool_give_back(&c->fixture->pool, &c->loan);
}

static void only_its_thread_gives_it_back(void *data)
{
    struct fixture *f = data;
    struct caller caller = {.fixture = f};

    open_pool(f, 1);
    take(f, &caller.loan);
    start(f, &caller, give_of_another);
    join(&caller);
    CHECK_INT(caller.rc, UV_EINVAL);
    CHECK_INT(stats_of(f).lent, 1);
    give(f, &caller.loan);
}

static void it_is_given_back_once(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, 1);
    CHECK_INT(asq_thread_pool_give_back(&f->pool, &loan), UV_EINVAL);
    take(f, &loan);
    CHECK_INT(asq_thread_pool_take(&f->pool, &loan), UV_EALREADY);
    give(f, &loan);
    CHECK_INT(asq_thread_pool_give_back(&f->pool, &loan), UV_EINVAL);
    CHECK_INT(stats_of(f).lent, 0);
}

static void two_from_one_thread_may_wait_for_ever(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan a = {0}, b = {.timeout_ms = 1};

    open_pool(f, 1);
    take(f, &a);
    CHECK_INT(asq_thread_pool_take(&f->pool, &b), UV_ETIMEDOUT);
    give(f, &a);
}

static void a_failed_opening_frees_its_place(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, 1);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 1);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(asq_thread_pool_take(&f->pool, &loan), SQLITE_CANTOPEN);
        CHECK(loan.db == NULL);
        CHECK_CONTAINS(loan.message, "pool.db");
    }
    asq_slow_disk_fail(ASQ_DISK_OPEN, 0, 0, 0);
    take(f, &loan);
    give(f, &loan);
    CHECK_INT(stats_of(f).failed_opens, 3);
    CHECK_INT(stats_of(f).opened, 1);
}

/* A stands in its opening, B waits for the place; A fails, and B opens. */
static void after_a_failed_opening_the_next_one_tries(void *data)
{
    struct fixture *f = data;
    struct caller a = {.fixture = f}, b = {.fixture = f};

    open_pool(f, 1);
    asq_slow_disk_gate(ASQ_DISK_OPEN, 1);
    asq_slow_disk_fail(ASQ_DISK_OPEN, 1, SQLITE_CANTOPEN, 0);
    start(f, &a, take_and_give);
    CHECK_INT(asq_slow_disk_wait_for_gate(10000), 0);
    start(f, &b, take_and_give);
    await_waiting(f, 1);
    CHECK_INT(stats_of(f).open, 0);
    asq_slow_disk_open_gate();
    join(&a);
    join(&b);
    CHECK_INT(a.rc, SQLITE_CANTOPEN);
    CHECK_INT(b.rc, 0);
}

static void opening_is_part_of_the_time(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {.timeout_ms = 1};
    struct asq_db other;
    struct asq_profile profile = asq_profile_default(f->path);

    /* It needs a lock to leave WAL, and another one has it. */
    CHECK_INT(asq_db_open(&other, &profile), 0);
    CHECK_INT(asq_db_run(&other, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL),
              0);
    CHECK_INT(asq_db_run(&other, "BEGIN EXCLUSIVE", NULL, NULL), 0);
    CHECK_INT(asq_db_run(&other, "INSERT INTO t VALUES (1)", NULL, NULL), 0);
    open_pool(f, 1);
    CHECK_INT(asq_thread_pool_take(&f->pool, &loan), UV_ETIMEDOUT);
    CHECK_INT(stats_of(f).failed_opens, 1);
    CHECK_INT(stats_of(f).timed_out, 1);
    CHECK_INT(asq_db_run(&other, "ROLLBACK", NULL, NULL), 0);
    CHECK_INT(asq_db_close(&other), 0);
}

static void closing_waits_for_what_is_lent(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0}, late = {0};
    struct caller waiting = {.fixture = f}, closing = {.fixture = f};

    open_pool(f, 1);
    take(f, &loan);
    start(f, &waiting, take_and_give);
    await_waiting(f, 1);
    start(f, &closing, close_pool);
    join(&waiting); /* it is told at once */
    CHECK_INT(waiting.rc, UV_ESHUTDOWN);
    CHECK_INT(asq_thread_pool_take(&f->pool, &late), UV_ESHUTDOWN);
    run(&loan, "INSERT INTO t VALUES (1)"); /* a loan goes on */
    give(f, &loan);
    join(&closing);
    CHECK_INT(closing.closed_rc, 0);
    CHECK_INT(stats_of(f).open, 0);
    CHECK_INT(asq_thread_pool_close(&f->pool, 1), 0); /* again */
}

static void closing_waits_for_a_thread_that_ends(void *data)
{
    struct fixture *f = data;
    struct caller caller = {.fixture = f};

    open_pool(f, 1);
    start(f, &caller, keep_loan);
    while (stats_of(f).loans == 0)
        (void)sched_yield();
    CHECK_INT(asq_thread_pool_close(&f->pool, 0), 0);
    asq_thread_pool_destroy(&f->pool);
    join(&caller);
}

static void closing_has_an_end(void *data)
{
    struct fixture *f = data;
    struct caller holder = {.fixture = f};

    open_pool(f, 1);
    start(f, &holder, take_and_stand);
    uv_sem_wait(&f->reached);
    CHECK_INT(asq_thread_pool_close(&f->pool, 1), UV_ETIMEDOUT);
    CHECK_INT(stats_of(f).lent, 1);
    CHECK_INT(stats_of(f).open, 1);
    uv_sem_post(&f->gate);
    CHECK_INT(asq_thread_pool_close(&f->pool, 0), 0);
    join(&holder);
}

static void a_holder_cannot_wait_for_itself(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};

    open_pool(f, 1);
    take(f, &loan);
    CHECK_INT(asq_thread_pool_close(&f->pool, 0), UV_EBUSY);
    give(f, &loan);
    CHECK_INT(asq_thread_pool_close(&f->pool, 0), 0);
}

static void it_refuses_what_makes_no_sense(void *data)
{
    struct fixture *f = data;
    struct asq_profile memory = asq_profile_default(":memory:");
    struct asq_profile temporary = asq_profile_default("");

    CHECK_INT(asq_thread_pool_init(&f->pool, &f->profile, 0), UV_EINVAL);
    CHECK_INT(asq_thread_pool_init(&f->pool, &memory, 2), UV_EINVAL);
    CHECK_INT(asq_thread_pool_init(&f->pool, &temporary, 2), UV_EINVAL);
    asq_thread_pool_destroy(&f->pool);
    CHECK_INT(asq_thread_pool_init(&f->pool, &memory, 1), 0);
    CHECK_INT(asq_thread_pool_close(&f->pool, 0), 0);
    asq_thread_pool_destroy(&f->pool);
    asq_thread_pool_destroy(&f->pool);
    asq_thread_pool_destroy(NULL);
}

static void eight_threads_share_three(void *data)
{
    struct fixture *f = data;
    struct asq_thread_loan loan = {0};
    struct caller callers[THREADS];

    memset(callers, 0, sizeof callers);
    open_pool(f, LIMIT);
    for (int i = 0; i < THREADS; i++)
        start(f, &callers[i], meet_and_write);
    for (int i = 0; i < THREADS; i++)
        join(&callers[i]);
    take(f, &loan);
    CHECK_INT(count_rows(&loan), 5 * THREADS);
    give(f, &loan);
    CHECK(stats_of(f).opened <= LIMIT);
    CHECK_INT(stats_of(f).loans, 5 * THREADS + 1);
    CHECK_INT(stats_of(f).undone, 0);
}

static void no_memory_is_told(void *data)
{
    struct fixture *f = data;

    test_alloc_fail_at(TEST_ALLOC_MALLOC, 1, 1);
    CHECK_INT(asq_thread_pool_init(&f->pool, &f->profile, 2), UV_ENOMEM);
    test_alloc_fail_at(TEST_ALLOC_MALLOC, 0, 0);
    CHECK_INT(asq_thread_pool_init(&f->pool, &f->profile, 2), 0);
}

#define TEST(function)                                                         \
    {                                                                          \
        .name = #function, .run = function                                     \
    }
static const struct test_case cases[] = {
    TEST(it_opens_nothing_before_it_is_asked),
    TEST(what_was_used_last_is_lent_next),
    TEST(the_limit_is_one_of_connections),
    TEST(threads_are_served_in_the_order_they_came),
    TEST(a_newcomer_takes_nothing_from_the_line),
    TEST(a_wait_has_an_end),
    TEST(a_wait_that_ended_takes_nothing_along),
    TEST(a_transaction_is_undone),
    TEST(a_read_transaction_is_ended),
    TEST(a_statement_is_released),
    TEST(a_watch_does_not_stay),
    TEST(an_open_blob_costs_the_connection),
    TEST(a_connection_that_was_closed_is_opened_again),
    TEST(a_thread_that_ends_gives_back),
    TEST(all_that_it_held_comes_back),
    TEST(an_abandoned_loan_cannot_be_given_back),
    TEST(only_its_thread_gives_it_back),
    TEST(it_is_given_back_once),
    TEST(two_from_one_thread_may_wait_for_ever),
    TEST(a_failed_opening_frees_its_place),
    TEST(after_a_failed_opening_the_next_one_tries),
    TEST(opening_is_part_of_the_time),
    TEST(closing_waits_for_what_is_lent),
    TEST(closing_waits_for_a_thread_that_ends),
    TEST(closing_has_an_end),
    TEST(a_holder_cannot_wait_for_itself),
    TEST(it_refuses_what_makes_no_sense),
    TEST(eight_threads_share_three),
    TEST(no_memory_is_told),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "thread_pool",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = set_up,
                                      .tear_down = tear_down};
