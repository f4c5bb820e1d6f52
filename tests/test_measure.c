/* test_measure - tests of one run of a measured statement, and of its rounds
 *
 * No time is looked at: what is counted are writes, syncs, runs and rows.
 */
#include "04-measure-first/compare.h"
#include "04-measure-first/db_copy.h"
#include "04-measure-first/measure_ask.h"
#include "04-measure-first/measure_loop.h"
#include "04-measure-first/measure_threads.h"
#include "common/slow_disk.h"
#include "db_fixture.h"

#include <sys/stat.h>
#include <uv.h>

enum {
    ROWS = 2000
};

static struct asq_profile profile_of(bool wal)
{
    struct asq_profile profile = asq_profile_default(test_path("a.db"));

    CHECK_INT(asq_slow_disk_register(), 0);
    profile.vfs = ASQ_SLOW_DISK;
    profile.wal = wal;
    return profile;
}

static void make_rows(struct asq_db *db)
{
    run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, b)");
    run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            " WHERE i < 2000) INSERT INTO t SELECT i, hex(randomblob(40))"
            " FROM n");
}

static struct asq_measure measure_of(const struct asq_profile *profile,
                                     const char *sql)
{
    return (struct asq_measure){.profile = *profile,
                                .sql = sql,
                                .may_write = true,
                                .in_flight = 2,
                                .requests = 8,
                                .budget_ns = UINT64_C(10000000000)};
}

static void look(struct asq_measure *measure, struct asq_db *db)
{
    if (asq__measure_look(measure, db) != 0)
        FAIL("%s", measure->message);
}

static void ask_once(struct asq_measure *measure, struct asq_db *db)
{
    char message[ASQ_MESSAGE_SIZE];

    if (asq__measure_ask(measure, db, measure->params, &measure->plan,
                         message) != 0)
        FAIL("%s", message);
}

/* A write that is undone before its COMMIT costs as much as one that stays. */
static void check_cost(bool wal, const char *sql)
{
    struct asq_profile profile = profile_of(wal);
    struct asq_measure measure = measure_of(&profile, sql);
    uint64_t writes, syncs;
    struct asq_db db;
    int64_t before;

    open_with(&db, &profile);
    make_rows(&db);
    look(&measure, &db);
    CHECK_INT(measure.kind, ASQ_MEASURE_WRITE);
    before = ask(&db, "SELECT sum(length(b)) + count(*) FROM t");
    asq_slow_disk_reset();
    ask_once(&measure, &db);
    writes = asq_slow_disk_count(ASQ_DISK_WRITE);
    syncs = asq_slow_disk_count(ASQ_DISK_SYNC);
    CHECK_INT(ask(&db, "SELECT sum(length(b)) + count(*) FROM t"), before);
    CHECK(!asq_db_in_transaction(&db));
    asq_slow_disk_reset();
    run(&db, sql);
    CHECK(asq_slow_disk_count(ASQ_DISK_WRITE) > 0);
    CHECK_INT(writes, asq_slow_disk_count(ASQ_DISK_WRITE));
    CHECK_INT(syncs, asq_slow_disk_count(ASQ_DISK_SYNC));
    CHECK(ask(&db, "SELECT sum(length(b)) + count(*) FROM t") != before);
    close_db(&db);
}

static void an_undone_update_costs_as_much(void *fixture)
{
    (void)fixture;
    check_cost(false, "UPDATE t SET b = 'x' WHERE id IN (3, 900, 1800)");
}

static void an_undone_update_costs_as_much_in_wal(void *fixture)
{
    (void)fixture;
    check_cost(true, "UPDATE t SET b = 'x' WHERE id IN (3, 900, 1800)");
}

static void an_undone_insert_costs_as_much(void *fixture)
{
    (void)fixture;
    check_cost(false, "INSERT INTO t VALUES (9999, 'new')");
}

static void an_undone_delete_costs_as_much(void *fixture)
{
    (void)fixture;
    check_cost(true, "DELETE FROM t WHERE id IN (5, 1000)");
}

/* What fails leaves no transaction, and says why. */
static void a_write_that_fails_is_undone(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure =
        measure_of(&profile, "INSERT INTO t VALUES (5, 'there')");
    char message[ASQ_MESSAGE_SIZE];
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    make_rows(&db);
    look(&measure, &db);
    CHECK_INT(asq__measure_ask(&measure, &db, NULL, NULL, message) & 0xff,
              SQLITE_CONSTRAINT);
    CHECK_CONTAINS(message, "UNIQUE");
    CHECK(!asq_db_in_transaction(&db));
    close_db(&db);
}

