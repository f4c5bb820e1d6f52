/* check - the tests of 04-measure-first, a verdict and an index
 *
 * The orders are in a file. The code under test adds its index on one
 * connection, and another one, which plays the rest of the program, runs the
 * query. SQLite counts what the query does. Everything happens on one thread.
 * All tests of the verdict but one work without right percentiles, because all
 * samples of a way are equal.
 */
#include "ex_verdict.h"
#include "orders.h"
#include "samples.h"
#include "verdicts.h"

#include "grader/leaks.h"
#include "grader/raw_db.h"
#include "grader/refusal.h"
#include "grader/test.h"
#include "grader/traces.h"

#include <stdio.h>
#include <string.h>

enum {
    SECONDS = 5,      /* time limit of each test */
    ALLOCATIONS = 40, /* of SQLite, each of which fails once */
    TEXT_SIZE = 160
};

struct fixture {
    struct orders orders;
    struct samples blocking, event_loop;
};

static void set_up(void *data)
{
    struct fixture *f = data;

    test_alloc_install();
    test_random_init(&f->blocking.random, 1);
    test_random_init(&f->event_loop.random, 2);
    orders_open(&f->orders);
}

static void tear_down(void *data)
{
    struct fixture *f = data;

    orders_close(&f->orders);
}

/* Percentiles */

static void few_samples(void *fixture)
{
    static const size_t counts[] = {10, 1, 2, 3, 4, 5, 7, 20};
    static const unsigned percents[] = {99, 50, 90, 1, 100};
    struct samples *s = &((struct fixture *)fixture)->blocking;
    uint64_t least = 1000 + test_seed() % 1000;

    test_leaks_do_not_count();
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (size_t j = 0; j < sizeof percents / sizeof percents[0]; j++) {
            samples_fill(s, counts[i], 1, least, 10);
            expect_percentile(s, percents[j], NULL);
        }
}

static void expect_all(struct samples *s, const char *cause)
{
    for (unsigned percent = 1; percent <= 100; percent++)
        expect_percentile(s, percent, cause);
}

static void many_samples(void *fixture)
{
    static const char halves[] =
        "samples are compared in a type that does not hold 64 bits";
    struct samples *s = &((struct fixture *)fixture)->blocking;
    uint64_t least = 1000 + test_seed() % 1000;

    test_leaks_do_not_count();
    samples_fill(s, 100, 1, least, 10);
    expect_all(s, "in double, 7 % of 100 is a little more than 7: compute in "
                  "whole numbers");
    samples_fill(s, 90, 30, least, 10);
    expect_all(s, "equal samples count one by one");
    samples_fill(s, 101, 1, least, UINT64_C(3000000000));
    expect_all(s, halves);
    samples_fill(s, 101, 1, UINT64_C(1) << 61, 1);
    expect_all(s, halves);
    samples_fill(s, 41, 1, 0, NEVER / 40);
    expect_all(s, halves);
    for (size_t count = 21; count <= 200; count += count % 10 == 0 ? 1 : 9) {
        samples_fill(s, count, 1, least, 10);
        expect_all(s, NULL);
    }
    samples_fill(s, SAMPLES_MAX, 1, least, 10);
    expect_percentile(s, 99, "there is not enough room for all samples");
}

/* Runs ex_percentile with each allocation failing once. */
static void fail_percentile(struct samples *s)
{
    uint64_t nth = 0;
    int failed;

    do {
        uint64_t got = UNTOUCHED;
        int rc;

        test_alloc_fail_at(TEST_ALLOC_MALLOC, ++nth, 0);
        rc = ex_percentile(s->list, s->count, 99, &got);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (failed && rc != UV_ENOMEM)
            test_wrong("without memory ex_percentile returns UV_ENOMEM", "%s",
                       test_code(rc));
        if (failed && got != UNTOUCHED)
            test_wrong("without memory *ret_ns stays as it was",
                       "it was changed");
    } while (failed);
}

