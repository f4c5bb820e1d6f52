/* test_thread_check - who shares a connection is seen, who hands it on is not
 *
 * Without the thread sanitizer nobody sees anything. With it a false alarm
 * would make all tests but the first fail.
 */
#include "grader/again.h"
#include "grader/runner.h"

#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>

enum {
    THREADS = 8,
    CONNECTIONS = 100
};

static sqlite3 *open_database(int mutex)
{
    sqlite3 *db;

    CHECK_INT(
        sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | mutex, NULL),
        SQLITE_OK);
    return db;
}

static void use(sqlite3 *db)
{
    sqlite3_stmt *statement;

    CHECK_INT(sqlite3_prepare_v2(db, "SELECT 1", -1, &statement, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
    CHECK_INT(sqlite3_reset(statement), SQLITE_OK);
    CHECK_INT(sqlite3_finalize(statement), SQLITE_OK);
}

/* A connection that is passed on by a relaxed atomic: the second thread comes
 * after the first, but only the clock says so. */
struct passed_on {
    _Atomic(sqlite3 *) db;
};

static void use_when_open(void *data)
{
    struct passed_on *passed_on = data;
    sqlite3 *db;

    do {
        (void)sched_yield();
        db = atomic_load_explicit(&passed_on->db, memory_order_relaxed);
    } while (db == NULL);
    use(db);
}

static void shared_connection_fails_if_looked_for(void *again)
{
    struct passed_on passed_on = {NULL};
    uv_thread_t thread;
    sqlite3 *db;
    const char *text;

    if (test__again_is_inner()) {
        CHECK_INT(uv_thread_create(&thread, use_when_open, &passed_on), 0);
        db = open_database(SQLITE_OPEN_NOMUTEX);
        atomic_store_explicit(&passed_on.db, db, memory_order_relaxed);
        CHECK_INT(uv_thread_join(&thread), 0);
        CHECK_INT(sqlite3_close(db), SQLITE_OK);
        return;
    }
#ifndef TEST_HAVE_WRAP
    test_skip("seen only where the linker knows --wrap");
#endif
    if (!TEST__THREAD_SANITIZER) {
        test__again_expect(again, __func__, 0, "\n1 passed, 0 failed\n");
        return;
    }
    text =
        test__again_expect_fail(again, __func__, "ThreadSanitizer: data race");
    CHECK_CONTAINS(text, "__wrap_sqlite3_prepare_v2");
}

/* Runs one function on all threads at once. */
static void run_on_threads(void (*run)(void *), void *data)
{
    uv_thread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(uv_thread_create(&threads[i], run, data), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(uv_thread_join(&threads[i]), 0);
    }
}

static void use_often(void *data)
{
    for (unsigned i = 0; i < test_scaled(500); i++) {
        use(data);
    }
}

static void connection_with_a_mutex_may_be_shared(void *again)
{
    sqlite3 *db = open_database(SQLITE_OPEN_FULLMUTEX);

    (void)again;
    run_on_threads(use_often, db);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

struct guarded {
    uv_mutex_t lock;
    sqlite3 *db; /* guarded by lock */
};

static void use_under_lock(void *data)
{
    struct guarded *guarded = data;

    for (unsigned i = 0; i < test_scaled(500); i++) {
        uv_mutex_lock(&guarded->lock);
        use(guarded->db);
        uv_mutex_unlock(&guarded->lock);
    }
}

static void connection_may_be_handed_over(void *again)
{
    struct guarded guarded;

    (void)again;
    CHECK_INT(uv_mutex_init(&guarded.lock), 0);
    guarded.db = open_database(SQLITE_OPEN_NOMUTEX);
    run_on_threads(use_under_lock, &guarded);
    CHECK_INT(sqlite3_close_v2(guarded.db), SQLITE_OK);
    uv_mutex_destroy(&guarded.lock);
}

/* Many at once, or each thread would only get its own addresses back. */
static void open_and_close(void *data)
{
    sqlite3 *dbs[CONNECTIONS];

    (void)data;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < CONNECTIONS; i++) {
            dbs[i] = open_database(SQLITE_OPEN_NOMUTEX);
            use(dbs[i]);
        }
        for (int i = 0; i < CONNECTIONS; i++) {
            CHECK_INT(i % 2 == 0 ? sqlite3_close(dbs[i])
                                 : sqlite3_close_v2(dbs[i]),
                      SQLITE_OK);
        }
    }
}

static void address_may_be_used_again(void *again)
{
    (void)again;
    /* SQLite's own lock around malloc would put the threads in order. */
    CHECK_INT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0), SQLITE_OK);
    run_on_threads(open_and_close, NULL);
}

static void refused_close_leaves_it_open(void *again)
{
    sqlite3 *db = open_database(SQLITE_OPEN_NOMUTEX);
    sqlite3_stmt *statement;

    (void)again;
    CHECK_INT(sqlite3_prepare_v3(db, "SELECT 1", -1, 0, &statement, NULL),
              SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_BUSY);
    use(db);
    CHECK_INT(sqlite3_finalize(statement), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void null_is_passed_through(void *again)
{
    (void)again;
    CHECK_INT(sqlite3_finalize(NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close_v2(NULL), SQLITE_OK);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(shared_connection_fails_if_looked_for),
    CASE(connection_with_a_mutex_may_be_shared),
    CASE(connection_may_be_handed_over),
    CASE(address_may_be_used_again),
    CASE(refused_close_leaves_it_open),
    CASE(null_is_passed_through),
    {.name = NULL},
};

const struct test_suite test_suite = {
    .name = "thread_check",
    .cases = cases,
    .fixture_size = sizeof(struct test__again),
};
