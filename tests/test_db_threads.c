/* test_db_threads - who may use a connection, and waiting for locks */
#include "db_fixture.h"

/* Owners */

struct visit {
    struct asq_db *db;
    struct asq_stmt *stmt; /* checked out by the owner, on its first row */
};

static void use_as_foreigner(void *data)
{
    struct visit *visit = data;
    struct asq_db *db = visit->db;
    struct asq_stmt *stmt = NULL;
    struct asq_result result = {0};

    CHECK_INT(asq_db_run(db, "SELECT 1", NULL, NULL), SQLITE_MISUSE);
    CHECK_TEXT(asq_db_message(db), "the connection belongs to another thread "
                                   "(asq_db_hand_over passes it on)");
    CHECK_INT(asq_stmt_prepare(db, "SELECT 1", ASQ_WHOLE_TEXT, &stmt),
              SQLITE_MISUSE);
    CHECK(stmt == NULL);
    CHECK_INT(asq_stmt_bind(visit->stmt, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_stmt_step(visit->stmt), SQLITE_MISUSE);
    CHECK_INT(asq_stmt_collect(visit->stmt, &result), SQLITE_MISUSE);
    CHECK_INT(asq_stmt_collect(visit->stmt, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_stmt_value(visit->stmt, 0).type, ASQ_NULL);
    CHECK_INT(asq_stmt_columns(visit->stmt), 0);
    CHECK(asq_stmt_name(visit->stmt, 0) == NULL);
    CHECK_INT(asq_stmt_column(visit->stmt, "n"), -1);
    asq_stmt_release(visit->stmt);
    CHECK_INT(asq_db_watch(db, NULL, NULL), SQLITE_MISUSE);
    CHECK_INT(asq_db_hand_over(db), SQLITE_MISUSE);
    CHECK_INT(asq_db_close(db), SQLITE_MISUSE);
    CHECK(asq_db_handle(db) == NULL);
    CHECK(!asq_db_in_transaction(db));
}

static void on_thread(void (*body)(void *data), void *data)
{
    uv_thread_t thread;

    CHECK_INT(uv_thread_create(&thread, body, data), 0);
    CHECK_INT(uv_thread_join(&thread), 0);
}

static void a_foreign_thread_is_refused_and_changes_nothing(void *fixture)
{
    struct asq_db db;
    struct visit visit = {.db = &db};

    (void)fixture;
    open_default(&db);
    run(&db, "BEGIN");
    CHECK_INT(asq_db_run(&db, "SELEC", NULL, NULL), SQLITE_ERROR);
    CHECK_INT(
        asq_stmt_prepare(&db, "SELECT 7 AS n", ASQ_WHOLE_TEXT, &visit.stmt), 0);
    CHECK_INT(asq_stmt_step(visit.stmt), SQLITE_ROW);
    on_thread(use_as_foreigner, &visit);
    CHECK_TEXT(asq_db_message(&db), "near \"SELEC\": syntax error");
    CHECK(asq_db_in_transaction(&db));
    CHECK_INT(asq_stmt_value(visit.stmt, 0).as.int64, 7);
    CHECK_INT(asq_stmt_step(visit.stmt), SQLITE_DONE);
    CHECK_INT(db.open_statements, 1);
    asq_stmt_release(visit.stmt);
    close_db(&db);
}

static void open_and_end(void *data)
{
    open_default(data);
}

static void use_once_as_foreigner(void *data)
{
    struct asq_db *db = data;

    CHECK_INT(asq_db_run(db, "SELECT 1", NULL, NULL), SQLITE_MISUSE);
}

/* A new thread often gets the memory of one that has ended. */
static void a_thread_that_ended_is_not_taken_for_a_new_one(void *fixture)
{
    static struct asq_db db; /* nobody may close it: reachable is no leak */

    (void)fixture;
    on_thread(open_and_end, &db);
    for (int i = 0; i < 8; i++)
        on_thread(use_once_as_foreigner, &db);
    use_once_as_foreigner(&db);
}

static void take_over_and_write(void *data)
{
    struct asq_db *db = data;

    run(db, "INSERT INTO t VALUES (1)");
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 1);
}

static void take_over_and_give_back(void *data)
{
    take_over_and_write(data);
    CHECK_INT(asq_db_hand_over(data), 0);
}

static void a_connection_is_handed_over_and_back(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    run(&db, "CREATE TABLE t (n INTEGER)");
    CHECK_INT(ask(&db, "SELECT count(*) FROM t"), 0);
    CHECK_INT(asq_db_hand_over(&db), 0);
    on_thread(take_over_and_give_back, &db);
    CHECK_INT(ask(&db, "SELECT count(*) FROM t"), 1);
    CHECK_INT(db.cache.hits, 2); /* the same text, prepared once */
    close_db(&db);
}

static void open_and_hand_over(void *data)
{
    struct asq_db *db = data;

    open_default(db);
    run(db, "CREATE TABLE t (n INTEGER)");
    CHECK_INT(asq_db_hand_over(db), 0);
}

static void whoever_uses_it_first_owns_it(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    on_thread(open_and_hand_over, &db);
    take_over_and_write(&db);
    on_thread(use_once_as_foreigner, &db);
    close_db(&db);
}

/* Locks */

struct holder {
    struct asq_db db;
    uv_sem_t has_lock;
    uv_sem_t may_commit;
    uv_thread_t thread;
};

static void hold_the_lock(void *data)
{
    struct holder *holder = data;

    open_default(&holder->db);
    run(&holder->db, "BEGIN IMMEDIATE");
    run(&holder->db, "INSERT INTO t VALUES (1)");
    uv_sem_post(&holder->has_lock);
    uv_sem_wait(&holder->may_commit);
    run(&holder->db, "COMMIT");
    close_db(&holder->db);
}

static void start_holder(struct holder *holder)
{
    CHECK_INT(uv_sem_init(&holder->has_lock, 0), 0);
    CHECK_INT(uv_sem_init(&holder->may_commit, 0), 0);
    CHECK_INT(uv_thread_create(&holder->thread, hold_the_lock, holder), 0);
    uv_sem_wait(&holder->has_lock);
}

static void join_holder(struct holder *holder)
{
    CHECK_INT(uv_thread_join(&holder->thread), 0);
    uv_sem_destroy(&holder->has_lock);
    uv_sem_destroy(&holder->may_commit);
}

struct waiter {
    struct holder *holder;
    int asked;
};

static int let_the_holder_commit(void *data)
{
    struct waiter *waiter = data;

    if (waiter->asked == 3)
        uv_sem_post(&waiter->holder->may_commit);
    waiter->asked++;
    return 0;
}

/* The holder commits only when the waiter has been seen waiting. */
static void a_lock_is_waited_for(void *fixture)
{
    struct holder holder;
    struct waiter waiter = {.holder = &holder};
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    run(&db, "CREATE TABLE t (n INTEGER)");
    start_holder(&holder);
    CHECK_INT(asq_db_watch(&db, let_the_holder_commit, &waiter), 0);
    run(&db, "INSERT INTO t VALUES (2)");
    CHECK(waiter.asked > 3);
    CHECK_INT(asq_db_watch(&db, NULL, NULL), 0);
    join_holder(&holder);
    CHECK_INT(ask(&db, "SELECT count(*) FROM t"), 2);
    close_db(&db);
}

static void nobody_waits_longer_than_the_profile_says(void *fixture)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));
    struct holder holder;
    struct asq_db db;

    (void)fixture;
    open_default(&db);
    run(&db, "CREATE TABLE t (n INTEGER)");
    close_db(&db);
    start_holder(&holder);
    for (unsigned ms = 0; ms < 40; ms += 13) {
        profile.busy_ms = ms;
        open_with(&db, &profile);
        CHECK_INT(asq_db_run(&db, "INSERT INTO t VALUES (2)", NULL, NULL),
                  SQLITE_BUSY);
        CHECK_TEXT(asq_db_message(&db), "database is locked");
        CHECK_INT(db.stopped, ASQ_STOP_NONE);
        close_db(&db);
    }
    uv_sem_post(&holder.may_commit);
    join_holder(&holder);
}

static const struct test_case cases[] = {
    {.name = "a_foreign_thread_is_refused_and_changes_nothing",
     .run = a_foreign_thread_is_refused_and_changes_nothing},
    {.name = "a_thread_that_ended_is_not_taken_for_a_new_one",
     .run = a_thread_that_ended_is_not_taken_for_a_new_one},
    {.name = "a_connection_is_handed_over_and_back",
     .run = a_connection_is_handed_over_and_back},
    {.name = "whoever_uses_it_first_owns_it",
     .run = whoever_uses_it_first_owns_it},
    {.name = "a_lock_is_waited_for", .run = a_lock_is_waited_for},
    {.name = "nobody_waits_longer_than_the_profile_says",
     .run = nobody_waits_longer_than_the_profile_says},
    {0},
};

const struct test_suite test_suite = {.name = "db_threads", .cases = cases};
