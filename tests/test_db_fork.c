/* test_db_fork - a connection in the child of a fork refuses everything, and
 * leaves the parent's file alone
 */
#include "01-blocking/db_tidy.h"
#include "db_fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `child` in a child, which ends with what it returns. A child runs no
 * more of the test's code than that. */
static void in_a_child(struct asq_db *db, int (*child)(struct asq_db *db))
{
    int status;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        _exit(child(db));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static int told(const struct asq_db *db)
{
    return strstr(asq_db_message(db), "forked") != NULL;
}

/* Each returns the number of the first thing that was not as it should be. */
static int try_all(struct asq_db *db)
{
    struct asq_leftovers left;
    struct asq_stmt *stmt = NULL;

    if (asq_db_run(db, "SELECT 1", NULL, NULL) != SQLITE_MISUSE || !told(db))
        return 1;
    if (db->failed != SQLITE_MISUSE)
        return 2;
    if (asq_stmt_prepare(db, "SELECT 2", 8, &stmt) != SQLITE_MISUSE)
        return 3;
    if (asq_db_watch(db, NULL, NULL) != SQLITE_MISUSE)
        return 4;
    if (asq_db_hand_over(db) != SQLITE_MISUSE)
        return 5;
    if (asq_db_handle(db) != NULL)
        return 6;
    if (asq_db_in_transaction(db))
        return 7;
    if (asq__db_tidy(db, &left) != SQLITE_MISUSE || left.transactions != 0)
        return 8;
    return told(db) ? 0 : 9;
}

static int close_it(struct asq_db *db)
{
    if (asq_db_close(db) != 0)
        return 1;
    if (asq_db_run(db, "SELECT 1", NULL, NULL) != SQLITE_MISUSE)
        return 2;
    return asq_db_close(db);
}

static int close_it_anyway(struct asq_db *db)
{
    struct asq_leftovers left;

    asq__db_close_anyway(db, &left);
    return db->handle == NULL ? 0 : 1;
}

static int use_it_after_a_grandchild(struct asq_db *db)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(try_all(db));
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 20;
    return status != 0 ? 21 : try_all(db);
}

static int open_another(struct asq_db *db)
{
    struct asq_profile profile = asq_profile_default(":memory:");
    struct asq_db mine;

    (void)db;
    if (asq_db_open(&mine, &profile) != 0)
        return 1;
    if (asq_db_run(&mine, "CREATE TABLE t (n)", NULL, NULL) != 0)
        return 2;
    return asq_db_close(&mine);
}

static void begin(struct asq_db *db, bool wal)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    profile.wal = wal;
    open_with(db, &profile);
    run(db, "CREATE TABLE IF NOT EXISTS t (n)");
    run(db, "DELETE FROM t");
    run(db, "BEGIN");
    run(db, "INSERT INTO t VALUES (1)");
    /* So that the file and its journal are in the middle of something. */
    CHECK_INT(sqlite3_db_cacheflush(asq_db_handle(db)), 0);
}

static void end(struct asq_db *db)
{
    run(db, "COMMIT");
    CHECK_INT(ask(db, "SELECT count(*) FROM t"), 1);
    CHECK_INT(ask(db, "SELECT integrity_check = 'ok' FROM"
                      " pragma_integrity_check"),
              1);
    close_db(db);
}

static void everything_is_refused(void *fixture)
{
    struct asq_db db;
    unsigned before = asq__forks();

    (void)fixture;
    begin(&db, true);
    in_a_child(&db, try_all);
    in_a_child(&db, use_it_after_a_grandchild);
    CHECK_INT(asq__forks(), before); /* the parent is not forked */
    end(&db);
}

static void closing_leaves_the_file_of_the_parent_alone(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    for (int wal = 0; wal < 2; wal++) {
        begin(&db, wal);
        in_a_child(&db, close_it);
        in_a_child(&db, close_it_anyway);
        end(&db);
    }
}

/* As of a conn's worker, which does not exist in the child. */
static void a_connection_of_another_thread_too(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    begin(&db, true);
    atomic_fetch_add(&db.owner, 1);
    in_a_child(&db, try_all);
    in_a_child(&db, close_it);
    atomic_fetch_sub(&db.owner, 1);
    end(&db);
}

static void a_child_may_open_another(void *fixture)
{
    struct asq_db db;

    (void)fixture;
    begin(&db, true);
    in_a_child(&db, open_another);
    end(&db);
}

static const struct test_case cases[] = {
    {.name = "everything_is_refused", .run = everything_is_refused},
    {.name = "closing_leaves_the_file_of_the_parent_alone",
     .run = closing_leaves_the_file_of_the_parent_alone},
    {.name = "a_connection_of_another_thread_too",
     .run = a_connection_of_another_thread_too},
    {.name = "a_child_may_open_another", .run = a_child_may_open_another},
    {0},
};

const struct test_suite test_suite = {.name = "db_fork", .cases = cases};
