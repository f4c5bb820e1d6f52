/* test_stmt_faults - without memory all is done or nothing, and that is said
 *
 * One piece of work is done again and again; each time the next allocation
 * fails, alone or with all after it, until nothing fails any more.
 */
#include "01-blocking/script.h"

#include "db_fixture.h"

struct fixture {
    struct asq_db db;
    struct asq_db other;
};

static void set_up(void *data)
{
    struct fixture *f = data;
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    test_alloc_install();
    profile.result_limit = 1000;
    open_with(&f->db, &profile);
    open_with(&f->other, &profile);
    run(&f->db, "CREATE TABLE t (n INTEGER)");
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    close_db(&f->db);
    close_db(&f->other);
}

/* Returns the code of what it does, and sets how many rows that has made when
 * it is 0. */
typedef int (*work_cb)(struct asq_db *db, int64_t *ret_rows);

static int insert_by_name(struct asq_db *db, int64_t *ret_rows)
{
    static const char *const names[] = {"b", "a"};
    const struct asq_value values[] = {asq_int64(1), asq_int64(2)};
    struct asq_params params = {values, names, 2};

    *ret_rows = 1;
    return asq_db_run(db, "INSERT INTO t SELECT :a + :b", &params, NULL);
}

static int run_script(struct asq_db *db, int64_t *ret_rows)
{
    *ret_rows = 3;
    return asq_db_script(db,
                         "CREATE TABLE u (n); INSERT INTO u VALUES (1), (2);"
                         " INSERT INTO t SELECT n FROM u;"
                         " INSERT INTO t VALUES (3); DROP TABLE u",
                         NULL);
}

static int insert_too_much(struct asq_db *db, int64_t *ret_rows)
{
    struct asq_result result = {0};
    int rc = asq_db_run(db, "INSERT INTO t VALUES (1) RETURNING zeroblob(2000)",
                        NULL, &result);

    asq_result_destroy(&result);
    *ret_rows = 0;
    if (rc == SQLITE_TOOBIG)
        return 0;
    CHECK(rc != 0);
    return rc;
}

/* SQLite makes the bytes of a zeroblob only when they are asked for. */
static int collect_zeroblob(struct asq_stmt *stmt)
{
    struct asq_result result = {0};
    bool more;
    int rc = asq_stmt_collect_some(stmt, &result, 1, 20000, &more);

    if (rc == 0)
        CHECK_INT(asq_result_at(&result, 0, 0).size, 5000);
    asq_result_destroy(&result);
    return rc;
}

static void step_to_zeroblob(struct asq_stmt *stmt)
{
    struct asq_value value;
    const char *bytes;

    if (asq_stmt_step(stmt) != SQLITE_ROW)
        return;
    value = asq_stmt_value(stmt, 0);
    if (value.type == ASQ_NULL)
        return;
    CHECK_INT(value.size, 5000);
    bytes = value.as.blob;
    CHECK(bytes[0] == 0 && bytes[4999] == 0);
}

static int select_zeroblob(struct asq_db *db, int64_t *ret_rows)
{
    static const char sql[] = "SELECT zeroblob(5000 + 0 * random()) AS z "
                              "UNION ALL SELECT zeroblob(5000 + 0 * random())";
    struct asq_stmt *stmt = NULL;
    int rc = asq_stmt_prepare(db, sql, ASQ_WHOLE_TEXT, &stmt);

    db->result_limit = 20000;
    if (rc == 0)
        rc = collect_zeroblob(stmt);
    if (rc == 0)
        step_to_zeroblob(stmt);
    asq_stmt_release(stmt);
    *ret_rows = 0;
    return rc;
}

static void do_without_memory(struct fixture *f, work_cb work, int keep)
{
    int64_t held = test_alloc_held();
    uint64_t nth = 0;
    int failed;

    do {
        int64_t made;
        int rc;

        asq__cache_flush(&f->db); /* prepared anew each time */
        test_alloc_fail_at(TEST_ALLOC_ALL, ++nth, keep);
        rc = work(&f->db, &made);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (rc != 0)
            CHECK_INT(rc, SQLITE_NOMEM);
        CHECK(!asq_db_in_transaction(&f->db));
        CHECK_INT(f->db.open_statements, 0);
        CHECK_INT(ask(&f->other, "SELECT count(*) FROM t"), rc == 0 ? made : 0);
        run(&f->other, "DELETE FROM t");
    } while (failed);
    CHECK(nth > 10);
    CHECK_RANGE(test_alloc_held() - held, -held, 100000); /* its caches */
}

static void binding_by_name(void *fixture)
{
    do_without_memory(fixture, insert_by_name, 0);
    do_without_memory(fixture, insert_by_name, 1);
}

static void a_script(void *fixture)
{
    do_without_memory(fixture, run_script, 0);
    do_without_memory(fixture, run_script, 1);
}

static void a_write_that_does_not_fit(void *fixture)
{
    do_without_memory(fixture, insert_too_much, 0);
    do_without_memory(fixture, insert_too_much, 1);
}

static void a_zeroblob(void *fixture)
{
    do_without_memory(fixture, select_zeroblob, 0);
    do_without_memory(fixture, select_zeroblob, 1);
}

static const struct test_case cases[] = {
    {.name = "binding_by_name", .run = binding_by_name},
    {.name = "a_script", .run = a_script},
    {.name = "a_write_that_does_not_fit", .run = a_write_that_does_not_fit},
    {.name = "a_zeroblob", .run = a_zeroblob},
    {0},
};

const struct test_suite test_suite = {
    .name = "stmt_faults",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