/* A connection that caches nothing has the counters as well. */
static void counters_need_no_cache(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure =
        measure_of(&profile, "SELECT id FROM t WHERE b = 7; -- of no row");
    struct asq_db db;

    (void)fixture;
    profile.statements = 0;
    open_with(&db, &profile);
    make_rows(&db);
    look(&measure, &db);
    ask_once(&measure, &db);
    CHECK_INT(measure.kind, ASQ_MEASURE_QUERY);
    CHECK_INT(measure.plan.scan_steps, ROWS - 1);
    CHECK_INT(measure.plan.rows, 0);
    CHECK_INT(measure.plan.columns, 1);
    close_db(&db);
}

static void a_pragma_has_no_counters(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure = measure_of(&profile, "PRAGMA integrity_check");
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    make_rows(&db);
    look(&measure, &db);
    ask_once(&measure, &db);
    CHECK_INT(measure.kind, ASQ_MEASURE_PLAIN);
    CHECK_INT(measure.plan.vm_steps, 0);
    CHECK_INT(measure.plan.rows, 1);
    close_db(&db);
}

/* Only what leaves no row out has been asked to read them all. */
static void conditions_are_told_from_ranges(void *fixture)
{
    static const struct {
        const char *sql;
        bool sums;
    } cases[] = {
        {"SELECT sum(b) FROM t", true},
        {"SELECT sum(b) FROM t WHERE id BETWEEN 5 AND 1000", true},
        {"SELECT max(b), count(*) FROM t WHERE id > 1000", true},
        {"SELECT sum(b) FROM t WHERE b LIKE '%7%'", false},
        {"SELECT count(*) FROM t WHERE b > 'x'", false},
        {"SELECT count(*) FROM t WHERE b = 'x' OR b = 'y'", false},
        {"SELECT count(*) FROM t WHERE b IN ('x', 'y')", false},
        {"SELECT sum(b) FROM t WHERE b IS NULL", false},
        {"SELECT b FROM t", false},
    };
    struct asq_profile profile = profile_of(false);
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    make_rows(&db);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct asq_measure measure = measure_of(&profile, cases[i].sql);

        look(&measure, &db);
        if (measure.plan.sums != cases[i].sums)
            FAIL("%s: sums is %d", cases[i].sql, measure.plan.sums);
    }
    close_db(&db);
}

/* The rows of values take turns in every way: it fails at the third. */
static void values_are_used_in_turn(void *fixture)
{
    const struct asq_value values[] = {asq_int64(1), asq_int64(2),
                                       asq_int64(INT64_MIN)};
    const struct asq_params rows[] = {{.values = &values[0], .count = 1},
                                      {.values = &values[1], .count = 1},
                                      {.values = &values[2], .count = 1}};
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure = measure_of(&profile, "SELECT abs(?)");
    struct asq_measured measured;
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    close_db(&db);
    measure.params = rows;
    measure.params_count = 2;
    CHECK_INT(asq_measure_blocking(&measure, &measured), 0);
    /* Two of the first runs, and eight: the next way goes on from there. */
    CHECK_INT(measure.turn, 10);
    asq_measured_destroy(&measured);
    measure.params_count = 3;
    CHECK_INT(asq_measure_threads(&measure, 2, &measured), SQLITE_ERROR);
    CHECK_TEXT(measure.message, "integer overflow");
    asq_measured_destroy(&measured);
    CHECK_INT(asq_measure_loop(&measure, 2, &measured), SQLITE_ERROR);
    asq_measured_destroy(&measured);
    measure.one_ns = 0; /* as if it had not been asked */
    CHECK_INT(asq_measure_blocking(&measure, &measured), SQLITE_ERROR);
    asq_measured_destroy(&measured);
}