/* Leaks count in this test. */
static void samples_stay(void *fixture)
{
    struct samples *s = &((struct fixture *)fixture)->blocking;

    samples_fill(s, 1000, 1, 1 + test_seed() % 1000, 10);
    for (unsigned percent = 50; percent <= 100; percent += 7) {
        uint64_t got = 0;
        int rc = ex_percentile(s->list, s->count, percent, &got);

        if (rc != 0)
            test_wrong("ex_percentile returns 0", "%s", test_code(rc));
        for (size_t i = 0; i < s->count; i++)
            if (s->list[i] != s->given[i])
                test_wrong("every sample stays where it was",
                           "sample %zu was %llu and is %llu", i,
                           (unsigned long long)s->given[i],
                           (unsigned long long)s->list[i]);
    }
    test_cause("malloc returned NULL, and that was not checked");
    fail_percentile(s);
    test_cause("there is no rank without samples, or outside of 1 to 100");
    expect_refused(s->list, 2, 0);
    expect_refused(s->list, 2, 101);
    expect_refused(s->list, 2, UINT32_MAX);
    expect_refused(s->list, 0, 99);
    expect_refused(NULL, 0, 99);
}

/* Verdicts */

static void verdicts(void *fixture)
{
    struct fixture *f = fixture;

    test_leaks_do_not_count();
    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++) {
        const uint64_t *ns = due[i].ns;
        struct ex_way blocking = {f->blocking.list, 1 + i % 7, ns[1]};
        struct ex_way other = {f->event_loop.list, 1 + i % 5, ns[3]};

        samples_fill(&f->blocking, blocking.count, 1, ns[0], 0);
        samples_fill(&f->event_loop, other.count, 1, ns[2], 0);
        test_cause(due[i].cause);
        expect_verdict(due[i].what, &blocking, &other, ns[4], due[i].verdict);
    }
}

static void judge_p99(struct fixture *f, size_t count, size_t other_count)
{
    struct ex_way blocking, other;

    test_cause(
        "a way costs its p99, not its mean, its maximum or another rank");
    blocking = samples_way(&f->blocking, count, 1, 40);
    other = samples_way(&f->event_loop, other_count, 1, 5);
    expect_verdict("p99 blocking 40, other way 5, limit 10", &blocking, &other,
                   10, EX_GO_ASYNC);
    expect_verdict("p99 blocking 5, other way 40, limit 10", &other, &blocking,
                   10, EX_STAY_SYNC);
    expect_verdict("p99 blocking 40, other way 5, limit 34", &blocking, &other,
                   34, EX_GO_ASYNC);
    expect_verdict("p99 blocking 40, other way 5, limit 35", &blocking, &other,
                   35, EX_STAY_SYNC);
    other = samples_way(&f->event_loop, other_count, 30, 40);
    expect_verdict("p99 blocking 40, other way 40, limit 0", &blocking, &other,
                   0, EX_STAY_SYNC);
}

static void p99_and_no_data(void *fixture)
{
    struct fixture *f = fixture;
    uint64_t slow[] = {5000, 5000}, fast[] = {7};
    struct ex_way none = {NULL, 0, 5000}, empty = {slow, 0, 5000};
    struct ex_way blocking = {slow, 2, 0}, other = {fast, 1, 0};
    uint64_t nth = 0;
    int failed;

    test_leaks_do_not_count();
    test_cause("the result of ex_percentile was not checked");
    expect_verdict("no samples with blocking", &none, &other, 10, EX_NO_DATA);
    expect_verdict("no samples with the other way", &blocking, &empty, 10,
                   EX_NO_DATA);
    expect_verdict("no samples at all", &none, &empty, 10, EX_NO_DATA);
    expect_verdict("one sample is enough", &blocking, &other, 10, EX_GO_ASYNC);
    do {
        enum ex_verdict got;

        test_alloc_fail_at(TEST_ALLOC_MALLOC, ++nth, 0);
        got = ex_verdict_of(&blocking, &other, 10);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        if (failed && got != EX_NO_DATA)
            test_wrong("without memory: EX_NO_DATA", "%s", verdict_name(got));
    } while (failed);
    judge_p99(f, 100, 100);
    judge_p99(f, 250, 101);
    judge_p99(f, 7, 301);
}

/* The index */

