/* test_queue_cost - Q12: what a claim costs, in steps of SQLite's machine
 *
 * The statements are those of the queue; the steps of each are counted beside
 * few and beside many jobs that it is not about.
 */
#include "14-task-queue/queue_sql.h"
#include "queue_fixture.h"

enum {
    FEW = 10,
    MANY = 100000
};

/* Runs a statement to its end and undoes it. Returns its steps. */
static int count_steps(sqlite3 *db, const char *sql, int64_t third)
{
    sqlite3_stmt *stmt;
    int steps, rc;

    raw_do(db, "BEGIN");
    CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    for (int i = sqlite3_bind_parameter_count(stmt); i > 0; i--)
        CHECK_INT(sqlite3_bind_int64(stmt, i, 1), SQLITE_OK);
    CHECK_INT(sqlite3_bind_text(stmt, 1, "mail", -1, SQLITE_STATIC), SQLITE_OK);
    if (third != 0)
        CHECK_INT(sqlite3_bind_int64(stmt, 3, third), SQLITE_OK);
    do {
        rc = sqlite3_step(stmt);
    } while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE)
        FAIL("%s: %s", sql, sqlite3_errmsg(db));
    steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    CHECK_INT(sqlite3_finalize(stmt), SQLITE_OK);
    raw_do(db, "ROLLBACK");
    return steps;
}

/* Jobs that are not ready, of every other state, and one that is. */
static void fill(sqlite3 *db, int count)
{
    char sql[600];

    raw_do(db, "DELETE FROM asq_jobs");
    (void)snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
        "WHERE x < %d) INSERT INTO asq_jobs (queue, state, priority, due_ms, "
        "max_attempts, lease_ms, boot, worker, ended_ms) SELECT 'mail', 1 + x "
        "%% 4, 100, 1000000 + x, 5, 1000000 + x, '1', 'other', 1 FROM n",
        count);
    raw_do(db, sql);
    raw_do(db, "INSERT INTO asq_jobs (queue, state, priority, max_attempts) "
               "VALUES ('mail', 0, 0, 5)");
}

static void check_same(void *data, const char *sql)
{
    struct fixture *f = data;
    sqlite3 *db;
    int few, many;

    (void)open_side(f, 0);
    db = raw_open(f->path);
    fill(db, FEW);
    few = count_steps(db, sql, 0);
    fill(db, MANY);
    many = count_steps(db, sql, 0);
    CHECK(few > 20);
    CHECK_INT(many, few);
    raw_close(db);
}

static void q12_a_claim_costs_the_same_beside_many_jobs(void *data)
{
    check_same(data, asq__queue_claim);
}

static void q12_so_does_a_claim_of_the_oldest(void *data)
{
    check_same(data, asq__queue_claim_oldest);
}

static void q12_so_does_making_ready_what_is_due(void *data)
{
    check_same(data, asq__queue_promote);
}

static void q12_so_does_a_rescue(void *data)
{
    check_same(data, asq__queue_rescue);
}

static void q12_so_does_the_look(void *data)
{
    check_same(data, asq__queue_next);
}

static void q12_so_does_a_put(void *data)
{
    char sql[400];

    /* Without its parameters, which would all be numbers here. */
    (void)snprintf(sql, sizeof sql,
                   "%.*s VALUES (?1, 0, 0, NULL, NULL, NULL, 5)",
                   (int)strcspn(strstr(asq__queue_put_plain, "INSERT"), "V"),
                   asq__queue_put_plain);
    check_same(data, sql);
}

/* The number of jobs that there are is kept, not counted. */
static void q12_so_does_a_put_with_a_bound(void *data)
{
    struct fixture *f = data;
    struct side *side = open_conn(f, 0);
    sqlite3 *db;
    char sql[900];
    int few, many;

    side->queue.bound = 2 * MANY;
    open_queue(side);
    (void)put(side, "x"); /* from here on they are counted */
    db = raw_open(f->path);
    (void)snprintf(
        sql, sizeof sql, "%.*s SELECT ?1, 0, 0, NULL, NULL, NULL, 5 %s",
        (int)(strstr(asq__queue_put_bound, " SELECT") - asq__queue_put_bound),
        asq__queue_put_bound, strstr(asq__queue_put_bound, " WHERE"));
    fill(db, FEW);
    few = count_steps(db, sql, 0);
    fill(db, MANY);
    many = count_steps(db, sql, 0);
    CHECK_INT(many, few);
    raw_close(db);
}

/* The oldest costs by the number of priorities, not of jobs. */
static void q12_the_oldest_does_not_read_all_that_are_ready(void *data)
{
    struct fixture *f = data;
    sqlite3 *db;
    int few, many;

    (void)open_side(f, 0);
    db = raw_open(f->path);
    raw_do(db, "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
               "WHERE x < 20) INSERT INTO asq_jobs (queue, state, priority, "
               "max_attempts) SELECT 'mail', 0, x % 3, 5 FROM n");
    few = count_steps(db, asq__queue_claim_oldest, 0);
    raw_do(db, "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
               "WHERE x < 20000) INSERT INTO asq_jobs (queue, state, priority, "
               "max_attempts) SELECT 'mail', 0, x % 3, 5 FROM n");
    many = count_steps(db, asq__queue_claim_oldest, 0);
    CHECK_INT(many, few);
    raw_close(db);
}

#define CASE(test)                                                             \
    {                                                                          \
        .name = #test, .run = test                                             \
    }
static const struct test_case cases[] = {
    CASE(q12_a_claim_costs_the_same_beside_many_jobs),
    CASE(q12_so_does_a_claim_of_the_oldest),
    CASE(q12_so_does_making_ready_what_is_due),
    CASE(q12_so_does_a_rescue),
    CASE(q12_so_does_the_look),
    CASE(q12_so_does_a_put),
    CASE(q12_so_does_a_put_with_a_bound),
    CASE(q12_the_oldest_does_not_read_all_that_are_ready),
    {.name = NULL},
};

const struct test_suite test_suite = {.name = "queue_cost",
                                      .cases = cases,
                                      .fixture_size = sizeof(struct fixture),
                                      .set_up = queue_set_up,
                                      .tear_down = queue_tear_down};