/* A deadline that has passed ends every way. */
static void every_way_keeps_the_deadline(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure = measure_of(
        &profile, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i % 9"
                  " FROM n) SELECT sum(i) FROM n");
    struct asq_measured measured;
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    close_db(&db);
    measure.deadline_ns = 1;
    CHECK_INT(asq_measure_blocking(&measure, &measured), UV_ETIMEDOUT);
    CHECK_TEXT(measure.message, "the time is up");
    asq_measured_destroy(&measured);
    measure.rounds = 1; /* what blocking would have found */
    measure.slow = true;
    CHECK_INT(asq_measure_threads(&measure, 2, &measured), UV_ETIMEDOUT);
    asq_measured_destroy(&measured);
    CHECK_INT(asq_measure_loop(&measure, 2, &measured), UV_ETIMEDOUT);
    asq_measured_destroy(&measured);
}

/* More than the loop keeps of a result: it is stepped through instead. */
static void a_large_result_is_not_kept(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure =
        measure_of(&profile, "SELECT hex(zeroblob(1000)) FROM t");
    struct asq_measured measured;
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    make_rows(&db);
    close_db(&db);
    CHECK_INT(asq_measure_blocking(&measure, &measured), 0);
    CHECK(!measured.large_results);
    asq_measured_destroy(&measured);
    CHECK_INT(asq_measure_loop(&measure, 2, &measured), 0);
    CHECK(measured.large_results);
    CHECK_INT(measured.count, 8);
    asq_measured_destroy(&measured);
}

static void a_query_is_asked_in_rounds(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    struct asq_measure measure = measure_of(&profile, "SELECT 1");
    struct asq_compare compare;
    struct asq_db db;

    (void)fixture;
    open_with(&db, &profile);
    close_db(&db);
    measure.requests = 10;
    CHECK_INT(asq_compare(&measure, NULL, NULL, NULL, &compare), 0);
    CHECK_INT(compare.count, ASQ_COMPARE_WAYS);
    CHECK_INT(measure.rounds, ASQ_COMPARE_ROUNDS);
    /* Each round of ten in five asks once for each of two users. */
    CHECK_INT(compare.rows[0].requests,
              2 * (compare.advice.rounds + compare.advice.disturbed));
}

/* Whoever may read the original: the copy is its owner's. */
static void a_copy_is_private(void *fixture)
{
    struct asq_profile profile = profile_of(false);
    char copy[256], message[ASQ_MESSAGE_SIZE];
    struct stat file;
    struct asq_db db;
    bool raw;

    (void)fixture;
    (void)snprintf(copy, sizeof copy, "%s", test_path("copy.db"));
    open_with(&db, &profile);
    make_rows(&db);
    (void)umask(0);
    CHECK_INT(
        asq_db_copy(test_path("a.db"), copy, &raw, message, sizeof message), 0);
    CHECK(!raw);
    CHECK_INT(stat(copy, &file), 0);
    CHECK_INT(file.st_mode & 0777, 0600);
    run(&db, "BEGIN EXCLUSIVE"); /* now only its bytes can be copied */
    CHECK_INT(
        asq_db_copy(test_path("a.db"), copy, &raw, message, sizeof message), 0);
    CHECK(raw);
    CHECK_INT(stat(copy, &file), 0);
    CHECK_INT(file.st_mode & 0777, 0600);
    close_db(&db);
}

static const struct test_case cases[] = {
    {.name = "an_undone_update_costs_as_much",
     .run = an_undone_update_costs_as_much},
    {.name = "an_undone_update_costs_as_much_in_wal",
     .run = an_undone_update_costs_as_much_in_wal},
    {.name = "an_undone_insert_costs_as_much",
     .run = an_undone_insert_costs_as_much},
    {.name = "an_undone_delete_costs_as_much",
     .run = an_undone_delete_costs_as_much},
    {.name = "a_write_that_fails_is_undone",
     .run = a_write_that_fails_is_undone},
    {.name = "counters_need_no_cache", .run = counters_need_no_cache},
    {.name = "a_pragma_has_no_counters", .run = a_pragma_has_no_counters},
    {.name = "conditions_are_told_from_ranges",
     .run = conditions_are_told_from_ranges},
    {.name = "values_are_used_in_turn", .run = values_are_used_in_turn},
    {.name = "every_way_keeps_the_deadline",
     .run = every_way_keeps_the_deadline},
    {.name = "a_large_result_is_not_kept", .run = a_large_result_is_not_kept},
    {.name = "a_query_is_asked_in_rounds", .run = a_query_is_asked_in_rounds},
    {.name = "a_copy_is_private", .run = a_copy_is_private},
    {0},
};

const struct test_suite test_suite = {.name = "measure", .cases = cases};