static void no_scan(void *fixture)
{
    struct orders *o = &((struct fixture *)fixture)->orders;

    test_leaks_do_not_count();
    orders_add_index(o->db, "when there is no index yet");
    for (int i = 0; i < STATUSES; i++) {
        struct answer answer = orders_ask(o->other, order_statuses[i]);
        char text[TEXT_SIZE];

        CHECK(answer.rows > 1);
        (void)snprintf(text, sizeof text,
                       "the query for '%s' scans no row of the table",
                       order_statuses[i]);
        test_cause(
            "no index begins with a column that the query compares by =");
        if (answer.scanned > 0)
            test_wrong(text, "it scans %s to return %d",
                       test_count((uint64_t)answer.scanned, "row", NULL),
                       answer.rows);
        (void)snprintf(text, sizeof text,
                       "the query for '%s' has nothing to sort",
                       order_statuses[i]);
        test_cause(
            "in an index the column of = comes first, then that of ORDER BY");
        if (answer.sorts > 0)
            test_wrong(text, "it sorts %d rows each time", answer.rows);
    }
}

static void few_steps(void *fixture)
{
    struct orders *o = &((struct fixture *)fixture)->orders;
    struct answer few, many;

    test_leaks_do_not_count();
    orders_add_index(o->db, "when there is no index yet");
    few = orders_ask(o->other, "paid");
    raw_do(o->other, more_orders);
    many = orders_ask(o->other, "paid");
    CHECK_INT(many.rows, few.rows);
    if (many.steps > few.steps + few.steps / 10)
        test_wrong(
            "no more steps of SQLite with 18000 other orders in the table",
            "%d steps became %d, to return the same %d orders", few.steps,
            many.steps, few.rows);
}

static void one_index(void *fixture)
{
    struct orders *o = &((struct fixture *)fixture)->orders;
    struct test_traces before;
    int64_t old, count;

    test_leaks_do_not_count();
    raw_do(o->other, "PRAGMA user_version = 7");
    old = orders_old_things(o->other);
    CHECK_INT(sqlite3_busy_timeout(o->db, 7), SQLITE_OK);
    test_traces_look(o->other, o->db, &before);
    orders_add_index(o->db, "when there is no index yet");
    test_traces_settings(o->db, &before, "when an index is added");
    if (orders_old_things(o->other) != old)
        test_wrong("the table, its rows, its old index and the numbers of the "
                   "file (user_version) stay as they were",
                   "one of them has changed");
    count = raw_ask(o->other, "SELECT count(*) FROM sqlite_master");
    if (count != 3 ||
        raw_ask(o->other, "SELECT count(*) FROM sqlite_master"
                          " WHERE type = 'index' AND tbl_name = 'orders'") != 2)
        test_wrong("one index of orders is added, and nothing else",
                   "the schema has %d entries instead of 3", (int)count);
    if (raw_ask(o->db, "SELECT count(*) FROM sqlite_temp_master") != 0)
        test_wrong("one index of orders is added, and nothing else",
                   "something temporary was added");
    test_traces_look(o->other, o->db, &before);
    test_cause("if the index exists already, that is not an error");
    orders_add_index(o->db, "the second time");
    test_cause("the second time there is nothing to write");
    test_traces_none(o->other, o->db, &before, "the second time");
    orders_add_index(o->other, "on another connection");
    raw_do(o->other, "BEGIN IMMEDIATE");
    test_cause("if the index exists, nobody needs the write lock");
    orders_add_index(o->db, "when it exists and another connection writes");
    raw_do(o->other, "COMMIT");
}

static void write_order(struct orders *o, const char *sql)
{
    if (sqlite3_exec(o->other, sql, NULL, NULL, NULL) != SQLITE_OK)
        test_wrong("every write is still possible", "%s",
                   sqlite3_errmsg(o->other));
}

/* The disk fails, or BEGIN or COMMIT is refused (if the code uses them). */
static void fail_each(struct orders *o)
{
    static const struct {
        enum asq_disk_op op;
        int code;
    } faults[] = {{ASQ_DISK_WRITE, SQLITE_IOERR_WRITE},
                  {ASQ_DISK_SYNC, SQLITE_IOERR_FSYNC},
                  {ASQ_DISK_WRITE, SQLITE_FULL}};
    struct test_refusal refusal = {0};

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        asq_slow_disk_fail(faults[i].op, 1, faults[i].code, 1);
        orders_add_in_vain(o, faults[i].code, "when the disk fails");
        asq_slow_disk_reset();
    }
    for (int kind = TEST_REFUSE_BEGIN; kind <= TEST_REFUSE_COMMIT; kind *= 2) {
        refusal.refused = 0;
        test_refuse(o->db, &refusal, kind);
        if (ex_index_add(o->db) != SQLITE_AUTH && refusal.refused > 0)
            test_wrong("SQLITE_AUTH when BEGIN or COMMIT is refused",
                       "a different code");
        orders_expect_idle(o->db);
        test_refuse_nothing(o->db);
    }
}

/* Each allocation of SQLite fails once. */
static void fail_memory(struct orders *o)
{
    for (uint64_t nth = 1; nth <= ALLOCATIONS; nth++) {
        int rc, failed;

        test_alloc_fail_at(TEST_ALLOC_SQLITE, nth, 0);
        rc = ex_index_add(o->db);
        failed = test_alloc_has_failed();
        test_alloc_fail_at(0, 0, 0);
        orders_expect_idle(o->db);
        if (rc != SQLITE_OK && (!failed || rc != SQLITE_NOMEM))
            test_wrong("SQLITE_NOMEM (7) when SQLite has no memory", "%s",
                       test_code(rc));
        if (rc == SQLITE_OK &&
            raw_ask(o->other, "SELECT count(*) FROM sqlite_master") != 3)
            test_wrong("the index exists when ex_index_add returns 0",
                       "it does not");
    }
}

/* Leaks count in this test. */
static void others(void *fixture)
{
    struct orders *o = &((struct fixture *)fixture)->orders;

    test_cause("the code that SQLite returned was ignored or replaced");
    raw_do(o->other, "BEGIN IMMEDIATE");
    orders_add_in_vain(o, SQLITE_BUSY, "while another connection writes");
    raw_do(o->other, "COMMIT");
    fail_each(o);
    fail_memory(o);
    test_cause("a UNIQUE index refuses writes that were possible before");
    orders_add_index(o->db, "when nobody else writes any more");
    write_order(o, "INSERT INTO orders SELECT id + 100000, user_id,"
                   " status, created_at, 1 FROM orders");
    write_order(o, "UPDATE orders SET status = 'sent', created_at = 1");
    test_cause("the code that SQLite returned was ignored or replaced");
    raw_do(o->other, "DROP TABLE orders");
    orders_add_in_vain(o, SQLITE_ERROR, "when there is no such table");
}

#define OF(name) .seconds = SECONDS, .function = (name)

static const struct test_case cases[] = {
    {.name = "few_samples",
     .run = few_samples,
     .title = "percentiles of a few samples",
     .points = 1,
     OF("ex_percentile")},
    {.name = "many_samples",
     .run = many_samples,
     .title = "percentiles of many, equal and large samples",
     .points = 1,
     OF("ex_percentile")},
    {.name = "samples_stay",
     .run = samples_stay,
     .title = "the samples stay; refused arguments; no memory",
     .points = 1,
     OF("ex_percentile"),
     .cause = "the caller's array is sorted, instead of a copy"},
    {.name = "verdicts",
     .run = verdicts,
     .title = "verdicts, and ties",
     .points = 2,
     OF("ex_verdict_of")},
    {.name = "p99_and_no_data",
     .run = p99_and_no_data,
     .title = "it is the p99 that decides; nothing to judge by",
     .points = 1,
     OF("ex_verdict_of")},
    {.name = "no_scan",
     .run = no_scan,
     .title = "no scan of the table, nothing to sort",
     .points = 1,
     OF("ex_index_add")},
    {.name = "few_steps",
     .run = few_steps,
     .title = "work for the rows returned, not for the whole table",
     .points = 1,
     .needs = 6,
     OF("ex_index_add"),
     .cause = "in an index the column of = comes first, that of the range "
              "second"},
    {.name = "one_index",
     .run = one_index,
     .title = "one index, once, and nothing else",
     .points = 1,
     OF("ex_index_add"),
     .cause = "more was changed than adding one index needs"},
    {.name = "others",
     .run = others,
     .title = "another connection writes; something fails",
     .points = 1,
     OF("ex_index_add")},
    {0},
};

const struct test_suite test_suite = {
    .name = "04-measure-first",
    .cases = cases,
    .fixture_size = sizeof(struct fixture),
    .set_up = set_up,
    .tear_down = tear_down,
};
